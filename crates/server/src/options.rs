//! How a system is started.

use std::path::PathBuf;

use keyless_config::Settings;

/// What runs: the settings, and what is said for one start only.
#[derive(Debug, Clone)]
pub struct Options {
    pub settings: Settings,
    pub data: PathBuf,
    /// Where the small model is prepared; kept between runs.
    pub cache: PathBuf,
    /// Offers the first administrator an account of this name; of `admin` in the first tenant's domain when it is empty.
    pub invite: Option<String>,
    /// Go on although the state database is older than the audit log.
    pub accept_older_state: bool,
    /// Go on although the audit log is lost, cut or changed: a new one begins after the last event known.
    pub accept_lost_log: bool,
}
