use keyless_model::{AssignmentId, SubscriptionId, Timestamp};
use keyless_rbac::{SystemRight, builtin};
use serde_json::{Value, json};

use super::*;
use crate::Revision;
use crate::invariant::administrators::could_assign_owner;

const TENANT: TenantId = TenantId::from_u128(1);
const OWN: SubscriptionId = SubscriptionId::from_u128(0x50);
const FOREIGN: SubscriptionId = SubscriptionId::from_u128(0x51);
const OWNER: ObjectId = ObjectId::from_u128(0xa);
/// The same in the other tenant.
const STRANGER: ObjectId = ObjectId::from_u128(0xa2);
const SERVANT: ObjectId = ObjectId::from_u128(0xb);
const SERVANTS_CLIENT: ClientId = ClientId::from_u128(0xbc);

fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

fn own(rest: &str) -> Scope {
    scope(&format!("{}{rest}", Scope::subscription(OWN)))
}

fn entity(kind: &str, body: &Value) -> Entity {
    serde_json::from_value(json!({ "kind": kind, "body": body })).unwrap_or_else(|error| panic!("{kind}: {error}"))
}

fn servant() -> [Entity; 2] {
    let at = own("/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mi");
    let (now, tags) = (Timestamp::default(), json!({}));
    let identity = json!({ "scope": at, "identityKind": { "type": "userAssigned" }, "tenant": TENANT, "clientId": SERVANTS_CLIENT,
        "principalId": SERVANT, "location": "l", "tags": tags, "created": now });
    let principal = json!({ "id": SERVANT, "tenant": TENANT, "kind": "ManagedIdentity", "displayName": "mi", "clientId": SERVANTS_CLIENT,
        "enabled": true, "created": now });
    [entity("managedIdentity", &identity), entity("principal", &principal)]
}

/// Two tenants with a subscription each; and an Owner of everything in each, who get the permits.
fn world(more: impl IntoIterator<Item = Entity>) -> Snapshot {
    let now = Timestamp::default();
    let mut rows: Vec<Entity> = builtin::roles().into_iter().map(Entity::from).collect();
    for (tenant, subscription) in [(TENANT, OWN), (TenantId::from_u128(2), FOREIGN)] {
        rows.push(entity("tenant", &json!({ "id": tenant, "displayName": "t", "domain": "t.test", "created": now })));
        rows.push(entity("subscription", &json!({ "id": subscription, "tenant": tenant, "displayName": "s" })));
    }
    for (number, id, tenant) in [(1, OWNER, TENANT), (3, STRANGER, TenantId::from_u128(2))] {
        let owner = json!({ "id": id, "tenant": tenant, "kind": "User", "displayName": "o", "enabled": true, "created": now });
        rows.push(entity("principal", &owner));
        let role = json!({ "id": AssignmentId::from_u128(number), "scope": "/", "role": builtin::OWNER, "principal": id,
            "principalType": "User", "created": now, "updated": now });
        rows.push(entity("roleAssignment", &role));
    }
    rows.extend(servant());
    rows.extend(more);
    Snapshot::build(Revision(1), rows)
}

fn permit(snapshot: &Snapshot, at: &Scope) -> Permit {
    let of = |who| could_assign_owner(snapshot, who, at);
    of(OWNER).or_else(|| of(STRANGER)).unwrap_or_else(|| panic!("no permit at {at}"))
}

