use std::collections::BTreeSet;

use keyless_model::Timestamp;
use keyless_model::entity::{AssignedIdentities, DeploymentModel, PrincipalKind, Sealed, Sku};

use super::*;

const RG: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg1";

fn account(name: &str) -> Account {
    Account {
        scope: format!("{RG}/providers/Microsoft.CognitiveServices/accounts/{name}").parse().unwrap(),
        location: "local".into(),
        account_kind: "OpenAI".into(),
        sku: Sku { name: "S0".into(), capacity: None },
        custom_subdomain: name.to_lowercase(),
        disable_local_auth: true,
        public_network_access: Default::default(),
        network_acls: Default::default(),
        identity: AssignedIdentities::default(),
        keys: [Sealed::from_ciphertext(vec![]), Sealed::from_ciphertext(vec![])],
        tags: Default::default(),
        created: Timestamp::default(),
        deleted: None,
        version: 1,
    }
}

fn deployment(account: &Account, name: &str) -> Deployment {
    Deployment {
        scope: account.scope.join(&format!("deployments/{name}")).unwrap(),
        model: DeploymentModel { format: "OpenAI".into(), name: "m".into(), version: None },
        sku: Sku { name: "Standard".into(), capacity: Some(1) },
        upstream: None,
        tags: Default::default(),
        created: Timestamp::default(),
        version: 1,
    }
}

#[test]
fn an_account_is_found_by_endpoint_until_it_is_deleted() {
    let (ai, other) = (account("Ai"), account("Ai2"));
    let first = Snapshot::build(Revision(1), vec![ai.clone().into(), other.clone().into(), deployment(&ai, "Chat").into()]);
    assert_eq!(first.account_at("ai").unwrap().scope, ai.scope);
    assert_eq!(first.deployment(&ai.scope, "chat").unwrap().scope.name(), "Chat");
    assert!(first.deployment(&ai.scope, "CHAT").is_some() && first.deployment(&other.scope, "chat").is_none());

    let soft = Account { deleted: Some(Timestamp::default()), ..ai.clone() };
    let second = first.with(Revision(2), &[Mutation::put(soft)]);
    assert!(second.account_at("ai").is_none() && second.account(&ai.scope).is_some());
    assert!(first.account_at("ai").is_some(), "an older snapshot keeps what it saw");
}

#[test]
fn listing_below_a_group_does_not_reach_its_namesakes_n108() {
    let group = |name: &str| ResourceGroup {
        scope: format!("/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/{name}").parse().unwrap(),
        location: "local".into(),
        tags: Default::default(),
        created: Timestamp::default(),
    };
    let rows = ["rg1", "rg10", "rg1-a"].map(|name| Entity::from(group(name)));
    let snapshot = Snapshot::build(Revision(1), rows.into_iter().chain([account("a").into()]).collect());
    let rg1: Scope = RG.parse().unwrap();
    assert_eq!(snapshot.resource_groups_below(&rg1).map(|g| g.scope.name().to_owned()).collect::<Vec<_>>(), ["rg1"]);
    assert_eq!(snapshot.accounts_below(&rg1).count(), 1);
    assert_eq!(
        snapshot.accounts_below(&"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg10".parse().unwrap()).count(),
        0
    );
}

#[test]
fn indexes_follow_renames_and_deletes() {
    let id = ObjectId::from_u128(7);
    let user = |name: &str| User { id, user_principal_name: name.into(), mail_nickname: "a".into(), password: None, external: None };
    let principal = |client: u128| Principal {
        id,
        tenant: TenantId::from_u128(1),
        kind: PrincipalKind::ServicePrincipal,
        display_name: "x".into(),
        client_id: Some(ClientId::from_u128(client)),
        enabled: true,
        home: None,
        tokens_valid_from: None,
        created: Timestamp::default(),
    };
    let first = Snapshot::build(Revision(1), vec![user("A@x.test").into(), principal(1).into()]);
    let second = first.with(Revision(2), &[Mutation::put(user("b@x.test")), Mutation::put(principal(2))]);
    assert!(second.user_named("a@X.test").is_none() && second.user_named("B@x.test").is_some());
    assert!(second.service_principal(ClientId::from_u128(1)).is_none() && second.service_principal(ClientId::from_u128(2)).is_some());
    let gone = [Entity::from(user("b@x.test")).key(), Entity::from(principal(2)).key()].map(Mutation::Delete);
    let third = second.with(Revision(3), &gone);
    assert!(
        third.user_named("b@x.test").is_none()
            && third.service_principal(ClientId::from_u128(2)).is_none()
            && third.principal(id).is_none()
    );
}

#[test]
fn federated_credentials_are_found_by_owner() {
    let owner = FederatedOwner::Application(ObjectId::from_u128(1));
    let credential = |n: u128| FederatedCredential {
        id: CredentialId::from_u128(n),
        owner: owner.clone(),
        name: format!("c{n}"),
        issuer: "https://issuer.test".into(),
        subject: keyless_model::entity::SubjectMatch::Exact("s".into()),
        audience: "a".into(),
        description: None,
        created: Timestamp::default(),
        algorithms: keyless_model::entity::AssertionAlgorithm::of_issuers(),
    };
    let snapshot = Snapshot::build(Revision(1), vec![credential(1).into(), credential(2).into()]);
    assert_eq!(snapshot.federated_of(&owner).count(), 2);
    let rest = snapshot.with(Revision(2), &[Mutation::Delete(Entity::from(credential(1)).key())]);
    assert_eq!(rest.federated_of(&owner).map(|c| c.name.clone()).collect::<BTreeSet<_>>(), BTreeSet::from(["c2".to_owned()]));
}

#[test]
fn origins_of_pages_follow_their_applications_i16() {
    let application = |id: u128, tenant: u128, pages: &[&str]| Application {
        id: ObjectId::from_u128(id),
        client_id: ClientId::from_u128(id),
        tenant: TenantId::from_u128(tenant),
        spa_redirect_uris: pages.iter().map(|page| (*page).to_owned()).collect(),
        display_name: String::new(),
        identifier_uris: vec![],
        redirect_uris: vec![],
        public_redirect_uris: vec![],
        public_client: false,
        secrets: vec![],
        certificates: vec![],
        created: Timestamp::default(),
    };
    let of = |snapshot: &Snapshot, tenant: u128, origin: &str| snapshot.has_page_at(Some(TenantId::from_u128(tenant)), origin);
    let (a, b) = ("https://a.example", "https://b.example");
    let first = Snapshot::build(
        Revision(1),
        vec![
            application(1, 1, &["https://A.example/x", "https://a.example:443/y"]).into(),
            application(2, 1, &["https://a.example/"]).into(),
            application(3, 2, &["https://b.example/"]).into(),
        ],
    );
    assert!(of(&first, 1, a) && !of(&first, 2, a) && of(&first, 2, b) && first.has_page_at(None, a) && first.has_page_at(None, b));
    assert!(!first.has_page_at(None, "null") && !first.has_page_at(None, "https://a.example/"));
    let second =
        first.with(Revision(2), &[Mutation::put(application(1, 1, &["https://c.example/"])), Mutation::put(application(3, 2, &[]))]);
    assert!(of(&second, 1, a) && of(&second, 1, "https://c.example") && !second.has_page_at(None, b), "another still lives there");
    let third = second.with(Revision(3), &[Mutation::Delete(Entity::from(application(2, 1, &[])).key())]);
    assert!(!third.has_page_at(None, a) && of(&third, 1, "https://c.example"));
}
