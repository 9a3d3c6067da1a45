//! `keyless token`: one access token, for a program that captures it, or described for a person.

use std::io::IsTerminal as _;

use keyless_model::{Secret, Timestamp};

use super::Context;
use super::status::human_secs;
use crate::args::{CredentialName, Token};
use crate::client::Local;
use crate::exit::Exit;
use crate::failure::Ending;
use crate::machine::now;
use crate::ui::{Table, code, faint, strong};

mod chain;
mod decode;

pub(crate) use chain::{acquire, refusal};
pub(crate) use decode::Decoded;

/// A token, where it came from, and until when it is good.
pub(crate) struct Acquired {
    pub(crate) token: Secret<String>,
    pub(crate) through: &'static str,
    pub(crate) expires: Option<Timestamp>,
}

pub(super) async fn token(context: &mut Context<'_>, args: &Token) -> Ending {
    let acquired = match (&args.identity, &args.audience) {
        (Some(identity), Some(audience)) => {
            let (token, answer) = Local::of(&context.data()?.path).outside_token(identity, audience).await?;
            Acquired { token, through: "the local socket", expires: Some(answer.expires) }
        }
        // A program's own way to it: the managed identity endpoint, which knows the operator's list.
        (None, Some(audience)) => {
            acquire(&context.environment, &format!("{audience}/.default"), Some(CredentialName::ManagedIdentity)).await?
        }
        (Some(identity), None) => {
            let (token, answer) = Local::of(&context.data()?.path).token(identity, resource_of(&args.scope)).await?;
            Acquired { token, through: "the local socket", expires: Some(answer.expires) }
        }
        (None, None) => acquire(&context.environment, &args.scope, args.credential).await?,
    };
    if args.decode {
        context.screen.say(Decoded::read(&acquired.token)?.pretty())?;
    } else if args.print || !std::io::stdout().is_terminal() {
        context.screen.say(acquired.token.expose())?;
    } else {
        context.screen.write(summary(&acquired)?)?;
    }
    Ok(Exit::Done)
}

/// The resource of a scope, as managed identity endpoints want it: one trailing `/.default` less.
pub(super) fn resource_of(scope: &str) -> &str {
    scope.strip_suffix("/.default").unwrap_or(scope)
}

fn summary(acquired: &Acquired) -> Result<String, crate::failure::Failure> {
    let decoded = Decoded::read(&acquired.token)?;
    let mut table = Table::new(["", ""]).indented(2);
    table.row([faint("through"), acquired.through.to_owned()]);
    for (name, claim) in [
        ("subject", "sub"),
        ("object id", "oid"),
        ("client id", "azp"),
        ("client id", "appid"),
        ("audience", "aud"),
        ("issuer", "iss"),
        ("tenant", "tid"),
    ] {
        if let Some(value) = decoded.text(claim) {
            table.row([faint(name), strong(value)]);
        }
    }
    if let Some(expires) = acquired.expires.or(decoded.expires()) {
        table.row([faint("good for"), human_secs(expires.millis_since(now()) / 1000)]);
    }
    let hint = faint("the token itself stays off the screen;");
    Ok(format!("{table}{hint} {} {}\n", code("--print"), faint(format_args!("shows it, {} what it says", code("--decode")))))
}
