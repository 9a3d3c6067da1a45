//! Which events a reader asks for.

use keyless_audit::{ActorRecord, AuditEvent, Category, Outcome};
use keyless_model::{ObjectId, RequestId, Scope, Timestamp};

/// Every field that is set must match; an empty filter matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The object id of who acted.
    pub principal: Option<ObjectId>,
    /// The AI account, or any scope: what was acted on is it or is below it.
    pub scope: Option<Scope>,
    /// A deployment's name, in any case.
    pub deployment: Option<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    pub outcome: Option<Outcome>,
    pub category: Option<Category>,
    pub request_id: Option<RequestId>,
}

impl Filter {
    #[must_use]
    pub fn matches(&self, event: &AuditEvent) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == found)
        }
        is(self.request_id.as_ref(), &event.request_id)
            && is(self.category.as_ref(), &event.category)
            && is(self.outcome.as_ref(), &event.outcome)
            && self.since.is_none_or(|since| event.time >= since)
            && self.until.is_none_or(|until| event.time < until)
            && self.principal.is_none_or(|wanted| matches!(event.actor, ActorRecord::Principal { object_id, .. } if object_id == wanted))
            && self.scope.as_ref().is_none_or(|wanted| event.target.as_ref().is_some_and(|target| wanted.covers(target)))
            && self.deployment.as_ref().is_none_or(|wanted| is_deployment(event, wanted))
    }
}

fn is_deployment(event: &AuditEvent, wanted: &str) -> bool {
    let named = event.data.as_ref().and_then(|data| data.deployment.as_deref());
    let target = event.target.as_ref().filter(|target| target.is_type("Microsoft.CognitiveServices/accounts/deployments"));
    named.or(target.map(Scope::name)).is_some_and(|name| name.eq_ignore_ascii_case(wanted))
}
