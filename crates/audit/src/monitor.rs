//! Audit events in Azure Monitor's own shapes, for whoever collects those already. Says nothing that the event does not say.

use std::net::IpAddr;

use keyless_model::{Scope, Timestamp};
use keyless_wire::monitor::{
    Administrative, AdministrativeProperties, Authorization, Evidence, Identity, KeyAccess, KeyAccessProperties, RequestResponse,
    RequestResponseProperties,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{ActorRecord, AuditEvent, Category, DataDetail, Outcome};

/// One line of an export.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Record {
    /// Category `RequestResponse`.
    RequestResponse(Box<RequestResponse>),
    /// Category `Audit`.
    KeyAccess(Box<KeyAccess>),
    /// Category `Administrative`: the activity log.
    Administrative(Box<Administrative>),
}

/// .NET ticks of a moment: 100 ns since the year 1.
#[must_use]
pub const fn ticks(moment: Timestamp) -> i64 {
    moment.unix_millis().saturating_mul(10_000).saturating_add(TICKS_TO_1970)
}

const TICKS_TO_1970: i64 = 621_355_968_000_000_000;
const TICKS_PER_SECOND: i64 = 10_000_000;

/// The records of an event: none for what Azure Monitor has no shape for (tokens, the directory's own objects, Keyless itself), two
/// for the handling of an account's keys, which Azure tells in both logs.
#[must_use]
pub fn records(event: &AuditEvent) -> Vec<Record> {
    let Some(target) = &event.target else { return Vec::new() };
    match (event.category, &event.data) {
        (Category::Data, Some(data)) => vec![Record::RequestResponse(Box::new(request_response(event, target, data)))],
        (Category::Control, _) if is_resource_operation(&event.operation) => {
            let administrative = Record::Administrative(Box::new(administrative(event, target)));
            key_access(event, target).map(|access| Record::KeyAccess(Box::new(access))).into_iter().chain([administrative]).collect()
        }
        _ => Vec::new(),
    }
}

/// `Microsoft.{provider}/…`; Graph's operations are no resource's.
fn is_resource_operation(operation: &str) -> bool {
    operation.split_once('/').is_some_and(|(provider, _)| provider.starts_with("Microsoft.") && provider != "Microsoft.Graph")
}

fn request_response(event: &AuditEvent, target: &Scope, data: &DataDetail) -> RequestResponse {
    let location = event.location.as_deref().unwrap_or_default();
    let micros = i64::try_from(data.latency_micros).unwrap_or(i64::MAX);
    let (began, ended) = (ticks(event.time), ticks(event.time).saturating_add(micros.saturating_mul(10)));
    let known = |text: Option<&str>| text.map(str::to_owned);
    RequestResponse {
        tenant: location.to_owned(),
        caller_ip_address: event.source.map(masked),
        category: "RequestResponse".to_owned(),
        correlation_id: event.request_id.to_string(),
        duration_ms: data.latency_micros / 1000,
        event: "ShoeboxCallResult".to_owned(),
        location: location.to_owned(),
        operation_name: event.operation.clone().into_owned(),
        properties: RequestResponseProperties {
            api_name: format!("Azure OpenAI API version {}", data.api_version.as_deref().unwrap_or("unknown")),
            request_time: began,
            request_length: data.request_bytes,
            response_time: ended,
            response_length: data.response_bytes,
            object_id: object_id(&event.actor),
            // A call that reached no deployment had no stream to be of either kind.
            stream_type: data.deployment.as_ref().map(|_| if data.streamed { "Streaming" } else { "Non-Streaming" }.to_owned()),
            model_deployment_name: known(data.deployment.as_deref()),
            model_name: known(data.model.as_deref()),
            model_version: known(data.model_version.as_deref()),
        },
        resource_id: account_of(target).to_ascii_uppercase(),
        result_signature: event.status.unwrap_or_default().to_string(),
        time: moment(ended),
    }
}

/// The account itself: deployments are no resources of their own in the logs.
fn account_of(target: &Scope) -> &str {
    let id = target.as_str();
    id.match_indices('/').nth(8).map_or(id, |(at, _)| id.get(..at).unwrap_or(id))
}

fn key_access(event: &AuditEvent, target: &Scope) -> Option<KeyAccess> {
    let operation = match event.operation.rsplit_once("/accounts/")?.1 {
        "listKeys/action" => "ListKey",
        "regenerateKey/action" => "RegenerateKey",
        _ => return None,
    };
    // Azure tells of keys that were handed out, not of attempts; those are in the activity log.
    (event.outcome == Outcome::Allowed).then(|| KeyAccess {
        tenant: event.location.as_deref().unwrap_or_default().to_owned(),
        category: "Audit".to_owned(),
        operation_name: operation.to_owned(),
        properties: KeyAccessProperties { object_id: object_id(&event.actor) },
        resource_id: account_of(target).to_ascii_uppercase(),
        time: moment(ticks(event.time)),
    })
}

