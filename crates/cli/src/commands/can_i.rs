//! `keyless can-i`: what the policy would say, and which role would change its mind.

use keyless_server::local::api::{CanIAnswer, CanIRequest};

use super::Context;
use crate::args::CanI;
use crate::client::Local;
use crate::exit::Exit;
use crate::failure::Ending;
use crate::ui::{bad, faint, good};

pub(super) async fn can_i(context: &mut Context<'_>, args: &CanI) -> Ending {
    let local = Local::of(&context.data()?.path);
    let request = CanIRequest { principal: args.principal.clone(), action: args.action.clone(), scope: args.scope.clone() };
    let answer = local.can_i(&request).await?;
    if args.json {
        context.screen.say(serde_json::to_string_pretty(&answer).unwrap_or_default())?;
    } else {
        context.screen.write(report(&answer))?;
    }
    Ok(if answer.allowed { Exit::Done } else { Exit::Failed })
}

pub(super) fn report(answer: &CanIAnswer) -> String {
    let verdict = if answer.allowed { good("yes") } else { bad("no") };
    let mut text = format!("{verdict}: {}\n{}\n", answer.because, faint(&answer.scope));
    if !answer.granted_by.is_empty() {
        text.push_str(&format!("\nany of these roles at this scope would allow it: {}\n", answer.granted_by.join(", ")));
        // No role is singled out: the first of a list is rarely the narrowest, and a suggestion is soon a copied command.
        text.push_str("choose the narrowest one that serves:\n");
        text.push_str(&format!(
            "  az role assignment create --role ROLE --assignee-object-id {} --scope {}\n",
            answer.principal, answer.scope
        ));
    }
    text
}