/// One of each kind, where the permit for it is, and where another permit would be.
fn sample(kind: EntityKind) -> (Entity, Scope, Scope) {
    let (now, group, other) = (Timestamp::default(), own("/resourceGroups/rg"), own("/resourceGroups/other"));
    let (id, directory) = (ObjectId::from_u128(0x77), (Scope::subscription(OWN), group.clone()));
    let at = |rest: &str| group.join(&format!("providers/{rest}")).unwrap();
    let resource = |place: Scope, mut body: Value| {
        body["scope"] = json!(place);
        body["created"] = json!(now);
        (entity(kind.as_str(), &body), place, other.clone())
    };
    let object = |body: Value| (entity(kind.as_str(), &body), directory.0.clone(), directory.1.clone());
    let app = json!({ "id": id, "tenant": TENANT, "clientId": ClientId::from_u128(0x78), "displayName": "a", "created": now });
    match kind {
        EntityKind::Tenant => {
            let body = json!({ "id": TenantId::from_u128(9), "displayName": "t", "domain": "n.test", "created": now });
            (entity("tenant", &body), Scope::root(), Scope::subscription(OWN))
        }
        EntityKind::SigningKey => {
            let body =
                json!({ "kid": "k", "algorithm": "RS256", "state": "active", "private": "", "public": "", "since": now, "created": now });
            (entity("signingKey", &body), Scope::root(), Scope::subscription(OWN))
        }
        EntityKind::ManagementGroup => {
            let body = json!({ "name": "mg", "tenant": TENANT, "displayName": "mg" });
            (entity("managementGroup", &body), Scope::management_group("mg").unwrap(), Scope::management_group("mg2").unwrap())
        }
        EntityKind::Subscription => {
            let body = json!({ "id": SubscriptionId::from_u128(0x52), "tenant": TENANT, "displayName": "s", "managementGroup": "mg" });
            (entity("subscription", &body), Scope::management_group("mg").unwrap(), Scope::management_group("mg2").unwrap())
        }
        EntityKind::ResourceGroup => resource(own("/resourceGroups/new"), json!({ "location": "l" })),
        EntityKind::Host => resource(at("Microsoft.Compute/virtualMachines/vm"), json!({ "location": "l", "identity": {} })),
        EntityKind::Account => resource(
            at("Microsoft.CognitiveServices/accounts/ai"),
            json!({ "location": "l", "accountKind": "OpenAI", "sku": { "name": "S0" }, "customSubdomain": "ai", "disableLocalAuth": true,
                "keys": ["", ""], "version": 1 }),
        ),
        EntityKind::Deployment => resource(
            at("Microsoft.CognitiveServices/accounts/ai/deployments/d"),
            json!({ "model": { "format": "f", "name": "m" }, "sku": { "name": "s" }, "version": 1 }),
        ),
        EntityKind::GenericResource => resource(at("My.Own/things/t"), json!({ "location": "l", "body": {} })),
        EntityKind::Lock => resource(group.clone(), json!({ "name": "l", "level": "ReadOnly" })),
        EntityKind::ManagedIdentity => {
            let place = at("Microsoft.ManagedIdentity/userAssignedIdentities/new");
            let body = json!({ "identityKind": { "type": "userAssigned" }, "tenant": TENANT, "clientId": ClientId::from_u128(0x79),
                "principalId": id, "location": "l" });
            resource(place, body)
        }
        EntityKind::RoleAssignment => resource(
            group.clone(),
            json!({ "id": AssignmentId::from_u128(2), "role": builtin::READER, "principal": OWNER, "principalType": "User", "updated": now }),
        ),
        EntityKind::DenyAssignment => resource(
            group.clone(),
            json!({ "id": "00000000-0000-0000-0000-0000000000d0", "name": "d", "description": "", "doNotApplyToChildScopes": false,
                "permissions": [], "principals": [], "excludePrincipals": [] }),
        ),
        EntityKind::RoleDefinition => {
            let body = json!({ "id": "00000000-0000-0000-0000-0000000000e0", "roleName": "r", "description": "", "roleKind": "CustomRole",
                "permissions": [], "assignableScopes": [group], "created": now, "updated": now });
            (entity("roleDefinition", &body), group.clone(), other.clone())
        }
        EntityKind::FederatedCredential => {
            let owner = own("/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mi");
            let body = json!({ "id": "00000000-0000-0000-0000-0000000000f0", "owner": { "identity": owner }, "name": "f", "issuer": "i",
                "subject": { "exact": "s" }, "audience": "a", "created": now });
            (entity("federatedCredential", &body), owner, other.clone())
        }
        EntityKind::Application => object(app),
        EntityKind::Principal => {
            object(json!({ "id": id, "tenant": TENANT, "kind": "User", "displayName": "p", "enabled": true, "created": now }))
        }
        EntityKind::User => object(json!({ "id": OWNER, "userPrincipalName": "o@t.test", "mailNickname": "o" })),
        EntityKind::Group => object(json!({ "id": OWNER, "mailNickname": "o", "members": [] })),
        EntityKind::Invitation => object(json!({ "user": id, "tenant": TENANT, "userPrincipalName": "n@t.test", "displayName": "n",
            "rights": "member", "invited": now, "expires": now })),
        EntityKind::RefreshFamily => object(json!({ "id": "00000000-0000-0000-0000-0000000000aa", "user": OWNER,
            "clientId": SERVANTS_CLIENT, "generation": 1, "signedIn": now, "expires": now, "revoked": false, "method": "pwd" })),
    }
}

