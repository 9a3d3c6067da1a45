//! That a change stays where its permit holds: a planner that errs, or is led astray, writes nothing elsewhere.
//!
//! It asks of each document, as it is and as it would be, where it belongs. What goes along with something that may go - the grants of
//! an identity, its place on a host - may lie anywhere; such a document must only lose what goes.

use std::collections::BTreeSet;

use keyless_model::entity::{
    Account, AssignedIdentities, Entity, EntityKind, FederatedOwner, Group, Host, Mutation, PrincipalKind, RoleDefinition,
};
use keyless_model::{ClientId, ObjectId, Scope, ScopeKind, TenantId};
use keyless_rbac::Permit;

use super::{Violation, administrators};
use crate::Snapshot;

/// Where a document belongs.
#[derive(Debug, Default)]
struct Home {
    /// At any of these scopes.
    scopes: Vec<Scope>,
    /// In this tenant's directory, which is no resource.
    directory: Option<TenantId>,
}

/// What the change deletes, as far as its permit covers that.
#[derive(Debug, Default)]
struct Gone {
    principals: BTreeSet<ObjectId>,
    identities: BTreeSet<Scope>,
}

/// Refuses documents outside of where the permit holds.
///
/// # Errors
/// [`Violation::NotCovered`].
pub(super) fn check(permit: &Permit, snapshot: &Snapshot, mutations: &[Mutation]) -> Result<(), Violation> {
    if permit.is_system() {
        return Ok(());
    }
    let covered = |entity: &Entity| covers(permit, snapshot, mutations, entity);
    let (mut gone, mut outside) = (Gone::default(), Vec::new());
    for mutation in mutations {
        let before = snapshot.entity(&mutation.key());
        let after = match mutation {
            Mutation::Put(entity) => Some(&**entity),
            Mutation::Delete(_) => None,
        };
        let key = mutation.key();
        let mut rows = before.iter().chain(after);
        let reached = match key.kind {
            // What moves is asked about where it leaves or where it joins; the right at the other end is asked where it is planned.
            EntityKind::Subscription | EntityKind::RoleDefinition => rows.clone().next().is_none() || rows.any(covered),
            _ => rows.all(covered),
        };
        if !reached {
            outside.push((key, before, after));
            continue;
        }
        match (before, after) {
            (Some(Entity::Principal(row)), None) => _ = gone.principals.insert(row.id),
            (Some(Entity::ManagedIdentity(row)), None) => _ = gone.identities.insert(row.scope),
            _ => {}
        }
    }
    match outside.into_iter().find(|(_, before, after)| !goes_along(&gone, before.as_ref(), *after)) {
        Some((key, ..)) => Err(Violation::NotCovered(key)),
        None => Ok(()),
    }
}

fn covers(permit: &Permit, snapshot: &Snapshot, mutations: &[Mutation], entity: &Entity) -> bool {
    let home = home(snapshot, mutations, entity);
    let above =
        |row: &RoleDefinition| snapshot.policy().scope_chain(permit.scope()).iter().any(|scope| row.assignable_scopes.contains(scope));
    home.scopes.iter().any(|scope| permit.covers(scope))
        || home.directory.is_some_and(|tenant| in_directory(permit, snapshot, tenant))
        // A custom role is written below one of its scopes as well; the right at each of them is asked where it is planned.
        || matches!(entity, Entity::RoleDefinition(row) if above(row))
}

/// Decision 5: who changes the directory could make anyone an Owner in every subscription of the tenant; the permit is for one of
/// them, or for the root.
fn in_directory(permit: &Permit, snapshot: &Snapshot, tenant: TenantId) -> bool {
    let own = |id| snapshot.subscription(id).is_some_and(|row| row.tenant == tenant);
    permit.action() == administrators::WRITE
        && match permit.scope().kind() {
            ScopeKind::Root => true,
            ScopeKind::Subscription => permit.scope().subscription_id().is_some_and(own),
            _ => false,
        }
}

