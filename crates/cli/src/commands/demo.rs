//! `keyless demo`: everything at once, in a throw-away folder.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::Context;
use super::up::{cache, welcome};
use crate::args::Demo;
use crate::env_registry::TMPDIR;
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::ui::{Screen, Stage, code, faint, good, heading, strong, warn};

mod acts;
mod program;
mod python;
mod running;

use acts::Stage as Acting;
use running::{Running, Source};

pub(super) async fn demo(context: &mut Context<'_>, args: &Demo) -> Ending {
    let mut ends = Ends::watch()?;
    let parent = context.environment.value(TMPDIR).map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    let folder = tempfile::Builder::new().prefix("keyless-demo-").tempdir_in(&parent);
    let mut folder = folder
        .explain(|| format!("no throw-away folder can be made in {}", parent.display()), "set TMPDIR to a folder you may write to")?;
    folder.disable_cleanup(args.keep);

    let mut running = None;
    let shown = tokio::select! {
        shown = show(context, args, folder.path(), &mut running) => shown,
        () = ends.asked() => Err(Failure::new("the show was broken off", "run `keyless demo` again").ending(Exit::Interrupted)),
    };
    let ended = match (shown, &mut running) {
        (Ok(Exit::Done), Some(system)) if !args.once && std::io::stdin().is_terminal() => stay(context.screen, system, &mut ends).await,
        (shown, _) => shown,
    };
    if let Some(system) = running {
        system.stop(context.screen).await;
    }
    if args.keep {
        context.screen.note(format_args!("{} {}", faint("kept"), folder.path().display()));
    }
    ended
}

/// The whole show. What it starts is left in `running`, for whoever must stop it.
async fn show(context: &mut Context<'_>, args: &Demo, folder: &Path, running: &mut Option<Running>) -> Ending {
    let screen = &mut *context.screen;
    screen.say(format_args!("{} an AI model, a program, and no key anywhere\n", heading("keyless demo:")))?;
    let cache = cache(&context.environment)?;
    let mut preparing = JoinSet::new();
    preparing.spawn(python::prepare(cache));

    let source = start(screen, args, folder, running).await?;
    let system = running.as_ref().ok_or_else(|| Failure::new("the system is gone", "run `keyless demo --keep` and read its log"))?;
    let stage = Stage::begin(screen, "Azure's and OpenAI's clients");
    let python = match preparing.join_next().await {
        Some(Ok(prepared)) => prepared,
        _ => Err(Failure::new("preparing Python was broken off", "run `keyless demo` again")),
    };
    let python = match python {
        Ok(python) => python,
        Err(failure) => {
            stage.failed(screen, "");
            return Err(failure);
        }
    };
    stage.done(screen, "azure-identity and openai, unmodified, from PyPI");

    let mut acting = Acting::set(screen, system, python, folder).await?;
    acting.the_program()?;
    acting.without_a_role().await?;
    acting.with_a_role(source).await?;
    acting.role_removed().await?;
    let as_it_must_be = acting.leaks().await?;
    acting.audit().await?;
    if !as_it_must_be {
        return Err(Failure::new("the leak drill found something that must not be", "see UNEXPECTED above, and report it"));
    }
    Ok(Exit::Done)
}

/// Starts the system with the best source of answers this machine offers.
async fn start(screen: &mut Screen, args: &Demo, folder: &Path, running: &mut Option<Running>) -> Result<Source, Failure> {
    if !args.built_in {
        let stage = Stage::begin(screen, "a model server on this machine");
        *running = Some(Running::start(folder, Source::Found, &stage).await?);
        let found = running
            .as_ref()
            .and_then(|system| system.status().upstreams.first().map(|upstream| (upstream.kind.clone(), upstream.url.clone())));
        match found {
            Some((kind, url)) if !kind.starts_with("built-in") => {
                stage.done(screen, &format!("{kind} at {url}"));
                return Ok(Source::Found);
            }
            _ => stage.failed(screen, "none answers"),
        }
        if let Some(system) = running.take() {
            system.stop(screen).await;
        }

        let stage = Stage::begin(screen, "a small real model");
        match Running::start(folder, Source::SmolLm2, &stage).await {
            Ok(system) => {
                stage.done(screen, "SmolLM2-135M under llama.cpp");
                *running = Some(system);
                return Ok(Source::SmolLm2);
            }
            Err(failure) => {
                stage.failed(screen, "");
                screen.note(format_args!("    {}", faint(failure.what)));
            }
        }
    }
    let stage = Stage::brief(screen, "the built-in responder");
    *running = Some(Running::start(folder, Source::BuiltIn, &stage).await?);
    stage.done(screen, &warn("it echoes; it is no model"));
    Ok(Source::BuiltIn)
}

/// Leaves the system up for the user, until told to end.
async fn stay(screen: &mut Screen, system: &mut Running, ends: &mut Ends) -> Ending {
    screen.say(format_args!("\n{} {}\n", good("The system stays up."), faint("Ctrl-C ends it and deletes its folder.")))?;
    let columns = screen.columns();
    screen.write(welcome::next(system.status(), &system.data, columns))?;
    screen.say(format_args!("  {}", code(format_args!("curl {}/healthz", system.status().operations))))?;
    tokio::select! {
        () = ends.asked() => {}
        () = system.ended() => return Err(Failure::new("the system ended by itself", "run `keyless demo --keep` and read its log")),
    }
    screen.note(strong("\nending"));
    Ok(Exit::Done)
}

/// Requests to end: Ctrl-C, SIGTERM, or the terminal's closing.
struct Ends([tokio::signal::unix::Signal; 3]);

impl Ends {
    fn watch() -> Result<Self, Failure> {
        let caught = |kind| signal(kind).explain(|| "signals cannot be caught".to_owned(), "run it again");
        Ok(Self([caught(SignalKind::interrupt())?, caught(SignalKind::terminate())?, caught(SignalKind::hangup())?]))
    }

    async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
