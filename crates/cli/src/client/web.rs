//! HTTP and HTTPS to addresses on this machine, and HTTPS to an authority elsewhere. Follows no redirect and knows no proxy.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::exchange::{Reply, TransportError, exchange};

/// A small model on a busy machine may think for a while.
const PATIENCE: Duration = Duration::from_secs(120);
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// A client with its trust roots.
#[derive(Clone)]
pub(crate) struct Web {
    tls: TlsConnector,
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Web")
    }
}

impl Web {
    /// Trusts the certificates of this PEM file and nothing else.
    ///
    /// # Errors
    /// When the file cannot be read or holds no certificate.
    pub(crate) fn trusting(file: &Path) -> Result<Self, TransportError> {
        let unusable = |source| TransportError::Roots { file: file.display().to_string(), source };
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unusable(std::io::Error::other(error)))?;
        // One certificate that rustls cannot read (old bundles hold a few) must not make the others useless.
        roots.add_parsable_certificates(certificates.filter_map(Result::ok));
        if roots.is_empty() {
            return Err(unusable(std::io::Error::other("it holds no certificate")));
        }
        Ok(Self::with(roots))
    }

    /// Trusts what the operating system trusts.
    pub(crate) fn trusting_the_system() -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::with(roots)
    }

    fn with(roots: RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("this provider has suites for the default TLS versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { tls: TlsConnector::from(Arc::new(config)) }
    }

    /// Sends one request on a connection of its own.
    ///
    /// # Errors
    /// When no answer comes.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: impl Into<Bytes>,
    ) -> Result<Reply, TransportError> {
        let address = || TransportError::Address(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| address())?;
        let host = uri.host().ok_or_else(address)?.to_owned();
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let authority = uri.authority().ok_or_else(address)?.as_str().to_owned();

        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        // A URL may go from its host straight to its query; a request may not.
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let mut request = Request::builder().method(method).uri(target);
        request = request.header(header::HOST, &authority).header(header::CONNECTION, "close");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body.into())).map_err(|_| address())?;

        let answer = async {
            let stream = connect(&host, port, &authority).await?;
            if !secure {
                return exchange(stream, request).await;
            }
            let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|_| address())?;
            let stream = self.tls.connect(name, stream).await.map_err(|source| TransportError::Tls { to: authority.clone(), source })?;
            exchange(stream, request).await
        };
        tokio::time::timeout(PATIENCE, answer).await.map_err(|_| TransportError::Late(PATIENCE))?
    }
}

async fn connect(host: &str, port: u16, to: &str) -> Result<TcpStream, TransportError> {
    let failed = |source| TransportError::Connect { to: to.to_owned(), source };
    let attempt = async {
        let stream = match host {
            // Not a question for DNS (RFC 6761 section 6.3), which could answer with another machine.
            "localhost" => match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                Ok(stream) => stream,
                Err(_) => TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await?,
            },
            host => TcpStream::connect((host.trim_matches(['[', ']']), port)).await?,
        };
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    match tokio::time::timeout(CONNECT_PATIENCE, attempt).await {
        Ok(connected) => connected.map_err(failed),
        Err(_) => Err(failed(std::io::ErrorKind::TimedOut.into())),
    }
}
