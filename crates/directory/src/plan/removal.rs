//! What goes when something goes.
//!
//! * A principal takes its group memberships along. Assignments of a user-assigned identity, an application, a user or a group
//!   stay behind as orphans, as on Azure; ids are never used twice, so nobody inherits them (case 125).
//! * A system-assigned identity lives and dies with its resource: its assignments go too.
//! * A resource takes along what was granted, locked or trusted at it or below: one that is made again under the same name must
//!   not start with the old one's grants.

use keyless_model::entity::{Account, AssignedIdentities, Entity, FederatedOwner, Group, Host, ManagedIdentity, Mutation};
use keyless_model::{ObjectId, Scope, Timestamp};

use crate::Snapshot;

fn delete(entity: impl Into<Entity>) -> Mutation {
    Mutation::Delete(entity.into().key())
}

/// A principal and its memberships, its sign-ins and - for a user or group - its own document.
#[must_use]
pub fn principal(snapshot: &Snapshot, id: ObjectId) -> Vec<Mutation> {
    let mut mutations: Vec<Mutation> = snapshot.principal(id).map(|row| delete(row.as_ref().clone())).into_iter().collect();
    mutations.extend(snapshot.user(id).map(|row| delete(row.as_ref().clone())));
    mutations.extend(snapshot.group(id).map(|row| delete(row.as_ref().clone())));
    mutations.extend(snapshot.groups().filter(|group| group.id != id && group.members.contains(&id)).map(|group| {
        let mut members = group.members.clone();
        members.remove(&id);
        Mutation::put(Group { members, ..group.as_ref().clone() })
    }));
    mutations.extend(snapshot.refresh_families_of(id).map(|family| delete(family.as_ref().clone())));
    mutations
}

/// A user-assigned identity: its principal (so its tokens stop at once), its federated credentials, and its place on every host
/// and account that carries it.
#[must_use]
pub fn user_assigned(snapshot: &Snapshot, identity: &ManagedIdentity) -> Vec<Mutation> {
    let mut mutations = principal(snapshot, identity.principal_id);
    mutations.push(delete(identity.clone()));
    mutations.extend(federated(snapshot, &FederatedOwner::Identity(identity.scope.clone())));
    let root = Scope::root();
    mutations.extend(snapshot.hosts_below(&root).filter(|host| host.identity.user.contains(&identity.scope)).map(|host| {
        let mut next = host.as_ref().clone();
        next.identity.user.remove(&identity.scope);
        Mutation::put(next)
    }));
    mutations.extend(snapshot.accounts_below(&root).filter(|account| account.identity.user.contains(&identity.scope)).map(|account| {
        let mut next = account.as_ref().clone();
        next.identity.user.remove(&identity.scope);
        Mutation::put(next)
    }));
    mutations.extend(at_and_below(snapshot, &identity.scope));
    mutations
}

/// The system-assigned identity among these, with its assignments.
#[must_use]
pub fn system_assigned(snapshot: &Snapshot, identities: &AssignedIdentities) -> Vec<Mutation> {
    let Some(identity) = identities.system.and_then(|client| snapshot.identity(client)) else { return Vec::new() };
    let mut mutations = principal(snapshot, identity.principal_id);
    mutations.push(delete(identity.as_ref().clone()));
    mutations.extend(snapshot.policy().assignments_of(identity.principal_id).map(delete));
    mutations
}

/// A host and its own identity.
#[must_use]
pub fn host(snapshot: &Snapshot, host: &Host) -> Vec<Mutation> {
    let mut mutations = system_assigned(snapshot, &host.identity);
    mutations.push(delete(host.clone()));
    mutations.extend(at_and_below(snapshot, &host.scope));
    mutations
}

/// Marks an account as deleted: it answers nothing, its own identity and every grant at it are gone, and it can be recovered or
/// purged. The deployments stay, for a recovery.
#[must_use]
pub fn account(snapshot: &Snapshot, account: &Account, now: Timestamp) -> Vec<Mutation> {
    let mut mutations = system_assigned(snapshot, &account.identity);
    let mut next = account.clone();
    next.deleted = Some(now);
    next.identity = AssignedIdentities::default();
    next.version += 1;
    mutations.push(Mutation::put(next));
    mutations.extend(at_and_below(snapshot, &account.scope));
    mutations
}

