//! `keyless explain`: why one request ended as it did, from the audit log, and what would end it otherwise.

use std::collections::BTreeSet;
use std::path::Path;

use keyless_audit::{ActorRecord, AuditEvent, Category, Outcome};
use keyless_server::local::api::{CanIAnswer, CanIRequest, RuleStatus};
use keyless_store::audit_log::Filter;
use serde::Serialize;

use super::Context;
use super::audit::{Names, account_of, newest, principal, short_id, table};
use super::can_i::{words, would_allow};
use crate::args::Explain;
use crate::client::Local;
use crate::data_dir::{DataDir, shell_word};
use crate::env_registry::{AZURE_CLIENT_ID, IDENTITY_ENDPOINT};
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::ui::{Table, code, faint, strong, wrapped};

/// A client's own id may stand for many requests; the newest are shown.
const MOST: usize = 20;
/// Fewer digits of an id than these are a coincidence sooner than a request.
const SHORTEST: usize = 6;

/// One event, with names in place of ids where the running system knows them.
#[derive(Serialize)]
struct Explained {
    event: AuditEvent,
    /// The assignment or deny assignment that decided then.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<RuleStatus>,
    /// What the policy says of the same question now; for refusals.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<CanIAnswer>,
    /// What to do about a refusal that no role would mend.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) async fn explain(context: &mut Context<'_>, args: &Explain) -> Ending {
    let data = context.data()?;
    let local = Local::of(&data.path);
    let mut names = Names::of(&local).await;
    let events = match &args.request_id {
        Some(id) => by_id(&data.path, id.trim())?,
        None => vec![last(context, &data.path, &names, args.principal.as_deref())?],
    };
    names.learn(&local, &data.path, events.iter()).await;
    let mut all = Vec::new();
    for event in events {
        all.push(explained(&local, &names, event, &data).await);
    }
    if args.json {
        super::say_json(context, &all)?;
        return Ok(Exit::Done);
    }
    let columns = context.screen.columns();
    context.screen.write(table(&names, all.iter().map(|one| &one.event), columns, false))?;
    for one in &all {
        context.screen.write(format_args!("\n{}", shown(one, &names, &data, columns)))?;
    }
    Ok(Exit::Done)
}

/// The events of one request, oldest first.
fn by_id(data: &Path, id: &str) -> Result<Vec<AuditEvent>, Failure> {
    let entries = newest(data, MOST, Filter::default(), |event| is_known_by(event, id))?;
    if !entries.is_empty() {
        return Ok(entries.into_iter().map(|entry| entry.event).collect());
    }
    let entries = if id.len() >= SHORTEST { newest(data, MOST, Filter::default(), |event| begins_with(event, id))? } else { Vec::new() };
    let events: Vec<AuditEvent> = entries.into_iter().map(|entry| entry.event).collect();
    let requests: BTreeSet<String> = events.iter().map(|event| event.request_id.to_string()).collect();
    match requests.len() {
        0 => Err(Failure::new(
            format!("no event of request `{id}` is in the audit log{}", counted(data)?),
            format!(
                "use the `apim-request-id`, `x-ms-request-id` or trace id of the answer, or at least {SHORTEST} digits of what \
                 `keyless audit tail` shows; `keyless explain --last` needs none"
            ),
        )),
        1 => Ok(events),
        _ => {
            let all: Vec<String> = requests.into_iter().collect();
            Err(Failure::new(format!("several requests begin with `{id}`"), format!("choose one of: {}", all.join(", "))))
        }
    }
}

/// What to know of refusals that have no event of their own: beyond the first few of a minute they are counted.
fn counted(data: &Path) -> Result<String, Failure> {
    let counts = newest(data, MOST, Filter::default(), |event| event.repeated.is_some())?;
    let numbers = counts.iter().filter_map(|entry| entry.event.repeated);
    let number: u64 = numbers.clone().map(|repeated| repeated.number).sum();
    let (Some(since), Some(last)) = (numbers.map(|repeated| repeated.since).min(), counts.last()) else {
        return Ok("; a refusal of this minute may be counted with others, and is written when the minute ends".to_owned());
    };
    Ok(format!(
        "; beyond the first few of a minute, refusals of strangers and of callers without a right are counted: {number} between {} and {}, \
         the last of them in `keyless explain {}`",
        since.rfc3339(),
        last.event.time.rfc3339(),
        short_id(&last.event)
    ))
}

