//! `keyless audit`: reads and verifies the record of who called what. Works on the files, so the system need not run.

use std::time::Duration;

use keyless_model::Timestamp;
use keyless_server::local::api::PruneRequest;
use keyless_store::audit_log::{Entry, Order};

use super::Context;
use crate::args::{Audit, AuditFilter};
use crate::client::Local;
use crate::data_dir::DataDir;
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::machine::now;
use crate::ui::faint;

mod export;
mod log;
mod names;
mod show;
mod verify;
mod wanted;

use log::unreadable;
pub(super) use log::{newest, troubles_since};
pub(super) use names::Names;
pub(super) use show::{short_id, table};
use wanted::Wanted;
pub(super) use wanted::{account_of, principal};

/// How soon `tail -f` shows a new event.
const FOLLOW_PAUSE: Duration = Duration::from_millis(200);
/// How many events go into one table, so that the first rows of a large log come soon.
const ROWS: usize = 500;

pub(super) async fn audit(context: &mut Context<'_>, command: &Audit) -> Ending {
    let data = context.data()?;
    match command {
        Audit::Query { filter, json } => query(context, &data, filter, *json).await,
        Audit::Tail { follow, lines, filter, json } => tail(context, &data, *follow, *lines, filter, *json).await,
        Audit::Export(args) => export::export(context, &data, args).await,
        Audit::Prune { before, max_size } => {
            prune(context, &data, before.as_ref().map(|before| before.resolve(now())), max_size.map(keyless_config::ByteSize::bytes)).await
        }
        Audit::Verify { anchor, json } => verify::verify(context, &data.path, anchor, *json),
    }
}

/// The running system removes the files: it alone may write the event that says so.
async fn prune(context: &mut Context<'_>, data: &DataDir, before: Option<Timestamp>, max_bytes: Option<u64>) -> Ending {
    let answer = Local::of(&data.path).prune(&PruneRequest { before, max_bytes }).await?;
    match answer.up_to {
        None => context.screen.say("nothing may go: the log has no older file than that")?,
        Some(up_to) => {
            context.screen.say(format_args!("{} files with {} bytes were removed, up to event {up_to}", answer.files, answer.bytes))?;
            context.screen.note(format_args!("an export whose cursor is older than that goes on with --from-start-of-log"));
        }
    }
    Ok(Exit::Done)
}

async fn query(context: &mut Context<'_>, data: &DataDir, filter: &AuditFilter, json: bool) -> Ending {
    let local = Local::of(&data.path);
    let mut names = Names::of(&local).await;
    let wanted = Wanted::new(filter, &names, now())?;
    let mut page: Vec<Entry> = Vec::new();
    let mut going_on = false;
    for entry in log::open(&data.path)?.events(Order::OldestFirst, wanted.filter.clone()).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if wanted.is_there(&entry.event) {
            page.push(entry);
        }
        if page.len() == ROWS {
            learn(&mut names, data, json, &page).await;
            print(context, json, &names, &page, going_on)?;
            page.clear();
            going_on = true;
        }
    }
    if page.is_empty() && !going_on && !json {
        context.screen.note(faint("no event matches"));
    }
    learn(&mut names, data, json, &page).await;
    print(context, json, &names, &page, going_on)?;
    Ok(Exit::Done)
}

/// The names of rules, and of callers that were removed; JSON lines are the log's own, with ids.
async fn learn(names: &mut Names, data: &DataDir, json: bool, entries: &[Entry]) {
    if !json {
        names.learn(&Local::of(&data.path), &data.path, entries.iter().map(|entry| &entry.event)).await;
    }
}

async fn tail(context: &mut Context<'_>, data: &DataDir, follow: bool, lines: usize, filter: &AuditFilter, json: bool) -> Ending {
    let local = Local::of(&data.path);
    let mut names = Names::of(&local).await;
    let wanted = Wanted::new(filter, &names, now())?;
    // Before the last lines are read, so that none falls in between; one that is read twice is left out below.
    let mut follower = log::open(&data.path)?.follow().map_err(unreadable)?;
    let last = newest(&data.path, lines, wanted.filter.clone(), |event| wanted.is_there(event))?;
    let mut seen = last.last().map_or(0, |entry| entry.sequence);
    if last.is_empty() && !follow && !json {
        context.screen.note(faint("no event matches"));
    }
    learn(&mut names, data, json, &last).await;
    print(context, json, &names, &last, false)?;
    if !follow {
        return Ok(Exit::Done);
    }
    let mut seen_any = !last.is_empty();
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
            () = tokio::time::sleep(FOLLOW_PAUSE) => {}
        }
        let fresh = follower.poll().map_err(unreadable)?.into_iter();
        let fresh: Vec<Entry> = fresh.filter(|entry| entry.sequence > seen && wanted.matches(&entry.event)).collect();
        seen = fresh.last().map_or(seen, |entry| entry.sequence);
        if !fresh.is_empty() {
            // Identities made since need their names too.
            names = names.again(&local).await;
            learn(&mut names, data, json, &fresh).await;
            print(context, json, &names, &fresh, seen_any)?;
            seen_any = true;
        }
    }
}

fn print(context: &mut Context<'_>, json: bool, names: &Names, entries: &[Entry], going_on: bool) -> Result<(), Failure> {
    if json {
        // In one write: a large log has many lines.
        context.screen.write(entries.iter().flat_map(|entry| [entry.line.as_str(), "\n"]).collect::<String>())?;
    } else if !entries.is_empty() {
        let columns = context.screen.columns();
        context.screen.write(table(names, entries.iter().map(|entry| &entry.event), columns, going_on))?;
    }
    Ok(())
}
