//! The bounds on how many of each there may be: the last fits, the next does not, and what exists can be changed.

use keyless_model::entity::{Account, Application, Deployment, Host, ManagedIdentity, Mutation, Principal};
use keyless_model::{ClientId, ObjectId, Scope};
use serde_json::{Value, json};

use crate::support::Plane;

const FULL: (u16, &str) = (409, "QuotaExceeded");

fn below(scope: &Scope, provider: &str, name: impl std::fmt::Display) -> Scope {
    scope.join(&format!("providers/{provider}/{name}")).unwrap()
}

async fn last_and_late(plane: &Plane, at: impl Fn(&str) -> String, body: Value) {
    plane.put(plane.test.operator, &at("last"), body.clone()).await.expect(201);
    assert_eq!(plane.put(plane.test.operator, &at("late"), body.clone()).await.error(), FULL);
    plane.put(plane.test.operator, &at("last"), body).await.expect(200);
}

#[tokio::test]
async fn identities_of_a_subscription_have_a_bound_d16() {
    const KIND: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
    let plane = Plane::new().await;
    let (snapshot, group) = (plane.test.snapshot(), plane.test.group.clone());
    let known = snapshot.user_assigned_below(&plane.subscription()).next().unwrap().as_ref().clone();
    let have = snapshot.user_assigned_below(&plane.subscription()).count() as u128;
    let copy = |number: u128| ManagedIdentity {
        scope: below(&group, KIND, format_args!("copy{number}")),
        client_id: ClientId::from_u128(0xcccc_0000 + number),
        principal_id: ObjectId::from_u128(0xdddd_0000 + number),
        ..known.clone()
    };
    plane.test.apply((have..9_999).map(|number| Mutation::put(copy(number)))).await;
    last_and_late(&plane, |name| below(&group, KIND, name).to_string(), json!({ "location": "local" })).await;
}

#[tokio::test]
async fn identities_of_a_machine_have_a_bound_d16() {
    let plane = Plane::new().await;
    let (snapshot, group) = (plane.test.snapshot(), plane.test.group.clone());
    let known = snapshot.user_assigned_below(&plane.subscription()).next().unwrap().as_ref().clone();
    let scope = |number: u128| below(&group, "Microsoft.ManagedIdentity/userAssignedIdentities", format_args!("copy{number}"));
    let copy = |number: u128| ManagedIdentity {
        scope: scope(number),
        client_id: ClientId::from_u128(0xcccc_0000 + number),
        principal_id: ObjectId::from_u128(0xdddd_0000 + number),
        ..known.clone()
    };
    plane.test.apply((0..101).map(|number| Mutation::put(copy(number)))).await;
    let with = |count: u128| {
        let identities: serde_json::Map<String, Value> = (0..count).map(|number| (scope(number).to_string(), json!({}))).collect();
        json!({ "location": "local", "identity": { "type": "UserAssigned", "userAssignedIdentities": identities } })
    };
    let machine = below(&group, "Microsoft.Compute/virtualMachines", "crowded").to_string();
    assert_eq!(plane.put(plane.test.operator, &machine, with(101)).await.error(), FULL);
    plane.put(plane.test.operator, &machine, with(100)).await.expect(201);
}

#[tokio::test]
async fn hosts_of_a_subscription_have_a_bound_d16() {
    const KIND: &str = "Microsoft.Compute/virtualMachines";
    let plane = Plane::new().await;
    let (snapshot, group) = (plane.test.snapshot(), plane.test.group.clone());
    let known = snapshot.host(&plane.test.host).unwrap().as_ref().clone();
    let have = snapshot.hosts_below(&plane.subscription()).count();
    let copy =
        |number: usize| Host { scope: below(&group, KIND, format_args!("copy{number}")), identity: Default::default(), ..known.clone() };
    plane.test.apply((have..9_999).map(|number| Mutation::put(copy(number)))).await;
    last_and_late(&plane, |name| below(&group, KIND, name).to_string(), json!({ "location": "local" })).await;
}

#[tokio::test]
async fn accounts_of_a_subscription_have_a_bound_d16() {
    const KIND: &str = "Microsoft.CognitiveServices/accounts";
    let plane = Plane::new().await;
    let (snapshot, group) = (plane.test.snapshot(), plane.test.group.clone());
    let known = snapshot.account(&plane.test.account).unwrap().as_ref().clone();
    let have = snapshot.accounts_below(&plane.subscription()).count();
    let copy = |number: usize| Account {
        scope: below(&group, KIND, format_args!("copy{number}")),
        custom_subdomain: format!("copy{number}"),
        ..known.clone()
    };
    plane.test.apply((have..999).map(|number| Mutation::put(copy(number)))).await;
    let body = json!({ "location": "local", "kind": "OpenAI", "sku": { "name": "S0" }, "properties": {} });
    last_and_late(&plane, |name| below(&group, KIND, name).to_string(), body).await;
}

#[tokio::test]
async fn deployments_of_an_account_have_a_bound_d16() {
    let plane = Plane::new().await;
    let (snapshot, account) = (plane.test.snapshot(), plane.test.account.clone());
    let known = snapshot.deployments_of(&account).next().unwrap().as_ref().clone();
    let have = snapshot.deployments_of(&account).count();
    let mut sku = known.sku.clone();
    sku.capacity = Some(1);
    let at = |name: &str| account.join(&format!("deployments/{name}")).unwrap();
    let copy = |number: usize| Deployment { scope: at(&format!("copy{number}")), sku: sku.clone(), ..known.clone() };
    plane.test.apply((have..999).map(|number| Mutation::put(copy(number)))).await;
    let body = json!({ "sku": { "name": "Standard", "capacity": 1 }, "properties": { "model": known.model } });
    last_and_late(&plane, |name| at(name).to_string(), body).await;
}

#[tokio::test]
async fn principals_and_applications_of_the_directory_have_a_bound_d16() {
    let plane = Plane::new().await;
    let (snapshot, operator) = (plane.test.snapshot(), plane.test.operator);
    let app = plane.post(operator, "/v1.0/applications", json!({ "displayName": "known" })).await.expect(201);
    let id: ObjectId = app["id"].as_str().unwrap().parse().unwrap();
    let known = plane.test.snapshot().application(id).unwrap().as_ref().clone();
    let have = plane.test.snapshot().applications().count() as u128;
    let copy = |number: u128| Application {
        id: ObjectId::from_u128(0xaaaa_0000 + number),
        client_id: ClientId::from_u128(0xbbbb_0000 + number),
        ..known.clone()
    };
    plane.test.apply((have..49_999).map(|number| Mutation::put(copy(number)))).await;
    let make = async |path: &str, body: Value| plane.post(operator, path, body).await;
    make("/v1.0/applications", json!({ "displayName": "last" })).await.expect(201);
    assert_eq!(make("/v1.0/applications", json!({ "displayName": "late" })).await.status, 409);

    let known = snapshot.principal(operator.object_id).unwrap().as_ref().clone();
    let have = plane.test.snapshot().principals().count() as u128;
    let copy = |number: u128| Principal { id: ObjectId::from_u128(0xeeee_0000 + number), client_id: None, ..known.clone() };
    plane.test.apply((have..49_999).map(|number| Mutation::put(copy(number)))).await;
    let group = |name: &str| json!({ "displayName": name, "mailNickname": name, "mailEnabled": false, "securityEnabled": true });
    make("/v1.0/groups", group("last")).await.expect(201);
    assert_eq!(make("/v1.0/groups", group("late")).await.status, 409);
}