#[test]
fn a_permit_for_another_scope_writes_and_deletes_nothing_of_any_kind() {
    for kind in EntityKind::ALL {
        let (entity, here, elsewhere) = sample(*kind);
        let (empty, full) = (world([]), world([entity.clone()]));
        for (snapshot, mutation) in [
            (&empty, Mutation::Put(Box::new(entity.clone()))),
            (&full, Mutation::Put(Box::new(entity.clone()))),
            (&full, Mutation::Delete(entity.key())),
        ] {
            let judge = |at: &Scope| check(&permit(snapshot, at), snapshot, std::slice::from_ref(&mutation));
            assert_eq!(judge(&here), Ok(()), "{kind:?} at {here}");
            assert!(matches!(judge(&elsewhere), Err(Violation::NotCovered(_))), "{kind:?} with a permit at {elsewhere}");
            if here == Scope::subscription(OWN) {
                assert!(judge(&Scope::subscription(FOREIGN)).is_err(), "{kind:?} of another tenant's directory");
            }
            #[expect(clippy::disallowed_methods, reason = "what it reaches is looked at here")]
            let system = SystemRight::claim().permit("test");
            assert_eq!(check(&system, snapshot, std::slice::from_ref(&mutation)), Ok(()), "{kind:?} as Keyless itself");
        }
    }
}

#[test]
fn what_goes_takes_its_grants_along_wherever_they_are_and_nothing_else() {
    let (host, _, _) = sample(EntityKind::Host);
    let Entity::Host(mut host) = host else { panic!("a host") };
    host.scope = own("/resourceGroups/other/providers/Microsoft.Compute/virtualMachines/vm");
    let [identity, principal] = servant();
    let Entity::ManagedIdentity(row) = &identity else { panic!("an identity") };
    host.identity.user.insert(row.scope.clone());
    let (grant, _, _) = sample(EntityKind::RoleAssignment);
    let Entity::RoleAssignment(mut grant) = grant else { panic!("an assignment") };
    (grant.scope, grant.principal) = (own("/resourceGroups/other"), SERVANT);
    let snapshot = world([host.clone().into(), grant.clone().into()]);
    let permit = permit(&snapshot, &row.scope);
    let bare = Host { identity: AssignedIdentities::default(), ..host.clone() };
    let end = [Mutation::Delete(identity.key()), Mutation::Delete(principal.key())];
    let with = |more: Mutation| check(&permit, &snapshot, &[end.to_vec(), vec![more]].concat());
    assert_eq!(with(Mutation::Delete(Entity::from(grant.clone()).key())), Ok(()));
    assert_eq!(with(Mutation::put(bare.clone())), Ok(()));
    assert!(with(Mutation::put(Host { location: "elsewhere".to_owned(), ..bare.clone() })).is_err(), "only the identity goes");
    assert!(with(Mutation::Delete(Entity::from(host).key())).is_err(), "the host stays");
    assert!(check(&permit, &snapshot, &[Mutation::put(bare)]).is_err(), "the identity does not go");
    assert!(check(&permit, &snapshot, &[Mutation::Delete(Entity::from(grant).key())]).is_err());
}
