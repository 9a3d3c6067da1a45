//! The proof that an operation was allowed.

use keyless_model::{AssignmentId, ObjectId, Scope};

use crate::{Because, Request};

/// Proof that a policy allowed one action at one scope. Repositories and upstreams take one as an argument; there is no other way
/// to them.
///
/// INVARIANT: made only by [`crate::Decision::permit`] from a yes, by a [`SystemRight`], and for a verified account key; each says in
/// the audit who acted. Not `Clone`, `Default` or `Deserialize`: a permit cannot be kept, made up or sent.
///
/// ```compile_fail,E0451
/// use keyless_rbac::{Because, Permit};
/// let because = Because::System { reason: String::new() };
/// Permit { principal: None, action: "*".into(), scope: keyless_model::Scope::root(), because };
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    principal: Option<ObjectId>,
    action: Box<str>,
    scope: Scope,
    because: Because,
}

/// The right to act as Keyless itself. The composition claims it and hands it to what runs without a caller: key rotation, sign-ins,
/// the owner's door. Whoever holds none cannot make a permit that nobody asked for.
///
/// ```compile_fail,E0423
/// keyless_rbac::SystemRight(());
/// ```
#[derive(Debug, Clone)]
pub struct SystemRight(());

impl SystemRight {
    /// INVARIANT: `clippy.toml` forbids this outside `keyless-server` and the tests.
    #[must_use]
    pub const fn claim() -> Self {
        Self(())
    }

    /// A permit with the reason that the audit will show - bootstrap, key rotation, expiry. It holds everywhere.
    #[must_use]
    pub fn permit(&self, reason: &'static str) -> Permit {
        Permit { principal: None, action: "*".into(), scope: Scope::root(), because: Because::System { reason: reason.to_owned() } }
    }
}

impl Permit {
    pub(crate) fn granted(request: &Request<'_>, because: Because) -> Self {
        Self { principal: Some(request.principal), action: request.action.into(), scope: request.scope.clone(), because }
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

    /// Whether Keyless itself acts.
    #[must_use]
    pub const fn is_system(&self) -> bool {
        matches!(self.because, Because::System { .. })
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
