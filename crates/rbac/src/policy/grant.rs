//! A role assignment as the policy keeps it: half the size of the document, and its condition compiled.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::sync::Arc;

use keyless_model::entity::RoleAssignment;
use keyless_model::{AssignmentId, ObjectId, RoleId, Scope, Timestamp};

use crate::role::Guard;

/// One assignment. There may be a hundred thousand of these; what most of them lack is kept apart.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) id: AssignmentId,
    pub(super) principal: ObjectId,
    pub(super) role: RoleId,
    /// Shared among the assignments at the same scope.
    pub(super) scope: Arc<Scope>,
    created: Timestamp,
    updated: Timestamp,
    created_by: Option<ObjectId>,
    kind: Kind,
    rare: Option<Box<Rare>>,
}

/// The usual principal types, as ARM spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Group,
    ServicePrincipal,
    /// Any other word; it is in [`Rare`].
    Other,
}

/// What few assignments have.
#[derive(Debug)]
struct Rare {
    principal_type: Option<String>,
    description: Option<String>,
    condition: Option<String>,
    guard: Guard,
}

impl Grant {
    /// `scope` equals the document's.
    pub(super) fn new(document: &RoleAssignment, scope: Arc<Scope>) -> Self {
        let kind = match document.principal_type.as_str() {
            "User" => Kind::User,
            "Group" => Kind::Group,
            "ServicePrincipal" => Kind::ServicePrincipal,
            _ => Kind::Other,
        };
        let plain = kind != Kind::Other && document.description.is_none() && document.condition.is_none();
        let rare = (!plain).then(|| {
            Box::new(Rare {
                principal_type: (kind == Kind::Other).then(|| document.principal_type.clone()),
                description: document.description.clone(),
                condition: document.condition.clone(),
                guard: Guard::new(document.condition.as_deref()),
            })
        });
        Self {
            id: document.id,
            principal: document.principal,
            role: document.role,
            scope,
            created: document.created,
            updated: document.updated,
            created_by: document.created_by,
            kind,
            rare,
        }
    }

    /// What must hold beyond the role; none for an assignment without a condition.
    pub(super) fn guard(&self) -> Option<&Guard> {
        self.rare.as_ref().map(|rare| &rare.guard)
    }

    pub(super) fn document(&self) -> RoleAssignment {
        let rare = self.rare.as_ref();
        let principal_type = match self.kind {
            Kind::User => "User".to_owned(),
            Kind::Group => "Group".to_owned(),
            Kind::ServicePrincipal => "ServicePrincipal".to_owned(),
            Kind::Other => rare.and_then(|rare| rare.principal_type.clone()).unwrap_or_default(),
        };
        RoleAssignment {
            id: self.id,
            scope: (*self.scope).clone(),
            role: self.role,
            principal: self.principal,
            principal_type,
            condition: rare.and_then(|rare| rare.condition.clone()),
            description: rare.and_then(|rare| rare.description.clone()),
            created: self.created,
            updated: self.updated,
            created_by: self.created_by,
        }
    }
}

/// A grant in an index by id that holds no second copy of the id.
#[derive(Clone)]
pub(super) struct ById(pub(super) Arc<Grant>);

impl Borrow<AssignmentId> for ById {
    fn borrow(&self) -> &AssignmentId {
        &self.0.id
    }
}

impl Ord for ById {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.id.cmp(&other.0.id)
    }
}

impl PartialOrd for ById {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for ById {}
