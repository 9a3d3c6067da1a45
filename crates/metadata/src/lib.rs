//! Managed-identity endpoints: IMDS, its instance document, and the App Service form.
//!
//! Reason to be a crate: a process role, testable alone. It answers one question - which identity may this caller have a token
//! of? - and knows nothing of grants, clients or signing: tokens come through the [`TokenSource`] port.

mod attachments;
mod broker;
mod caller;
mod guard;
pub mod query;
mod refuse;
mod routes;
mod select;
mod source;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use keyless_model::Scope;
use keyless_web::Platform;

pub use attachments::{AttachError, Attachment, AttachmentId, AttachmentKind, Attachments, NewAttachment};
pub use caller::Connection;
pub use source::{IssuedToken, TokenRequest, TokenSource, TokenSourceError};

/// How the metadata endpoints behave.
#[derive(Debug, Clone)]
pub struct Config {
    /// The host whose identities IMDS gives out.
    pub host: Scope,
    /// The host's location, for the instance document.
    pub location: String,
    /// The users (uid) whose processes may ask IMDS. Elsewhere any process of a machine may; here only its owner's.
    pub allowed_uids: Vec<u32>,
    /// The `Host` header values that name this endpoint: its own address, and Azure's.
    pub allowed_hosts: Vec<String>,
    /// Fresh tokens per second and caller; cached ones are not counted. Azure's own limit is 20 per second and machine.
    pub issues_per_second: u32,
}

/// The metadata role.
#[derive(Debug)]
pub struct Metadata {
    platform: Arc<Platform>,
    config: Config,
    attachments: Attachments,
    broker: broker::Broker,
}

impl Metadata {
    #[must_use]
    pub fn new(platform: Arc<Platform>, config: Config, tokens: Arc<dyn TokenSource>) -> Self {
        let broker = broker::Broker::new(tokens, config.issues_per_second);
        Self { platform, config, attachments: Attachments::default(), broker }
    }

    /// Who may use which identity through an identity header.
    #[must_use]
    pub const fn attachments(&self) -> &Attachments {
        &self.attachments
    }

    /// Answers one request. `connection` says who opened the connection; the body of a request is never read.
    pub fn handle<B>(&self, request: &Request<B>, connection: &Connection) -> Response<Full<Bytes>> {
        routes::dispatch(self, request, connection)
    }
}

#[cfg(test)]
mod tests;
