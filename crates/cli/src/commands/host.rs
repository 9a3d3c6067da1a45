//! `keyless host`: which identities this machine carries, changed through the control plane as an operator would.

use keyless_server::local::api::IdentityStatus;
use serde_json::{Map, Value, json};

use super::Context;
use crate::args::Host;
use crate::client::System;
use crate::env_registry::{AZURE_CLIENT_ID, AZURE_POD_IDENTITY_AUTHORITY_HOST};
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::ui::{Table, code, faint, good, strong};

pub(super) async fn host(context: &mut Context<'_>, args: &Host) -> Ending {
    let system = System::find(context.data()?).await?;
    match args {
        Host::Attach { identity } => attach(context, &system, identity).await?,
        Host::Detach { identity } => detach(context, &system, identity).await?,
        Host::Show { json } => show(context, &system, *json).await?,
    }
    Ok(Exit::Done)
}

async fn attach(context: &mut Context<'_>, system: &System, named: &str) -> Result<(), Failure> {
    let identity = system.identity(Some(named))?;
    patch(system, &identity.id, json!({})).await?;
    let endpoint = format!("{}={}", AZURE_POD_IDENTITY_AUTHORITY_HOST.name, system.status.metadata);
    let which = format!("{}={}", AZURE_CLIENT_ID.name, identity.client_id);
    context.screen.say(format_args!("{} {} is attached to this machine", good("✓"), strong(&identity.name)))?;
    context.screen.note(format_args!("{} {}", faint("programs that look for IMDS find it with"), code(endpoint)));
    // As on Azure: whoever does not say which identity is meant gets the machine's own.
    context.screen.note(format_args!("{} {}", faint("and get this identity, not the machine's own, with"), code(which)));
    Ok(())
}

async fn detach(context: &mut Context<'_>, system: &System, named: &str) -> Result<(), Failure> {
    let identity = system.identity(Some(named))?;
    if !attached(system).await?.iter().any(|(id, _)| id.eq_ignore_ascii_case(&identity.id)) {
        return Err(Failure::new(format!("{} is not attached to this machine", identity.name), "see `keyless host show`"));
    }
    // Azure's own way to say it: a null takes the identity off and leaves the others.
    patch(system, &identity.id, Value::Null).await?;
    context.screen.say(format_args!("{} {} is no longer attached to this machine", good("✓"), strong(&identity.name)))?;
    Ok(())
}

async fn show(context: &mut Context<'_>, system: &System, as_json: bool) -> Result<(), Failure> {
    let attached = attached(system).await?;
    let identity_of = |id: &str| system.status.identities.iter().find(|identity| identity.id.eq_ignore_ascii_case(id));
    if as_json {
        let identities: Vec<&IdentityStatus> = attached.iter().filter_map(|(id, _)| identity_of(id)).collect();
        let report = json!({ "host": system.status.host, "metadata": system.status.metadata, "identities": identities });
        context.screen.say(format_args!("{report:#}"))?;
        return Ok(());
    }
    context.screen.say(format_args!("{}\n  {}", strong(&system.status.host), faint(&system.status.metadata)))?;
    let mut table = Table::new(["identity", "client id", "object id"]).indented(2).folding(context.screen.columns());
    for (id, facts) in &attached {
        let fact = |name: &str| facts.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = identity_of(id).map_or_else(|| id.rsplit('/').next().unwrap_or_default().to_owned(), |identity| identity.name.clone());
        table.row([strong(name), fact("clientId"), fact("principalId")]);
    }
    let text = if table.is_empty() {
        format!("  no identity is attached; {} attaches one\n", code("keyless host attach demo-app"))
    } else {
        table.to_string()
    };
    context.screen.write(text)?;
    Ok(())
}

/// The identities of the host: ARM id and what the control plane says about each.
async fn attached(system: &System) -> Result<Vec<(String, Value)>, Failure> {
    let host: Value = system.operator().await?.get(&system.status.host).await?;
    let identities = host.pointer("/identity/userAssignedIdentities").and_then(Value::as_object).cloned().unwrap_or_default();
    Ok(identities.into_iter().collect())
}

async fn patch(system: &System, identity: &str, value: Value) -> Result<(), Failure> {
    let control = system.operator().await?;
    let before: Value = control.get(&system.status.host).await?;
    let kind = before.pointer("/identity/type").and_then(Value::as_str).unwrap_or("None");
    let left = attached(system).await?.iter().filter(|(id, _)| !id.eq_ignore_ascii_case(identity)).count();
    let users = !value.is_null() || left > 0;
    let kind = match (kind.contains("SystemAssigned"), users) {
        (true, true) => "SystemAssigned, UserAssigned",
        (true, false) => "SystemAssigned",
        (false, true) => "UserAssigned",
        (false, false) => "None",
    };
    let mut identities = Map::new();
    identities.insert(identity.to_owned(), value);
    let mut body = json!({ "identity": { "type": kind } });
    // With type None the list goes with the type.
    if let (true, Some(target)) = (kind.contains("UserAssigned"), body.pointer_mut("/identity").and_then(Value::as_object_mut)) {
        target.insert("userAssignedIdentities".to_owned(), Value::Object(identities));
    }
    control
        .patch(&system.status.host, &body)
        .await
        .map(drop)
        .map_err(Failure::from)
        .map_err(|failure| Failure { next: Some("look at the log of `keyless up`".to_owned()), ..failure })
}
