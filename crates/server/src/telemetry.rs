//! Logs: readable lines for people, JSON for machines, on standard error.

use std::io::{IsTerminal as _, stderr};

use keyless_config::{Log, LogFormat};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Starts the process's log. A level that cannot be read counts as `warn`. A second call changes nothing.
pub fn start_log(log: &Log) {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("warn"));
    let builder = fmt().with_env_filter(filter).with_writer(stderr).with_target(false);
    // Colours are for eyes. On a terminal the library decides, which heeds NO_COLOR.
    let builder = if stderr().is_terminal() { builder } else { builder.with_ansi(false) };
    // The only error is that a log was started before.
    _ = match log.format {
        LogFormat::Text => builder.compact().try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
