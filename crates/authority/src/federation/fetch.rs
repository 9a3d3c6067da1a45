//! The port through which external documents are fetched.

use std::fmt::Debug;

use async_trait::async_trait;
use http::{StatusCode, Uri};
use keyless_model::Secret;

/// Largest document read, in bytes.
pub(super) const MAX_DOCUMENT: usize = 256 * 1024;

/// Where a fetch may go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Place {
    /// Public addresses over TLS under the system's roots.
    #[default]
    Public,
    /// The host of an issuer that the operator named: any address, plain HTTP too; these certificates (DER), or the system's
    /// when there are none.
    Named { certificates: Vec<Vec<u8>> },
}

/// Why a document could not be had. The texts, with their causes, are for the operator's logs; a client learns only that the
/// issuer did not answer: it has proved nothing yet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    #[error("the address `{0}` is not an https URL with a host name")]
    Url(String),
    #[error("the host `{0}` has no address; check the issuer and the name server")]
    Resolve(String),
    #[error("the host `{0}` leads to a private address; name the issuer in the configuration if that is meant")]
    PrivateAddress(String),
    #[error("the host `{host}` cannot be reached")]
    Connect {
        host: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the host `{host}` broke the exchange")]
    Exchange {
        host: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the host `{host}` answered with status {status}; redirects are not followed")]
    Status { host: String, status: u16 },
    #[error("the host `{0}` sent more than 256 kB or a compressed document")]
    TooLarge(String),
    #[error("the host `{0}` did not answer in time")]
    Deadline(String),
}

/// A form for a host that the operator named: it may hold a client secret or a code.
#[derive(Debug)]
pub struct FormPost {
    /// `application/x-www-form-urlencoded`.
    pub body: Secret<String>,
    /// The whole value of the `Authorization` header.
    pub authorization: Option<Secret<String>>,
}

/// Fetches documents of strangers.
#[async_trait]
pub trait HttpFetch: Debug + Send + Sync {
    /// The body that `GET url` answers with status 200, of at most 256 kB. Follows no redirect.
    ///
    /// # Errors
    /// When there is no such answer, or the host lies outside `place`.
    async fn get(&self, url: &Uri, place: &Place) -> Result<Vec<u8>, FetchError>;
}

/// Also sends forms: to the token endpoint of a provider that people sign in with.
#[async_trait]
pub trait HttpPost: HttpFetch {
    /// Status and body of the answer to `POST url`, under the rules of [`HttpFetch::get`] except that any status is an answer.
    ///
    /// # Errors
    /// When there is no answer, or the host lies outside `place`.
    async fn post(&self, url: &Uri, place: &Place, form: FormPost) -> Result<(StatusCode, Vec<u8>), FetchError>;
}
