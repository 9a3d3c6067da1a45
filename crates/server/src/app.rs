//! What a connection is answered with: the planes behind one address, told apart by path or host name.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use keyless_audit::{AuditSink, AuditUnavailable};
use keyless_config::{Settings, TimeSpan, Timeouts};
use keyless_gateway::Gateway;
use keyless_metadata::{Connection, Metadata};
use keyless_store::audit_log::confirmed;
use keyless_web::{Local, Peer};
use keyless_wire::arm::ArmError;
use tokio::sync::watch;
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::bodies::{Bodies, Cut};
use crate::connection::MAX_HEADERS;
use crate::landing;
use crate::listen::Service;
use crate::operations::Operations;

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
    bodies: Arc<Bodies>,
    operations: Arc<Operations>,
    audit: Arc<dyn AuditSink>,
    /// `.openai.{domain}`, where accounts have host names of their own.
    account_suffix: Option<String>,
    timeouts: Timeouts,
}

impl App {
    pub(crate) fn new(
        tls: Arc<rustls::ServerConfig>,
        gateway: Arc<Gateway>,
        metadata: Arc<Metadata>,
        (planes, bodies): (Router, Arc<Bodies>),
        operations: Arc<Operations>,
        audit: Arc<dyn AuditSink>,
        settings: &Settings,
    ) -> Self {
        let account_suffix = settings.listen.wildcard_domain.as_ref().map(|domain| format!(".openai.{domain}"));
        Self { tls, gateway, metadata, planes, bodies, operations, audit, account_suffix, timeouts: settings.timeouts.clone() }
    }

    pub(crate) const fn tls(&self) -> &Arc<rustls::ServerConfig> {
        &self.tls
    }

    pub(crate) const fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    pub(crate) async fn answer(
        &self,
        service: Service,
        mut request: Request<Incoming>,
        connection: Connection,
        local: SocketAddr,
        mut stop: watch::Receiver<bool>,
    ) -> Response<Answer> {
        let peer = connection.peer;
        let here = |body| Either::Right(Either::Left(body));
        let response = match service {
            // HTTP/1 is cut off where it is read; HTTP/2 bounds the bytes of a head, not the number of its fields.
            _ if request.headers().len() > MAX_HEADERS => too_many_headers().map(here),
            Service::PlainGateway => self.gateway.handle(request, peer).await.map(Either::Left),
            Service::Planes if self.is_gateway(&request) => self.gateway.handle(request, peer).await.map(Either::Left),
            Service::Planes if request.method() == Method::GET && request.uri().path() == "/" => {
                landing::answer(request.headers()).map(here)
            }
            Service::Planes => {
                request.extensions_mut().insert(Peer(peer));
                request.extensions_mut().insert(Local(local));
                collapse_slashes(&mut request);
                // A body that trickles in holds no connection for long; a change that is under way runs to its end all the same.
                let deadline = self.timeouts.plane;
                let answered = async {
                    let (head, body) = request.into_parts();
                    let (body, load) = self.bodies.count(body, peer.ip(), connection.owner);
                    let call = self.planes.clone().oneshot(Request::from_parts(head, Body::new(body)));
                    let response = match load.within(&mut stop, timeout(deadline.duration(), call)).await {
                        Ok(Ok(Ok(response))) => response,
                        Ok(Ok(Err(never))) => match never {},
                        Ok(Err(_)) => too_slow(deadline),
                        Err(cut) => cut_off(cut),
                    };
                    response.map(|body| Either::Right(Either::Right(body)))
                };
                confirmed(&self.audit, answered).await.unwrap_or_else(|error| unconfirmed(&error))
            }
            Service::Metadata => {
                let answered = async { self.metadata.handle(&request, &connection).map(here) };
                confirmed(&self.audit, answered).await.unwrap_or_else(|error| unconfirmed(&error))
            }
            Service::Operations => self.operations.handle(&request).map(here),
        };
        self.operations.count(service, response.status());
        response
    }

    fn is_gateway(&self, request: &Request<Incoming>) -> bool {
        if request.uri().path().starts_with("/ai/") {
            return true;
        }
        let Some(suffix) = &self.account_suffix else { return false };
        let host = request.uri().host().or_else(|| request.headers().get(http::header::HOST)?.to_str().ok()).unwrap_or_default();
        is_account_host(host, suffix)
    }
}

/// Host names are compared without case, here as where the gateway finds the account.
fn is_account_host(host: &str, suffix: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default().as_bytes();
    name.len().checked_sub(suffix.len()).and_then(|at| name.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
}

fn too_many_headers() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    response
}

/// SECURITY: what has no record on the disk is not told, a token least of all.
fn unconfirmed(error: &AuditUnavailable) -> Response<Answer> {
    tracing::debug!(%error, "an answer is withheld");
    let error = ArmError::new("ServiceUnavailable", "The audit log cannot be written, so no request is answered. Please retry later.");
    keyless_web::json(StatusCode::SERVICE_UNAVAILABLE, &error).map(|body| Either::Right(Either::Right(body)))
}

fn too_slow(deadline: TimeSpan) -> Response<Body> {
    let told = format!("The request was not complete within {} seconds. Send it again.", deadline.as_secs());
    let error = ArmError::new("RequestTimeout", told);
    keyless_web::json(StatusCode::REQUEST_TIMEOUT, &error)
}

fn cut_off(cut: Cut) -> Response<Body> {
    let (status, code, message) = match cut {
        Cut::Source => {
            (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "Too many requests of yours are being sent. Retry after 1 second.")
        }
        Cut::Everyone => (StatusCode::SERVICE_UNAVAILABLE, "ServerBusy", "Too many requests are being sent. Retry after 1 second."),
        Cut::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "The system stops. Send the request again once it runs."),
    };
    let mut response = keyless_web::json(status, &ArmError::new(code, message));
    response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("1"));
    response
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accounts_host_is_the_gateways_in_any_case_d16() {
        let is = |host| is_account_host(host, ".openai.corp.example");
        assert!(is("demo-ai.openai.corp.example") && is("Demo-AI.OpenAI.Corp.Example:8443"));
        assert!(!is("demo-ai.openai.corp.example.org") && !is("openai.corp.example") && !is("") && !is("é.openai.corp.exampl"));
    }
}
