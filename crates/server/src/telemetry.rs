//! Logs: readable lines for people, JSON for machines, on standard error.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Starts the process's log. `filter` is a level (`warn`, `info`, `debug`) or a list such as `keyless_gateway=debug,warn`; what
/// cannot be read counts as `warn`. A second call changes nothing.
pub fn start_log(filter: &str, format: LogFormat) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let builder = fmt().with_env_filter(filter).with_writer(stderr).with_target(false);
    // Colours are for eyes. On a terminal the library decides, which heeds NO_COLOR.
    let builder = if stderr().is_terminal() { builder } else { builder.with_ansi(false) };
    // The only error is that a log was started before.
    _ = match format {
        LogFormat::Text => builder.compact().try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
