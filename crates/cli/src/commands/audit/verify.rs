//! `keyless audit verify`: follows the chain from its beginning.

use std::path::Path;

use keyless_audit::Anchor;
use keyless_audit::verify::Report;
use keyless_store::audit_log::AuditLogError;
use serde_json::json;

use super::log;
use crate::commands::Context;
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::ui::{Table, bad, code, faint, good, strong};

pub(super) fn verify(context: &mut Context<'_>, data: &Path, anchors: &[String], json: bool) -> Ending {
    let mut anchors = anchors.iter().map(|text| anchor(text)).collect::<Result<Vec<_>, _>>()?;
    anchors.extend(kept_anchor(context, data));
    match log::open(data)?.verify(anchors) {
        Ok(report) if json => context.screen.say(as_json(&report))?,
        Ok(report) => context.screen.write(shown(&report))?,
        Err(AuditLogError::Broken { folder, broken }) => {
            if json {
                let place = json!({ "segment": broken.segment, "offset": broken.offset, "sequence": broken.sequence, "why": broken.why.to_string() });
                context.screen.say(json!({ "ok": false, "broken": place }))?;
            } else {
                context.screen.say(format_args!("{} the audit log is not the one that was written", bad("✗")))?;
            }
            return Err(log::unreadable(AuditLogError::Broken { folder, broken }));
        }
        Err(error) => return Err(log::unreadable(error)),
    }
    Ok(Exit::Done)
}

/// What the state database knows of how far the log was on disk: a log that ends before that was cut.
pub(super) fn kept_anchor(context: &mut Context<'_>, data: &Path) -> Option<Anchor> {
    match keyless_server::kept_audit_anchor(data) {
        Ok(kept) => kept,
        Err(error) => {
            context.screen.note(format_args!("the state database's own note of the log's end cannot be read: {error:#}"));
            None
        }
    }
}

/// `SEQUENCE:HASH`, as an earlier verification printed it.
pub(super) fn anchor(text: &str) -> Result<Anchor, Failure> {
    let wrong =
        || Failure::usage(format!("`{text}` is no anchor"), "copy the head that an earlier `keyless audit verify` printed, such as 17:5f…");
    let (sequence, hash) = text.split_once(':').ok_or_else(wrong)?;
    Ok(Anchor { sequence: sequence.parse().map_err(|_| wrong())?, hash: hash.parse().map_err(|_| wrong())? })
}

fn as_json(report: &Report) -> String {
    let moment = |moment: Option<keyless_model::Timestamp>| moment.map(keyless_model::Timestamp::rfc3339);
    let head = json!({ "sequence": report.head.sequence, "hash": report.head.hash.to_string() });
    json!({
        "ok": true, "events": report.events, "segments": report.segments, "head": head, "first": moment(report.first), "last": moment(report.last),
    })
    .to_string()
}

fn shown(report: &Report) -> String {
    let mut table = Table::new(["", ""]).indented(2);
    table.row([faint("events"), strong(report.events)]);
    table.row([faint("files"), report.segments.to_string()]);
    if let (Some(first), Some(last)) = (report.first, report.last) {
        table.row([faint("from"), first.rfc3339()]);
        table.row([faint("to"), last.rfc3339()]);
    }
    let head = format!("{}:{}", report.head.sequence, report.head.hash);
    let verdict = format!("{} the audit log is whole: no event was changed, removed or inserted", good("✓"));
    let keep = faint("keep this elsewhere; later it shows that the end was not cut off:");
    format!("{verdict}\n{table}{keep}\n  {}\n", code(format_args!("keyless audit verify --anchor {head}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_read_as_it_was_printed() {
        let text = format!("17:{}", "5f".repeat(32));
        let read = anchor(&text).unwrap();
        assert_eq!(format!("{}:{}", read.sequence, read.hash), text);
        for wrong in ["", "17", "x:5f", "17:zz"] {
            assert_eq!(anchor(wrong).unwrap_err().exit, Exit::Usage, "{wrong}");
        }
    }
}
