//! What `keyless up` says once it answers: where, as whom, with which model, and what to try next.

use std::fmt::Write as _;
use std::time::Duration;

use keyless_server::local::Invited;
use keyless_server::local::api::{DeploymentStatus, Status, UpstreamStatus};

use crate::data_dir::DataDir;
use crate::ui::{Table, code, command, faint, good, heading, strong, warn, wrapped};

/// Deployments that are shown; `keyless status --json` has more.
pub(crate) const SHOWN: usize = 6;

/// The whole text, each line ended.
pub(super) fn welcome(status: &Status, invited: Option<&Invited>, data: &DataDir, took: Duration, columns: Option<usize>) -> String {
    let facts = faint(format_args!("({:.1} s, data in {})", took.as_secs_f64(), data.path.display()));
    let mut text = format!("\n{}\n\n", wrapped(format_args!("{} {} is up {facts}", heading("keyless"), status.version), columns, 2));
    _ = writeln!(text, "{}", places(status).folding(columns));
    _ = writeln!(text, "{}", things(status).folding(columns));
    if let Some(invited) = invited {
        _ = writeln!(text, "{}", first_administrator(invited, columns));
    }
    _ = write!(text, "{}", next(status, data, columns));
    text
}

fn first_administrator(invited: &Invited, columns: Option<usize>) -> String {
    match invited {
        Invited::Link { name, link } => format!(
            "{}\n  {}\n  {}\n",
            strong(format_args!("Become the first administrator, {name}")),
            link.expose(),
            wrapped(faint("whoever opens this link is that person; it works once, for 24 hours, while there is no other"), columns, 2),
        ),
        Invited::NotNeeded => {
            let words = faint("nobody is invited: a person is administrator already; `keyless user invite` adds more");
            format!("{}\n", wrapped(format_args!("  {words}"), columns, 2))
        }
    }
}

fn places(status: &Status) -> Table<2> {
    let mut table = Table::new(["", ""]).indented(2);
    table.row([strong(&status.gateway), "authority, control plane, Graph, gateway".to_owned()]);
    if let Some(plain) = &status.gateway_http {
        table.row([strong(plain), "gateway in plain HTTP, for a TLS terminator on this machine".to_owned()]);
    }
    table.row([strong(&status.metadata), "managed identity endpoints".to_owned()]);
    table.row([strong(&status.operations), "health and metrics".to_owned()]);
    table.row([status.ca_file.clone(), faint("the certificate authority that clients trust")]);
    table
}

fn things(status: &Status) -> Table<2> {
    let mut table = Table::new(["", ""]).indented(2);
    let mut row = |name: &str, value: String| table.row([faint(name), value]);
    row("tenant", status.tenant_id.clone());
    row("subscription", status.subscription_id.clone());
    for account in &status.accounts {
        row("account", format!("{}  {}", account.name, faint(format_args!("deployments {}", account.deployments.join(", ")))));
    }
    let identities: Vec<&str> = status.identities.iter().map(|identity| identity.name.as_str()).collect();
    row("identities", identities.join(", "));
    if let Some(provider) = &status.sign_in {
        row("sign-in", format!("{}  {}", provider.name, faint(format_args!("register {} there", provider.redirect_uri))));
    }
    for upstream in &status.upstreams {
        row("model", model(upstream));
    }
    for deployment in status.deployments.iter().take(SHOWN) {
        row("deployment", answered(deployment));
    }
    table
}

/// How a source of answers is shown, here and in `status`: what is no model must never look like one.
pub(crate) fn model(upstream: &UpstreamStatus) -> String {
    let UpstreamStatus { kind, models, url, .. } = upstream;
    if kind.starts_with("built-in") {
        return warn(format_args!("{kind}: it echoes; try --model smollm2 for a real one"));
    }
    let shown = models.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
    let more = models.len().saturating_sub(4);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names = if shown.is_empty() { String::new() } else { format!("{}  ", good(format_args!("{shown}{more}"))) };
    let trouble = upstream.trouble.as_ref().map(|trouble| format!("  {}", warn(trouble))).unwrap_or_default();
    format!("{names}{}{trouble}", faint(format_args!("{kind}, {url}")))
}

/// What answers a deployment: another model than the one it names must not go unseen.
pub(crate) fn answered(deployment: &DeploymentStatus) -> String {
    let plain = !deployment.stands_in && !deployment.answered_by.is_empty();
    let told = if plain { faint(&deployment.answered_by) } else { answers(deployment) };
    format!("{}  {told}", deployment.name)
}

/// Which model answers, in a sentence.
pub(crate) fn answers(deployment: &DeploymentStatus) -> String {
    let DeploymentStatus { model, answered_by, stands_in, .. } = deployment;
    match (stands_in, answered_by.is_empty()) {
        (true, _) => warn(format_args!("{answered_by} answers; the model server does not have {model}")),
        (false, true) => warn(format_args!("nothing answers: no model server is configured for {model}")),
        (false, false) => format!("{answered_by} answers"),
    }
}

/// Commands worth trying, in the order in which they make sense.
pub(crate) fn next(status: &Status, data: &DataDir, columns: Option<usize>) -> String {
    let flag = data.flag();
    let app = status.identities.iter().find(|identity| identity.name != "operator").map_or("demo-app", |identity| &identity.name);
    let mut rows = Vec::new();
    let mut row = |command: String, what: &'static str| rows.push((command, what));
    row(format!("keyless run{flag} --as {app} -- python app.py"), "a program with an identity and no key");
    row(format!("keyless whoami{flag} --as {app}"), "its roles, and what they allow");
    row(format!("keyless token{flag} --as {app} --decode"), "what its tokens say");
    row(format!("keyless az{flag} -- group list"), "the real az, as the operator, without any set-up");
    row(format!("eval \"$(keyless az{flag})\" && az login"), "this system as a cloud of your own az");
    row(format!("keyless audit tail{flag} -f"), "who calls what, live");
    row(format!("keyless drill{flag}"), "a leaked key against a leaked client id");
    format!("{}\n{}", strong("Try in another terminal"), tries(&rows, columns))
}

/// Commands beside what they are for, or above it where that is too wide.
fn tries(rows: &[(String, &str)], columns: Option<usize>) -> String {
    let longest = |of: fn(&(String, &str)) -> usize| rows.iter().map(of).max().unwrap_or_default();
    let needed = longest(|(command, _)| command.len()) + longest(|(_, what)| what.len()) + 4;
    if columns.is_some_and(|columns| needed > columns) {
        let line = |(shown, what): &(String, &str)| format!("{}\n      {}\n", code(command(shown, columns, 2)), faint(what));
        return rows.iter().map(line).collect();
    }
    let mut table = Table::new(["", ""]).indented(2);
    rows.iter().for_each(|(command, what)| table.row([code(command), faint(what)]));
    table.to_string()
}

#[cfg(test)]
mod tests;
