//! Who may read and change the directory (decision record 0005).
//!
//! The directory is not a resource, so no ARM action guards it, and Entra's own roles do not exist here. Two rules replace them:
//!
//! * **Read**: whoever may read role assignments at the root, or at a whole subscription or management group of the tenant. They
//!   see object ids already; the directory gives them names.
//! * **Change**: whoever could make anyone an Owner at the root or in every subscription of the tenant. They could give
//!   themselves any right there anyway, so controlling another principal gains them nothing. An administrator of one subscription
//!   among several is not one of the directory: with a new secret for an application that is Owner elsewhere, they would be
//!   Owner there too.
//! * **Change of a principal that holds a role above the subscriptions** - at the root or a management group, itself or through a
//!   group: whoever could make anyone an Owner there as well.
//! * **Change of a principal that a deny assignment names** - as one it holds for or spares, itself or through a group: nobody. It
//!   would lift the deny assignment from somebody, and only the owner, at the local socket, may do that.
//!
//! Everyone may read what they are themselves (`/me`).

use http::Method;
use keyless_model::entity::{DenyAssignment, DenyPrincipal, Entity, EntityKind, FederatedCredential, FederatedOwner, Mutation};
use keyless_model::{ObjectId, Scope, SubscriptionId};
use keyless_rbac::{Attributes, Permit};
use keyless_store::Snapshot;

use crate::call::Call;
use crate::failure::{Code, Failure};
use keyless_directory::invariant::administrators;

const READ: &str = "Microsoft.Authorization/roleAssignments/read";

/// The permit to read the directory.
pub(crate) fn read(call: &Call, snapshot: &Snapshot) -> Result<Permit, Failure> {
    let subscriptions = own_subscriptions(call, snapshot).map(Scope::subscription);
    let found =
        above_subscriptions(call, snapshot).chain(subscriptions).find_map(|scope| call.ask(snapshot, READ, &scope, Attributes::NONE).ok());
    found.ok_or_else(denied)
}

/// The permit to change the directory.
pub(crate) fn write(call: &Call, snapshot: &Snapshot) -> Result<Permit, Failure> {
    if let Some(permit) = administrators::could_assign_owner(snapshot, call.me(), &Scope::root()) {
        return Ok(permit);
    }
    let mut last = None;
    for id in own_subscriptions(call, snapshot) {
        let permit = administrators::could_assign_owner(snapshot, call.me(), &Scope::subscription(id));
        last = Some(permit.ok_or_else(denied)?);
    }
    last.ok_or_else(denied)
}

/// Refuses a change of a principal - a new member of its group, a credential of its application, the principal itself - that holds
/// a role above the subscriptions, unless the caller could give any role there; and of one that a deny assignment names.
pub(crate) fn check(call: &Call, snapshot: &Snapshot, mutations: &[Mutation]) -> Result<(), Failure> {
    let policy = snapshot.policy();
    for principal in mutations.iter().filter_map(|mutation| concerned(snapshot, mutation)) {
        let circle: Vec<ObjectId> = std::iter::once(principal).chain(policy.groups_of(principal)).collect();
        // SECURITY: who is held by a deny assignment must not become one whom it spares, by a group or a credential; ARM, too, lets
        // nobody lift one, whatever their role.
        if policy.deny_assignments().any(|deny| circle.iter().any(|id| names(deny, *id))) {
            let why =
                "A deny assignment names this object or a group that it belongs to. Lift the deny assignment first, with 'keyless apply'.";
            return Err(Failure::new(Code::Authorization_RequestDenied, why));
        }
        let held = circle.into_iter().flat_map(|id| policy.assignments_of(id).map(|row| row.scope).collect::<Vec<_>>());
        for scope in held.filter(|scope| scope.subscription_id().is_none()) {
            administrators::could_assign_owner(snapshot, call.me(), &scope).ok_or_else(denied)?;
        }
    }
    Ok(())
}

/// Whether a deny assignment says something of this very principal or group.
fn names(deny: &DenyAssignment, id: ObjectId) -> bool {
    deny.principals.contains(&DenyPrincipal::Object(id)) || deny.exclude_principals.contains(&id)
}

/// Whose rights the mutation gives someone, or takes away.
fn concerned(snapshot: &Snapshot, mutation: &Mutation) -> Option<ObjectId> {
    let of_application = |id: ObjectId| {
        let client = snapshot.application(id)?.client_id;
        snapshot.service_principal(client).map(|row| row.id)
    };
    match mutation {
        Mutation::Put(entity) => match &**entity {
            Entity::Principal(row) => Some(row.id),
            Entity::User(row) => Some(row.id),
            Entity::Group(row) => Some(row.id),
            Entity::Application(row) => of_application(row.id),
            Entity::FederatedCredential(FederatedCredential { owner: FederatedOwner::Application(id), .. }) => of_application(*id),
            _ => None,
        },
        Mutation::Delete(key) => match key.kind {
            EntityKind::Principal | EntityKind::User | EntityKind::Group => key.id.parse().ok(),
            EntityKind::Application => of_application(key.id.parse().ok()?),
            _ => None,
        },
    }
}

/// The name under which the audit files an operation on the directory.
pub(crate) fn operation(method: &Method, path: &str) -> String {
    let mut noun = String::new();
    for word in path.trim_start_matches("/v1.0/").split('/').filter(|word| !word.starts_with('{')) {
        noun.push('/');
        noun.push_str(word);
    }
    let verb = match *method {
        Method::GET => "read",
        Method::DELETE => "delete",
        Method::PATCH => "update",
        _ => "write",
    };
    format!("Microsoft.Graph{noun}/{verb}")
}

fn own_subscriptions(call: &Call, snapshot: &Snapshot) -> impl Iterator<Item = SubscriptionId> {
    let tenant = call.tenant();
    snapshot.subscriptions().filter(move |row| row.tenant == tenant).map(|row| row.id)
}

/// The root, and the tenant's management groups.
fn above_subscriptions(call: &Call, snapshot: &Snapshot) -> impl Iterator<Item = Scope> {
    let tenant = call.tenant();
    let groups = snapshot.management_groups().filter(move |group| group.tenant == tenant);
    std::iter::once(Scope::root()).chain(groups.filter_map(|group| Scope::management_group(&group.name).ok()))
}

fn denied() -> Failure {
    Failure::new(Code::Authorization_RequestDenied, "Insufficient privileges to complete the operation.")
}
