//! Moves within the tree of management groups: what is granted, denied and assignable above a place holds in it, so whoever moves
//! it changes who may do what there.
//!
//! Asked of every change, from whichever route it comes, by comparing the tree before and after it.

use keyless_directory::invariant::administrators;
use keyless_model::entity::{Entity, ManagementGroup, Mutation};
use keyless_model::{Scope, ScopeKind};
use keyless_rbac::Attributes;
use keyless_store::Snapshot;

use crate::call::Call;
use crate::failure::{Code, Failure};

const ASSIGN: &str = "Microsoft.Authorization/roleAssignments/write";
const UNDENY: &str = "Microsoft.Authorization/denyAssignments/delete";
const WRITE: &str = "Microsoft.Management/managementGroups/write";
const ADD: &str = "Microsoft.Management/managementGroups/subscriptions/write";
const REMOVE: &str = "Microsoft.Management/managementGroups/subscriptions/delete";

/// Refuses a change that moves a management group or a subscription, unless the caller may
///
/// * make anyone an Owner of what moves and of every group and subscription in it - else whoever holds a role at the new parent
///   could be given there what nobody gave them (Azure: "role assignment write permissions on the child");
/// * write at the parent that it leaves and at the one that it joins;
/// * remove the deny assignments that would hold in it no longer.
pub(crate) fn check(call: &Call, snapshot: &Snapshot, mutations: &[Mutation]) -> Result<(), Failure> {
    let moved: Vec<Scope> = mutations.iter().filter_map(|mutation| moved(snapshot, mutation)).collect();
    if moved.is_empty() {
        return Ok(());
    }
    let next = snapshot.with(snapshot.revision(), mutations);
    for place in moved {
        for inside in tree(snapshot, &place) {
            require_assign(call, snapshot, &inside)?;
        }
        let (above, then) = (snapshot.policy().scope_chain(&place), next.policy().scope_chain(&place));
        let (leaves, joins) = if place.kind() == ScopeKind::Subscription { (REMOVE, ADD) } else { (WRITE, WRITE) };
        for (chain, action) in [(&above, leaves), (&then, joins)] {
            if let Some(parent) = chain.get(1).filter(|parent| parent.kind() == ScopeKind::ManagementGroup) {
                require(call, snapshot, action, parent)?;
            }
        }
        for left in above.iter().filter(|scope| !then.contains(scope)) {
            let mut denies = snapshot.policy().deny_assignments();
            if denies.any(|deny| deny.scope == *left && !deny.do_not_apply_to_child_scopes) {
                require(call, snapshot, UNDENY, left)?;
            }
        }
    }
    Ok(())
}

/// What the mutation moves: a subscription or group whose parent it changes, or a group that is new.
fn moved(snapshot: &Snapshot, mutation: &Mutation) -> Option<Scope> {
    let Mutation::Put(entity) = mutation else { return None };
    let (scope, same) = match &**entity {
        Entity::Subscription(next) => {
            let current = snapshot.subscription(next.id)?;
            (Scope::subscription(next.id), is_same(&current.management_group, &next.management_group))
        }
        Entity::ManagementGroup(next) => {
            // A new one may have something in it already: what a document that was set aside held.
            let current = snapshot.management_group(&next.name);
            (scope_of(next)?, current.is_some_and(|current| is_same(&current.parent, &next.parent)))
        }
        _ => return None,
    };
    (!same).then_some(scope)
}

fn is_same(one: &Option<String>, other: &Option<String>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        (None, None) => true,
        _ => false,
    }
}

fn scope_of(group: &ManagementGroup) -> Option<Scope> {
    Scope::management_group(&group.name).ok()
}

/// The place, and every management group and subscription in it.
fn tree(snapshot: &Snapshot, place: &Scope) -> Vec<Scope> {
    let groups = snapshot.management_groups().filter_map(|group| scope_of(group));
    let subscriptions = snapshot.subscriptions().map(|row| Scope::subscription(row.id));
    groups.chain(subscriptions).filter(|scope| scope == place || snapshot.policy().scope_chain(scope).contains(place)).collect()
}

fn require(call: &Call, snapshot: &Snapshot, action: &str, scope: &Scope) -> Result<(), Failure> {
    call.ask(snapshot, action, scope, Attributes::NONE).map(drop).map_err(|denial| call.unauthorized(*denial))
}

/// The unconditional right to assign roles.
fn require_assign(call: &Call, snapshot: &Snapshot, scope: &Scope) -> Result<(), Failure> {
    if administrators::could_assign_owner(snapshot, call.me(), scope).is_some() {
        return Ok(());
    }
    require(call, snapshot, ASSIGN, scope)?;
    Err(Failure::new(Code::AuthorizationFailed, format!("Moving '{scope}' needs the unconditional right to assign roles there.")))
}
