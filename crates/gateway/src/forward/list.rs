//! Asks a configured model server which models it names, and so whether it is there.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;

use super::connect::{Connector, tls};
use super::send::text_of;
use super::upstreams::bearer;
use crate::config::{ConfigError, UpstreamConfig, check};
use crate::detect::models_in;

/// From the first packet to the last byte of the list. A server that needs longer is no help to a caller either.
const DEADLINE: Duration = Duration::from_secs(3);

/// Why a server's models are not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    #[error("cannot be reached ({0})")]
    Unreachable(String),
    #[error("does not accept the gateway's credential (status {0})")]
    Credential(u16),
    #[error("answers, but lists no models (status {0})")]
    NoList(u16),
}

impl ListFault {
    /// Whether calls will fail, as far as can be told.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Credential(_))
    }
}

/// One server, to be asked as often as wanted.
#[derive(Debug, Clone)]
pub struct Lister {
    client: Client<Connector, Empty<Bytes>>,
    uri: Uri,
    authorization: Option<HeaderValue>,
}

impl Lister {
    /// `roots` count where the upstream names no `ca` of its own.
    ///
    /// # Errors
    /// With everything that is wrong with the upstream.
    pub fn new(upstream: &UpstreamConfig, roots: &[CertificateDer<'static>]) -> Result<Self, ConfigError> {
        check(None, std::slice::from_ref(upstream), !roots.is_empty())?;
        let wrong = |what: &str| ConfigError { problems: vec![format!("the {what} of upstream `{}` cannot be used", upstream.name)] };
        let mut parts = upstream.base_url.clone().into_parts();
        let path = format!("{}/models", upstream.base_url.path().trim_end_matches('/'));
        parts.path_and_query = Some(path.parse().map_err(|_| wrong("base url"))?);
        let authorization = upstream.api_key.as_ref().map(|key| bearer(key.expose())).transpose();
        let roots = if upstream.ca.is_empty() { roots } else { &upstream.ca };
        Ok(Self {
            // Nothing is kept between questions: a connection that is reused would say little about a server that is down now.
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(Connector::new(
                &tls(roots),
                DEADLINE,
                upstream.trusts,
            )),
            uri: Uri::from_parts(parts).map_err(|_| wrong("base url"))?,
            authorization: authorization.map_err(|_| wrong("api key"))?,
        })
    }

    /// The models that the server names now; at least one.
    ///
    /// # Errors
    /// When they cannot be learnt; the text says what the server does, to be put after its name.
    pub async fn models(&self) -> Result<Vec<String>, ListFault> {
        let late = |_| ListFault::Unreachable(format!("no answer within {} s", DEADLINE.as_secs()));
        tokio::time::timeout(DEADLINE, self.ask()).await.map_err(late)?
    }

    async fn ask(&self) -> Result<Vec<String>, ListFault> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let answer = self.client.request(request).await.map_err(|error| ListFault::Unreachable(text_of(&error)))?;
        let status = answer.status();
        match status {
            StatusCode::OK => {
                models_in(answer.into_body()).await.filter(|models| !models.is_empty()).ok_or(ListFault::NoList(status.as_u16()))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(ListFault::Credential(status.as_u16())),
            _ => Err(ListFault::NoList(status.as_u16())),
        }
    }
}
