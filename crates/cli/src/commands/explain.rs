//! `keyless explain`: why one request ended as it did, from the audit log.

use keyless_audit::{ActorRecord, AuditEvent};
use keyless_store::audit_log::Filter;

use super::Context;
use super::audit::{Names, newest, table};
use crate::args::Explain;
use crate::client::Local;
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use keyless_server::local::api::CanIRequest;

pub(super) async fn explain(context: &mut Context<'_>, args: &Explain) -> Ending {
    let data = context.data()?;
    let request_id = args.request_id.parse().map_err(|_| {
        Failure::usage(
            format!("`{}` is no request id", args.request_id),
            "use the `apim-request-id`, `x-ms-request-id` or trace id of the answer; `keyless audit tail --json` shows them too",
        )
    })?;
    let filter = Filter { request_id: Some(request_id), ..Filter::default() };
    let entries = newest(&data.path, 20, filter, |_| true)?;
    if entries.is_empty() {
        return Err(Failure::new(
            format!("no event of request {request_id} is in the audit log"),
            "is it of this system? `keyless status` says which data folder it uses",
        ));
    }
    let local = Local::of(&data.path);
    let names = Names::of(&local).await;
    let columns = context.screen.columns();
    context.screen.write(table(&names, entries.iter().map(|entry| &entry.event), columns, false))?;
    for entry in &entries {
        let event = &entry.event;
        if let Some(decision) = &event.decision {
            context.screen.say(format_args!("\n{}", decision.because))?;
        }
        if let Some(ask) = refused(event)
            && let Ok(answer) = local.can_i(&ask).await
        {
            context.screen.say(format_args!("\nasked again now:"))?;
            context.screen.write(super::can_i::report(&answer))?;
        }
    }
    Ok(Exit::Done)
}

/// What to ask of the policy for a call that a principal was refused.
fn refused(event: &AuditEvent) -> Option<CanIRequest> {
    let decision = event.decision.as_ref().filter(|decision| !decision.allowed)?;
    let ActorRecord::Principal { object_id, .. } = &event.actor else { return None };
    let action = decision.because.split_whitespace().find(|word| word.starts_with("Microsoft.")).or(Some(event.operation.as_ref()))?;
    let action = action.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    action.starts_with("Microsoft.").then(|| CanIRequest {
        principal: object_id.to_string(),
        action: action.to_owned(),
        scope: event.target.as_ref().map(ToString::to_string).unwrap_or_default(),
    })
}
