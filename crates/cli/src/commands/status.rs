//! `keyless status`: a running system at a glance.

use super::Context;
use super::up::welcome;
use crate::args;
use crate::client::System;
use crate::exit::Exit;
use crate::failure::Ending;
use crate::machine::now;
use crate::ui::{Table, bad, faint, good, heading, strong, wrapped};
use keyless_server::local::api::{AttachmentStatus, Status};

/// What `health` says when all is well.
const HEALTHY: &str = "ok";

pub(super) async fn status(context: &mut Context<'_>, args: &args::Status) -> Ending {
    let system = System::find(context.data()?).await?;
    if args.json {
        super::say_json(context, &system.status)?;
    } else {
        let lent = system.local.attachments().await?;
        let columns = context.screen.columns();
        context.screen.write(report(&system.status, &lent, now(), columns))?;
    }
    Ok(if system.status.health == HEALTHY { Exit::Done } else { Exit::Failed })
}

fn report(status: &Status, lent: &[AttachmentStatus], now: keyless_model::Timestamp, columns: Option<usize>) -> String {
    let health = if status.health == HEALTHY { good("healthy") } else { bad(&status.health) };
    let up = human_secs(now.millis_since(status.started) / 1000);
    let facts = faint(format_args!("process {}, up {up}, revision {}, data in {}", status.pid, status.revision, status.data));
    let mut text = format!("{}\n\n", wrapped(format_args!("{} {}  {health}  {facts}", heading("keyless"), status.version), columns, 2));
    let mut places = Table::new(["", ""]).indented(2).folding(columns);
    for (name, value) in [
        ("gateway", status.gateway.as_str()),
        ("gateway, plain", status.gateway_http.as_deref().unwrap_or_default()),
        ("authority", &status.authority),
        ("control", &status.control),
        ("metadata", &status.metadata),
        ("operations", &status.operations),
        ("CA file", &status.ca_file),
        ("tenant", &format!("{}  {}", status.tenant_id, faint(&status.tenant_domain))),
        ("subscription", &status.subscription_id),
        ("host", &status.host),
    ] {
        if !value.is_empty() {
            places.row([faint(name), value.to_owned()]);
        }
    }
    if let Some(provider) = &status.sign_in {
        places.row([
            faint("sign-in"),
            format!("{}  {}", provider.name, faint(format_args!("{}, back to {}", provider.issuer, provider.redirect_uri))),
        ]);
    }
    for upstream in &status.upstreams {
        places.row([faint("model"), welcome::model(upstream)]);
    }
    for deployment in status.deployments.iter().take(welcome::SHOWN) {
        places.row([faint("deployment"), welcome::answered(deployment)]);
    }
    text.push_str(&places.to_string());

    let mut accounts = Table::new(["account", "deployments", "endpoint"]).indented(2).folding(columns);
    for account in &status.accounts {
        accounts.row([strong(&account.name), account.deployments.join(", "), account.endpoint.clone()]);
    }
    let mut identities = Table::new(["identity", "client id", "object id"]).indented(2).folding(columns);
    for identity in &status.identities {
        identities.row([strong(&identity.name), identity.client_id.clone(), identity.principal_id.clone()]);
    }
    let mut loans = Table::new(["lent", "to", "kind", "since", "ends", "id"]).indented(2).folding(columns);
    for loan in lent {
        let ends =
            loan.until.map_or_else(|| "with the program".to_owned(), |until| format!("in {}", human_secs(until.millis_since(now) / 1000)));
        let since = format!("{} ago", human_secs(now.millis_since(loan.since) / 1000));
        loans.row([strong(&loan.identity), loan.label.clone(), loan.kind.clone(), since, ends, loan.id.clone()]);
    }
    for part in [accounts.to_string(), identities.to_string()] {
        text.push_str(&format!("\n{part}"));
    }
    if !loans.is_empty() {
        text.push_str(&format!("\n{loans}"));
    }
    text
}

/// A length of time in its two largest units; the smaller one is left out when it is zero.
pub(super) fn human_secs(secs: i64) -> String {
    let secs = secs.max(0);
    let units = [(secs / 86_400, "d"), (secs / 3600 % 24, "h"), (secs / 60 % 60, "min"), (secs % 60, "s")];
    let largest = units.iter().position(|(number, _)| *number > 0).unwrap_or(units.len() - 1);
    let shown = units.iter().skip(largest).take(2).enumerate().filter(|(place, (number, _))| *place == 0 || *number > 0);
    shown.map(|(_, (number, unit))| format!("{number} {unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
