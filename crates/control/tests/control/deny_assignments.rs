//! Deny assignments as the owner makes them.

use keyless_directory::plan::deny_assignment::{NewDenyAssignment, put, remove};
use keyless_model::entity::{DenyAssignment, Mutation};
use keyless_model::{DenyAssignmentId, Scope, Timestamp};
use serde_json::{Value, json};

use crate::support::Plane;

const EVERYONE: &str = "00000000-0000-0000-0000-000000000000";

fn freeze(plane: &Plane) -> Value {
    json!({
        "denyAssignmentName": "freeze", "scope": plane.test.group, "permissions": [{ "actions": ["Microsoft.CognitiveServices/accounts/write"] }],
        "principals": [{ "id": EVERYONE }], "excludePrincipals": [{ "id": plane.test.app.object_id, "type": "ServicePrincipal" }],
    })
}

fn wished(plane: &Plane, name: Option<DenyAssignmentId>, properties: &Value) -> Result<(DenyAssignment, Vec<Mutation>), String> {
    let new: NewDenyAssignment =
        serde_json::from_value(json!({ "name": name, "properties": properties })).map_err(|error| error.to_string())?;
    let (fresh, now) = (DenyAssignmentId::from_u128(0xd), Timestamp::from_unix_secs(7));
    let (_, row, mutations) = put(&plane.test.snapshot(), &new, fresh, now).map_err(|error| error.to_string())?;
    Ok((row, mutations))
}

#[tokio::test]
async fn what_is_made_holds_is_replaced_by_its_name_and_ends_when_removed() {
    let plane = Plane::new().await;
    let (operator, account) = (plane.test.operator, plane.test.account.clone());
    let tag = async || plane.ask(operator, "PATCH", account.as_str(), json!({ "tags": { "a": "b" } })).await.status;
    let mut properties = freeze(&plane);
    let (row, mutations) = wished(&plane, None, &properties).unwrap();
    plane.test.apply(mutations).await;
    assert_eq!(tag().await, 403);
    properties["doNotApplyToChildScopes"] = true.into();
    let (changed, mutations) = wished(&plane, Some(row.id), &properties).unwrap();
    assert_eq!((changed.id, changed.created), (row.id, row.created));
    plane.test.apply(mutations).await;
    assert_eq!(tag().await, 200, "the account is below the scope");
    properties["doNotApplyToChildScopes"] = false.into();
    plane.test.apply(wished(&plane, Some(row.id), &properties).unwrap().1).await;
    assert_eq!(tag().await, 403);
    plane.test.apply(remove(&plane.test.snapshot(), row.id).unwrap().1).await;
    assert_eq!(tag().await, 200);
    assert!(remove(&plane.test.snapshot(), row.id).is_err());
    assert!(wished(&plane, Some(row.id), &properties).is_err(), "one that is gone is not replaced");
}

#[tokio::test]
async fn one_that_would_forbid_nothing_or_lock_everybody_out_is_refused() {
    let plane = Plane::new().await;
    assert!(wished(&plane, None, &freeze(&plane)).is_ok());
    for (field, value, why) in [
        ("denyAssignmentName", json!(" "), "a deny assignment"),
        ("description", json!("x".repeat(513)), "512"),
        ("scope", json!(plane.test.group.join("providers/Microsoft.CognitiveServices/accounts/absent").unwrap()), "does not exist"),
        ("permissions", json!([]), "exactly one block"),
        ("permissions", json!([{ "notActions": ["*"] }]), "name nothing"),
        ("permissions", json!([{ "actions": ["write"] }]), "not an action pattern"),
        ("permissions", json!([{ "actions": ["*"], "condition": "true" }]), "condition"),
        ("principals", json!([]), "1 to 100"),
        ("principals", json!([{ "id": "00000000-0000-4000-8000-0000000000ff" }]), "no principal"),
        ("principals", json!([{ "id": "ada" }]), "no principal"),
        ("excludePrincipals", json!([]), "must exclude somebody"),
        ("excludePrincipals", json!([{ "id": EVERYONE }]), "no principal"),
        ("excludedPrincipals", json!([]), "unknown field"),
    ] {
        let mut properties = freeze(&plane);
        properties[field] = value;
        let refused = wished(&plane, None, &properties).unwrap_err();
        assert!(refused.contains(why), "{field}: {refused}");
    }
    let mut properties = freeze(&plane);
    properties["permissions"] = json!([{ "actions": ["Microsoft.Authorization/*"] }]);
    properties["scope"] = json!(Scope::subscription(keyless_testkit::SUBSCRIPTION));
    let refused = plane.test.try_apply(wished(&plane, None, &properties).unwrap().1).await.unwrap_err().to_string();
    assert!(refused.contains("nobody could assign roles"), "{refused}");
}

#[tokio::test]
async fn the_thousand_and_first_is_refused_and_what_exists_can_be_replaced() {
    let plane = Plane::new().await;
    let properties = freeze(&plane);
    let (known, _) = wished(&plane, None, &properties).unwrap();
    let many = |range: std::ops::Range<u128>| {
        let known = known.clone();
        range.map(move |number| Mutation::put(DenyAssignment { id: DenyAssignmentId::from_u128(0xaaaa_0000 + number), ..known.clone() }))
    };
    plane.test.apply(many(0..999)).await;
    assert!(wished(&plane, None, &properties).is_ok());
    plane.test.apply(many(999..1000)).await;
    assert!(wished(&plane, None, &properties).unwrap_err().contains("no more than 1000"));
    assert!(wished(&plane, Some(DenyAssignmentId::from_u128(0xaaaa_0000)), &properties).is_ok());
}
