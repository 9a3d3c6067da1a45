//! `keyless identity`: identities for programs, by name, through the control plane.

use keyless_server::local::api::IdentityStatus;
use serde_json::{Value, json};

use super::Context;
use crate::args::Identity;
use crate::client::{OPERATOR, System};
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::ui::{Table, code, faint, good, strong};

pub(super) async fn identity(context: &mut Context<'_>, args: &Identity) -> Ending {
    let system = System::find(context.data()?).await?;
    match args {
        Identity::List { json } => list(context, &system, *json)?,
        Identity::Show { name, json } => show(context, system.identity(Some(name))?, *json)?,
        Identity::Create { name, group, json } => create(context, &system, name, group, *json).await?,
        Identity::Remove { name } => remove(context, &system, name).await?,
    }
    Ok(Exit::Done)
}

fn list(context: &mut Context<'_>, system: &System, json: bool) -> Result<(), Failure> {
    let known = &system.status.identities;
    if json {
        return super::say_json(context, known);
    }
    let mut table = Table::new(["identity", "client id"]).folding(context.screen.columns());
    for identity in known {
        table.row([strong(&identity.name), identity.client_id.clone()]);
    }
    context.screen.write(table)?;
    Ok(())
}

fn show(context: &mut Context<'_>, identity: &IdentityStatus, json: bool) -> Result<(), Failure> {
    if json {
        return super::say_json(context, identity);
    }
    let rows =
        [("name", &identity.name), ("client id", &identity.client_id), ("object id", &identity.principal_id), ("resource", &identity.id)];
    let mut table = Table::new(["", ""]).folding(context.screen.columns());
    rows.into_iter().for_each(|(name, value)| table.row([faint(name), value.clone()]));
    context.screen.write(table)?;
    Ok(())
}

async fn create(context: &mut Context<'_>, system: &System, name: &str, group: &str, json: bool) -> Result<(), Failure> {
    if system.status.identities.iter().any(|known| known.name.eq_ignore_ascii_case(name)) {
        let next = format!("choose another name, or see `keyless identity show {name}`");
        return Err(Failure::new(format!("there is an identity `{name}` already"), next));
    }
    let control = system.operator().await?;
    let subscription = &system.status.subscription_id;
    let id =
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}");
    let made: Value = control.put(&id, &json!({ "location": "local" })).await?;
    let text = |path: &str| made.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let identity = IdentityStatus {
        name: text("/name"),
        id: text("/id"),
        client_id: text("/properties/clientId"),
        principal_id: text("/properties/principalId"),
    };
    if json {
        return super::say_json(context, &identity);
    }
    context.screen.say(format_args!("{} {} is an identity, and has no role yet", good("✓"), strong(&identity.name)))?;
    let next = format!(
        "keyless role create{} --as {} --role 'Cognitive Services OpenAI User' --scope {}",
        system.data.flag(),
        identity.name,
        system.account(None).map_or("ACCOUNT", |account| account.name.as_str())
    );
    context.screen.note(format_args!("{}\n  {}", faint("let it call models with"), code(next)));
    Ok(())
}

async fn remove(context: &mut Context<'_>, system: &System, named: &str) -> Result<(), Failure> {
    let identity = system.identity(Some(named))?;
    // Every command here acts as it.
    if identity.name == OPERATOR {
        return Err(Failure::new(
            "`operator` is the identity by which these commands work",
            "remove others; `keyless identity list` lists them",
        ));
    }
    let control = system.operator().await?;
    control
        .delete(&identity.id)
        .await
        .explain(|| format!("{} is not removed", identity.name), "see what it says, and `keyless identity list`")?;
    context.screen.say(format_args!("{} {} is gone, and so is every token that it has", good("✓"), strong(&identity.name)))?;
    Ok(())
}
