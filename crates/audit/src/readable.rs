//! What is written can be read back: documents of changes are bounded before they are hashed, and an event that cannot be read all the
//! same - an older program wrote it, or a newer one - is told by what can be.

use keyless_model::{RequestId, Scope, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{ActorRecord, AuditEvent, Category, ControlDetail, DecisionRecord, Hash, Outcome};

/// Levels of a `before` or `after`. Readers take 127 for the whole line, and collectors less.
const MAX_DEPTH: usize = 48;
/// Bytes of a `before` or `after`.
const MAX_BYTES: usize = 256 << 10;

/// The operation of an event of which nothing can be read but its time.
const UNREADABLE: &str = "Audit_Unreadable";
/// The operation that stands in the place of a line that was changed.
const CHANGED: &str = "Audit_Changed";

/// Puts a marker with digest and size in the place of documents that are too deep or too large for a line.
pub fn limit(detail: &mut ControlDetail) {
    for document in [&mut detail.before, &mut detail.after].into_iter().flatten() {
        if exceeds(document, MAX_DEPTH) {
            *document = marker(document, "it is too deep");
            continue;
        }
        let text = serde_json::to_vec(document).unwrap_or_default();
        if text.len() > MAX_BYTES {
            *document = marker_of(&text, "it is too large");
        }
    }
}

/// What stands in the place of a document.
pub(crate) fn marker(document: &Value, why: &str) -> Value {
    marker_of(&serde_json::to_vec(document).unwrap_or_default(), why)
}

fn marker_of(text: &[u8], why: &str) -> Value {
    json!({ "leftOut": why, "bytes": text.len(), "sha256": Hash::of(text).to_string() })
}

/// Whether a value holds more levels of lists and objects than that.
fn exceeds(value: &Value, levels: usize) -> bool {
    let within = |inner: &Value| levels == 0 || exceeds(inner, levels - 1);
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(within),
        Value::Object(members) => levels == 0 || members.values().any(within),
        _ => false,
    }
}

/// The members that are read by themselves when the whole cannot be. Others are skipped, whatever their depth.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    time: Timestamp,
    request_id: RequestId,
    category: Category,
    operation: String,
    outcome: Outcome,
    actor: ActorRecord,
    #[serde(default)]
    revision: Option<u64>,
    #[serde(default)]
    target: Option<Scope>,
    #[serde(default)]
    status: Option<u16>,
}

#[derive(Deserialize)]
struct Stamp {
    time: Timestamp,
}

/// An event that says of the one in `text` what can be read, and that the rest cannot.
#[must_use]
pub fn placeholder(text: &[u8]) -> AuditEvent {
    let blank = |time| blank(time, UNREADABLE, "this program cannot read the event's details; its line is whole");
    match serde_json::from_slice::<Outline>(text) {
        Ok(outline) => AuditEvent {
            request_id: outline.request_id,
            category: outline.category,
            operation: outline.operation.into(),
            outcome: outline.outcome,
            actor: outline.actor,
            revision: outline.revision,
            target: outline.target,
            status: outline.status,
            ..blank(outline.time)
        },
        Err(_) => blank(serde_json::from_slice::<Stamp>(text).map_or(Timestamp::default(), |stamp| stamp.time)),
    }
}

/// Stands in a list for a line that is not as it was written. Nothing that the line says counts.
#[must_use]
pub fn changed(time: Timestamp, category: Category, target: Option<Scope>) -> AuditEvent {
    let because = "this line of the audit log is not as it was written; run `keyless audit verify`";
    AuditEvent { category, target, ..blank(time, CHANGED, because) }
}

fn blank(time: Timestamp, operation: &'static str, because: &'static str) -> AuditEvent {
    AuditEvent {
        time,
        request_id: RequestId::from_u128(0),
        client_request_id: None,
        category: Category::System,
        operation: operation.into(),
        outcome: Outcome::Failed,
        actor: ActorRecord::System { reason: "unreadable event".into() },
        revision: None,
        source: None,
        target: None,
        location: None,
        decision: Some(DecisionRecord::refused(because)),
        status: None,
        repeated: None,
        data: None,
        control: None,
        token: None,
    }
}

/// The time on a line, without reading or checking the rest; none on a header.
#[must_use]
pub fn time_of(text: &[u8]) -> Option<Timestamp> {
    // Our own lines begin with it; anything else is parsed.
    let digits = text.strip_prefix(br#"{"time":"#).map(|rest| rest.split(|byte| *byte == b',').next().unwrap_or_default());
    let quick = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).map(Timestamp::from_unix_millis);
    quick.or_else(|| serde_json::from_slice::<Stamp>(text).ok().map(|stamp| stamp.time))
}

#[cfg(test)]
mod tests;
