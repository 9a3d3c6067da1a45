//! How many documents may be made: per resource group, subscription, account or tenant. Everything is held in memory and loaded at a
//! start, so whoever may make one of something must not be able to make any number.

use keyless_model::Scope;
use keyless_model::entity::{Entity, Mutation};
use serde_json::Value;

use super::{Violation, scopes};
use crate::Snapshot;

/// Azure: 980 resource groups in a subscription.
const RESOURCE_GROUPS: usize = 980;
/// Azure: 800 resources of a type in a resource group.
const PER_TYPE_AND_GROUP: usize = 800;
/// Azure sets none for identities; their principals are directory objects, which it limits.
const IDENTITIES: usize = 10_000;
const HOSTS: usize = 10_000;
/// Azure: 30 accounts in a region of a subscription, raised on request.
const ACCOUNTS: usize = 1_000;
/// Azure: 32 deployments of an account, raised on request.
const DEPLOYMENTS: usize = 1_000;
/// Generic resources of a subscription, and the bytes of what they keep.
const RESOURCES: usize = 10_000;
const RESOURCE_BYTES: usize = 32 * 1024 * 1024;
/// Azure: 20 locks at one scope.
const LOCKS_AT: usize = 20;
const LOCKS: usize = 2_000;
/// Azure: 10,000 management groups in a directory; here each is read on every move.
const MANAGEMENT_GROUPS: usize = 1_000;
/// Entra: 50,000 objects in a directory without a verified domain.
const DIRECTORY_OBJECTS: usize = 50_000;
/// Identities that one resource carries.
const ATTACHED: usize = 100;

/// Refuses a change that makes one too many of something. What exists may be changed, also beyond the bound.
///
/// # Errors
/// [`Violation::TooMany`].
pub fn check(snapshot: &Snapshot, mutations: &[Mutation]) -> Result<(), Violation> {
    for mutation in mutations {
        let Mutation::Put(entity) = mutation else { continue };
        match &**entity {
            Entity::ResourceGroup(row) if snapshot.resource_group(&row.scope).is_none() => {
                at_most(RESOURCE_GROUPS, "resource groups in a subscription", snapshot.resource_groups_below(&top(&row.scope)).count())?;
            }
            Entity::ManagedIdentity(row) if snapshot.identity(row.client_id).is_none() => {
                at_most(IDENTITIES, "identities in a subscription", snapshot.user_assigned_below(&top(&row.scope)).count())?;
            }
            Entity::Host(row) => {
                at_most(ATTACHED + 1, "identities on a resource", row.identity.user.len())?;
                if snapshot.host(&row.scope).is_none() {
                    at_most(HOSTS, "virtual machines in a subscription", snapshot.hosts_below(&top(&row.scope)).count())?;
                }
            }
            Entity::Account(row) => {
                at_most(ATTACHED + 1, "identities on a resource", row.identity.user.len())?;
                if snapshot.account(&row.scope).is_none() {
                    at_most(
                        ACCOUNTS,
                        "accounts in a subscription, deleted ones included",
                        snapshot.accounts_below(&top(&row.scope)).count(),
                    )?;
                }
            }
            Entity::Deployment(row) => {
                let account = row.scope.parent().unwrap_or_else(|| row.scope.clone());
                if snapshot.deployment(&account, row.scope.name()).is_none() {
                    at_most(DEPLOYMENTS, "deployments in an account", snapshot.deployments_of(&account).count())?;
                }
            }
            Entity::GenericResource(row) => resource(snapshot, &row.scope, &row.body)?,
            Entity::Lock(row) if !snapshot.locks_on(&row.scope).any(|lock| lock.scope == row.scope && lock.name == row.name) => {
                at_most(LOCKS_AT, "locks at a scope", snapshot.locks_on(&row.scope).filter(|lock| lock.scope == row.scope).count())?;
                at_most(LOCKS, "locks in a subscription", snapshot.locks_below(&top(&row.scope)).count())?;
            }
            Entity::ManagementGroup(row) if snapshot.management_group(&row.name).is_none() => {
                let own = snapshot.management_groups().filter(|group| group.tenant == row.tenant);
                at_most(MANAGEMENT_GROUPS, "management groups in a directory", own.count())?;
            }
            Entity::Principal(row) if snapshot.principal(row.id).is_none() => {
                at_most(DIRECTORY_OBJECTS, "principals in the directory", snapshot.principal_count())?;
            }
            Entity::Application(row) if snapshot.application(row.id).is_none() => {
                at_most(DIRECTORY_OBJECTS, "applications in the directory", snapshot.applications().count())?;
            }
            // Bounded where they are made: `federation`, `role_definitions` and `role_assignments`.
            _ => {}
        }
    }
    Ok(())
}

fn resource(snapshot: &Snapshot, scope: &Scope, body: &Value) -> Result<(), Violation> {
    let subscription = top(scope);
    if snapshot.resource(scope).is_none() {
        let (kind, group) = (scope.resource_type(), container(scope));
        let same = snapshot.resources_below(&group).filter(|row| row.scope.resource_type() == kind);
        at_most(PER_TYPE_AND_GROUP, "resources of a type in a resource group", same.count())?;
        at_most(RESOURCES, "resources in a subscription", snapshot.resources_below(&subscription).count())?;
    }
    let others = snapshot.resources_below(&subscription).filter(|row| row.scope != *scope);
    let kept: usize = others.map(|row| weight(&row.body)).sum::<usize>() + weight(body);
    at_most(RESOURCE_BYTES + 1, "bytes of resources in a subscription", kept)
}

/// About how many bytes a value takes as JSON, without making it.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| weight(item) + 1).sum::<usize>() + 2,
        Value::Object(members) => members.iter().map(|(name, item)| name.len() + weight(item) + 4).sum::<usize>() + 2,
    }
}

/// The subscription that holds the scope.
fn top(scope: &Scope) -> Scope {
    scope.subscription_id().map_or_else(Scope::root, Scope::subscription)
}

/// The resource group that holds the scope.
fn container(scope: &Scope) -> Scope {
    scopes::group_of(scope).unwrap_or_else(|| top(scope))
}

fn at_most(most: usize, what: &'static str, have: usize) -> Result<(), Violation> {
    if have < most { Ok(()) } else { Err(Violation::TooMany(what)) }
}
