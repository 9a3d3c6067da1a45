//! `keyless up` and `keyless serve`: runs the system in this process, and welcomes whoever started it.

use std::io::{Read as _, stdin};
use std::path::PathBuf;
use std::time::Instant;

use keyless_config::{Origin, Purpose};
use keyless_server::local::Invited;
use keyless_server::local::api::Status;
use keyless_server::{Options, start_log};

use super::{Context, config};
use crate::args::Up;
use crate::data_dir::DataDir;
use crate::env_registry::{Environment, HOME, XDG_CACHE_HOME};
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::ui::faint;

pub(super) mod welcome;

pub(super) fn up(context: &mut Context<'_>, args: &Up, purpose: Purpose) -> Ending {
    let began = Instant::now();
    let loaded = config::load(context, &args.settings, purpose)?;
    if args.until_stdin_closes {
        end_with_stdin()?;
    }
    start_log(&loaded.settings.log);
    config::tell_strangers(context, &loaded);
    let data = match (&loaded.settings.data, loaded.origin("data")) {
        (Some(folder), Origin::File { .. }) => DataDir::named(folder.to_path_buf()),
        _ => context.data()?,
    };
    let options = Options {
        settings: loaded.settings,
        data: data.path.clone(),
        cache: cache(&context.environment)?,
        invite: args.invite.clone(),
        accept_older_state: args.accept_older_state,
        accept_lost_log: args.accept_lost_log,
    };

    // Progress and the welcome come from two closures of the same call.
    let screen = std::cell::RefCell::new(&mut *context.screen);
    let mut written = Ok(());
    let tell = |step: &str| screen.borrow_mut().note(format_args!("{} {step}", faint("keyless:")));
    let ended = keyless_server::run(options, tell, |status: &Status, invited: Option<&Invited>| {
        let columns = screen.borrow().columns();
        written = screen.borrow_mut().write(welcome::welcome(status, invited, &data, began.elapsed(), columns));
    });
    ended
        .explain(|| "the system cannot run".to_owned(), "correct that and start it again; `keyless up --help` lists what can be chosen")?;
    written?;
    Ok(Exit::Done)
}

/// Where downloads are kept between runs.
///
/// # Errors
/// When nothing says where the user's folders are.
pub(super) fn cache(environment: &Environment) -> Result<PathBuf, Failure> {
    let from = |variable| environment.value(variable).map(PathBuf::from);
    from(XDG_CACHE_HOME)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(from(HOME)?.join(".cache")))
        .map(|folder| folder.join("keyless"))
        .ok_or_else(|| Failure::usage("no cache folder is known: HOME is not set", "set HOME or XDG_CACHE_HOME"))
}

/// Asks this process to end, as SIGTERM does, once standard input closes: the kernel closes it however the other side ends.
fn end_with_stdin() -> Result<(), Failure> {
    let watch = || {
        let mut buffer = [0; 256];
        while !matches!(stdin().read(&mut buffer), Ok(0) | Err(_)) {}
        _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM);
    };
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(watch)
        .map(drop)
        .explain(|| "standard input cannot be watched".to_owned(), "free some resources and try again")
}
