//! `keyless user`: people who sign in with `az login` or the browser.

use std::io::{IsTerminal as _, Read as _};

use keyless_model::Secret;
use keyless_server::local::api::{InvitationRequest, InvitationStatus, LinkRequest, PasswordRequest, UserRequest};
use serde::Serialize;
use serde_json::Value;

use super::Context;
use crate::args::User;
use crate::client::{Local, OPERATOR, System};
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::machine::now;
use crate::ui::{Table, code, faint, good, prompt, strong, wrapped};

/// No password is longer; what follows in the pipe is not read.
const MAX_PASSWORD_BYTES: u64 = 4096;

/// A person for people and scripts.
#[derive(Debug, Serialize)]
struct Person {
    name: String,
    display_name: String,
    object_id: String,
    enabled: bool,
}

pub(super) async fn user(context: &mut Context<'_>, args: &User) -> Ending {
    let local = Local::of(&context.data()?.path);
    match args {
        User::List { json } => list(context, *json).await?,
        User::Remove { name } => remove(context, name).await?,
        User::ResetPassword { name, keep } => {
            let password = password(&format!("new password of {name}"))?.expose().clone();
            local.reset_password(&PasswordRequest { user_principal_name: name.clone(), password, must_change: !keep }).await?;
            let then = if *keep { "" } else { "; they must choose another when they sign in" };
            context.screen.say(format_args!("{} {} has a new password and is signed out{then}", good("✓"), strong(name)))?;
        }
        User::Add { name, display_name, must_change, no_password } => {
            let password = if *no_password { None } else { Some(password(&format!("password of {name}"))?) };
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
        User::Invitations { json } => invitations(context, &local.invitations().await?, *json)?,
        User::Withdraw { name } => {
            local.withdraw(name).await?;
            context.screen.say(format_args!("{} {} is not invited any more", good("✓"), strong(name)))?;
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

async fn list(context: &mut Context<'_>, json: bool) -> Result<(), Failure> {
    let system = System::find(context.data()?).await?;
    let rows: Vec<Value> = system.graph_as(OPERATOR).await?.list("/v1.0/users", "").await?;
    let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut people: Vec<Person> = rows
        .iter()
        .map(|row| Person {
            name: text(row, "userPrincipalName"),
            display_name: text(row, "displayName"),
            object_id: text(row, "id"),
            enabled: row.get("accountEnabled").and_then(Value::as_bool).unwrap_or(true),
        })
        .collect();
    people.sort_by(|a, b| a.name.cmp(&b.name));
    if json {
        return super::say_json(context, &people);
    }
    let mut table = Table::new(["user", "object id", "state"]).folding(context.screen.columns());
    for one in people {
        let state = if one.enabled { "enabled" } else { "disabled" };
        table.row([strong(one.name), one.object_id, state.to_owned()]);
    }
    let none = || {
        let words = format!("nobody signs in here yet; {} invites the first administrator\n", code("keyless user invite NAME --owner"));
        wrapped(words, context.screen.columns(), 0)
    };
    let text = if table.is_empty() { none() } else { table.to_string() };
    context.screen.write(text)?;
    Ok(())
}

fn invitations(context: &mut Context<'_>, open: &[InvitationStatus], json: bool) -> Result<(), Failure> {
    if json {
        return super::say_json(context, &open);
    }
    let mut table = Table::new(["invited", "as", "until"]).folding(context.screen.columns());
    for one in open {
        let rights = if one.owner { "owner of everything" } else { "member" };
        table.row([strong(&one.user_principal_name), rights.to_owned(), one.expires.rfc3339()]);
    }
    let none = || format!("nobody is invited; {} invites somebody\n", code("keyless user invite NAME"));
    context.screen.write(if table.is_empty() { none() } else { table.to_string() })?;
    Ok(())
}

async fn remove(context: &mut Context<'_>, named: &str) -> Result<(), Failure> {
    let system = System::find(context.data()?).await?;
    let known = system.principal(named).await?;
    let graph = system.graph_as(OPERATOR).await?;
    graph.delete(&format!("/v1.0/users/{}", known.object_id)).await.map_err(|refusal| Failure {
        next: Some("see `keyless user list`; identities are removed with `keyless identity remove`".to_owned()),
        ..refusal.into()
    })?;
    context.screen.say(format_args!("{} {} is gone, with every role and session", good("✓"), strong(known.name)))?;
    Ok(())
}

/// Typed unseen at a terminal, or read from standard input: an argument would stand in the shell's history and in every process list.
fn password(question: &str) -> Result<Secret<String>, Failure> {
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        return typed(question);
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

/// Twice, because nobody sees what was typed.
fn typed(question: &str) -> Result<Secret<String>, Failure> {
    let ask = |question: &str| {
        let typed = prompt::password(question).explain(|| "the terminal cannot be read".to_owned(), "pipe the password in")?;
        typed.ok_or_else(|| Failure::new("no password was given; nothing was changed", "run it again").ending(Exit::Interrupted))
    };
    let (first, second) = (ask(question)?, ask("the same again")?);
    if first.expose() != second.expose() {
        return Err(Failure::new("the two are not the same; nothing was changed", "run it again"));
    }
    Ok(first)
}
