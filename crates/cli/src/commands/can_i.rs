//! `keyless can-i`: what the policy would say, and which role would change its mind.

use keyless_server::local::api::{CanIAnswer, CanIRequest, RuleStatus};

use super::Context;
use crate::args::CanI;
use crate::client::{LocalFailure, System, short};
use crate::data_dir::{DataDir, shell_word};
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::ui::{bad, code, command, faint, good, strong, wrapped};

pub(super) async fn can_i(context: &mut Context<'_>, args: &CanI) -> Ending {
    let system = System::find(context.data()?).await?;
    // A question about what does not exist is no "no": scripts must be able to tell them apart.
    let scope = system.scope(&args.scope).map_err(|failure| failure.ending(Exit::Usage))?;
    let (principal, action) = (args.principal.clone(), args.action.clone());
    let answer = system.local.can_i(&CanIRequest { principal, action, scope, terse: false, as_recorded: false }).await;
    let answer = answer.map_err(|failure| {
        let refused = matches!(failure, LocalFailure::Refused(_));
        let failure = Failure::from(failure);
        if refused { failure.ending(Exit::Usage) } else { failure }
    })?;
    if args.json {
        super::say_json(context, &answer)?;
    } else {
        let columns = context.screen.columns();
        context.screen.write(report(&answer, &system.data, columns))?;
    }
    Ok(if answer.allowed { Exit::Done } else { Exit::Failed })
}

fn report(answer: &CanIAnswer, data: &DataDir, columns: Option<usize>) -> String {
    let verdict = if answer.allowed { good("yes") } else { bad("no") };
    // The rule by its names says more than the sentence with its ids.
    let why = answer.decided_by.as_ref().map_or_else(|| answer.because.clone(), words);
    let mut text = format!("{}\n", wrapped(format_args!("{verdict}: {why}"), columns, 2));
    text.push_str(&format!("{}\n", faint(wrapped(format_args!("asked of {} at {}", who(answer), short(&answer.scope)), columns, 2))));
    if let Some(next) = would_allow(answer, data, columns) {
        text.push_str(&format!("\n{next}"));
    }
    text
}

/// The principal's name where it has one of its own, as every command takes it; else its object id.
fn who(answer: &CanIAnswer) -> &str {
    answer.principal_name.as_deref().unwrap_or(&answer.principal)
}

/// A rule in one line: `role Reader, assigned at demo-ai, through group Auditors`, and its id.
pub(super) fn words(rule: &RuleStatus) -> String {
    format!("{}  {}", in_short(rule), faint(&rule.id))
}

/// The same without the id.
pub(super) fn in_short(rule: &RuleStatus) -> String {
    let kind = if rule.denies { "deny assignment" } else { "role" };
    let at = rule.scope.as_ref().map_or_else(|| ", withdrawn since".to_owned(), |scope| format!(", assigned at {}", short(scope)));
    let through = rule.via_group.as_ref().map(|group| format!(", through group {group}")).unwrap_or_default();
    format!("{kind} {}{at}{through}", strong(&rule.name))
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
    let assign = format!(
        "keyless role create{} --as {} --role {} --scope {}",
        data.flag(),
        shell_word(who(answer)),
        shell_word(narrowest),
        shell_word(&short(&answer.scope))
    );
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
            principal_name: Some("demo-app".into()),
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
    fn a_printed_command_is_of_this_system_and_our_own_where_there_is_one_u5_u6() {
        let data = DataDir::named("/d".into());
        for (denies, command) in [
            (true, "\n  keyless az --data /d -- rest "),
            (false, "\n  keyless role create --data /d --as demo-app --role 'Cognitive Services OpenAI User' --scope demo-ai/chat\n"),
        ] {
            let text = would_allow(&answer(denies), &data, None).unwrap();
            let plain = anstream::adapter::strip_str(&text).to_string();
            assert!(plain.contains(command), "{plain}");
        }
    }
}
