//! `keyless deployment`: models under names, through the control plane.

use keyless_server::local::api::Status;
use serde::Serialize;
use serde_json::{Value, json};

use super::Context;
use super::up::welcome;
use crate::args::Deployment;
use crate::client::{Arm, System};
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::ui::{Table, faint, good, strong, warn};

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
        Deployment::Create { name, model, model_version, capacity, upstream, json } => {
            let wanted = system.deployment_named(name)?;
            if wanted.account.deployments.iter().any(|known| known.eq_ignore_ascii_case(&wanted.name)) {
                let next = "choose another name, or remove it first";
                return Err(Failure::new(format!("there is a deployment `{}` already", wanted.short()), next));
            }
            let mut body = json!({
                "sku": { "name": "Standard", "capacity": capacity },
                "properties": { "model": { "format": "OpenAI", "name": model, "version": model_version } },
            });
            if let Some(upstream) = upstream {
                body["properties"]["upstream"] = upstream.as_str().into();
            }
            let made = control.put(&wanted.id(), &body).await?;
            let made = shown(&wanted.account.name, &made);
            if *json {
                super::say_json(context, &made)?;
            } else {
                let status = system.local.status().await?;
                context.screen.say(format_args!("{} {} is deployed; {}", good("✓"), strong(&made.name), answering(&status, &made)))?;
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

/// Which model answers, which need not be the one that was asked for.
fn answering(status: &Status, made: &Shown) -> String {
    // Those that another model answers come first; who is not listed among many has its own.
    let Some(found) = status.deployments.iter().find(|one| one.name.eq_ignore_ascii_case(&made.name)) else {
        return format!("calls go to {}", made.model);
    };
    let trouble = status.upstreams.iter().find(|upstream| upstream.down).map(|upstream| {
        warn(format_args!("the model server {} {}", upstream.url, upstream.trouble.as_deref().unwrap_or("cannot be reached")))
    });
    trouble.unwrap_or_else(|| welcome::answers(found))
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

#[cfg(test)]
mod tests {
    use keyless_server::local::api::DeploymentStatus;

    use super::*;
    use crate::fake;

    fn said(answered_by: &str, down: bool) -> String {
        let mut status = fake::status();
        let (name, model, stands_in) =
            ("demo-ai/gpt-4o".to_owned(), "gpt-4o".to_owned(), answered_by != "gpt-4o" && !answered_by.is_empty());
        status.deployments = vec![DeploymentStatus { name, model, answered_by: answered_by.to_owned(), stands_in }];
        status.upstreams[0].down = down;
        let made = shown("demo-ai", &json!({ "name": "gpt-4o", "properties": { "model": { "name": "gpt-4o" } } }));
        anstream::adapter::strip_str(&answering(&status, &made)).to_string()
    }

    #[test]
    fn a_new_deployment_says_which_model_answers_and_not_which_was_asked_for_u2() {
        assert_eq!(said("gpt-4o", false), "gpt-4o answers");
        assert_eq!(said("llama3.2:3b", false), "llama3.2:3b answers; the model server does not have gpt-4o");
        assert_eq!(said("", false), "nothing answers: no model server is configured for gpt-4o");
        assert!(said("gpt-4o", true).contains("cannot be reached"));
    }
}
