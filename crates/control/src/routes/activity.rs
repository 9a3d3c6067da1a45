//! `Microsoft.Insights/eventtypes/management/values`: the activity log, from the audit log's control events.

use std::sync::Arc;

use http::Method;
use keyless_audit::{ActorRecord, AuditEvent, Outcome};
use keyless_model::{Scope, Timestamp};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::access::Access::Action;
use crate::activity::ActivityQuery;
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::{Comparison, Term, parse, unsupported};
use crate::permitted::Allowed;
use crate::route::{Route, SUBSCRIPTION};

const READ: &str = "Microsoft.Insights/eventtypes/values/Read";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, SUBSCRIPTION, "/providers/Microsoft.Insights/eventtypes/management/values", Action(READ), list),
        Route::own("", "/providers/Microsoft.Insights/eventcategories", categories),
    ]
}

/// One event in Azure Monitor's REST form (`ai-data-plane` A4).
fn shape(snapshot: &Snapshot, event: &AuditEvent) -> Value {
    let target = event.target.clone().unwrap_or_else(Scope::root);
    let (caller, tenant, app) = match &event.actor {
        ActorRecord::Principal { object_id, tenant, client_id } => {
            let name = snapshot.user(*object_id).map(|user| user.user_principal_name.clone());
            (name.unwrap_or_else(|| object_id.to_string()), Some(*tenant), *client_id)
        }
        ActorRecord::System { reason } => (format!("keyless ({reason})"), None, None),
        ActorRecord::AccountKey { fingerprint } => (format!("account key {fingerprint}"), None, None),
        ActorRecord::Anonymous => ("anonymous".to_owned(), None, None),
    };
    let object_id = match &event.actor {
        ActorRecord::Principal { object_id, .. } => Some(*object_id),
        _ => None,
    };
    let (status, level) = match event.outcome {
        Outcome::Allowed => ("Succeeded", "Informational"),
        Outcome::Denied => ("Failed", "Warning"),
        Outcome::Failed => ("Failed", "Error"),
    };
    let code = event.status.unwrap_or(if event.outcome == Outcome::Allowed { 200 } else { 500 });
    let time = event.time.rfc3339();
    let ticks = keyless_audit::monitor::ticks(event.time);
    let kind = target.resource_type();
    let decision = event.decision.as_ref();
    json!({
        "id": format!("{}/events/{}/ticks/{ticks}", target.as_str().trim_end_matches('/'), event.request_id),
        "eventDataId": event.request_id,
        "correlationId": event.request_id,
        "operationId": event.request_id,
        "authorization": { "action": event.operation, "scope": target, "role": decision.and_then(|decision| decision.role) },
        "caller": caller,
        "channels": "Operation",
        "claims": { "appid": app, "http://schemas.microsoft.com/identity/claims/objectidentifier": object_id },
        "category": { "value": "Administrative", "localizedValue": "Administrative" },
        "eventName": { "value": "EndRequest", "localizedValue": "End request" },
        "eventTimestamp": time,
        "submissionTimestamp": time,
        "level": level,
        "operationName": { "value": event.operation, "localizedValue": event.operation },
        "resourceGroupName": target.resource_group().unwrap_or_default(),
        "resourceProviderName": { "value": kind.as_deref().and_then(|kind| kind.split('/').next()).unwrap_or("Microsoft.Resources") },
        "resourceType": { "value": kind.unwrap_or_default() },
        "resourceId": target,
        "status": { "value": status, "localizedValue": status },
        "subStatus": { "value": code.to_string(), "localizedValue": format!("HTTP status code: {code}") },
        "subscriptionId": target.subscription_id(),
        "tenantId": tenant,
        "httpRequest": { "clientRequestId": event.request_id, "clientIpAddress": event.source, "method": Value::Null },
        "properties": {
            "statusCode": code.to_string(),
            "serviceRequestId": event.request_id,
            "entity": target,
            "message": event.operation,
            "because": decision.map(|decision| decision.because.clone()),
            "roleAssignment": decision.and_then(|decision| decision.assignment),
            // Azure's properties are all text, and its clients insist.
            "before": event.control.as_ref().and_then(|control| control.before.as_ref()).map(Value::to_string),
            "after": event.control.as_ref().and_then(|control| control.after.as_ref()).map(Value::to_string),
        },
    })
}

/// The window when the client names no end, as on Azure: 90 days are kept.
const DEFAULT_WINDOW_SECS: i64 = 90 * 24 * 3600;
const LIMIT: usize = 1000;