fn home(snapshot: &Snapshot, mutations: &[Mutation], entity: &Entity) -> Home {
    let at = |scope: &Scope| Home { scopes: vec![scope.clone()], directory: None };
    let group = |name: &str| Scope::management_group(name).ok();
    let directory = |tenant: Option<TenantId>| Home { scopes: Vec::new(), directory: tenant };
    if let Some(scope) = entity.scope() {
        return at(scope);
    }
    match entity {
        Entity::ManagementGroup(row) => Home { scopes: group(&row.name).into_iter().collect(), directory: None },
        Entity::Subscription(row) => {
            let parent = row.management_group.as_deref().and_then(group);
            Home { scopes: parent.into_iter().chain([Scope::subscription(row.id)]).collect(), directory: None }
        }
        Entity::RoleDefinition(row) => Home { scopes: row.assignable_scopes.clone(), directory: None },
        Entity::FederatedCredential(row) => match &row.owner {
            FederatedOwner::Identity(scope) => {
                Home { scopes: scope.join(&format!("federatedIdentityCredentials/{}", row.name)).into_iter().collect(), directory: None }
            }
            FederatedOwner::Application(id) => directory(snapshot.application(*id).map(|row| row.tenant)),
        },
        Entity::Principal(row) => {
            let client = row.client_id.filter(|_| row.kind == PrincipalKind::ManagedIdentity);
            let scopes = client.and_then(|client| identity_at(snapshot, mutations, client)).into_iter().collect();
            Home { scopes, directory: Some(row.tenant) }
        }
        Entity::Application(row) => directory(Some(row.tenant)),
        Entity::User(row) => directory(tenant_of(snapshot, mutations, row.id)),
        Entity::Group(row) => directory(tenant_of(snapshot, mutations, row.id)),
        Entity::Invitation(row) => directory(Some(row.tenant)),
        Entity::RefreshFamily(row) => directory(tenant_of(snapshot, mutations, row.user)),
        // The rest concerns everybody.
        _ => at(&Scope::root()),
    }
}

/// Where a managed identity is, or will be.
fn identity_at(snapshot: &Snapshot, mutations: &[Mutation], client: ClientId) -> Option<Scope> {
    let planned = || {
        mutations.iter().find_map(|mutation| match mutation {
            Mutation::Put(entity) => match &**entity {
                Entity::ManagedIdentity(row) if row.client_id == client => Some(row.scope.clone()),
                _ => None,
            },
            Mutation::Delete(_) => None,
        })
    };
    snapshot.identity(client).map(|row| row.scope.clone()).or_else(planned)
}

fn tenant_of(snapshot: &Snapshot, mutations: &[Mutation], id: ObjectId) -> Option<TenantId> {
    let planned = || {
        mutations.iter().find_map(|mutation| match mutation {
            Mutation::Put(entity) => match &**entity {
                Entity::Principal(row) if row.id == id => Some(row.tenant),
                _ => None,
            },
            Mutation::Delete(_) => None,
        })
    };
    snapshot.principal(id).map(|row| row.tenant).or_else(planned)
}

/// Whether the document only loses what goes.
fn goes_along(gone: &Gone, before: Option<&Entity>, after: Option<&Entity>) -> bool {
    let only_detached = |before: &AssignedIdentities, after: &AssignedIdentities| {
        let left = before.user.iter().filter(|scope| !gone.identities.contains(*scope));
        before.system == after.system && left.eq(&after.user) && after.user.len() < before.user.len()
    };
    match (before, after) {
        (Some(Entity::RoleAssignment(row)), None) => gone.principals.contains(&row.principal),
        (Some(Entity::RefreshFamily(row)), None) => gone.principals.contains(&row.user),
        (Some(Entity::Group(before)), Some(Entity::Group(after))) => {
            let left = before.members.iter().filter(|id| !gone.principals.contains(*id));
            left.eq(&after.members)
                && after.members.len() < before.members.len()
                && *before == Group { members: before.members.clone(), ..after.clone() }
        }
        (Some(Entity::Host(before)), Some(Entity::Host(after))) => {
            only_detached(&before.identity, &after.identity) && *before == Host { identity: before.identity.clone(), ..after.clone() }
        }
        (Some(Entity::Account(before)), Some(Entity::Account(after))) => {
            only_detached(&before.identity, &after.identity) && *before == Account { identity: before.identity.clone(), ..after.clone() }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
