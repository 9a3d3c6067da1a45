//! One request, once it is known who sends it, what it is about and that it is allowed.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use keyless_audit::{AuditEvent, Category, ControlDetail, DecisionRecord, Outcome};
use keyless_directory::Means;
use keyless_directory::invariant::{administrators, documents, locks, quota};
use keyless_model::entity::Mutation;
use keyless_model::{ObjectId, OpContext, Scope, TenantId};
use keyless_rbac::{Attributes, Denial, Permit, Plane, Request};
use keyless_store::{Change, Snapshot, decision};
use keyless_web::{Caller, Form, Refused, RefusedBy};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::arm::inheritance;
use crate::arm::path::Params;
use crate::control::Control;
use crate::failure::Failure;
use crate::route::{Access, Route};

/// What a handler is given.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) control: Arc<Control>,
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
    pub(crate) body: Bytes,
    pub(crate) access: Access,
    /// The action that was decided, when the route names one.
    pub(crate) action: Option<String>,
    /// The proof that it was allowed; none on routes that show each caller its own view.
    pub(crate) permit: Option<Permit>,
}

/// A planned change, and what the audit shows of it. The documents are what the API itself would show: no secret is in them.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) mutations: Vec<Mutation>,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
    /// What the answer will be, unless the change fails: the event is written with the change, before there is an answer.
    status: StatusCode,
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
        serde_json::from_slice(&self.body).map_err(|error| {
            // SECURITY: serde's own text may quote a value, and a value may be a secret: say where, not what.
            let at = format!("line {}, column {}", error.line(), error.column());
            let message = match error.classify() {
                serde_json::error::Category::Data => {
                    format!("The request content was invalid and could not be deserialized: a property at {at} is missing or has the wrong type.")
                }
                _ => format!("The request content was invalid and could not be deserialized: it is not JSON at {at}."),
            };
            Failure::invalid("InvalidRequestContent", message)
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

    /// The route's own question, asked of `snapshot`.
    pub(crate) fn permit_at(&self, snapshot: &Snapshot) -> Result<Option<Permit>, Failure> {
        let attributes = match self.access {
            Access::Attributed(_, attributes) => attributes(self, snapshot)?,
            _ => Attributes::default(),
        };
        match (self.access, &self.action) {
            (Access::Public | Access::Own, _) => Ok(None),
            (Access::List(action) | Access::Children(action), _) => Ok(self.ask(snapshot, action, &self.scope, Attributes::NONE).ok()),
            (Access::DirectoryRead, _) => crate::graph::permission::read(self, snapshot).map(Some),
            (Access::DirectoryWrite, _) => crate::graph::permission::write(self, snapshot).map(Some),
            (Access::Action(_) | Access::Attributed(..) | Access::Namespace(_) | Access::Resource, Some(action)) => {
                self.ask(snapshot, action, &self.scope, &attributes).map(Some).map_err(|denial| self.unauthorized(*denial))
            }
            // INVARIANT: the dispatcher names the action of each of these; without one nothing is allowed.
            (Access::Action(_) | Access::Attributed(..) | Access::Namespace(_) | Access::Resource, None) => Err(Failure::internal()),
        }
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
        Failure::forbidden("AuthorizationFailed", message).denied_by(denial)
    }

    /// The caller as ARM's messages name it: the sign-in name of a person, the client id of a program.
    pub(crate) fn client_name(&self) -> String {
        match (&self.caller.token.upn, self.caller.principal.client_id) {
            (Some(upn), _) => upn.clone(),
            (None, Some(client)) => client.to_string(),
            (None, None) => self.me().to_string(),
        }
    }

    /// Plans and makes a change. The plan sees the newest directory, and the caller's right is asked of that one again: a right
    /// that was withdrawn while the request was read is not used.
    ///
    /// Refuses what a lock forbids and what would leave a subscription without an administrator.
    pub(crate) async fn commit<T, F>(&self, mut plan: F) -> Result<(Arc<Snapshot>, T), Failure>
    where
        F: FnMut(&Snapshot) -> Result<(Plan, T), Failure>,
    {
        let Some(permit) = &self.permit else { return Err(Failure::internal()) };
        let mut made = None;
        let committed = self.control.platform.directory.update(&self.ctx, permit, |snapshot: &Snapshot| {
            self.permit_at(snapshot)?;
            locks::check(snapshot, &self.scope, self.action.as_deref().unwrap_or_default())?;
            let (plan, output) = plan(snapshot)?;
            documents::check(&plan.mutations)?;
            quota::check(snapshot, &plan.mutations)?;
            inheritance::check(self, snapshot, &plan.mutations)?;
            crate::graph::permission::check(self, snapshot, &plan.mutations)?;
            administrators::check(snapshot, &plan.mutations)?;
            made = Some(output);
            let mut event = self.event(Outcome::Allowed, Some(ControlDetail { before: plan.before, after: plan.after }));
            event.status = Some(plan.status.as_u16());
            event.location = self.location(snapshot);
            Ok::<_, Failure>(Change { event, mutations: plan.mutations })
        });
        let committed = committed.await.map_err(Failure::from)?;
        let output = made.ok_or_else(Failure::internal)?;
        Ok((committed.snapshot, output))
    }

    /// Records that something was done that changes no document, before it is answered: showing a key, for one.
    pub(crate) fn record_done(&self) -> Result<(), Failure> {
        let mut event = self.event(Outcome::Allowed, None);
        event.status = Some(200);
        event.location = self.location(&self.snapshot);
        event.decision = self.permit.as_ref().map(decision::of_permit);
        Ok(self.control.platform.audit.record(&event)?)
    }

    /// Records a refusal; those of a caller without the right are counted when there are many.
    pub(crate) fn record_refused(&self, failure: &Failure) -> Result<(), Failure> {
        let denied = failure.denial.is_some() || matches!(failure.status.as_u16(), 401 | 403);
        let mut event = self.event(if denied { Outcome::Denied } else { Outcome::Failed }, None);
        event.status = Some(failure.status.as_u16());
        let because = format!("{}: {}", failure.code, failure.message);
        event.decision = Some(match (&failure.denial, &self.permit) {
            (Some(denial), _) => decision::of_denial(denial),
            // Allowed, and then it could not be done.
            (None, Some(permit)) if !denied => DecisionRecord { because: because.into(), ..decision::of_permit(permit) },
            (None, _) => DecisionRecord::refused(because),
        });
        match self.permit {
            Some(_) => self.control.platform.audit.record(&event)?,
            None => {
                let kind = self.kind();
                let change = denied && !self.method.is_safe() || event.operation.starts_with("Microsoft.Authorization/");
                self.control.platform.refused(Refused::new(RefusedBy::Control, &failure.code).of(&kind).change(change), event)?;
            }
        }
        Ok(())
    }

    /// The operation in the words of the table of routes. The caller chooses the path of a generic resource, so its type is not in it.
    fn kind(&self) -> Cow<'_, str> {
        match self.access {
            Access::Action(action) | Access::Attributed(action, _) | Access::List(action) | Access::Children(action) => action.into(),
            Access::Namespace(verb) => format!("a namespace's {verb}").into(),
            Access::DirectoryRead | Access::DirectoryWrite => self.action.as_deref().unwrap_or_default().into(),
            Access::Resource | Access::Public | Access::Own => format!("{} of a resource", self.method).into(),
        }
    }

    fn event(&self, outcome: Outcome, detail: Option<ControlDetail>) -> AuditEvent {
        let operation = self.action.clone().unwrap_or_else(|| format!("{} {}", self.method, self.path));
        let mut event = AuditEvent::new(&self.ctx, Category::Control, operation, outcome);
        event.target = Some(self.scope.clone());
        event.control = detail;
        event
    }

    /// The region of the account that this is about, for accounts and what is below them.
    fn location(&self, snapshot: &Snapshot) -> Option<Arc<str>> {
        let mut scope = self.scope.clone();
        loop {
            if let Some(account) = snapshot.account(&scope) {
                return Some(account.location.as_str().into());
            }
            scope = scope.parent()?;
        }
    }
}

