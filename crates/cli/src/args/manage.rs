//! Changes that the machine's owner makes: hosts, signing keys, people.

use std::str::FromStr as _;

use clap::Subcommand;
use keyless_model::{ObjectId, TenantId};

use super::duration::{Moment, parse_moment};
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
        // One id in sixty-four begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Guest {
    /// Make a principal of a trusted Entra tenant known here; it has no role until you give it one
    #[command(after_long_help = help::GUEST_MORE)]
    Add {
        /// Its object id in its own tenant (of the service principal, not of the application)
        #[arg(value_parser = ObjectId::from_str)]
        object_id: ObjectId,
        /// The Entra tenant it lives in
        #[arg(long, value_name = "TENANT_ID", value_parser = TenantId::from_str)]
        tenant: TenantId,
        /// What it is called here [default: its object id]
        #[arg(long)]
        name: Option<String>,
        /// It is a person, not a program
        #[arg(long)]
        person: bool,
    },
    /// List the guests
    #[command(after_long_help = help::GUEST_MORE)]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a guest with its role assignments and group memberships
    #[command(after_long_help = help::GUEST_MORE)]
    Remove {
        #[arg(value_parser = ObjectId::from_str)]
        object_id: ObjectId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// List the people who may sign in
    #[command(after_long_help = help::USER_MORE)]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a person, with their roles and sessions
    #[command(after_long_help = help::USER_MORE)]
    Remove {
        /// The sign-in name, or the object id
        name: String,
    },
    /// Give a person another password, and sign them out everywhere
    #[command(after_long_help = help::USER_MORE)]
    ResetPassword {
        /// The sign-in name
        name: String,
        /// Let them keep it; else they must choose another at the next sign-in
        #[arg(long)]
        keep: bool,
    },
    /// Add a person; the password is asked for, or read from standard input
    #[command(after_long_help = help::USER_MORE)]
    Add {
        /// The sign-in name, such as ada@keyless.localhost
        name: String,
        #[arg(long)]
        display_name: Option<String>,
        /// Demand another password at the first sign-in
        #[arg(long, conflicts_with = "no_password")]
        must_change: bool,
        /// Give no password: they sign in at the provider of `keyless up --sign-in-with`, once linked
        #[arg(long)]
        no_password: bool,
    },
    /// Let a person sign in at the provider of `keyless up --sign-in-with`
    #[command(after_long_help = help::USER_MORE)]
    Link {
        /// The sign-in name here
        name: String,
        /// Their subject (`sub`) there, as the page of the refused sign-in and its audit event show it
        subject: String,
    },
    /// End that, and sign the person out
    #[command(after_long_help = help::USER_MORE)]
    Unlink {
        /// The sign-in name here
        name: String,
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
    /// List the invitations whose links still work
    #[command(after_long_help = help::USER_MORE)]
    Invitations {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End an invitation that nobody has accepted: its link opens nothing any more
    #[command(after_long_help = help::USER_MORE)]
    Withdraw {
        /// The sign-in name that was invited
        name: String,
    },
    /// Refuse every token that a person or program holds now
    #[command(after_long_help = help::USER_MORE)]
    SignOut {
        /// A sign-in name, an identity's name, or an object id
        name: String,
        /// Only tokens from before: RFC 3339, or how long ago, such as 15m [default: now]
        #[arg(long, value_name = "TIME", value_parser = parse_moment)]
        before: Option<Moment>,
    },
}
