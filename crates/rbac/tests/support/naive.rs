//! Azure RBAC, written down as the documents say it, with no thought of speed: the judge of the real evaluator.
//!
//! It keeps documents in plain maps, looks at every one of them for every question, and shares no code with the crate.

use std::collections::{BTreeMap, BTreeSet};

use keyless_model::entity::{
    DenyAssignment, DenyPrincipal, Entity, EntityKey, EntityKind, Group, ManagementGroup, Mutation, Permissions, Principal, RoleAssignment,
    RoleDefinition, Subscription,
};
use keyless_model::{AssignmentId, DenyAssignmentId, ObjectId, Scope};
use keyless_rbac::{Because, Decision, Effect, Plane};

use super::universe::{CONDITIONS, Question};

#[derive(Debug, Default)]
pub(crate) struct Naive(BTreeMap<EntityKey, Entity>);

/// What must come out, as far as the documents determine it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    InvalidAction,
    PrincipalUnknown,
    PrincipalDisabled,
    OtherTenant,
    /// By any of these.
    Denied(BTreeSet<DenyAssignmentId>),
    /// By any of these.
    Allowed(BTreeSet<AssignmentId>),
    /// All of these would grant it but for a condition.
    ConditionNotMet(BTreeSet<AssignmentId>),
    /// All of these cover the scope.
    ActionNotGranted(BTreeSet<AssignmentId>),
    NoAssignment,
}

impl Verdict {
    /// Whether the decision is this verdict, naming one of the rules that may have decided.
    pub(crate) fn agrees(&self, decision: &Decision) -> bool {
        let effect = if matches!(self, Self::Allowed(_)) { Effect::Allow } else { Effect::Deny };
        decision.effect == effect
            && match (self, &decision.because) {
                (Self::InvalidAction, Because::InvalidAction)
                | (Self::PrincipalUnknown, Because::PrincipalUnknown)
                | (Self::PrincipalDisabled, Because::PrincipalDisabled)
                | (Self::OtherTenant, Because::OtherTenant)
                | (Self::NoAssignment, Because::NoAssignment) => true,
                (Self::Denied(ids), Because::DenyAssignment { id }) => ids.contains(id),
                (Self::Allowed(ids), Because::Assignment { id, .. }) | (Self::ConditionNotMet(ids), Because::ConditionNotMet { id }) => {
                    ids.contains(id)
                }
                (Self::ActionNotGranted(ids), Because::ActionNotGranted { nearest }) => {
                    nearest.iter().all(|id| ids.contains(id)) && nearest.len() == ids.len().min(4)
                }
                _ => false,
            }
    }
}

impl Naive {
    pub(crate) fn apply(&mut self, mutation: &Mutation) {
        match mutation {
            Mutation::Put(entity) => self.0.insert(entity.key(), (**entity).clone()),
            Mutation::Delete(key) => self.0.remove(key),
        };
    }

    pub(crate) fn decide(&self, question: &Question) -> Verdict {
        let action = question.action.to_lowercase();
        if action.is_empty() || action.contains('*') {
            return Verdict::InvalidAction;
        }
        let Some(principal) = self.principal(question.principal) else { return Verdict::PrincipalUnknown };
        if !principal.enabled {
            return Verdict::PrincipalDisabled;
        }
        let above = self.above(&question.scope);
        if self.tenants(&question.scope).iter().any(|tenant| *tenant != principal.tenant) {
            return Verdict::OtherTenant;
        }
        let mine = self.identities(question.principal);

        let denied: BTreeSet<_> = self.denies().filter(|deny| denies(deny, &mine, &above, question, &action)).map(|deny| deny.id).collect();
        if !denied.is_empty() {
            return Verdict::Denied(denied);
        }

        let (mut allowed, mut conditional, mut covering) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for assignment in self.assignments() {
            if !mine.contains(&assignment.principal) || !above.contains(&assignment.scope.as_str().to_lowercase()) {
                continue;
            }
            covering.insert(assignment.id);
            let blocks = self.role(assignment).map(|role| role.permissions.as_slice()).unwrap_or_default();
            let naming = || blocks.iter().filter(|block| names(block, question.plane, &action));
            let own = holds(assignment.condition.as_deref(), question, &action) == Some(true);
            if naming().any(|block| own && holds(block.condition.as_deref(), question, &action) == Some(true)) {
                allowed.insert(assignment.id);
            } else if naming().next().is_some() {
                conditional.insert(assignment.id);
            }
        }
        match (allowed.is_empty(), conditional.is_empty(), covering.is_empty()) {
            (false, ..) => Verdict::Allowed(allowed),
            (_, false, _) => Verdict::ConditionNotMet(conditional),
            (_, _, false) => Verdict::ActionNotGranted(covering),
            _ => Verdict::NoAssignment,
        }
    }

    /// The principal and all groups that hold it, by going through all groups until nothing is added.
    fn identities(&self, principal: ObjectId) -> BTreeSet<ObjectId> {
        let mut mine = BTreeSet::from([principal]);
        loop {
            let before = mine.len();
            let more: Vec<_> =
                self.groups().filter(|group| group.members.iter().any(|member| mine.contains(member))).map(|g| g.id).collect();
            mine.extend(more);
            if mine.len() == before {
                return mine;
            }
        }
    }

    /// The scope in lower case and everything above it: all that its own segments start with, then the management groups, `/`.
    fn above(&self, scope: &Scope) -> BTreeSet<String> {
        let text = scope.as_str().to_lowercase();
        let segments: Vec<&str> = text.split('/').filter(|segment| !segment.is_empty()).collect();
        let mut above: BTreeSet<String> = (1..=segments.len()).map(|count| format!("/{}", segments[..count].join("/"))).collect();
        above.insert("/".to_owned());
        let mut holder = self.holder(&text);
        while let Some(name) = holder {
            if !above.insert(format!("/providers/microsoft.management/managementgroups/{name}")) {
                break;
            }
            holder = self.management_group(&name).and_then(|group| group.parent.as_ref()).map(|parent| parent.to_lowercase());
        }
        above
    }

