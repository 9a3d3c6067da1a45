//! `Microsoft.Insights/eventtypes/management/values`: the activity log, from the audit log's control events.

pub(super) mod categories;
pub(super) mod list;

use keyless_audit::{ActorRecord, AuditEvent, Outcome};
use keyless_model::Scope;
use keyless_store::Snapshot;
use serde_json::{Value, json};

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