/// `GET /subscriptions/{id}/providers/Microsoft.Insights/eventtypes/management/values?$filter=eventTimestamp ge … and …`
async fn list(call: Allowed) -> Result<Reply, Failure> {
    let Some(reader) = &call.control.config.activity else {
        return Err(Failure::unavailable("The activity log is not connected on this listener."));
    };
    let (query, wanted) = query(&call)?;
    let events = reader.control_events(&query).await.map_err(|error| {
        tracing::error!(%error, "the activity log cannot be read");
        Failure::unavailable("The activity log cannot be read now; retry the operation later.")
    })?;
    let shown: Vec<Value> = events
        .iter()
        // The reader is trusted to select, not to protect: what is outside the scope that was permitted is dropped here again.
        .filter(|event| event.target.as_ref().is_some_and(|target| call.scope.covers(target) && query.scope.covers(target)))
        .map(|event| shape(&call.snapshot, event))
        .filter(|event| wanted.matches(event))
        .collect();
    Ok(Reply::ok(json!({ "value": shown })))
}

/// What a filter asks of an event as it is shown.
#[derive(Default)]
struct Wanted {
    caller: Option<String>,
    status: Option<String>,
    provider: Option<String>,
}

impl Wanted {
    fn matches(&self, event: &Value) -> bool {
        let is = |wanted: &Option<String>, shown: &Value| {
            wanted.as_ref().is_none_or(|wanted| shown.as_str().is_some_and(|shown| shown.eq_ignore_ascii_case(wanted)))
        };
        is(&self.caller, &event["caller"])
            && is(&self.status, &event["status"]["value"])
            && is(&self.provider, &event["resourceProviderName"]["value"])
    }
}

fn query(call: &Call) -> Result<(ActivityQuery, Wanted), Failure> {
    let now = call.ctx.now;
    let mut query =
        ActivityQuery { from: now.plus_secs(-DEFAULT_WINDOW_SECS), until: now, scope: call.scope.clone(), correlation: None, limit: LIMIT };
    let mut wanted = Wanted::default();
    let Some(filter) = call.query.field("$filter") else { return Ok((query, wanted)) };
    let time = |text: &str| Timestamp::parse_rfc3339(text).ok_or_else(|| unsupported(filter));
    for term in parse(filter)? {
        match term {
            Term::Compare(name, Comparison::AtLeast, value) if name.eq_ignore_ascii_case("eventTimestamp") => query.from = time(&value)?,
            Term::Compare(name, Comparison::AtMost, value) if name.eq_ignore_ascii_case("eventTimestamp") => query.until = time(&value)?,
            Term::Equals(name, value) if name.eq_ignore_ascii_case("resourceGroupName") => {
                query.scope = call.scope.join(&format!("resourceGroups/{value}")).map_err(|_| unsupported(filter))?;
            }
            Term::Equals(name, value) if name.eq_ignore_ascii_case("resourceId") || name.eq_ignore_ascii_case("resourceUri") => {
                // Outside the subscription there is nothing to see.
                query.scope = value.parse::<Scope>().ok().filter(|scope| call.scope.covers(scope)).ok_or_else(|| unsupported(filter))?;
            }
            Term::Equals(name, value) if name.eq_ignore_ascii_case("correlationId") => {
                query.correlation = Some(value.parse().map_err(|_| unsupported(filter))?);
            }
            Term::Equals(name, value) if name.eq_ignore_ascii_case("caller") => wanted.caller = Some(value),
            Term::Equals(name, value) if name.eq_ignore_ascii_case("status") => wanted.status = Some(value),
            Term::Equals(name, value) if name.eq_ignore_ascii_case("resourceProvider") => wanted.provider = Some(value),
            _ => return Err(unsupported(filter)),
        }
    }
    Ok((query, wanted))
}

const CATEGORIES: [&str; 8] =
    ["Administrative", "Security", "ServiceHealth", "Alert", "Recommendation", "Policy", "Autoscale", "ResourceHealth"];

/// `GET /providers/Microsoft.Insights/eventcategories`: the kinds of event that Azure's activity log has. Here all are administrative.
async fn categories(_: Arc<Call>) -> Result<Reply, Failure> {
    let rows: Vec<Value> = CATEGORIES.iter().map(|name| json!({ "value": name, "localizedValue": name })).collect();
    Ok(Reply::ok(json!({ "value": rows })))
}
