//! The real fetcher: resolves a name once, judges every address, and connects to exactly what it judged.
//!
//! By hand on a connection of `hyper`, not with `hyper-util`'s client: that one takes an address that stands in a URL past its resolver,
//! where a judge would sit, and keeps connections that were judged for somebody else.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::is_public;
use super::fetch::{FetchError, FormPost, HttpFetch, HttpPost, MAX_DOCUMENT, Place};

/// Most addresses of a host that are tried.
const MAX_ADDRESSES: usize = 4;

/// Finds the addresses of a host. A port of its own, so that a test can answer differently the second time.
#[async_trait]
pub(super) trait Resolve: fmt::Debug + Send + Sync {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The operating system's resolver.
#[derive(Debug)]
struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}

/// Fetches over HTTPS from the public internet, and from the hosts that the operator named.
pub struct PublicWeb {
    roots: Arc<RootCertStore>,
    resolver: Arc<dyn Resolve>,
}

impl PublicWeb {
    /// `roots` are the certificates (DER) of the authorities that public hosts are trusted under; unusable ones are skipped.
    #[must_use]
    pub fn new(roots: &[Vec<u8>]) -> Self {
        Self { roots: Arc::new(store(roots)), resolver: Arc::new(SystemResolver) }
    }

    #[cfg(test)]
    pub(super) fn with_resolver(resolver: Arc<dyn Resolve>) -> Self {
        Self { roots: Arc::new(RootCertStore::empty()), resolver }
    }

    async fn connect(&self, target: &Target<'_>, place: &Place) -> Result<TcpStream, FetchError> {
        let named = matches!(place, Place::Named { .. });
        let host = || target.host.to_owned();
        let addresses = self.resolver.resolve(target.bare_host(), target.port).await.map_err(|_| FetchError::Resolve(host()))?;
        // SECURITY: one private address among public ones is an attack or a mistake; neither deserves a connection.
        if !named && addresses.iter().any(|address| !is_public(address.ip())) {
            return Err(FetchError::PrivateAddress(host()));
        }
        if !target.tls && addresses.iter().any(|address| !address.ip().to_canonical().is_loopback()) {
            return Err(FetchError::Url(host()));
        }
        let mut refused = FetchError::Resolve(host());
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            // SECURITY: to the judged address, not to the name: a second look-up could answer otherwise (DNS rebinding, case 54).
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(source) => refused = FetchError::Connect { host: host(), source },
            }
        }
        Err(refused)
    }

    /// One request on a fresh connection.
    async fn send(&self, target: &Target<'_>, place: &Place, request: Request<Full<Bytes>>) -> Result<(StatusCode, Vec<u8>), FetchError> {
        let stream = self.connect(target, place).await?;
        if !target.tls {
            return exchange(stream, target, request).await;
        }
        let name = ServerName::try_from(target.bare_host().to_owned()).map_err(|_| FetchError::Url(target.host.to_owned()))?;
        let stream =
            self.tls(place).connect(name, stream).await.map_err(|source| FetchError::Connect { host: target.host.to_owned(), source })?;
        exchange(stream, target, request).await
    }

    fn tls(&self, place: &Place) -> TlsConnector {
        let roots = match place {
            Place::Named { certificates } if !certificates.is_empty() => Arc::new(store(certificates)),
            _ => Arc::clone(&self.roots),
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }
}

impl fmt::Debug for PublicWeb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicWeb").field("roots", &self.roots.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpFetch for PublicWeb {
    async fn get(&self, url: &Uri, place: &Place) -> Result<Vec<u8>, FetchError> {
        let target = Target::of(url, place)?;
        let request = target.request(Request::get(target.path), Full::default())?;
        match self.send(&target, place, request).await? {
            (StatusCode::OK, body) => Ok(body),
            (status, _) => Err(FetchError::Status { host: target.host.to_owned(), status: status.as_u16() }),
        }
    }
}

#[async_trait]
impl HttpPost for PublicWeb {
    async fn post(&self, url: &Uri, place: &Place, form: FormPost) -> Result<(StatusCode, Vec<u8>), FetchError> {
        let target = Target::of(url, place)?;
        let mut request = Request::post(target.path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(authorization) = &form.authorization {
            let mut value = HeaderValue::from_str(authorization.expose()).map_err(|_| FetchError::Url(url.to_string()))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = target.request(request, Full::from(form.body.expose().clone()))?;
        self.send(&target, place, request).await
    }
}

fn store(certificates: &[Vec<u8>]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates.iter().map(|der| CertificateDer::from(der.clone())));
    roots
}

/// Whether a URL leads to this machine, by address or as `localhost`.
pub(super) fn is_this_machine(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// A URL taken apart.
struct Target<'a> {
    host: &'a str,
    port: u16,
    tls: bool,
    path: &'a str,
}

impl<'a> Target<'a> {
    fn of(url: &'a Uri, place: &Place) -> Result<Self, FetchError> {
        let refused = || FetchError::Url(url.to_string());
        let tls = match (url.scheme_str(), place) {
            (Some("https"), _) => true,
            // SECURITY: over a network anybody on the way could be the issuer; only this very machine needs no TLS.
            (Some("http"), Place::Named { .. }) if is_this_machine(url) => false,
            _ => return Err(refused()),
        };
        let host = url.host().filter(|host| !host.is_empty()).ok_or_else(refused)?;
        if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(refused());
        }
        let port = url.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { host, port, tls, path: url.path_and_query().map_or("/", |path| path.as_str()) })
    }

    /// Completes a request to it.
    fn request(&self, request: http::request::Builder, body: Full<Bytes>) -> Result<Request<Full<Bytes>>, FetchError> {
        request
            .header(header::HOST, format!("{}:{}", self.host, self.port))
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, "keyless")
            .header(header::CONNECTION, "close")
            .body(body)
            .map_err(|_| FetchError::Url(self.host.to_owned()))
    }

    /// Without the brackets of an IPv6 literal.
    fn bare_host(&self) -> &'a str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin + Send>(
    stream: S,
    target: &Target<'_>,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Vec<u8>), FetchError> {
    let broken = |source: hyper::Error| FetchError::Exchange { host: target.host.to_owned(), source: Box::new(source) };
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(64 * 1024).handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await.map_err(broken)?;
    let document = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        read(response, target).await
    };
    tokio::pin!(document, connection);
    // The connection does the input and output; it ends when the document is whole, or breaks first.
    tokio::select! {
        biased;
        document = &mut document => document,
        ended = &mut connection => match ended {
            Ok(()) => document.await,
            Err(error) => Err(broken(error)),
        },
    }
}

async fn read(response: http::Response<Incoming>, target: &Target<'_>) -> Result<(StatusCode, Vec<u8>), FetchError> {
    let host = || target.host.to_owned();
    let status = response.status();
    // We asked for no encoding. What is compressed all the same may unfold to anything (case 57).
    if response.headers().get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(FetchError::TooLarge(host()));
    }
    match Limited::new(response.into_body(), MAX_DOCUMENT).collect().await {
        Ok(body) => Ok((status, body.to_bytes().to_vec())),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(FetchError::TooLarge(host())),
        Err(source) => Err(FetchError::Exchange { host: host(), source }),
    }
}

#[cfg(test)]
mod tests;