/// The newest event that did not end well, else the newest, of a caller or of everybody.
fn last(context: &mut Context<'_>, data: &Path, names: &Names, asked: Option<&str>) -> Result<AuditEvent, Failure> {
    let own = context.environment.text(IDENTITY_ENDPOINT).and(context.environment.text(AZURE_CLIENT_ID)).map(str::to_owned);
    let principal = match (asked, own) {
        (Some(asked), _) => Some(principal(asked, names)?),
        // A loan that the running system does not know is of another system, or gone.
        (None, Some(own)) => principal(&own, names).ok(),
        (None, None) => None,
    };
    let filter = Filter { principal, ..Filter::default() };
    let is_request = |event: &AuditEvent| !matches!(event.actor, ActorRecord::System { .. });
    let troubled = newest(data, 1, filter.clone(), |event| is_request(event) && event.outcome != Outcome::Allowed)?;
    let whose = principal.map(|id| format!(" of {}", names.of_principal(id).map_or_else(|| id.to_string(), str::to_owned)));
    let whose = whose.unwrap_or_default();
    if let Some(entry) = troubled.into_iter().next() {
        context.screen.note(faint(format_args!("the newest request{whose} that was refused or failed:")));
        return Ok(entry.event);
    }
    let Some(entry) = newest(data, 1, filter, is_request)?.pop() else {
        return Err(Failure::new(format!("there is no request{whose} in the audit log"), "send one, or see `keyless audit tail`"));
    };
    context.screen.note(faint(format_args!("no request{whose} was refused or failed; the newest:")));
    Ok(entry.event)
}

/// Whether a person may mean this request by the beginning of its id, with or without hyphens.
fn begins_with(event: &AuditEvent, beginning: &str) -> bool {
    let id = event.request_id.to_string();
    let begins = |id: &str| id.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning));
    begins(&id) || begins(&id.replace('-', ""))
}

/// By our id of the request - on the wire `apim-request-id`, `x-ms-request-id`, `x-ms-correlation-request-id`, `request-id`, trace id -
/// or by the client's own (`x-ms-client-request-id`, `client-request-id`).
fn is_known_by(event: &AuditEvent, id: &str) -> bool {
    event.request_id.to_string().eq_ignore_ascii_case(id)
        || event.client_request_id.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(id))
}

async fn explained(local: &Local, names: &Names, event: AuditEvent, data: &DataDir) -> Explained {
    let rule = event.decision.as_ref().and_then(|decision| names.rule(decision));
    let decided_by = rule.filter(|_| a_rule_decided(&event)).cloned();
    let now = match question(&event) {
        Some(question) => local.can_i(&question).await.ok(),
        None => None,
    };
    let next = if now.is_none() { next_step(&event, data) } else { None };
    Explained { event, decided_by, now, next }
}

/// Whether the ending is that of the policy: what is not there, over budget or broken was not refused by a rule, even where one allowed it
/// before.
fn a_rule_decided(event: &AuditEvent) -> bool {
    let allowed = event.decision.as_ref().is_some_and(|decision| decision.allowed);
    allowed || matches!(event.status, Some(401 | 403) | None)
}

/// What to ask of the policy again, for what it refused to a principal.
fn question(event: &AuditEvent) -> Option<CanIRequest> {
    event.decision.as_ref().filter(|decision| !decision.allowed)?;
    let ActorRecord::Principal { object_id, .. } = &event.actor else { return None };
    if !matches!(event.status, Some(401 | 403)) {
        return None;
    }
    Some(CanIRequest {
        principal: object_id.to_string(),
        action: action(event)?.to_owned(),
        scope: event.target.as_ref()?.to_string(),
        terse: false,
        as_recorded: true,
    })
}

/// The action that was decided. Graph's operations are no role's actions.
fn action(event: &AuditEvent) -> Option<&str> {
    let recorded = event.data.as_ref().and_then(|data| data.action.as_deref());
    let operation = Some(event.operation.as_ref()).filter(|_| event.category == Category::Control);
    recorded.or(operation).filter(|action| action.starts_with("Microsoft.") && !action.starts_with("Microsoft.Graph/"))
}

