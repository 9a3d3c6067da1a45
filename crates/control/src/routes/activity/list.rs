//! `GET /subscriptions/{id}/providers/Microsoft.Insights/eventtypes/management/values?$filter=eventTimestamp ge … and …`

use keyless_model::{Scope, Timestamp};
use serde_json::{Value, json};

use super::shape;
use crate::activity::ActivityQuery;
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::filter::{Comparison, Term, parse, unsupported};

/// The window when the client names no end, as on Azure: 90 days are kept.
const DEFAULT_WINDOW_SECS: i64 = 90 * 24 * 3600;
const LIMIT: usize = 1000;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let Some(reader) = &call.control.config.activity else {
        return Err(Failure::unavailable("The activity log is not connected on this listener."));
    };
    let (query, wanted) = query(call)?;
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
