//! One request, once it is known who sends it and what it is about.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use keyless_audit::{AuditEvent, Category, ControlDetail, DecisionRecord, Outcome};
use keyless_directory::Means;
use keyless_model::{ObjectId, OpContext, Scope, TenantId};
use keyless_rbac::{Attributes, Denial, Permit, Plane, Request};
use keyless_store::{Snapshot, decision};
use keyless_web::{Caller, Form, Refused, RefusedBy};
use serde::de::DeserializeOwned;

use crate::access::Access;
use crate::api::Api;
use crate::arm::path::Params;
use crate::control::Control;
use crate::failure::{Code, Failure};

/// A request, and what it is asked in.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) control: Arc<Control>,
    pub(crate) api: Api,
    pub(crate) ctx: OpContext,
    pub(crate) caller: Caller,
    /// The directory when the request arrived. Reads answer from it; changes are planned on a newer one.
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) scope: Scope,
    pub(crate) params: Params,
    pub(crate) query: Form,
    pub(crate) headers: HeaderMap,
    /// The body as it came; handlers get what it says.
    pub(crate) content: Bytes,
    pub(crate) access: Access,
    /// The action that is decided, when the route names one.
    pub(crate) action: Option<String>,
}

/// What a handler is told of a request, read once before the handler runs.
pub(crate) trait Content: Sized + Send + Sync + 'static {
    fn read(call: &Call) -> Result<Self, Failure>;
}

/// A body that nobody reads.
#[derive(Debug)]
pub(crate) struct Nothing;

impl Content for Nothing {
    fn read(_: &Call) -> Result<Self, Failure> {
        Ok(Self)
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Content for T {
    fn read(call: &Call) -> Result<Self, Failure> {
        call.json()
    }
}

/// A body that may be left out.
#[derive(Debug)]
pub(crate) struct OrDefault<T>(pub(crate) T);

impl<T: DeserializeOwned + Default + Send + Sync + 'static> Content for OrDefault<T> {
    fn read(call: &Call) -> Result<Self, Failure> {
        if call.content.is_empty() { Ok(Self(T::default())) } else { call.json().map(Self) }
    }
}

impl Call {
    /// A brace of the route's path.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.named(name)
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.caller.principal.tenant
    }

    pub(crate) fn me(&self) -> ObjectId {
        self.caller.principal.id
    }

    /// What plans are made with.
    pub(crate) fn means(&self) -> Means<'_> {
        self.control.platform.means(self.ctx.now)
    }

    /// The request's JSON body; members that the shape does not name are ignored, as ARM does (case 128).
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.content).map_err(|error| {
            // SECURITY: serde's own text may quote a value, and a value may be a secret: say where, not what.
            let at = format!("line {}, column {}", error.line(), error.column());
            let message = match error.classify() {
                serde_json::error::Category::Data => {
                    format!("The request content was invalid and could not be deserialized: a property at {at} is missing or has the wrong type.")
                }
                _ => format!("The request content was invalid and could not be deserialized: it is not JSON at {at}."),
            };
            Failure::new(Code::InvalidRequestContent, message)
        })
    }

    /// Asks the policy whether the caller may do `action` at `scope`, as of `snapshot`.
    pub(crate) fn ask(&self, snapshot: &Snapshot, action: &str, scope: &Scope, attributes: &Attributes) -> Result<Permit, Box<Denial>> {
        let request = Request { principal: self.me(), action, plane: Plane::Control, scope, attributes };
        snapshot.policy().decide(&request).permit(&request).map_err(Box::new)
    }

    /// Whether the caller may do `action` at `scope`; for choosing what to show.
    pub(crate) fn may(&self, snapshot: &Snapshot, action: &str, scope: &Scope) -> bool {
        self.ask(snapshot, action, scope, Attributes::NONE).is_ok()
    }

    /// ARM's 403 (`identity-and-rbac` 3.1).
    pub(crate) fn unauthorized(&self, denial: Denial) -> Failure {
        let client = self.client_name();
        let message = format!(
            "The client '{client}' with object id '{}' does not have authorization to perform action '{}' over scope '{}' or the scope \
             is invalid. If access was recently granted, please refresh your credentials.",
            self.me(),
            denial.action,
            denial.scope
        );
        Failure::new(Code::AuthorizationFailed, message).denied_by(denial)
    }

    /// The caller as ARM's messages name it: the sign-in name of a person, the client id of a program.
    pub(crate) fn client_name(&self) -> String {
        match (&self.caller.token.upn, self.caller.principal.client_id) {
            (Some(upn), _) => upn.clone(),
            (None, Some(client)) => client.to_string(),
            (None, None) => self.me().to_string(),
        }
    }

    /// The failure to answer with, once it is recorded - which may itself fail.
    pub(crate) fn failed(&self, permit: Option<&Permit>, failure: Failure) -> Failure {
        // Reads that fail for want of a thing are not worth a line in the audit; refusals and failed changes are.
        if self.method == Method::GET && failure.denial.is_none() {
            return failure;
        }
        self.record_refused(permit, &failure).err().unwrap_or(failure)
    }

    /// Records a refusal; those of a caller without the right are counted when there are many.
    fn record_refused(&self, permit: Option<&Permit>, failure: &Failure) -> Result<(), Failure> {
        let denied = failure.denial.is_some() || matches!(failure.status.as_u16(), 401 | 403);
        let mut event = self.event(if denied { Outcome::Denied } else { Outcome::Failed }, None);
        event.status = Some(failure.status.as_u16());
        let because = format!("{}: {}", failure.code.as_str(), failure.message);
        event.decision = Some(match (&failure.denial, permit) {
            (Some(denial), _) => decision::of_denial(denial),
            // Allowed, and then it could not be done.
            (None, Some(permit)) if !denied => DecisionRecord { because: because.into(), ..decision::of_permit(permit) },
            (None, _) => DecisionRecord::refused(because),
        });
        match permit {
            Some(_) => self.control.platform.audit.record(&event)?,
            None => {
                let kind = self.kind();
                let change = denied && !self.method.is_safe() || event.operation.starts_with("Microsoft.Authorization/");
                self.control.platform.refused(Refused::new(RefusedBy::Control, failure.code.as_str()).of(&kind).change(change), event)?;
            }
        }
        Ok(())
    }

    /// The operation in the words of the table of routes. The caller chooses the path of a generic resource, so its type is not in it.
    fn kind(&self) -> Cow<'_, str> {
        match self.access {
            Access::Action(action) | Access::List(action) | Access::Children(action) => action.into(),
            Access::Namespace(verb) => format!("a namespace's {verb}").into(),
            Access::DirectoryRead | Access::DirectoryWrite => self.action.as_deref().unwrap_or_default().into(),
            Access::Resource | Access::Public | Access::Own => format!("{} of a resource", self.method).into(),
        }
    }

    pub(crate) fn event(&self, outcome: Outcome, detail: Option<ControlDetail>) -> AuditEvent {
        let operation = self.action.clone().unwrap_or_else(|| format!("{} {}", self.method, self.path));
        let mut event = AuditEvent::new(&self.ctx, Category::Control, operation, outcome);
        event.target = Some(self.scope.clone());
        event.control = detail;
        event
    }

    /// The region of the account that this is about, for accounts and what is below them.
    pub(crate) fn location(&self, snapshot: &Snapshot) -> Option<Arc<str>> {
        let mut scope = self.scope.clone();
        loop {
            if let Some(account) = snapshot.account(&scope) {
                return Some(account.location.as_str().into());
            }
            scope = scope.parent()?;
        }
    }
}