/// An account for good, with its deployments.
#[must_use]
pub fn purge(snapshot: &Snapshot, account: &Account) -> Vec<Mutation> {
    let mut mutations = system_assigned(snapshot, &account.identity);
    mutations.extend(snapshot.deployments_of(&account.scope).map(|row| delete(row.as_ref().clone())));
    mutations.push(delete(account.clone()));
    mutations.extend(at_and_below(snapshot, &account.scope));
    mutations
}

/// Everything in a resource group, and the group.
#[must_use]
pub fn resource_group(snapshot: &Snapshot, group: &keyless_model::entity::ResourceGroup, now: Timestamp) -> Vec<Mutation> {
    let scope = &group.scope;
    let mut mutations = Vec::new();
    for row in snapshot.hosts_below(scope) {
        mutations.extend(host(snapshot, row));
    }
    for row in snapshot.accounts_below(scope).filter(|row| row.deleted.is_none()) {
        mutations.extend(account(snapshot, row, now));
    }
    for row in snapshot.user_assigned_below(scope) {
        mutations.extend(user_assigned(snapshot, row));
    }
    mutations.extend(snapshot.resources_below(scope).map(|row| delete(row.as_ref().clone())));
    mutations.extend(at_and_below(snapshot, scope));
    mutations.push(delete(group.clone()));
    settle(mutations)
}

/// The federated credentials of an identity or application.
#[must_use]
pub fn federated(snapshot: &Snapshot, owner: &FederatedOwner) -> Vec<Mutation> {
    snapshot.federated_of(owner).map(|row| delete(row.as_ref().clone())).collect()
}

/// What was granted and locked at a scope and below.
#[must_use]
pub fn at_and_below(snapshot: &Snapshot, scope: &Scope) -> Vec<Mutation> {
    let assignments = snapshot.policy().assignments_at(scope).chain(snapshot.policy().assignments_below(scope)).map(delete);
    let denies = snapshot.policy().deny_assignments().filter(|row| scope.covers(&row.scope)).map(|row| delete(row.clone()));
    let locks = snapshot.locks_below(scope).map(|row| delete(row.as_ref().clone()));
    assignments.chain(denies).chain(locks).collect()
}

/// Where one removal rewrites what another deletes (an identity leaves a host that goes too), the deletion stands.
fn settle(mutations: Vec<Mutation>) -> Vec<Mutation> {
    let deleted: std::collections::HashSet<_> =
        mutations.iter().filter(|mutation| matches!(mutation, Mutation::Delete(_))).map(Mutation::key).collect();
    // Two puts of one document: each started from the snapshot, so the later would undo the earlier. Keep what both took away.
    let mut kept: Vec<Mutation> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for mutation in mutations {
        let key = mutation.key();
        match places.get(&key).and_then(|at: &usize| kept.get_mut(*at)) {
            None if matches!(mutation, Mutation::Put(_)) && deleted.contains(&key) => {}
            None => {
                places.insert(key, kept.len());
                kept.push(mutation);
            }
            Some(earlier) => merge(earlier, mutation),
        }
    }
    kept
}

fn merge(earlier: &mut Mutation, later: Mutation) {
    match (&mut *earlier, later) {
        (Mutation::Put(kept), Mutation::Put(other)) => match (kept.as_mut(), *other) {
            (Entity::Group(kept), Entity::Group(other)) => kept.members.retain(|id| other.members.contains(id)),
            (Entity::Host(kept), Entity::Host(other)) => kept.identity.user.retain(|id| other.identity.user.contains(id)),
            (Entity::Account(kept), Entity::Account(other)) => {
                kept.identity.user.retain(|id| other.identity.user.contains(id));
                if kept.deleted.is_none() && other.deleted.is_some() {
                    *kept = other;
                }
            }
            (kept, other) => *kept = other,
        },
        (earlier, later @ Mutation::Delete(_)) => *earlier = later,
        (Mutation::Delete(_), Mutation::Put(_)) => {}
    }
}
