//! `keyless env`: lends an identity to a shell for a time, and prints what the shell must set.

use super::Context;
use super::loan::{bundles, identity, request, say_what_changed};
use super::status::human_secs;
use crate::args::{Env, Shell};
use crate::child_env::{ChildEnvironment, Loan};
use crate::client::{Local, System};
use crate::exit::Exit;
use crate::failure::Ending;
use crate::machine::{fresh_secret, now};
use crate::shell::script;
use crate::ui::{code, faint};

pub(super) async fn env(context: &mut Context<'_>, args: &Env) -> Ending {
    if let Some(id) = &args.revoke {
        Local::of(&context.data()?.path).detach(id).await?;
        context.screen.note(format_args!("the loan {id} has ended; its header is worth nothing now"));
        return Ok(Exit::Done);
    }
    let system = System::find(context.data()?).await?;
    let account = system.account(args.account.as_deref())?;
    let header = fresh_secret();
    let wanted =
        request(&identity(&system, args.identity.as_deref())?, "shell", &header, shell_name(args.shell).to_owned(), Some(args.ttl));
    let attached = system.local.attach_shell(&wanted).await?;
    let loan = Loan { attached: &attached, header: &header, status: &system.status, account: Some(account) };
    let child = ChildEnvironment::new(&context.environment, &loan, &bundles(&system)?, &args.keep);

    say_what_changed(context, &child);
    let until = attached.until.map_or(0, |until| until.millis_since(now()) / 1000);
    context.screen.note(format_args!(
        "{} {} is lent to this shell for {}; `keyless env{} --revoke {}` ends it",
        faint("keyless:"),
        attached.identity.name,
        // Rounded up: "8 h", not "7 h 59 min".
        human_secs((until + 59) / 60 * 60),
        system.data.flag(),
        attached.id
    ));
    context.screen.write(script(args.shell, &child.given, &child.removed)?)?;
    if context.screen.out_is_terminal() {
        context.screen.note(format_args!("{} nothing is set yet; run {}", faint("keyless:"), code(applied(args, &system.data.flag()))));
    }
    Ok(Exit::Done)
}

const fn shell_name(shell: Shell) -> &'static str {
    match shell {
        Shell::Sh => "sh",
        Shell::Fish => "fish",
        Shell::Powershell => "powershell",
        Shell::Json => "json",
    }
}

/// The command that makes a shell take the variables.
fn applied(args: &Env, flag: &str) -> String {
    let who = args.identity.as_deref().map(|identity| format!(" --as {identity}")).unwrap_or_default();
    match args.shell {
        Shell::Fish => format!("keyless env{flag}{who} --shell fish | source"),
        Shell::Powershell => format!("keyless env{flag}{who} --shell powershell | Out-String | Invoke-Expression"),
        Shell::Sh | Shell::Json => format!("eval \"$(keyless env{flag}{who})\""),
    }
}