fn administrative(event: &AuditEvent, target: &Scope) -> Administrative {
    let (result, level) = match event.outcome {
        Outcome::Allowed => ("Success", "Information"),
        Outcome::Denied => ("Failure", "Warning"),
        Outcome::Failed => ("Failure", "Error"),
    };
    let status = status_name(event.status.unwrap_or_default());
    let verdict = if event.outcome == Outcome::Allowed { "Succeeded" } else { "Failed" };
    let tenant = match &event.actor {
        ActorRecord::Principal { tenant, .. } => Some(*tenant),
        _ => None,
    };
    let hierarchy = tenant.zip(target.subscription_id()).map(|(tenant, subscription)| format!("{tenant}/{subscription}"));
    Administrative {
        caller_ip_address: event.source.map(|source| source.to_string()),
        category: "Administrative".to_owned(),
        correlation_id: event.request_id.to_string(),
        duration_ms: 0,
        identity: Identity {
            authorization: Authorization {
                action: event.operation.clone().into_owned(),
                evidence: evidence(event),
                scope: target.to_string(),
            },
            claims: claims(&event.actor),
        },
        level: level.to_owned(),
        location: "global".to_owned(),
        operation_name: event.operation.to_ascii_uppercase(),
        properties: AdministrativeProperties {
            entity: target.to_string(),
            event_category: "Administrative".to_owned(),
            hierarchy,
            message: event.operation.clone().into_owned(),
            response_body: event.control.as_ref().and_then(|control| control.after.as_ref()).map(Value::to_string),
            service_request_id: event.request_id.to_string(),
            status_code: status.clone(),
        },
        resource_id: target.as_str().to_ascii_uppercase(),
        result_signature: format!("{verdict}.{status}"),
        result_type: result.to_owned(),
        time: moment(ticks(event.time)),
    }
}

fn evidence(event: &AuditEvent) -> Option<Evidence> {
    let decision = event.decision.as_ref()?;
    let holder = match (decision.via_group, &event.actor) {
        (Some(group), _) => Some(group),
        (None, ActorRecord::Principal { object_id, .. }) => Some(*object_id),
        _ => None,
    };
    Some(Evidence {
        principal_id: holder.map(|id| id.uuid().simple().to_string()),
        principal_type: decision.via_group.map(|_| "Group".to_owned()),
        role_assignment_id: decision.assignment?.uuid().simple().to_string(),
        role_definition_id: decision.role.map(|role| role.uuid().simple().to_string()),
    })
}

fn claims(actor: &ActorRecord) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut claim = |name: &str, value: String| _ = claims.insert(name.to_owned(), value.into());
    match actor {
        ActorRecord::Anonymous => {}
        ActorRecord::System { reason } => {
            claim("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/spn", format!("keyless ({reason})"));
        }
        ActorRecord::Principal { object_id, tenant, client_id } => {
            if let Some(client) = client_id {
                claim("appid", client.to_string());
            }
            claim("http://schemas.microsoft.com/identity/claims/objectidentifier", object_id.to_string());
            claim("http://schemas.microsoft.com/identity/claims/tenantid", tenant.to_string());
        }
        ActorRecord::AccountKey { fingerprint } => {
            claim("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/spn", format!("account key {fingerprint}"));
        }
    }
    claims
}

fn object_id(actor: &ActorRecord) -> String {
    match actor {
        ActorRecord::Principal { object_id, .. } => object_id.to_string(),
        _ => String::new(),
    }
}

/// `81.2.69.***`; of an IPv6 address the network of a site stays.
fn masked(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.***")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:***")
        }
    }
}

/// RFC 3339 with the seven decimals that .NET writes.
fn moment(ticks: i64) -> String {
    let since = ticks.saturating_sub(TICKS_TO_1970);
    let second = Timestamp::from_unix_secs(since.div_euclid(TICKS_PER_SECOND)).rfc3339();
    format!("{}.{:07}Z", second.trim_end_matches('Z'), since.rem_euclid(TICKS_PER_SECOND))
}

/// The name of a status in .NET's `HttpStatusCode`; a number where it has none.
fn status_name(status: u16) -> String {
    let name = match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "NoContent",
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        409 => "Conflict",
        412 => "PreconditionFailed",
        413 => "RequestEntityTooLarge",
        429 => "TooManyRequests",
        500 => "InternalServerError",
        502 => "BadGateway",
        503 => "ServiceUnavailable",
        other => return other.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests;