impl Plan {
    /// A change that is answered with 201 when it makes something, else with 200.
    pub(crate) const fn new(mutations: Vec<Mutation>, before: Option<Value>, after: Option<Value>) -> Self {
        let status = if before.is_none() && after.is_some() { StatusCode::CREATED } else { StatusCode::OK };
        Self { mutations, before, after, status }
    }

    /// A change that is answered otherwise.
    #[must_use]
    pub(crate) fn answered(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// A change that Graph answers without a body.
    #[must_use]
    pub(crate) fn unanswered(self) -> Self {
        self.answered(StatusCode::NO_CONTENT)
    }
}

/// The action that a route decides on, when it names one by itself.
pub(crate) fn action_of(route: &Route, scope: &Scope, params: &Params) -> Option<String> {
    match route.access {
        Access::Action(action) | Access::Attributed(action, _) | Access::List(action) | Access::Children(action) => Some(action.to_owned()),
        Access::Namespace(verb) => Some(format!("{}/{verb}", params.named("namespace"))),
        Access::Resource => {
            let verb = match route.method {
                Method::GET | Method::HEAD => "read",
                Method::DELETE => "delete",
                _ => "write",
            };
            scope.resource_type().map(|kind| format!("{kind}/{verb}"))
        }
        Access::DirectoryRead | Access::DirectoryWrite => Some(crate::graph::permission::operation(route)),
        Access::Public | Access::Own => None,
    }
}
