//! `keyless apply`: makes the system as files declare it, through the control plane and under an identity's own roles.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use super::Context;
use crate::args::Apply;
use crate::client::{OPERATOR, System};
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::machine::fresh_uuid;
use crate::ui::{bad, faint};

mod act;
mod declared;
mod desired;
mod fields;
mod ledger;
mod node;
mod plan;
mod show;
mod world;

use act::State;
use declared::Declaration;
use fields::Problems;
use ledger::Ledger;
use plan::{Action, Change};

/// The largest file that is read, in bytes: far above every honest one.
const MAX_FILE: u64 = 4 * 1024 * 1024;
/// Stands for standard input.
const STDIN: &str = "-";

pub(super) async fn apply(context: &mut Context<'_>, args: &Apply) -> Ending {
    let problems = Problems::default();
    let declaration = declared(args, &problems)?;
    let system = match System::find(context.data()?).await {
        Ok(system) => system,
        // What is wrong with the files is to be told in any case.
        Err(failure) => return refuse(context, args, problems).and(Err(failure)),
    };
    let identity = system.identity(Some(args.identity.as_deref().unwrap_or(OPERATOR)))?;
    let arm = system.control_as(&identity.client_id).await?;
    let mut catalog = world::catalog(&arm, &system.status.subscription_id).await?;
    catalog.people = world::people(&system, &identity.client_id, declaration.named()).await?;
    let desired = desired::resolve(&declaration, &catalog, &problems, fresh_uuid);
    let wanted = world::changes(&arm, &catalog, &desired, &problems).await?;
    refuse(context, args, problems)?;
    let set = named(&declaration)?;
    let mut ledger = Ledger::open(&system.data.path, &set)?;
    let _alone = if args.plan { None } else { Some(ledger.alone()?) };
    let left = world::leftovers(&arm, &catalog, &ledger, &wanted).await?;
    if args.prune && !left.held.is_empty() {
        left.held.iter().for_each(|held| context.screen.note(format_args!("{} {held}", bad("held:"))));
        let next = "delete or move that yourself, or declare the resource again";
        return Err(Failure::new("something that is to be deleted holds what others made; nothing was changed", next));
    }

    let (deletions, left_alone) = if args.prune { (left.deletions, Vec::new()) } else { (Vec::new(), left.deletions) };
    let changes = plan::ordered(&wanted, &deletions);
    let nothing = changes.iter().all(|change| change.action == Action::Unchanged);
    if !args.json {
        context.screen.write(show::plan(&set, &changes, &left_alone))?;
    }
    if args.plan || nothing {
        if args.json {
            context.screen.say(format_args!("{:#}", show::json(&set, &changes, None, &left_alone)))?;
        }
        return Ok(Exit::Done);
    }
    confirm(context, args)?;
    for entry in &left.gone {
        ledger.forget(entry.kind, &entry.id)?;
    }
    let outcome = act::act(context, act::Hands { arm: &arm, local: &system.local }, &mut ledger, &changes_only(&changes)).await;
    if args.json {
        let only = changes_only(&changes);
        context.screen.say(format_args!("{:#}", show::json(&set, &only, Some(&outcome.states), &left_alone)))?;
    }
    let count = |state| outcome.states.iter().filter(|known| **known == state).count();
    match outcome.failure {
        None => {
            let made = match count(State::Done) {
                1 => "1 change is made".to_owned(),
                count => format!("{count} changes are made"),
            };
            context.screen.note(format_args!("{} {made}", faint("keyless:")));
            Ok(Exit::Done)
        }
        Some(failure) => {
            let what = format!("{}; {} done, 1 failed, {} not begun", failure.what, count(State::Done), count(State::NotBegun));
            let next = format!("{}; then run the same command again, which goes on from there", failure.next.unwrap_or_default());
            Err(Failure::new(what, next))
        }
    }
}

fn changes_only<'a>(changes: &[&'a Change]) -> Vec<&'a Change> {
    changes.iter().copied().filter(|change| change.action != Action::Unchanged).collect()
}

/// Reads and checks the files without asking anybody. Problems are collected: those of names come later, and all are told together.
fn declared(args: &Apply, problems: &Problems) -> Result<Declaration, Failure> {
    let mut declaration = Declaration::default();
    for file in &args.files {
        match node::read(&shown(file), &read(file)?) {
            Ok(node) => declaration.add(&node, problems),
            Err(problem) => problems.push(problem),
        }
    }
    declaration.check(problems);
    Ok(declaration)
}

/// The name of the set.
fn named(declaration: &Declaration) -> Result<String, Failure> {
    let unnamed = || {
        let next = "add a line such as `name: team-a`; it keeps apart what different sets created";
        Failure::new("no file names the set that it declares; nothing was changed", next).ending(Exit::Usage)
    };
    Ok(declaration.name.as_ref().ok_or_else(unnamed)?.value.clone())
}

fn read(file: &Path) -> Result<String, Failure> {
    let unreadable = || format!("{} cannot be read", shown(file));
    let check = "check the path, and that it is a text file";
    let mut text = Vec::new();
    let read = if file == Path::new(STDIN) {
        std::io::stdin().take(MAX_FILE + 1).read_to_end(&mut text)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(MAX_FILE + 1).read_to_end(&mut text))
    };
    read.explain(unreadable, check).map_err(|failure| failure.ending(Exit::Usage))?;
    if text.len() as u64 > MAX_FILE {
        return Err(Failure::usage(format!("{} is larger than 4 MB", shown(file)), "split it; several files can be applied together"));
    }
    String::from_utf8(text).explain(unreadable, check).map_err(|failure| failure.ending(Exit::Usage))
}

/// A file as problems name it. What comes in through standard input has no name, and is YAML.
fn shown(file: &Path) -> String {
    if file == Path::new(STDIN) { "stdin.yaml".to_owned() } else { file.display().to_string() }
}

/// Tells every problem, and ends the command when there is one.
fn refuse(context: &mut Context<'_>, args: &Apply, problems: Problems) -> Result<(), Failure> {
    let problems = problems.into_sorted();
    if args.json && !problems.is_empty() {
        context.screen.say(format_args!("{:#}", show::problems(&problems)))?;
    }
    for problem in problems.iter().filter(|_| !args.json) {
        context.screen.note(format_args!("{} {}\n  {}", bad(format_args!("{}:", problem.at)), problem.what, faint(&problem.next)));
    }
    match problems.len() {
        0 => Ok(()),
        count => {
            let what = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
            Err(Failure::new(format!("{what}; nothing was changed"), "correct that and run it again").ending(Exit::Usage))
        }
    }
}

/// Asks the person at the terminal; without one, `--yes` must have been said.
fn confirm(context: &mut Context<'_>, args: &Apply) -> Result<(), Failure> {
    if args.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("nobody is there to confirm this plan; nothing was changed", "say --yes, or --plan to look only"));
    }
    context.screen.note("\nApply this? [y/N]");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).explain(|| "the answer cannot be read".to_owned(), "say --yes")?;
    if ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    Err(Failure::new("not confirmed; nothing was changed", "answer y, or say --yes"))
}
