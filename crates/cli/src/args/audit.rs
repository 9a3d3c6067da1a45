//! Reading the record of who called what.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{
    duration::{Moment, parse_moment},
    help,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Show the last events
    #[command(after_long_help = help::AUDIT_MORE)]
    Tail {
        /// Go on showing events as they come
        #[arg(short, long)]
        follow: bool,
        /// How many to begin with
        #[arg(short = 'n', long, default_value_t = 20, value_name = "N")]
        lines: usize,
        #[command(flatten)]
        filter: AuditFilter,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Search all events
    #[command(after_long_help = help::AUDIT_MORE)]
    Query {
        #[command(flatten)]
        filter: AuditFilter,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Write events as JSON lines for another system, the chain checked on the way
    #[command(long_about = help::EXPORT, after_long_help = help::EXPORT_MORE)]
    Export(Export),
    /// Remove the oldest files of the log; a record of that stays, which `verify` and `export` accept
    #[command(after_long_help = help::AUDIT_MORE)]
    Prune {
        /// Remove files whose events are all older than this: RFC 3339, or how long ago, such as 90d
        #[arg(long, value_name = "TIME", value_parser = parse_moment, required_unless_present = "max_size")]
        before: Option<Moment>,
        /// Remove the oldest files until the log is no larger than this, such as 50GB
        #[arg(long, value_name = "SIZE")]
        max_size: Option<keyless_config::ByteSize>,
    },
    /// Verify the hash chain over all events
    #[command(after_long_help = help::AUDIT_MORE)]
    Verify {
        /// An event known to have been written, as SEQUENCE:HASH from an earlier verification; may be repeated
        #[arg(long, value_name = "SEQUENCE:HASH")]
        anchor: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Every condition given must hold.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AuditFilter {
    /// Events of this caller: identity name, sign-in name, object id or client id
    #[arg(long, visible_alias = "as", value_name = "WHO")]
    pub(crate) principal: Option<String>,
    /// Events at this place or below it: account/deployment, an account, group/NAME, `subscription`, or an ARM id
    #[arg(long, value_name = "PLACE")]
    pub(crate) scope: Option<String>,
    /// Events at this account
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// Calls of this deployment
    #[arg(long, value_name = "NAME")]
    pub(crate) deployment: Option<String>,
    /// Not before: RFC 3339, or how long ago, such as 90s, 15m, 2h, 7d
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub(crate) since: Option<Moment>,
    /// Before: the same forms
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub(crate) until: Option<Moment>,
    #[arg(long)]
    pub(crate) outcome: Option<Outcome>,
    #[arg(long)]
    pub(crate) category: Option<Category>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The shape of a line
    #[arg(long, default_value = "azure-monitor")]
    pub(crate) format: ExportFormat,
    /// Go on with events as they come
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Keep in this file how far the export is, and go on from there; made when it is not there
    #[arg(long, value_name = "FILE")]
    pub(crate) cursor: Option<PathBuf>,
    /// Begin after this event, as SEQUENCE:HASH from an earlier export
    #[arg(long, value_name = "SEQUENCE:HASH", conflicts_with = "cursor")]
    pub(crate) after: Option<String>,
    /// Go on at the log's present beginning when what the cursor names was removed since; what lies between is not exported
    #[arg(long)]
    pub(crate) from_start_of_log: bool,
    #[command(flatten)]
    pub(crate) filter: AuditFilter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Azure Monitor's records: RequestResponse and Audit of Cognitive Services, Administrative of the activity log
    AzureMonitor,
    /// The lines of the log itself, every category, with their hashes
    Keyless,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Outcome {
    Allowed,
    /// Refused by authentication, policy or budget
    Denied,
    /// Allowed, and then something broke
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Category {
    /// Changes of accounts, roles and identities
    Control,
    /// Calls of models
    Data,
    /// Tokens asked for
    Token,
    /// Keyless itself
    System,
}
