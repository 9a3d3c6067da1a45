//! Audit events as a table that a person reads.

use keyless_audit::{ActorRecord, AuditEvent, Category, Outcome};

use super::names::Names;
use super::wanted::{account_of, deployment_of};
use crate::ui::{Table, bad, faint, good, warn};

/// Below this width a table of all columns would wrap.
const WIDE: usize = 150;
/// Below this width an object id would leave no room for what was done.
const MIDDLE: usize = 110;
/// How much of an object id stands for a caller whose name is not known.
const ID_START: usize = 8;
/// How much of a request's id tells it from the others; `explain` takes as much.
pub(crate) const SHORT_ID: usize = 8;

/// The beginning of a request's id, which `keyless explain` understands.
pub(crate) fn short_id(event: &AuditEvent) -> String {
    event.request_id.to_string().chars().take(SHORT_ID).collect()
}

/// One row per event, oldest first, under a header; fewer columns on a narrow terminal. `going_on` leaves the header out.
pub(crate) fn table<'a>(names: &Names, events: impl Iterator<Item = &'a AuditEvent>, columns: Option<usize>, going_on: bool) -> String {
    match columns {
        Some(columns) if columns < MIDDLE => slim(names, events, columns, going_on),
        Some(columns) if columns < WIDE => narrow(names, events, columns, going_on),
        _ => wide(names, events, columns, going_on),
    }
}

fn wide<'a>(names: &Names, events: impl Iterator<Item = &'a AuditEvent>, columns: Option<usize>, going_on: bool) -> String {
    let mut table = Table::new(["time (UTC)", "outcome", "who", "object id", "what", "where", "tokens", "ms", "request", "why"])
        .fitting(columns)
        .going_on(going_on);
    for event in events {
        let (who, object_id) = actor(names, &event.actor);
        let operation = short_operation(&event.operation).to_owned();
        table.row([
            faint(time(event)),
            outcome(event),
            who,
            object_id,
            operation,
            place(event),
            tokens(event),
            millis(event),
            short_id(event),
            faint(why(names, event)),
        ]);
    }
    table.to_string()
}

fn narrow<'a>(names: &Names, events: impl Iterator<Item = &'a AuditEvent>, columns: usize, going_on: bool) -> String {
    let mut table = Table::new(["UTC", "outcome", "request", "who", "object id", "what"]).fitting(Some(columns)).going_on(going_on);
    for event in events {
        let (who, object_id) = actor(names, &event.actor);
        let time = time(event).get(11..19).unwrap_or_default().to_owned();
        table.row([faint(time), outcome(event), short_id(event), who, object_id, what(names, event)]);
    }
    table.to_string()
}

fn slim<'a>(names: &Names, events: impl Iterator<Item = &'a AuditEvent>, columns: usize, going_on: bool) -> String {
    let mut table = Table::new(["UTC", "outcome", "request", "who", "what"]).fitting(Some(columns)).going_on(going_on);
    for event in events {
        let time = time(event).get(11..19).unwrap_or_default().to_owned();
        let who = match &event.actor {
            ActorRecord::Principal { object_id, .. } if names.of_principal(*object_id).is_none() => {
                format!("{}…", object_id.to_string().chars().take(ID_START).collect::<String>())
            }
            known => actor(names, known).0,
        };
        table.row([faint(time), outcome(event), short_id(event), who, what(names, event)]);
    }
    table.to_string()
}

/// Where, what, how much and why, in one cell.
fn what(names: &Names, event: &AuditEvent) -> String {
    let words = [place(event), short_operation(&event.operation).to_owned(), tokens(event), why(names, event)];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("  ")
}

/// `2026-11-21 03:04:05.678`.
fn time(event: &AuditEvent) -> String {
    let text = event.time.rfc3339();
    let (date, time) = text.trim_end_matches('Z').split_once('T').unwrap_or_default();
    // A whole second is written without a fraction.
    format!("{date} {time:0<12.12}", time = if time.len() == 8 { format!("{time}.") } else { time.to_owned() })
}

fn outcome(event: &AuditEvent) -> String {
    let status = event.status.map(|status| format!(" {status}")).unwrap_or_default();
    match event.outcome {
        Outcome::Allowed => good(format_args!("allowed{status}")),
        Outcome::Denied => bad(format_args!("denied{status}")),
        Outcome::Failed => warn(format_args!("failed{status}")),
    }
}

fn actor(names: &Names, actor: &ActorRecord) -> (String, String) {
    match actor {
        ActorRecord::Anonymous => (faint("nobody known"), String::new()),
        ActorRecord::System { .. } => (faint("keyless"), String::new()),
        ActorRecord::Principal { object_id, .. } => {
            (names.of_principal(*object_id).map_or_else(|| faint("-"), str::to_owned), object_id.to_string())
        }
        ActorRecord::AccountKey { fingerprint } => (warn("an API key"), format!("none (key {fingerprint})")),
    }
}

/// The last two words of an operation of the control plane; others are short already.
fn short_operation(operation: &str) -> &str {
    match operation.rmatch_indices('/').nth(1) {
        Some((at, _)) => operation.get(at + 1..).unwrap_or(operation),
        None => operation,
    }
}

fn place(event: &AuditEvent) -> String {
    match (account_of(event), deployment_of(event)) {
        (Some(account), Some(deployment)) => format!("{account}/{deployment}"),
        (Some(account), None) => account,
        (None, _) => match &event.token {
            Some(token) => token.audience.clone().unwrap_or_default().trim_start_matches("https://").to_owned(),
            None => event.target.as_ref().map(|target| target.name().to_owned()).unwrap_or_default(),
        },
    }
}

fn tokens(event: &AuditEvent) -> String {
    let Some(data) = event.data.as_ref().filter(|_| event.category == Category::Data) else { return String::new() };
    match (data.prompt_tokens, data.completion_tokens) {
        (None, None) => String::new(),
        (prompt, completion) => format!("{}+{}", prompt.unwrap_or_default(), completion.unwrap_or_default()),
    }
}

fn why(names: &Names, event: &AuditEvent) -> String {
    let token = event.token.as_ref();
    let words = event.decision.as_ref().map(|decision| names.because(decision));
    let words = words.or_else(|| token.and_then(|token| token.error.as_ref().map(ToString::to_string)));
    let words = words.or_else(|| token.map(|token| format!("{} by {}", token.grant, token.credential)));
    words
        .or_else(|| match &event.actor {
            ActorRecord::System { reason } => Some(reason.to_string()),
            _ => None,
        })
        .unwrap_or_default()
}

fn millis(event: &AuditEvent) -> String {
    event.data.as_ref().map(|data| format!("{:.1}", micros_to_millis(data.latency_micros))).unwrap_or_default()
}

fn micros_to_millis(micros: u64) -> f64 {
    // Latencies are far below the 2^52 us (142 years) up to which this is exact.
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    let micros = micros as f64;
    micros / 1000.0
}

#[cfg(test)]
mod tests;
