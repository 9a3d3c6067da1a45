//! Changes that the machine's owner makes: hosts, signing keys, people.

use clap::Subcommand;

use super::help;

#[derive(Debug, Subcommand)]
pub(crate) enum Host {
    /// Attach an identity to this machine
    #[command(after_long_help = help::HOST_MORE)]
    Attach {
        /// A name, client id, object id or resource id
        identity: String,
    },
    /// Detach an identity from this machine
    #[command(after_long_help = help::HOST_MORE)]
    Detach {
        /// A name, client id, object id or resource id
        identity: String,
    },
    /// Show the identities attached to this machine
    #[command(after_long_help = help::HOST_MORE)]
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List the signing keys and their states
    #[command(after_long_help = help::KEYS_MORE)]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a new signing key; it is published before it signs, unless --now
    #[command(after_long_help = help::KEYS_MORE)]
    Rotate {
        /// Sign with the new key at once
        #[arg(long)]
        now: bool,
    },
    /// Refuse every token that a key signed, at once
    #[command(after_long_help = help::KEYS_MORE)]
    Revoke {
        /// The key's id
        kid: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a person; the password is read from standard input
    #[command(after_long_help = help::USER_MORE)]
    Add {
        /// The sign-in name, such as ada@keyless.localhost
        name: String,
        #[arg(long)]
        display_name: Option<String>,
        /// Demand another password at the first sign-in
        #[arg(long)]
        must_change: bool,
    },
    /// Print a link with which a person makes their account, once
    #[command(after_long_help = help::USER_MORE)]
    Invite {
        /// The sign-in name, such as ada@keyless.localhost
        name: String,
        #[arg(long)]
        display_name: Option<String>,
        /// Make them Owner of everything: for the first administrator
        #[arg(long)]
        owner: bool,
    },
    /// Refuse every token that a person or program holds now
    #[command(after_long_help = help::USER_MORE)]
    SignOut {
        /// The object id
        object_id: String,
    },
}
