//! `keyless keys`: the token signing keys, their states, and how to change them.

use keyless_server::local::api::KeyStatus;

use super::Context;
use crate::args::Keys;
use crate::client::Local;
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::ui::{Table, faint, good};

pub(super) async fn keys(context: &mut Context<'_>, args: &Keys) -> Ending {
    let local = Local::of(&context.data()?.path);
    let (keys, said, as_json) = match args {
        Keys::List { json } => (local.keys().await?, None, *json),
        Keys::Rotate { now } => {
            let said = if *now {
                "a new key signs from now on; verifiers elsewhere learn it when they next fetch the key set"
            } else {
                "a new key is on its way: it is published first, and signs once every cache had time to learn it"
            };
            (local.rotate_keys(*now).await?, Some(said), false)
        }
        Keys::Revoke { kid } => (local.revoke_key(kid).await?, Some("revoked: every token it signed is refused from now on"), false),
    };
    if as_json {
        context.screen.say(serde_json::to_string_pretty(&keys).unwrap_or_default())?;
        return Ok(Exit::Done);
    }
    if let Some(said) = said {
        context.screen.note(format_args!("{} {said}", good("✓")));
    }
    print(context, &keys)?;
    Ok(Exit::Done)
}

fn print(context: &mut Context<'_>, keys: &[KeyStatus]) -> Result<(), Failure> {
    let mut table = Table::new(["key id", "algorithm", "state", "since"]).folding(context.screen.columns());
    for key in keys {
        let state = format!("{:?}", key.state).to_lowercase();
        table.row([key.kid.clone(), format!("{:?}", key.algorithm), state, faint(key.since.rfc3339())]);
    }
    context.screen.write(table.to_string())?;
    Ok(())
}
