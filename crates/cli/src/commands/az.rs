//! `keyless az`: makes this system a cloud of the real Azure CLI, undoes that, or gives one command without touching either.

use serde_json::{Value, json};

use super::Context;
use super::loan::bundles;
use crate::args::{Az, DEFAULT_CLOUD, Shell};
use crate::child_env::ChildEnvironment;
use crate::client::System;
use crate::data_dir::DataDir;
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::shell::{command_line, script};
use crate::ui::{Stage, code, faint, good, strong};

mod change;
mod clouds;
mod program;
mod records;
mod single;

use change::{Change, SignedIn};
use clouds::Cloud;
use program::AzProgram;
use records::{Record, Records};

pub(super) async fn az(context: &mut Context<'_>, args: &Az) -> Ending {
    match (args.command.as_slice(), args.undo) {
        ([], false) => register(context, args).await,
        ([], true) => undo(context, args).await,
        (command, _) => single::single(context, args.identity.as_deref(), command).await,
    }
}

async fn register(context: &mut Context<'_>, args: &Az) -> Ending {
    let system = System::find(context.data()?).await?;
    let child = ChildEnvironment::of_az(&context.environment, &system.status, system.account(None).ok(), &bundles(&system)?);
    for remark in &child.remarks {
        context.screen.note(format_args!("{} {remark}", faint("keyless:")));
    }
    let program = AzProgram::of_the_user(child.given.clone());
    let records = Records::of(&system.data.path, &context.environment)?;
    let known = records.read(&args.name)?;
    let clouds: Vec<Cloud> = program.ask(&["cloud", "list"]).await?;
    let commands = change::registering(&clouds, &args.name, &system.status.control, known.as_ref())?;
    // Before anything is changed, so that the way back is known however this ends.
    records.write(&args.name, &Record::new(&clouds, &args.name, &system.status.control, known, &child, &context.environment))?;
    let change = Change { commands, given: child.given, removed: Vec::new() };
    finish(context, args, &program, &change).await?;
    let again = again(args, &system.data);
    let done = args.run || change.commands.is_empty();
    if done {
        let name = strong(&args.name);
        context.screen.note(format_args!("{} {name} is the active cloud of az; sign in with {}", good("✓"), code("az login")));
        context.screen.note(format_args!("{} {}", faint("the way back:"), code(format_args!("{again} --undo --run"))));
    }
    show_how_to_evaluate(context, args, if done { "every shell that uses it needs" } else { "nothing is changed yet; run" }, &again);
    Ok(Exit::Done)
}

async fn undo(context: &mut Context<'_>, args: &Az) -> Ending {
    let data = context.data()?;
    let records = Records::of(&data.path, &context.environment)?;
    let record = records.read(&args.name)?.ok_or_else(|| {
        let what = format!("nothing to undo: `keyless az` registered no cloud `{}` from {}", args.name, data.path.display());
        Failure::new(what, "name the folder with --data, or see `az cloud list`; `az cloud unregister -n NAME` removes any cloud")
    })?;
    let program = AzProgram::of_the_user(record.environment());
    let clouds: Vec<Cloud> = program.ask(&["cloud", "list"]).await?;
    let signed_in: Vec<SignedIn> = program.ask(&["account", "list", "--all"]).await?;
    let commands = change::undoing(&clouds, &signed_in, &args.name, &record)?;
    let (given, removed) = record.variables_from_before(&context.environment);
    let change = Change { commands, given, removed };
    finish(context, args, &program, &change).await?;
    let again = format!("{} --undo", again(args, &data));
    if args.run {
        records.forget(&args.name)?;
        context.screen.note(format_args!("{} {} is no cloud of az any more", good("✓"), strong(&args.name)));
        if context.screen.out_is_terminal() {
            context.screen.note(format_args!("{} the lines above are for the shells that used it", faint("keyless:")));
        }
    } else {
        show_how_to_evaluate(context, args, "nothing is changed yet; run", &again);
    }
    Ok(Exit::Done)
}

/// Runs the commands or prints them, and prints the variables, which only the shell itself can set.
async fn finish(context: &mut Context<'_>, args: &Az, program: &AzProgram, change: &Change) -> Result<(), Failure> {
    if args.run {
        for command in &change.commands {
            let stage = Stage::begin(context.screen, command.join(" "));
            match program.run(command).await {
                Ok(()) => stage.done(context.screen, ""),
                // A sign-out asks the system, which may be gone; what it would forget is worth nothing then.
                Err(failure) if change::is_sign_out(command) => {
                    stage.failed(context.screen, "");
                    context.screen.note(format_args!("{} az keeps that sign-in: {}", faint("keyless:"), failure.what));
                }
                Err(failure) => {
                    stage.failed(context.screen, "");
                    return Err(failure);
                }
            }
        }
    }
    let shell = if args.json { Shell::Json } else { args.shell };
    let text = match shell {
        Shell::Json => as_json(args, change)?,
        shell => {
            let commands = if args.run { &[][..] } else { &change.commands };
            let commands: String = commands.iter().map(|command| format!("{}\n", command_line(shell, command))).collect();
            let variables = script(shell, &change.given, &change.removed)?;
            // Registering needs the variables, and so does signing out: they come first and go last.
            if args.undo { commands + &variables } else { variables + &commands }
        }
    };
    context.screen.write(text)?;
    Ok(())
}

fn as_json(args: &Az, change: &Change) -> Result<String, Failure> {
    let environment: Value = serde_json::from_str(&script(Shell::Json, &change.given, &[])?)
        .explain(|| "the variables are no JSON".to_owned(), "report this")?;
    let removed: Vec<&str> = change.removed.iter().map(|variable| variable.name).collect();
    let report = json!({ "cloud": args.name, "ran": args.run, "commands": change.commands, "environment": environment, "unset": removed });
    Ok(format!("{report:#}\n"))
}

/// This command as it finds the same system and the same cloud.
fn again(args: &Az, data: &DataDir) -> String {
    let name = if args.name == DEFAULT_CLOUD { String::new() } else { format!(" --name {}", args.name) };
    format!("keyless az{}{name}", data.flag())
}

/// A person at a terminal has seen the script, and no shell has read it.
fn show_how_to_evaluate(context: &mut Context<'_>, args: &Az, what: &str, command: &str) {
    if !context.screen.out_is_terminal() || args.json {
        return;
    }
    let line = match args.shell {
        Shell::Fish => format!("{command} --shell fish | source"),
        Shell::Powershell => format!("{command} --shell powershell | Out-String | Invoke-Expression"),
        Shell::Sh | Shell::Json => format!("eval \"$({command})\""),
    };
    context.screen.note(format_args!("{} {what} {}", faint("keyless:"), code(line)));
}
