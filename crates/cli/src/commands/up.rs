//! `keyless up`: runs the system in this process, and welcomes whoever started it.

use std::io::{Read as _, stdin};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use keyless_server::local::Invited;
use keyless_server::local::api::Status;
use keyless_server::{LogFormat, Options, UpstreamChoice, start_log};

use super::Context;
use crate::args::{Model, Up};
use crate::data_dir::DataDir;
use crate::env_registry::{Environment, HOME, XDG_CACHE_HOME};
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::ui::faint;

pub(super) mod welcome;

pub(super) fn up(context: &mut Context<'_>, args: &Up) -> Ending {
    let began = Instant::now();
    let data = context.data()?;
    if args.until_stdin_closes {
        end_with_stdin()?;
    }
    let level = ["warn", "info", "debug"].into_iter().nth(args.verbose.into()).unwrap_or("trace");
    start_log(level, if args.log_json { LogFormat::Json } else { LogFormat::Text });
    let options = options(args, &data, &context.environment)?;

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

/// A system with a port of its own does not fight another one for the usual ports of metadata and operations.
fn other_ports(args: &Up) -> (u16, u16) {
    let (metadata, operations) = if args.port == 8443 { (8440, 8441) } else { (0, 0) };
    (args.metadata_port.unwrap_or(metadata), args.operations_port.unwrap_or(operations))
}

fn options(args: &Up, data: &DataDir, environment: &Environment) -> Result<Options, Failure> {
    let upstream = match (&args.upstream, args.model, args.built_in) {
        (Some(url), _, _) => UpstreamChoice::Url { url: url.clone(), api_key_file: args.upstream_key_file.clone() },
        (None, Some(Model::Smollm2), _) => UpstreamChoice::SmolLm2,
        (None, None, true) => UpstreamChoice::BuiltIn,
        (None, None, false) => UpstreamChoice::Detect,
    };
    let (metadata_port, operations_port) = other_ports(args);
    Ok(Options {
        data: data.path.clone(),
        cache: cache(environment)?,
        port: args.port,
        metadata_port,
        operations_port,
        trusted_issuers: args.trust_issuer.clone(),
        issuer_ca: args.issuer_ca.clone(),
        trusted_tenants: args.trust_tenant.clone(),
        tenant_authority: args.tenant_authority.clone(),
        tenant_ca: args.tenant_ca.clone(),
        sign_in: args.sign_in.options(),
        federation_audiences: args.federation_audience.clone(),
        invite: args.invite.clone(),
        es256_audiences: args.es256.clone(),
        assertions_once: args.assertions_once,
        gateway_http: args.gateway_http,
        upstream,
        ready_file: args.ready_file.clone(),
        drain: Duration::from_secs(args.drain.into()),
        drain_delay: Duration::from_secs(args.drain_delay.unwrap_or_default().into()),
        workers: args.workers,
        strict_durability: args.strict_durability,
        accept_older_state: args.accept_older_state,
        accept_lost_log: args.accept_lost_log,
        audit_keep_secs: args.audit_keep,
        audit_max_bytes: args.audit_max_size,
        audit_spare_secs: args.audit_spare,
        without: args.without.clone(),
        key_interval_secs: args.rotate_keys_every,
        key_lead_secs: args.publish_keys_ahead,
    })
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::other_ports;
    use crate::args::{Cli, Command};

    #[test]
    fn a_port_of_ones_own_moves_the_others_too_u5() {
        let ports = |words: &[&str]| {
            let cli = Cli::try_parse_from([&["keyless", "up"], words].concat()).unwrap();
            let Command::Up(args) = cli.command else { panic!("not up") };
            other_ports(&args)
        };
        assert_eq!(ports(&[]), (8440, 8441));
        assert_eq!(ports(&["--port", "0"]), (0, 0));
        assert_eq!(ports(&["--port", "9443", "--metadata-port", "9440"]), (9440, 0));
    }
}
