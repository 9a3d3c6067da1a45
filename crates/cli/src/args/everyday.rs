//! The everyday things, by name: identities, deployments, and who has which role where.

use clap::Subcommand;

use super::help;

#[derive(Debug, Subcommand)]
pub(crate) enum Identity {
    /// List the identities
    #[command(after_long_help = help::IDENTITY_MORE)]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one identity
    #[command(after_long_help = help::IDENTITY_MORE)]
    Show {
        /// A name, client id, object id or resource id
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make an identity for a program; it has no role until you give it one
    #[command(after_long_help = help::IDENTITY_MORE)]
    Create {
        /// 3 to 128 letters, digits, hyphens and underscores
        name: String,
        /// The resource group that it lives in
        #[arg(short = 'g', long, default_value = "demo", value_name = "NAME")]
        group: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove an identity: its tokens stop working at once
    #[command(after_long_help = help::IDENTITY_MORE)]
    Remove {
        /// A name, client id, object id or resource id
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Deployment {
    /// List the deployments
    #[command(after_long_help = help::DEPLOYMENT_MORE)]
    List {
        /// Those of this account only
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one deployment
    #[command(after_long_help = help::DEPLOYMENT_MORE)]
    Show {
        /// Account/deployment, or a deployment of the default account
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Deploy a model under a name
    #[command(after_long_help = help::DEPLOYMENT_MORE)]
    Create {
        /// Account/deployment, or a deployment of the default account
        name: String,
        /// The model, as the model server calls it
        #[arg(long)]
        model: String,
        #[arg(long, default_value = "1", value_name = "VERSION")]
        model_version: String,
        /// Thousands of tokens per minute for all callers together
        #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        capacity: u32,
        /// The model server that shall serve it, one of `[upstreams.NAME]` [default: the one that has the model]
        #[arg(long, value_name = "NAME")]
        upstream: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a deployment: calls of it are refused at once
    #[command(after_long_help = help::DEPLOYMENT_MORE)]
    Remove {
        /// Account/deployment, or a deployment of the default account
        name: String,
    },
}

/// One grant: who has which role where.
#[derive(Debug, clap::Args)]
pub(crate) struct Grant {
    /// Who: an identity's name, a person's sign-in name, or any id of theirs
    #[arg(long = "as", visible_alias = "principal", value_name = "WHO")]
    pub(crate) principal: String,
    /// The role's name or id
    #[arg(long, value_name = "NAME")]
    pub(crate) role: String,
    /// Where: account/deployment, an account, group/NAME, `subscription`, or an ARM id
    #[arg(long)]
    pub(crate) scope: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// List who has which role where
    #[command(after_long_help = help::ROLE_MORE)]
    List {
        /// Roles of this principal, its groups' included
        #[arg(long = "as", visible_alias = "principal", value_name = "WHO")]
        principal: Option<String>,
        /// Roles that hold at this place or below it
        #[arg(long)]
        scope: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one role assignment
    #[command(after_long_help = help::ROLE_MORE)]
    Show {
        /// The assignment's id, or its beginning as `list` shows it
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a role to somebody at some place
    #[command(after_long_help = help::ROLE_MORE, visible_alias = "assign")]
    Create {
        #[command(flatten)]
        grant: Grant,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a role away: it counts no more from the next call on
    #[command(after_long_help = help::ROLE_MORE, group = clap::ArgGroup::new("which").required(true).args(["id", "principal"]))]
    Remove {
        /// The assignment's id, or its beginning as `list` shows it
        id: Option<String>,
        /// Who has it: an identity's name, a person's sign-in name, or any id of theirs
        #[arg(long = "as", visible_alias = "principal", value_name = "WHO", requires_all = ["role", "scope"])]
        principal: Option<String>,
        /// The role's name or id
        #[arg(long, value_name = "NAME", requires = "principal")]
        role: Option<String>,
        /// Where: account/deployment, an account, group/NAME, `subscription`, or an ARM id
        #[arg(long, requires = "principal")]
        scope: Option<String>,
    },
}
