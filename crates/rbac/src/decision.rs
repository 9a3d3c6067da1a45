//! The answer to a request, and why.

use std::fmt;

use keyless_model::{AssignmentId, DenyAssignmentId, ObjectId, RoleId, Scope};
use serde::{Deserialize, Serialize};

use crate::digest::absorb;
use crate::{Permit, Request};

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    Allow,
    Deny,
}

/// The rule that decided. `Display` is a short clause for audit lines and error messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "rule")]
#[non_exhaustive]
pub enum Because {
    /// Allowed by this assignment, directly or as a member of a group.
    Assignment {
        id: AssignmentId,
        role: RoleId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        via_group: Option<ObjectId>,
    },
    /// Allowed because Keyless itself acts.
    System { reason: String },
    /// Allowed because the caller held a key of the account.
    AccountKey { fingerprint: String },
    /// Refused by a deny assignment, whatever the roles say.
    DenyAssignment { id: DenyAssignmentId },
    /// Refused: no role assignment of the principal or its groups covers the scope.
    NoAssignment,
    /// Refused: assignments cover the scope, and none of their roles holds the action. Up to four of them, nearest first.
    ActionNotGranted { nearest: Vec<AssignmentId> },
    /// Refused: this assignment's role holds the action, and its condition is not met.
    ConditionNotMet { id: AssignmentId },
    /// Refused: the directory does not know the principal (any more).
    PrincipalUnknown,
    /// Refused: the principal is disabled.
    PrincipalDisabled,
    /// Refused: the scope belongs to another tenant than the principal.
    OtherTenant,
    /// Refused: the action is no single well-formed operation.
    InvalidAction,
    /// Refused: the decision was made for another request.
    OtherRequest,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assignment { id, role, via_group: None } => write!(f, "assignment {id} grants role {role}"),
            Self::Assignment { id, role, via_group: Some(group) } => write!(f, "assignment {id} grants role {role} through group {group}"),
            Self::System { reason } => write!(f, "keyless itself: {reason}"),
            Self::AccountKey { fingerprint } => write!(f, "account key {fingerprint}"),
            Self::DenyAssignment { id } => write!(f, "deny assignment {id} forbids it"),
            Self::NoAssignment => f.write_str("no role assignment covers the scope"),
            Self::ActionNotGranted { nearest } => {
                f.write_str("no assigned role holds the action; assignments at the scope or above:")?;
                nearest.iter().try_for_each(|id| write!(f, " {id}"))
            }
            Self::ConditionNotMet { id } => write!(f, "the condition of assignment {id} is not met"),
            Self::PrincipalUnknown => f.write_str("the directory knows no such principal"),
            Self::PrincipalDisabled => f.write_str("the principal is disabled"),
            Self::OtherTenant => f.write_str("the scope belongs to another tenant"),
            Self::InvalidAction => f.write_str("the action is not one well-formed operation"),
            Self::OtherRequest => f.write_str("the decision was made for another request"),
        }
    }
}

/// What a policy answered. Only [`crate::Policy::decide`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub effect: Effect,
    pub because: Because,
    /// SECURITY: binds the answer to its question. Without it, the yes to one request could be turned into a permit for another,
    /// or a no into a yes by assigning to `effect`.
    seal: Seal,
}

impl Decision {
    pub(crate) fn new(effect: Effect, because: Because, request: &Request<'_>) -> Self {
        Self { effect, because, seal: Seal::of(effect, request) }
    }

    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.effect == Effect::Allow
    }

    /// Turns a yes into the permit for `request`, which must be the request that was decided.
    ///
    /// # Errors
    /// The denial to answer and audit, when the decision was no or was made for another request.
    #[expect(clippy::result_large_err, reason = "the permit is as large, and a box would cost each refusal an allocation")]
    pub fn permit(self, request: &Request<'_>) -> Result<Permit, Denial> {
        if self.seal != Seal::of(self.effect, request) {
            return Err(Denial::new(request, Because::OtherRequest));
        }
        match self.effect {
            Effect::Allow => Ok(Permit::granted(request, self.because)),
            Effect::Deny => Err(Denial::new(request, self.because)),
        }
    }
}

/// A digest of a request and its answer. It guards against mixing two requests up in our own code, not against a forger: code
/// in this process that wants to lie has easier ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seal(u64);

impl Seal {
    fn of(effect: Effect, request: &Request<'_>) -> Self {
        let mut state =
            0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(effect == Effect::Allow) ^ (u64::from(request.plane == crate::Plane::Data) << 1);
        let id = request.principal.uuid().as_u128();
        for part in [id.to_le_bytes().as_slice(), request.action.as_bytes(), request.scope.folded().as_bytes()] {
            state = absorb(state, part);
        }
        Self(request.attributes.digest(state))
    }
}

/// A refusal: who asked for what, and which rule says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{principal} may not {action} at {scope}: {because}")]
pub struct Denial {
    pub principal: ObjectId,
    pub action: String,
    pub scope: Scope,
    pub because: Because,
}

impl Denial {
    fn new(request: &Request<'_>, because: Because) -> Self {
        Self { principal: request.principal, action: request.action.to_owned(), scope: request.scope.clone(), because }
    }
}
