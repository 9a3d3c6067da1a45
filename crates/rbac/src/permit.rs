//! The proof that an operation was allowed.

use keyless_model::{AssignmentId, ObjectId, Scope};

use crate::{Because, Request};

/// Proof that a policy allowed one action at one scope. Repositories and upstreams take one as an argument; there is no other way
/// to them.
///
/// INVARIANT: made only by [`crate::Decision::permit`] from a yes, and by the two named constructors below, each of which says
/// in the audit who acted. Not `Clone`, `Default` or `Deserialize`: a permit cannot be kept, made up or sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    principal: Option<ObjectId>,
    action: Box<str>,
    scope: Scope,
    because: Because,
}

impl Permit {
    pub(crate) fn granted(request: &Request<'_>, because: Because) -> Self {
        Self { principal: Some(request.principal), action: request.action.into(), scope: request.scope.clone(), because }
    }

    /// For Keyless itself - bootstrap, key rotation, expiry - with the reason that the audit will show. It holds everywhere.
    #[must_use]
    pub fn system(reason: &'static str) -> Self {
        Self { principal: None, action: "*".into(), scope: Scope::root(), because: Because::System { reason: reason.to_owned() } }
    }

    /// For the holder of an API key of `account`, once the key was verified and local authentication found enabled. It holds at
    /// the account and below only. `fingerprint` names the key without revealing it.
    #[must_use]
    pub fn account_key(account: &Scope, action: &str, fingerprint: &str) -> Self {
        let because = Because::AccountKey { fingerprint: fingerprint.to_owned() };
        Self { principal: None, action: action.into(), scope: account.clone(), because }
    }

    /// Who was allowed; none for Keyless itself and for the holder of an API key.
    #[must_use]
    pub const fn principal(&self) -> Option<ObjectId> {
        self.principal
    }

    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether the permit holds at `scope`: its own scope or below.
    #[must_use]
    pub fn covers(&self, scope: &Scope) -> bool {
        self.scope.covers(scope)
    }

    #[must_use]
    pub const fn because(&self) -> &Because {
        &self.because
    }

    /// The deciding role assignment, when there was one.
    #[must_use]
    pub const fn assignment(&self) -> Option<AssignmentId> {
        match &self.because {
            Because::Assignment { id, .. } => Some(*id),
            _ => None,
        }
    }
}
