//! A call that is allowed: with the proof of it and with what its body says, and the only way from there to a change.

use std::ops::Deref;
use std::sync::Arc;

use http::{Method, StatusCode};
use keyless_audit::{ControlDetail, Outcome};
use keyless_model::ScopeKind;
use keyless_model::entity::Mutation;
use keyless_rbac::{Attributes, Permit};
use keyless_store::{Change, Snapshot, decision};
use serde_json::Value;

use crate::access::Access;
use crate::answer::Reply;
use crate::arm::inheritance;
use crate::call::{Call, Content, Nothing};
use crate::failure::Failure;
use crate::graph::permission;
use keyless_directory::invariant::locks;

/// What conditions of role assignments look at, of a request that says `B`.
pub(crate) type AttributesOf<B> = fn(&Call, &Snapshot, &B) -> Result<Attributes, Failure>;

/// What a handler is given that acts on a permit.
pub(crate) type Allowed<B = Nothing> = Arc<Permitted<B>>;

/// An allowed call whose body says `B`.
///
/// INVARIANT: made by [`answer`] only, from a yes of the policy.
#[derive(Debug)]
pub(crate) struct Permitted<B> {
    call: Arc<Call>,
    permit: Permit,
    attributes: Option<AttributesOf<B>>,
    pub(crate) body: B,
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

/// Asks the route's question, reads the body and has `handle` answer. Whatever fails on the way is recorded.
pub(crate) async fn answer<B, F>(
    call: Arc<Call>,
    attributes: Option<AttributesOf<B>>,
    handle: impl FnOnce(Allowed<B>) -> F,
) -> Result<Reply, Failure>
where
    B: Content,
    F: Future<Output = Result<Reply, Failure>>,
{
    // A body is read for its attributes before it is known who may; others are read for those only who may.
    let asked = attributes.map(|_| B::read(&call)).transpose().and_then(|early| {
        let attributes = match (attributes, &early) {
            (Some(of), Some(body)) => of(&call, &call.snapshot, body)?,
            _ => Attributes::default(),
        };
        Ok((decide(&call, &call.snapshot, &attributes)?, early))
    });
    let (permit, early) = asked.map_err(|failure| call.failed(None, failure))?;
    let read = locked(&call).and_then(|()| early.map_or_else(|| B::read(&call), Ok));
    let body = read.map_err(|failure| call.failed(Some(&permit), failure))?;
    let permitted = Arc::new(Permitted { call, permit, attributes, body });
    let done = handle(Arc::clone(&permitted)).await;
    done.map_err(|failure| permitted.failed(Some(&permitted.permit), failure))
}

/// The route's own question, asked of `snapshot`.
fn decide(call: &Call, snapshot: &Snapshot, attributes: &Attributes) -> Result<Permit, Failure> {
    match (call.access, &call.action) {
        (Access::DirectoryRead, _) => permission::read(call, snapshot),
        (Access::DirectoryWrite, _) => permission::write(call, snapshot),
        (Access::Action(_) | Access::Namespace(_) | Access::Resource, Some(action)) => {
            call.ask(snapshot, action, &call.scope, attributes).map_err(|denial| call.unauthorized(*denial))
        }
        // INVARIANT: the table names the action of each of these; without one nothing is allowed.
        _ => Err(Failure::internal()),
    }
}

/// A POST to a resource counts as a change for locks, even one that only shows something: what it shows are keys.
fn locked(call: &Call) -> Result<(), Failure> {
    if call.method == Method::POST && call.scope.kind() == ScopeKind::Resource {
        locks::check(&call.snapshot, &call.scope, call.action.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

impl<B> Deref for Permitted<B> {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl<B> Permitted<B> {
    /// Plans and makes a change. The plan sees the newest directory, and the caller's right is asked of that one again: a right
    /// that was withdrawn while the request was read is not used.
    pub(crate) async fn commit<T, P>(&self, mut plan: P) -> Result<(Arc<Snapshot>, T), Failure>
    where
        P: FnMut(&Snapshot) -> Result<(Plan, T), Failure>,
    {
        let committed = self.control.platform.directory.update(&self.ctx, &self.permit, |snapshot: &Snapshot| {
            let attributes = self.attributes.map_or_else(|| Ok(Attributes::default()), |of| of(self, snapshot, &self.body))?;
            decide(self, snapshot, &attributes)?;
            let (plan, output) = plan(snapshot)?;
            inheritance::check(self, snapshot, &plan.mutations)?;
            if self.access == Access::DirectoryWrite {
                permission::check(self, snapshot, &plan.mutations)?;
            }
            let mut event = self.event(Outcome::Allowed, Some(ControlDetail { before: plan.before, after: plan.after }));
            event.status = Some(plan.status.as_u16());
            event.location = self.location(snapshot);
            Ok::<_, Failure>(Change::new(plan.mutations, event).telling(output))
        });
        let (committed, output) = committed.await?;
        Ok((committed.snapshot, output))
    }

    /// Records that something was done that changes no document, before it is answered: showing a key, for one.
    pub(crate) fn record_done(&self) -> Result<(), Failure> {
        let mut event = self.event(Outcome::Allowed, None);
        event.status = Some(200);
        event.location = self.location(&self.snapshot);
        event.decision = Some(decision::of_permit(&self.permit));
        Ok(self.control.platform.audit.record(&event)?)
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
