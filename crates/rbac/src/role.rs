//! A role definition, compiled for deciding.

use keyless_model::entity::{Permissions, RoleDefinition};

use crate::condition::{Condition, Truth};
use crate::pattern::{Action, PatternSet};
use crate::{Attributes, Plane, condition};

mod custom;

pub use custom::{RoleError, validate_custom_role, validate_permissions};

/// What a role says about an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Yes,
    /// A block holds the action, under a condition that is not met.
    Conditionally,
    No,
}

/// A role with its patterns compiled.
#[derive(Debug)]
pub(crate) struct CompiledRole {
    pub(crate) definition: RoleDefinition,
    blocks: Box<[Block]>,
}

impl CompiledRole {
    pub(crate) fn new(definition: &RoleDefinition) -> Self {
        Self { definition: definition.clone(), blocks: definition.permissions.iter().map(Block::new).collect() }
    }

    /// Whether the role holds the action. Blocks add up, and what `not...` takes away it takes from its own block: it subtracts, it
    /// does not deny.
    pub(crate) fn holds(&self, plane: Plane, action: &Action, attributes: &Attributes) -> Holds {
        let mut answer = Holds::No;
        for block in self.blocks.iter().filter(|block| block.names(plane, action)) {
            match block.guard.truth(action, attributes) {
                Truth::True => return Holds::Yes,
                Truth::False | Truth::Unknown => answer = Holds::Conditionally,
            }
        }
        answer
    }
}

/// One block of permissions, of a role or of a deny assignment.
#[derive(Debug)]
pub(crate) struct Block {
    actions: PatternSet,
    not_actions: PatternSet,
    data_actions: PatternSet,
    not_data_actions: PatternSet,
    pub(crate) guard: Guard,
}

impl Block {
    pub(crate) fn new(permissions: &Permissions) -> Self {
        let set = |patterns: &[String]| PatternSet::compile(patterns.iter().map(String::as_str));
        Self {
            actions: set(&permissions.actions),
            not_actions: set(&permissions.not_actions),
            data_actions: set(&permissions.data_actions),
            not_data_actions: set(&permissions.not_data_actions),
            guard: Guard::new(permissions.condition.as_deref()),
        }
    }

    /// Whether the block names the action, whatever its condition says.
    pub(crate) fn names(&self, plane: Plane, action: &Action) -> bool {
        let (some, but) = match plane {
            Plane::Control => (&self.actions, &self.not_actions),
            Plane::Data => (&self.data_actions, &self.not_data_actions),
        };
        some.matches(action) && !but.matches(action)
    }
}

/// A condition as stored.
#[derive(Debug)]
pub(crate) enum Guard {
    None,
    Condition(Condition),
    /// SECURITY: a condition that this version cannot read. It must never be taken for "no condition", so it is never known to
    /// hold - nor to fail, which matters for deny assignments.
    Unreadable,
}

impl Guard {
    pub(crate) fn new(text: Option<&str>) -> Self {
        match text.filter(|text| !text.trim().is_empty()).map(condition::parse) {
            None => Self::None,
            Some(Ok(condition)) => Self::Condition(condition),
            Some(Err(_)) => Self::Unreadable,
        }
    }

    pub(crate) fn truth(&self, action: &Action, attributes: &Attributes) -> Truth {
        match self {
            Self::None => Truth::True,
            Self::Condition(condition) => condition.truth(action, attributes),
            Self::Unreadable => Truth::Unknown,
        }
    }
}
