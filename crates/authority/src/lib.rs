//! The token service: discovery, key sets, every grant, in Entra's words.
//!
//! Reason to be a crate: a process role testable alone. It proves who is asking and signs tokens; what a token's holder may do is
//! asked of `rbac` by the planes that receive it. It knows no listener, no file and no environment.

mod accounts;
mod client;
mod codes;
mod config;
mod federation;
mod grant;
mod issuer;
mod keys;
mod provider;
mod refusal;
mod requested_claims;
mod resource;
mod routes;
mod scope;
mod sign_in;
mod state;
mod tenant;
mod throttle;
mod token_request;

use std::sync::Arc;

pub use accounts::{
    AccountError, NewInvitation, NewPassword, NewUser, add_user, has_administrator, invite, link_user, pending, reset_password,
    revoke_sessions, unlink_user, withdraw,
};
pub use config::{AssertionAudience, AssertionReuse, Config};
pub use federation::{ExternalIssuers, FetchError, FormPost, HttpFetch, HttpPost, KeysUnavailable, Place, PublicWeb, TrustedIssuer, Want};
pub use issuer::{IssueError, IssueRequest, Issued, Issuer};
use keyless_rbac::SystemRight;
use keyless_web::Platform;
pub use keys::{DEFAULT_ROTATION, KeyRotation, KeysError};
pub use provider::{ProviderSettingsError, SignInProvider};

/// The authority's routes.
pub fn router(platform: Arc<Platform>, system: SystemRight, config: Config) -> axum::Router {
    routes::router(Arc::new(state::Authority::new(platform, system, config)))
}

#[cfg(test)]
mod tests;