    /// The management group directly above the subscription or management group that the text starts with.
    fn holder(&self, text: &str) -> Option<String> {
        let parent = match self.container(text)? {
            Entity::Subscription(subscription) => subscription.management_group.clone(),
            Entity::ManagementGroup(group) => group.parent.clone(),
            _ => None,
        };
        parent.map(|name| name.to_lowercase()).filter(|name| !name.contains('/'))
    }

    fn container(&self, text: &str) -> Option<&Entity> {
        let segments: Vec<&str> = text.split('/').collect();
        match segments.as_slice() {
            ["", "subscriptions", id, ..] => self.0.get(&EntityKey { kind: EntityKind::Subscription, id: (*id).to_owned() }),
            ["", "providers", "microsoft.management", "managementgroups", name, ..] => {
                self.0.get(&EntityKey { kind: EntityKind::ManagementGroup, id: (*name).to_owned() })
            }
            _ => None,
        }
    }

    fn tenants(&self, scope: &Scope) -> Vec<keyless_model::TenantId> {
        match self.container(&scope.as_str().to_lowercase()) {
            Some(Entity::Subscription(Subscription { tenant, .. }) | Entity::ManagementGroup(ManagementGroup { tenant, .. })) => {
                vec![*tenant]
            }
            _ => Vec::new(),
        }
    }

    fn management_group(&self, name: &str) -> Option<&ManagementGroup> {
        match self.0.get(&EntityKey { kind: EntityKind::ManagementGroup, id: name.to_owned() }) {
            Some(Entity::ManagementGroup(group)) => Some(group),
            _ => None,
        }
    }

    fn principal(&self, id: ObjectId) -> Option<&Principal> {
        match self.0.get(&EntityKey { kind: EntityKind::Principal, id: id.to_string() }) {
            Some(Entity::Principal(principal)) => Some(principal),
            _ => None,
        }
    }

    fn role(&self, assignment: &RoleAssignment) -> Option<&RoleDefinition> {
        match self.0.get(&EntityKey { kind: EntityKind::RoleDefinition, id: assignment.role.to_string() }) {
            Some(Entity::RoleDefinition(role)) => Some(role),
            _ => None,
        }
    }

    fn assignments(&self) -> impl Iterator<Item = &RoleAssignment> {
        self.0.values().filter_map(|entity| if let Entity::RoleAssignment(found) = entity { Some(found) } else { None })
    }

    fn groups(&self) -> impl Iterator<Item = &Group> {
        self.0.values().filter_map(|entity| if let Entity::Group(found) = entity { Some(found) } else { None })
    }

    fn denies(&self) -> impl Iterator<Item = &DenyAssignment> {
        self.0.values().filter_map(|entity| if let Entity::DenyAssignment(found) = entity { Some(found) } else { None })
    }
}

fn denies(deny: &DenyAssignment, mine: &BTreeSet<ObjectId>, above: &BTreeSet<String>, question: &Question, action: &str) -> bool {
    let scope = deny.scope.as_str().to_lowercase();
    let here = scope == question.scope.as_str().to_lowercase();
    let reaches = here || (above.contains(&scope) && !deny.do_not_apply_to_child_scopes);
    let named = deny.principals.iter().any(|principal| match principal {
        DenyPrincipal::Everyone => true,
        DenyPrincipal::Object(id) => mine.contains(id),
    });
    let excepted = deny.exclude_principals.iter().any(|id| mine.contains(id));
    // A condition that cannot be told to be false does not lift the ban.
    let forbids =
        |block: &Permissions| names(block, question.plane, action) && holds(block.condition.as_deref(), question, action) != Some(false);
    reaches && named && !excepted && deny.permissions.iter().any(forbids)
}

/// Whether the block names the action.
fn names(block: &Permissions, plane: Plane, action: &str) -> bool {
    let (some, but) = match plane {
        Plane::Control => (&block.actions, &block.not_actions),
        Plane::Data => (&block.data_actions, &block.not_data_actions),
    };
    some.iter().any(|pattern| matches(pattern, action)) && !but.iter().any(|pattern| matches(pattern, action))
}

/// What the condition says; `Some(true)` when there is none.
fn holds(condition: Option<&str>, question: &Question, action: &str) -> Option<bool> {
    let Some(text) = condition else { return Some(true) };
    let (_, meaning) = CONDITIONS.iter().find(|(known, _)| *known == text).expect("conditions come from the list");
    meaning(action, question.role)
}

/// Whether the pattern matches, in any of its readings: each `/*/` is that, or just `/`.
fn matches(pattern: &str, action: &str) -> bool {
    let mut readings = BTreeSet::from([pattern.to_lowercase()]);
    loop {
        let before = readings.len();
        for reading in readings.clone() {
            for (at, _) in reading.match_indices("/*") {
                if reading[at + 2..].starts_with('/') {
                    readings.insert(format!("{}{}", &reading[..at], &reading[at + 2..]));
                }
            }
        }
        if readings.len() == before {
            return readings.iter().any(|reading| wildcard(reading.as_bytes(), action.to_lowercase().as_bytes()));
        }
    }
}

/// `*` is any text.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|skipped| wildcard(rest, &text[skipped..])),
        [letter, rest @ ..] => text.first() == Some(letter) && wildcard(rest, &text[1..]),
    }
}
