//! `keyless deployment`: models under names, through the control plane.

use serde::Serialize;
use serde_json::{Value, json};

use super::Context;
use crate::args::Deployment;
use crate::client::{Arm, System};
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::ui::{Table, faint, good, strong};

/// A deployment for people and scripts.
#[derive(Debug, Serialize)]
struct Shown {
    /// `account/deployment`, as every command takes it.
    name: String,
    id: String,
    model: String,
    model_version: String,
    /// Thousands of tokens per minute; none when it has no limit of its own.
    capacity: Option<u64>,
    state: String,
}

pub(super) async fn deployment(context: &mut Context<'_>, args: &Deployment) -> Ending {
    let system = System::find(context.data()?).await?;
    let control = system.operator().await?;
    match args {
        Deployment::List { account, json } => list(context, &system, &control, account.as_deref(), *json).await?,
        Deployment::Show { name, json } => {
            let found = system.deployment(name)?;
            let document: Value = control.get(&found.id()).await?;
            show(context, &shown(&found.account.name, &document), *json)?;
        }
        Deployment::Create { name, model, model_version, capacity, json } => {
            let wanted = system.deployment_named(name)?;
            if wanted.account.deployments.iter().any(|known| known.eq_ignore_ascii_case(&wanted.name)) {
                let next = "choose another name, or remove it first";
                return Err(Failure::new(format!("there is a deployment `{}` already", wanted.short()), next));
            }
            let body = json!({
                "sku": { "name": "Standard", "capacity": capacity },
                "properties": { "model": { "format": "OpenAI", "name": model, "version": model_version } },
            });
            let made = control.put(&wanted.id(), &body).await?;
            let made = shown(&wanted.account.name, &made);
            if *json {
                super::say_json(context, &made)?;
            } else {
                context.screen.say(format_args!("{} {} answers with {model}", good("✓"), strong(&made.name)))?;
            }
        }
        Deployment::Remove { name } => {
            let found = system.deployment(name)?;
            control.delete(&found.id()).await?;
            context.screen.say(format_args!("{} {} is gone; calls of it are refused", good("✓"), strong(found.short())))?;
        }
    }
    Ok(Exit::Done)
}

async fn list(context: &mut Context<'_>, system: &System, control: &Arm, account: Option<&str>, json: bool) -> Result<(), Failure> {
    let accounts = match account {
        Some(asked) => vec![system.account(Some(asked))?],
        None => system.status.accounts.iter().collect(),
    };
    let mut all = Vec::new();
    for account in accounts {
        let documents: Vec<Value> = control.list(&format!("{}/deployments", account.id), "").await?;
        all.extend(documents.iter().map(|document| shown(&account.name, document)));
    }
    if json {
        return super::say_json(context, &all);
    }
    let mut table = Table::new(["deployment", "model", "version", "capacity", "state"]).folding(context.screen.columns());
    for one in all {
        table.row([strong(&one.name), one.model, one.model_version, capacity(one.capacity), one.state]);
    }
    context.screen.write(table)?;
    Ok(())
}

fn show(context: &mut Context<'_>, one: &Shown, json: bool) -> Result<(), Failure> {
    if json {
        return super::say_json(context, one);
    }
    let mut table = Table::new(["", ""]).folding(context.screen.columns());
    for (name, value) in [
        ("name", one.name.clone()),
        ("model", format!("{} {}", one.model, one.model_version)),
        ("capacity", capacity(one.capacity)),
        ("state", one.state.clone()),
        ("resource", one.id.clone()),
    ] {
        table.row([faint(name), value]);
    }
    context.screen.write(table)?;
    Ok(())
}

fn capacity(thousands: Option<u64>) -> String {
    thousands.map_or_else(|| "no limit".to_owned(), |thousands| format!("{thousands},000 tokens/min"))
}

fn shown(account: &str, document: &Value) -> Shown {
    let text = |path: &str| document.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    Shown {
        name: format!("{account}/{}", text("/name")),
        id: text("/id"),
        model: text("/properties/model/name"),
        model_version: text("/properties/model/version"),
        capacity: document.pointer("/sku/capacity").and_then(Value::as_u64),
        state: text("/properties/provisioningState"),
    }
}