/// What to do about a refusal that is not about roles.
fn next_step(event: &AuditEvent, data: &DataDir) -> Option<String> {
    if event.outcome == Outcome::Allowed {
        return None;
    }
    let account = account_of(event).unwrap_or_else(|| "ACCOUNT".to_owned());
    let group = event.target.as_ref().and_then(|target| target.resource_group()).unwrap_or("GROUP");
    let at = format!("-g {} -n {}", shell_word(group), shell_word(&account));
    // The gateway asks the network rules before it asks who calls.
    let network = event.decision.as_ref().is_some_and(|decision| decision.because.contains("network"));
    let step = match (event.category, event.status?, &event.actor) {
        (Category::Data, 403, _) if network => {
            format!("see the network rules: {}", data.az(&format!("cognitiveservices account network-rule list {at}")))
        }
        (Category::Data, 401 | 403, ActorRecord::Anonymous | ActorRecord::AccountKey { .. }) => {
            format!("call under an identity: keyless run{} --as IDENTITY -- PROGRAM", data.flag())
        }
        (Category::Data, 404, _) => {
            format!("see what is deployed: keyless deployment list{} --account {}", data.flag(), shell_word(&account))
        }
        (Category::Data, 429, _) => {
            let more = data.az(&format!("cognitiveservices account deployment create {at} --sku-capacity N ..."));
            format!("wait as `retry-after` said, or give more capacity: {more}")
        }
        (Category::Data, 502..=504, _) => format!("see which model server should answer: keyless status{}", data.flag()),
        (Category::Token, _, _) => format!("see the attempts around it: keyless audit tail{} --category token", data.flag()),
        (_, 503, _) => "look at the log of `keyless up`, then retry".to_owned(),
        (Category::Control, 403, _) if event.operation.starts_with("Microsoft.Graph/") => {
            format!("the directory is changed by the owners of its subscriptions: keyless whoami{} --as operator", data.flag())
        }
        _ => return None,
    };
    Some(step)
}

fn shown(one: &Explained, names: &Names, data: &DataDir, columns: Option<usize>) -> String {
    let event = &one.event;
    let mut facts = Table::new(["", ""]).folding(columns);
    let mut fact = |name: &str, value: String| facts.row([faint(name), value]);
    fact("request", event.request_id.to_string());
    if let Some(own) = &event.client_request_id {
        fact("client's id", own.to_string());
    }
    if let Some(repeated) = event.repeated {
        let until = event.time.rfc3339();
        fact("stands for", format!("{} refusals between {} and {until}", repeated.number, repeated.since.rfc3339()));
    }
    if let ActorRecord::Principal { object_id, .. } = &event.actor {
        let name = names.of_principal(*object_id).map(|name| format!("{}  ", strong(name))).unwrap_or_default();
        fact("who", format!("{name}{}", faint(object_id)));
    }
    if let Some(action) = action(event) {
        fact("asked for", strong(action));
    }
    if let Some(target) = &event.target {
        fact("at", target.to_string());
    }
    if let Some(decision) = &event.decision {
        let because = names.because(decision);
        match (event.outcome, decision.allowed) {
            (Outcome::Failed, true) => {
                let (cause, rule) = because.split_once(" (allowed: ").unwrap_or((&because, "by the policy)"));
                fact("allowed", rule.trim_end_matches(')').to_owned());
                let place = if event.category == Category::Data { " at the model server" } else { "" };
                let status = event.status.map(|status| format!(", {status}")).unwrap_or_default();
                fact("then", format!("failed{place}{status}: {cause}"));
            }
            (_, true) => fact("allowed", because),
            (_, false) => fact("refused", because),
        }
    }
    match &one.decided_by {
        Some(rule) => fact("decided by", words(rule)),
        None if event.status == Some(404) => fact("decided by", "no rule: nothing of that name is there".to_owned()),
        None => {}
    }
    let mut text = facts.to_string();
    match &one.now {
        Some(answer) if answer.allowed => {
            let by = answer.decided_by.as_ref().map(|rule| format!(" by {}", words(rule))).unwrap_or_default();
            text.push_str(&wrapped(format_args!("{} it would be allowed{by}\n", strong("now:")), columns, 2));
        }
        Some(answer) => {
            text.push_str(&wrapped(format_args!("{} still refused: {}\n", strong("now:"), answer.because), columns, 2));
            text.push_str(&would_allow(answer, data, columns).unwrap_or_default());
        }
        None => {}
    }
    if let Some(next) = &one.next {
        text.push_str(&wrapped(format_args!("{} {}\n", strong("next:"), code(next)), columns, 2));
    }
    text
}

