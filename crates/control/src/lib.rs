//! The control plane: Azure Resource Manager's resources, role assignments, and the part of Microsoft Graph that `az` needs.
//!
//! Reason to be a crate: a process role that is tested alone. It knows the directory, the policy and HTTP; it does not know of
//! listeners, files or databases, and it never meets another role.
//!
//! Every route is one line of a table ([`routes`]) that states what a caller must be allowed before its handler runs. A handler
//! therefore never asks who is calling: it is only reached with an answer.

mod access;
mod activity;
mod answer;
mod api;
mod arm;
mod bounds;
mod call;
mod control;
mod failure;
mod federation;
mod filter;
mod graph;
mod permitted;
mod route;
mod routes;
mod serve;
mod unsupported;

use std::sync::Arc;

use keyless_model::entity::DeploymentModel;
use keyless_web::{Platform, TrustedTenants};

pub use activity::{ActivityQuery, ActivityReader, ActivityUnavailable};

/// What the control plane is told at start.
#[derive(Debug, Clone)]
pub struct Config {
    /// The name under which `az cloud register` files this system.
    pub cloud_name: String,
    /// The location of resources whose writer names none. Any name is accepted from a writer.
    pub location: String,
    /// Rows of a list's page when the client does not say; a client may ask for fewer with `$top`.
    pub page_size: usize,
    /// Issuers that federated credentials may name although their address is private or plain HTTP; compared byte for byte.
    pub trusted_issuers: Vec<String>,
    /// Audiences outside this system that workloads get tokens for: no application may call itself so.
    pub federation_audiences: Vec<String>,
    /// Models that can be deployed, for clients that list them. A deployment may name another: the default upstream serves it.
    pub models: Vec<DeploymentModel>,
    /// The most federated credentials of one identity or application; 20 in Entra (case 63).
    pub federated_credentials: usize,
    /// The upstreams that a deployment may name.
    pub upstreams: Vec<String>,
    /// The capacity, in thousands of tokens per minute, that a subscription's deployments of one model and SKU may take in a location.
    pub quota: u32,
    /// Entra tenants whose tokens ARM takes besides this system's own. Graph takes none: a token for Microsoft's Graph must not leave
    /// its sender's hands for less.
    pub trusted_tenants: Option<Arc<TrustedTenants>>,
    /// Where the activity log is read; without it the log is answered with 503, never with an empty list.
    pub activity: Option<Arc<dyn ActivityReader>>,
}

impl Config {
    /// What a federated credential is judged by: the issuers that the operator named, and how many there may be.
    pub(crate) fn federation_rules(&self) -> (&[String], usize) {
        (&self.trusted_issuers, self.federated_credentials)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cloud_name: "keyless".to_owned(),
            location: "local".to_owned(),
            page_size: 1000,
            trusted_issuers: Vec::new(),
            federation_audiences: Vec::new(),
            models: Vec::new(),
            federated_credentials: 20,
            upstreams: Vec::new(),
            quota: 1_000_000,
            trusted_tenants: None,
            activity: None,
        }
    }
}

/// The routes of ARM (`/metadata/endpoints`, `/subscriptions`, `/tenants`, `/providers`) and Graph (`/v1.0`, and of `/beta` the federated
/// credentials).
pub fn router(platform: Arc<Platform>, config: Config) -> axum::Router {
    serve::router(platform, config)
}

/// The path with its slashes collapsed and its first word in the router's spelling; `None` when it is not the control plane's. For a
/// listener that shares its port: other spellings do not match the router's own literals, so a fallback hands it those it owns.
#[must_use]
pub fn canonical_path(path: &str) -> Option<String> {
    arm::path::canonical(path)
}
