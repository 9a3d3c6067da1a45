//! Why a request is not answered with what it asked for. One type for both APIs: each renders it in its own envelope.

mod code;

use http::StatusCode;
use keyless_audit::AuditUnavailable;
use keyless_directory::invariant::{Violation, documents};
use keyless_directory::sealer::SealError;
use keyless_model::Scope;
use keyless_rbac::Denial;
use keyless_store::{StoreError, UpdateError};

pub(crate) use code::Code;

/// A refusal or a breakdown, ready to be rendered. The message is public: it never holds a secret or an internal reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) code: Code,
    pub(crate) message: String,
    /// The property or parameter at fault.
    pub(crate) target: Option<String>,
    /// `WWW-Authenticate`.
    pub(crate) challenge: Option<String>,
    /// The policy's no, for the audit.
    pub(crate) denial: Option<Box<Denial>>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { status: code.status(), code, message: message.into(), target: None, challenge: None, denial: None }
    }

    /// The resource of that id does not exist, in ARM's words for its kind.
    pub(crate) fn no_such(scope: &Scope) -> Self {
        use keyless_model::ScopeKind::{ManagementGroup, Resource, ResourceGroup, Root, Subscription};
        match scope.kind() {
            Subscription | Root => Self::no_subscription(scope.name()),
            ManagementGroup => Self::new(Code::NotFound, format!("The management group '{}' cannot be found.", scope.name())),
            ResourceGroup => Self::new(Code::ResourceGroupNotFound, format!("Resource group '{}' could not be found.", scope.name())),
            Resource => {
                let kind = scope.resource_type().unwrap_or_default();
                let within = scope.resource_group().map_or_else(String::new, |group| format!(" under resource group '{group}'"));
                let message = format!(
                    "The Resource '{kind}/{}'{within} was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
                    scope.name()
                );
                Self::new(Code::ResourceNotFound, message)
            }
        }
    }

    pub(crate) fn no_subscription(id: &str) -> Self {
        Self::new(Code::SubscriptionNotFound, format!("The subscription '{id}' could not be found."))
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Code::ServiceUnavailable, message)
    }

    pub(crate) fn internal() -> Self {
        Self::new(Code::InternalServerError, "The operation could not be completed; retry it later.")
    }

    #[must_use]
    pub(crate) fn at(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    #[must_use]
    pub(crate) fn challenged(mut self, challenge: String) -> Self {
        self.challenge = Some(challenge);
        self
    }

    #[must_use]
    pub(crate) fn denied_by(mut self, denial: Denial) -> Self {
        self.denial = Some(Box::new(denial));
        self
    }
}

impl From<UpdateError<Self>> for Failure {
    fn from(error: UpdateError<Self>) -> Self {
        match error {
            UpdateError::Refused(failure) => failure,
            UpdateError::Store(error) => error.into(),
            UpdateError::Audit(error) => error.into(),
            UpdateError::Violation(violation) => violation.into(),
        }
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        match violation {
            // A plan of ours went astray: the audit says where, the caller learns nothing.
            Violation::NotCovered(what) => {
                tracing::error!(?what, "a change was refused because its permit does not cover it");
                Self::internal()
            }
            Violation::LastAdministrator(scope) => {
                let message = format!(
                    "Cannot delete the last RBAC admin assignment: nobody could assign roles in '{scope}' afterwards. Assign Owner to \
                     someone else first."
                );
                Self::new(Code::LastRbacAdminAssignmentCannotBeDeleted, message)
            }
            Violation::Locked { scope, lock, deleting } => {
                let verb = if deleting { "delete" } else { "write" };
                let message = format!(
                    "The scope '{scope}' cannot perform {verb} operation because following scope(s) are locked: '{lock}'. Please remove \
                     the lock and try again."
                );
                Self::new(Code::ScopeLocked, message)
            }
            Violation::TooMany(what) => Self::new(Code::QuotaExceeded, format!("There can be no more {what}; delete some first.")),
            Violation::TooLarge => {
                let message = format!("The resource would be larger than {} kB.", documents::MAX / 1024);
                Self { status: StatusCode::BAD_REQUEST, ..Self::new(Code::RequestContentTooLarge, message) }
            }
        }
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        StoreError::from(error).into()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the directory could not be changed");
        match error {
            StoreError::Conflict { .. } => {
                Self::new(Code::AnotherOperationInProgress, "Other changes keep coming first; retry the operation.")
            }
            StoreError::Unavailable(_) => Self::unavailable("The state database does not answer; retry the operation later."),
            StoreError::Unloadable { .. } => {
                Self::new(Code::RequestContentTooDeep, "The document is nested too deeply to be kept; make it flatter.")
            }
            StoreError::Corrupt { .. } | StoreError::Schema { .. } | StoreError::Sealed(_) => Self::internal(),
        }
    }
}

impl From<AuditUnavailable> for Failure {
    fn from(error: AuditUnavailable) -> Self {
        tracing::error!(%error, "refused: the audit log cannot be written");
        Self::unavailable("The audit log cannot be written, so no change is made; retry the operation later.")
    }
}