#[cfg(test)]
mod tests {
    use keyless_audit::DecisionRecord;
    use keyless_model::{Actor, OpContext, RequestId, Timestamp};

    use super::*;

    #[test]
    fn the_beginning_of_an_id_finds_it_with_and_without_hyphens_u7() {
        let id = RequestId::from_u128(0x07e1_6b27_56b5_4251_a84e_04ab_699c_cac9);
        let event =
            AuditEvent::new(&OpContext::new(id, Timestamp::from_unix_secs(0), Actor::Anonymous), Category::Data, "x", Outcome::Denied);
        for beginning in ["07e16b27", "07E16B", "07e16b27-56b5", "07e16b2756b5"] {
            assert!(begins_with(&event, beginning), "{beginning}");
        }
        for other in ["07e16b28", "7e16b27", "07e16b2\u{e9}", &"0".repeat(64)] {
            assert!(!begins_with(&event, other), "{other}");
        }
    }

    #[test]
    fn an_explanation_fits_eighty_columns_and_names_no_bare_az_u13_u5() {
        let account = crate::fake::status().accounts.remove(0).id.replace("/s/", "/00000000-0000-4000-8000-00000000000b/");
        for status in [401, 403, 404, 429, 502, 503] {
            let ctx = OpContext::new(RequestId::from_u128(7), Timestamp::from_unix_secs(0), Actor::Anonymous);
            let mut event = AuditEvent::new(&ctx, Category::Data, "ChatCompletions_Create", Outcome::Denied);
            (event.status, event.target) = (Some(status), Some(format!("{account}/deployments/chat").parse().unwrap()));
            event.client_request_id = Some("job-7".into());
            let data = DataDir::named("/home/ada/.local/state/keyless".into());
            let next = next_step(&event, &data);
            assert!(next.as_deref().is_none_or(|next| !next.contains(": az ")), "{next:?}");
            let one = Explained { event, decided_by: None, now: None, next };
            super::super::screens::check_at_eighty("explain", |columns| shown(&one, &Names::default(), &data, columns));
        }
    }

    fn event(status: u16, outcome: Outcome, decision: DecisionRecord) -> Explained {
        let ctx = OpContext::new(RequestId::from_u128(7), Timestamp::from_unix_secs(0), Actor::Anonymous);
        let mut event = AuditEvent::new(&ctx, Category::Data, "ChatCompletions_Create", outcome);
        (event.status, event.decision) = (Some(status), Some(decision));
        Explained { event, decided_by: None, now: None, next: None }
    }

    fn plain(one: &Explained) -> String {
        let text = shown(one, &Names::default(), &DataDir::named("/d".into()), None);
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn what_was_allowed_and_failed_then_is_not_told_as_allowed_alone_u4() {
        let decision = DecisionRecord::allowed("connection refused (allowed: assignment 1 grants role 2)");
        let text = plain(&event(502, Outcome::Failed, decision));
        assert!(text.contains("allowed  assignment 1 grants role 2\n"), "{text}");
        assert!(text.contains("then     failed at the model server, 502: connection refused\n"), "{text}");
    }

    #[test]
    fn nothing_decided_about_what_is_not_there_u4() {
        let assignment = Some(keyless_model::AssignmentId::from_u128(1));
        let decision = DecisionRecord { assignment, ..DecisionRecord::refused("the deployment does not exist") };
        let one = event(404, Outcome::Denied, decision);
        assert!(!a_rule_decided(&one.event));
        assert!(plain(&one).contains("decided by  no rule"), "{}", plain(&one));
    }

    #[test]
    fn a_count_says_how_many_and_when_u9() {
        let mut one = event(401, Outcome::Denied, DecisionRecord::refused("7 more refusals were counted"));
        one.event.repeated = Some(keyless_audit::Repeated { number: 7, since: Timestamp::from_unix_secs(-60) });
        let text = plain(&one);
        assert!(text.contains("stands for  7 refusals between 1969-12-31T23:59:00Z and 1970-01-01T00:00:00Z"), "{text}");
    }
}
