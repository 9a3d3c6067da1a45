//! `keyless env`: lends an identity to a shell for a time, and prints what the shell must set.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::Context;
use super::loan::{bundles, identity, request, say_what_changed};
use super::status::human_secs;
use crate::args::{Env, Shell};
use crate::child_env::{ChildEnvironment, Loan};
use crate::client::{Local, System};
use crate::env_registry::Variable;
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::machine::{fresh_secret, now};
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
    let loan = Loan { attached: &attached, header: &header, status: &system.status, account };
    let child = ChildEnvironment::new(&context.environment, &loan, &bundles(&system)?, &args.keep)
        .explain(|| "the bundle of trust roots cannot be written".to_owned(), "free some disk space and try again")?;

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

/// The variables in the shell's own language.
fn script(shell: Shell, given: &BTreeMap<&'static str, OsString>, removed: &[Variable]) -> Result<String, Failure> {
    let text = |name: &str, value: &OsString| {
        value
            .to_str()
            .map(str::to_owned)
            .ok_or_else(|| Failure::new(format!("{name} would hold a path that is no Unicode"), "choose a data folder with a plain name"))
    };
    let given = given.iter().map(|(name, value)| Ok((*name, text(name, value)?))).collect::<Result<Vec<_>, Failure>>()?;
    let removed = removed.iter().map(|variable| variable.name);
    let quoted = |value: &str, from: &str, to: &str| format!("'{}'", value.replace(from, to));
    Ok(match shell {
        Shell::Sh => {
            let set = given.iter().map(|(name, value)| format!("export {name}={}\n", quoted(value, "'", r"'\''")));
            removed.map(|name| format!("unset {name}\n")).chain(set).collect()
        }
        Shell::Fish => {
            let set = given.iter().map(|(name, value)| format!("set -gx {name} {}\n", quoted(&value.replace('\\', r"\\"), "'", r"\'")));
            removed.map(|name| format!("set -e {name}\n")).chain(set).collect()
        }
        Shell::Powershell => {
            let set = given.iter().map(|(name, value)| format!("$env:{name} = {}\n", quoted(value, "'", "''")));
            removed.map(|name| format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue\n")).chain(set).collect()
        }
        Shell::Json => {
            let object: serde_json::Map<String, serde_json::Value> =
                given.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            format!("{:#}\n", serde_json::Value::Object(object))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env_registry::AZURE_OPENAI_API_KEY;

    fn written(shell: Shell) -> String {
        let given = BTreeMap::from([("AZURE_CLIENT_ID", "id-1".into()), ("SSL_CERT_FILE", r"/it's a\path".into())]);
        script(shell, &given, &[AZURE_OPENAI_API_KEY]).unwrap()
    }

    #[test]
    fn every_shell_reads_back_the_same_values() {
        insta::assert_snapshot!(written(Shell::Sh), @r"
        unset AZURE_OPENAI_API_KEY
        export AZURE_CLIENT_ID='id-1'
        export SSL_CERT_FILE='/it'\''s a\path'
        ");
        insta::assert_snapshot!(written(Shell::Fish), @r"
        set -e AZURE_OPENAI_API_KEY
        set -gx AZURE_CLIENT_ID 'id-1'
        set -gx SSL_CERT_FILE '/it\'s a\\path'
        ");
        insta::assert_snapshot!(written(Shell::Powershell), @r"
        Remove-Item Env:AZURE_OPENAI_API_KEY -ErrorAction SilentlyContinue
        $env:AZURE_CLIENT_ID = 'id-1'
        $env:SSL_CERT_FILE = '/it''s a\path'
        ");
        insta::assert_snapshot!(written(Shell::Json), @r#"
        {
          "AZURE_CLIENT_ID": "id-1",
          "SSL_CERT_FILE": "/it's a\\path"
        }
        "#);
    }
}
