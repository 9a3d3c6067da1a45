//! What a connection is answered with: the planes behind one address, told apart by path or host name.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use keyless_gateway::Gateway;
use keyless_metadata::{Connection, Metadata};
use keyless_web::{Local, Peer, PeerOwner, owner_of};
use keyless_wire::arm::ArmError;
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::listen::Service;
use crate::operations::Operations;

/// How long a call of the authority or the control plane may take, its body included: a body that trickles in holds no
/// connection for long. A change that is under way runs to its end all the same.
const PLANE_DEADLINE: Duration = Duration::from_secs(60);

/// An answer of any plane.
pub(crate) type Answer = Either<keyless_gateway::Body, Either<Full<Bytes>, Body>>;

/// The roles of this process.
#[derive(Debug)]
pub(crate) struct App {
    tls: Arc<rustls::ServerConfig>,
    gateway: Arc<Gateway>,
    metadata: Arc<Metadata>,
    /// Authority, control plane and Graph: their paths do not collide.
    planes: Router,
    operations: Arc<Operations>,
    /// `.openai.{domain}`, where accounts have host names of their own.
    account_suffix: Option<String>,
}

impl App {
    pub(crate) fn new(
        tls: Arc<rustls::ServerConfig>,
        gateway: Arc<Gateway>,
        metadata: Arc<Metadata>,
        planes: Router,
        operations: Arc<Operations>,
        wildcard_domain: Option<&str>,
    ) -> Self {
        let account_suffix = wildcard_domain.map(|domain| format!(".openai.{domain}"));
        Self { tls, gateway, metadata, planes, operations, account_suffix }
    }

    pub(crate) const fn tls(&self) -> &Arc<rustls::ServerConfig> {
        &self.tls
    }

    /// What is learnt of a connection once, before its first request.
    pub(crate) fn connection(&self, service: Service, peer: SocketAddr, local: SocketAddr) -> Option<Connection> {
        (service == Service::Metadata).then(|| Connection { peer, owner: owner_of(peer, local) })
    }

    pub(crate) async fn answer(
        &self,
        service: Service,
        mut request: Request<Incoming>,
        (peer, local): (SocketAddr, SocketAddr),
        connection: Option<&Connection>,
    ) -> Result<Response<Answer>, Infallible> {
        let response = match service {
            Service::PlainGateway => self.gateway.handle(request, peer).await.map(Either::Left),
            Service::Planes if self.is_gateway(&request) => self.gateway.handle(request, peer).await.map(Either::Left),
            Service::Planes => {
                request.extensions_mut().insert(Peer(peer));
                request.extensions_mut().insert(Local(local));
                collapse_slashes(&mut request);
                let response = match timeout(PLANE_DEADLINE, self.planes.clone().oneshot(request.map(Body::new))).await {
                    Ok(Ok(response)) => response,
                    Ok(Err(never)) => match never {},
                    Err(_) => too_slow(),
                };
                response.map(|body| Either::Right(Either::Right(body)))
            }
            Service::Metadata => {
                let unknown = Connection { peer, owner: PeerOwner::Unknown };
                self.metadata.handle(&request, connection.unwrap_or(&unknown)).map(|body| Either::Right(Either::Left(body)))
            }
            Service::Operations => self.operations.handle(&request).map(|body| Either::Right(Either::Left(body))),
        };
        self.operations.count(service, response.status());
        Ok(response)
    }

    fn is_gateway(&self, request: &Request<Incoming>) -> bool {
        if request.uri().path().starts_with("/ai/") {
            return true;
        }
        let Some(suffix) = &self.account_suffix else { return false };
        let host = request.uri().host().or_else(|| request.headers().get(http::header::HOST)?.to_str().ok()).unwrap_or_default();
        // Host names are compared without case, here as where the gateway finds the account.
        let name = host.split(':').next().unwrap_or_default().as_bytes();
        name.len().checked_sub(suffix.len()).and_then(|at| name.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
    }
}

fn too_slow() -> Response<Body> {
    let error = ArmError::new("RequestTimeout", "The request was not complete within 60 seconds. Send it again.");
    keyless_web::json(StatusCode::REQUEST_TIMEOUT, &error)
}

/// `az` doubles slashes and changes the case of fixed words; the router's own literals do not match those.
fn collapse_slashes(request: &mut Request<Incoming>) {
    let Some(path) = keyless_control::canonical_path(request.uri().path()).filter(|path| path != request.uri().path()) else { return };
    let target = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    // A path that was taken from a URI is one.
    if let Ok(uri) = target.parse() {
        *request.uri_mut() = uri;
    }
}
