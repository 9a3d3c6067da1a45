//! `keyless can-i`: what the policy would say, and which role would change its mind.

use keyless_server::local::api::{CanIAnswer, CanIRequest, RuleStatus};

use super::Context;
use super::whoami::short_scope;
use crate::args::CanI;
use crate::client::{Local, LocalFailure};
use crate::data_dir::{DataDir, shell_word};
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::ui::{bad, code, faint, good, strong};

pub(super) async fn can_i(context: &mut Context<'_>, args: &CanI) -> Ending {
    let data = context.data()?;
    let local = Local::of(&data.path);
    let (principal, action, scope) = (args.principal.clone(), args.action.clone(), args.scope.clone());
    // A question about what does not exist is no "no": scripts must be able to tell them apart.
    let answer = local.can_i(&CanIRequest { principal, action, scope, terse: false, as_recorded: false }).await.map_err(|failure| {
        let refused = matches!(failure, LocalFailure::Refused(_));
        let failure = Failure::from(failure);
        if refused { failure.ending(Exit::Usage) } else { failure }
    })?;
    if args.json {
        context.screen.say(serde_json::to_string_pretty(&answer).unwrap_or_default())?;
    } else {
        context.screen.write(report(&answer, &data))?;
    }
    Ok(if answer.allowed { Exit::Done } else { Exit::Failed })
}

fn report(answer: &CanIAnswer, data: &DataDir) -> String {
    let verdict = if answer.allowed { good("yes") } else { bad("no") };
    let mut text = format!("{verdict}: {}\n", answer.because);
    if let Some(rule) = &answer.decided_by {
        text.push_str(&format!("  {}\n", words(rule)));
    }
    text.push_str(&format!("{}\n", faint(&answer.scope)));
    if let Some(next) = would_allow(answer, data) {
        text.push_str(&format!("\n{next}"));
    }
    text
}

/// A rule in one line: `role Reader, at accounts/demo-ai, through group Auditors`.
pub(super) fn words(rule: &RuleStatus) -> String {
    let kind = if rule.denies { "deny assignment" } else { "role" };
    let at = rule.scope.as_ref().map_or_else(|| ", withdrawn since".to_owned(), |scope| format!(", assigned at {}", short_scope(scope)));
    let through = rule.via_group.as_ref().map(|group| format!(", through group {group}")).unwrap_or_default();
    format!("{kind} {}{at}{through}  {}", strong(&rule.name), faint(&rule.id))
}

/// What would turn a refusal into a yes, and the command that does it.
pub(super) fn would_allow(answer: &CanIAnswer, data: &DataDir) -> Option<String> {
    if let Some(rule) = answer.decided_by.as_ref().filter(|rule| rule.denies && !answer.allowed) {
        let scope = rule.scope.as_deref().unwrap_or_default();
        let path = format!("{scope}/providers/Microsoft.Authorization/denyAssignments/{}?api-version=2022-04-01", rule.id);
        let look = code(data.az(&format!("rest --method get --url {}", shell_word(&path))));
        return Some(format!("no role helps against a deny assignment; see whom it excludes, and ask who made it:\n  {look}\n"));
    }
    let (narrowest, others) = answer.granted_by.split_first()?;
    let kind = answer.principal_type.as_ref().map(|kind| format!(" --assignee-principal-type {kind}")).unwrap_or_default();
    let command = data.az(&format!(
        "role assignment create --role {} --assignee-object-id {}{kind} --scope {}",
        shell_word(narrowest),
        answer.principal,
        shell_word(&answer.scope)
    ));
    let mut text = format!("this role at this scope would allow it, and of all that would it allows the least:\n  {}\n", code(command));
    if !others.is_empty() {
        text.push_str(&format!("{}\n", faint(format_args!("wider ones that would: {}", others.join(", ")))));
    }
    Some(text)
}
