//! `keyless user`: people who sign in with `az login` or the browser.

use std::io::{IsTerminal as _, Read as _};

use keyless_model::Secret;
use keyless_server::local::api::{InvitationRequest, LinkRequest, UserRequest};

use super::Context;
use crate::args::User;
use crate::client::Local;
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::machine::now;
use crate::ui::{faint, good, strong};

/// No password is longer; what follows in the pipe is not read.
const MAX_PASSWORD_BYTES: u64 = 4096;

pub(super) async fn user(context: &mut Context<'_>, args: &User) -> Ending {
    let local = Local::of(&context.data()?.path);
    match args {
        User::Add { name, display_name, must_change, no_password } => {
            let password = if *no_password { None } else { Some(password()?) };
            let request = UserRequest {
                user_principal_name: name.clone(),
                display_name: display_name.clone().unwrap_or_else(|| name.clone()),
                password: password.map(|password| password.expose().clone()),
                must_change: *must_change,
            };
            local.add_user(&request).await?;
            context.screen.say(format_args!("{} {} may sign in, and has no role yet", good("✓"), strong(name)))?;
        }
        User::Invite { name, display_name, owner } => {
            let request = InvitationRequest {
                user_principal_name: name.clone(),
                display_name: display_name.clone().unwrap_or_else(|| name.clone()),
                owner: *owner,
                lifetime_secs: None,
            };
            let answer = local.invite(&request).await?;
            context.screen.note(format_args!("{}", faint("whoever opens this link is that person; it works once, for 24 hours")));
            context.screen.say(&answer.link)?;
        }
        User::Link { name, subject } => {
            let request = LinkRequest { user_principal_name: name.clone(), subject: Some(subject.clone()) };
            local.link(&request).await?;
            context.screen.say(format_args!("{} {} may sign in at the provider as {subject}", good("✓"), strong(name)))?;
        }
        User::Unlink { name } => {
            local.link(&LinkRequest { user_principal_name: name.clone(), subject: None }).await?;
            context.screen.say(format_args!("{} {} is linked to nobody, and signed out", good("✓"), strong(name)))?;
        }
        User::SignOut { name, before } => {
            let before = before.map(|moment| moment.resolve(now()));
            local.sign_out(name, before).await?;
            let until = before.map_or_else(|| "now".to_owned(), |moment| moment.rfc3339());
            context.screen.say(format_args!("{} every token of {name} issued until {until} is refused", good("✓")))?;
        }
    }
    Ok(Exit::Done)
}

/// From standard input only: an argument would stand in the shell's history and in every process list.
fn password() -> Result<Secret<String>, Failure> {
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        let next = "pipe it in, such as `keyless user add ada@keyless.localhost < password.txt`, or use `keyless user invite`";
        return Err(Failure::usage("the password is read from standard input, which is a terminal", next));
    }
    let mut text = String::new();
    stdin
        .by_ref()
        .take(MAX_PASSWORD_BYTES)
        .read_to_string(&mut text)
        .explain(|| "the password cannot be read".to_owned(), "pipe text in")?;
    let password = Secret::new(text.trim_end_matches(['\r', '\n']).to_owned());
    Ok(password)
}
