//! `keyless can-i`: what the policy would say, and which role would change its mind.

use keyless_server::local::api::{CanIAnswer, CanIRequest, RuleStatus};

use super::Context;
use super::whoami::short_scope;
use crate::args::CanI;
use crate::client::{Local, LocalFailure};
use crate::data_dir::{DataDir, shell_word};
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::ui::{bad, code, command, faint, good, strong, wrapped};

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
        let columns = context.screen.columns();
        context.screen.write(report(&answer, &data, columns))?;
    }
    Ok(if answer.allowed { Exit::Done } else { Exit::Failed })
}

fn report(answer: &CanIAnswer, data: &DataDir, columns: Option<usize>) -> String {
    let verdict = if answer.allowed { good("yes") } else { bad("no") };
    let mut text = format!("{}\n", wrapped(format_args!("{verdict}: {}", answer.because), columns, 2));
    if let Some(rule) = &answer.decided_by {
        text.push_str(&format!("{}\n", wrapped(format_args!("  {}", words(rule)), columns, 4)));
    }
    text.push_str(&format!("{}\n", faint(&answer.scope)));
    if let Some(next) = would_allow(answer, data, columns) {
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
pub(super) fn would_allow(answer: &CanIAnswer, data: &DataDir, columns: Option<usize>) -> Option<String> {
    if let Some(rule) = answer.decided_by.as_ref().filter(|rule| rule.denies && !answer.allowed) {
        let scope = rule.scope.as_deref().unwrap_or_default();
        let path = format!("{scope}/providers/Microsoft.Authorization/denyAssignments/{}?api-version=2022-04-01", rule.id);
        let look = code(command(data.az(&format!("rest --method get --url {}", shell_word(&path))), columns, 2));
        let words = "no role helps against a deny assignment; see whom it excludes, and ask who made it:";
        return Some(format!("{}\n{look}\n", wrapped(words, columns, 0)));
    }
    let (narrowest, others) = answer.granted_by.split_first()?;
    let kind = answer.principal_type.as_ref().map(|kind| format!(" --assignee-principal-type {kind}")).unwrap_or_default();
    let assign = data.az(&format!(
        "role assignment create --role {} --assignee-object-id {}{kind} --scope {}",
        shell_word(narrowest),
        answer.principal,
        shell_word(&answer.scope)
    ));
    let words = wrapped("this role at this scope would allow it, and of all that would it allows the least:", columns, 0);
    let mut text = format!("{words}\n{}\n", code(command(assign, columns, 2)));
    if !others.is_empty() {
        let wider = wrapped(format_args!("wider ones that would: {}", others.join(", ")), columns, 2);
        text.push_str(&format!("{}\n", faint(wider)));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    fn answer(denies: bool) -> CanIAnswer {
        let scope = format!("{}/deployments/chat", fake::status().accounts[0].id);
        let id = fake::identity("demo-app", '1').principal_id;
        let rule = RuleStatus { id: id.clone(), name: "Nobody calls".into(), scope: Some(scope.clone()), via_group: None, denies };
        CanIAnswer {
            allowed: false,
            because: "no role assignment of the principal or of its groups grants the action at this scope or above".into(),
            decided_by: denies.then_some(rule),
            principal: id,
            principal_type: Some("ServicePrincipal".into()),
            scope,
            granted_by: ["Cognitive Services OpenAI User", "Cognitive Services OpenAI Contributor", "Owner"].map(str::to_owned).to_vec(),
        }
    }

    #[test]
    fn can_i_fits_eighty_columns_u13() {
        let data = DataDir::named("/home/ada/.local/state/keyless".into());
        for denies in [true, false] {
            super::super::screens::check_at_eighty("can-i", |columns| report(&answer(denies), &data, columns));
        }
    }

    #[test]
    fn no_printed_command_is_a_bare_az_u5() {
        let data = DataDir::named("/d".into());
        for denies in [true, false] {
            let text = would_allow(&answer(denies), &data, None).unwrap();
            let plain = anstream::adapter::strip_str(&text).to_string();
            assert!(plain.contains("\n  keyless az --data /d -- "), "{plain}");
        }
    }
}
