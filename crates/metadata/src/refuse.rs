//! Answers, good and bad: one place turns a reason into a status, a public sentence and an audit event.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use keyless_audit::{AuditEvent, Category, Outcome, TokenDetail};
use keyless_model::entity::ManagedIdentity;
use keyless_model::{OpContext, Timestamp};
use keyless_web::{Refused, RefusedBy};
use keyless_wire::metadata::{AppServiceError, AppServiceToken, ImdsError, ImdsToken, ImdsVersionError};
use serde::Serialize;

use crate::Metadata;
use crate::broker::BrokerError;
use crate::guard::GuardRefusal;
use crate::query::{IMDS_VERSIONS, QueryError, TokenQuery};
use crate::select::SelectError;
use crate::source::{IssuedToken, TokenSourceError};

/// Why IMDS gives no token.
#[derive(Debug)]
pub(crate) enum Imds {
    MetadataHeader,
    Query(QueryError),
    UnknownSource,
    Select(SelectError),
    Broker(BrokerError),
}

/// Why the App Service form gives no token.
#[derive(Debug)]
pub(crate) enum AppService {
    Header,
    Query(QueryError),
    NotFound,
    Broker(BrokerError),
}

pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response<Full<Bytes>> {
    // Plain structs with string keys: serialising them cannot fail.
    let mut response = Response::new(Full::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

pub(crate) fn not_found() -> Response<Full<Bytes>> {
    json(StatusCode::NOT_FOUND, &ImdsError::new("not_found", "there is no such metadata path; ask /metadata/identity/oauth2/token"))
}

pub(crate) fn guard(refusal: GuardRefusal) -> Response<Full<Bytes>> {
    let (status, error, sentence) = match refusal {
        GuardRefusal::Remote => (StatusCode::FORBIDDEN, "forbidden", "the metadata endpoint answers to this machine only"),
        GuardRefusal::Method => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "use GET"),
        GuardRefusal::ProxyRequest => (StatusCode::BAD_REQUEST, "invalid_request", "the metadata endpoint is no proxy; ask it directly"),
        GuardRefusal::Host => (StatusCode::BAD_REQUEST, "invalid_request", "the Host header does not name the metadata endpoint"),
        GuardRefusal::Forwarded => (StatusCode::BAD_REQUEST, "invalid_request", "requests through a proxy are refused; ask directly"),
        GuardRefusal::Browser => (StatusCode::FORBIDDEN, "forbidden", "requests of web pages are refused"),
    };
    let mut response = json(status, &ImdsError::new(error, sentence));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    }
    response
}

pub(crate) fn imds(metadata: &Metadata, ctx: &OpContext, refusal: Imds) -> Response<Full<Bytes>> {
    let description = |error: &QueryError| error.to_string();
    let (status, body) = match &refusal {
        Imds::MetadataHeader => (StatusCode::BAD_REQUEST, ImdsError::metadata_header_missing()),
        Imds::Query(QueryError::NoApiVersion | QueryError::ApiVersion(_)) => {
            refused(metadata, ctx, "imds", "api_version");
            return json(StatusCode::BAD_REQUEST, &ImdsVersionError::new(&newest()));
        }
        Imds::Query(error) => (StatusCode::BAD_REQUEST, ImdsError::new("invalid_request", &description(error))),
        Imds::UnknownSource => {
            (StatusCode::UNAUTHORIZED, ImdsError::new("unknown_source", "this process may not use the host's identities"))
        }
        Imds::Select(SelectError::NotFound) => (StatusCode::BAD_REQUEST, ImdsError::identity_not_found()),
        Imds::Select(SelectError::Ambiguous) => (StatusCode::BAD_REQUEST, ImdsError::several_identities()),
        Imds::Broker(BrokerError::Disabled) => (StatusCode::BAD_REQUEST, ImdsError::identity_not_found()),
        Imds::Broker(BrokerError::Source(TokenSourceError::UnknownResource(_))) => {
            (StatusCode::BAD_REQUEST, ImdsError::new("invalid_resource", &unknown_resource(&refusal_of(&refusal))))
        }
        Imds::Broker(BrokerError::Source(TokenSourceError::Unavailable(source))) => {
            tracing::error!(error = %source, "a managed identity's token could not be issued");
            (StatusCode::SERVICE_UNAVAILABLE, ImdsError::new("temporarily_unavailable", "the token service does not answer; retry"))
        }
        Imds::Broker(BrokerError::TooMany { .. }) => (StatusCode::TOO_MANY_REQUESTS, ImdsError::new("too_many_requests", "retry later")),
    };
    refused(metadata, ctx, "imds", code_of(&body.error));
    with_retry_after(json(status, &body), broker_error(&refusal))
}

pub(crate) fn app_service(metadata: &Metadata, ctx: &OpContext, refusal: AppService) -> Response<Full<Bytes>> {
    let id = ctx.request_id.to_string();
    let (status, code, message) = match &refusal {
        AppService::Header => (401, "identity_header", "the identity header is missing, wrong or no longer valid".to_owned()),
        AppService::Query(error) => (400, "invalid_request", error.to_string()),
        AppService::NotFound | AppService::Broker(BrokerError::Disabled) => {
            refused(metadata, ctx, "identity_header", "identity_not_found");
            return json(StatusCode::BAD_REQUEST, &AppServiceError::identity_not_found(&id));
        }
        AppService::Broker(BrokerError::Source(error @ TokenSourceError::UnknownResource(_))) => {
            (400, "invalid_resource", error.to_string())
        }
        AppService::Broker(BrokerError::Source(TokenSourceError::Unavailable(source))) => {
            tracing::error!(error = %source, "a managed identity's token could not be issued");
            (503, "temporarily_unavailable", "the token service does not answer; retry".to_owned())
        }
        AppService::Broker(BrokerError::TooMany { .. }) => (429, "too_many_requests", "retry later".to_owned()),
    };
    refused(metadata, ctx, "identity_header", code);
    let body = AppServiceError::new(status, &message, Some(&id));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let broker = if let AppService::Broker(error) = &refusal { Some(error) } else { None };
    with_retry_after(json(status, &body), broker)
}

pub(crate) fn imds_success(identity: &ManagedIdentity, resource: &str, token: &IssuedToken, now: Timestamp) -> Response<Full<Bytes>> {
    let client_id = identity.client_id.to_string();
    let (issued, expires) = (token.issued.unix_secs(), token.expires.unix_secs());
    json(StatusCode::OK, &ImdsToken::new(token.token.expose().clone(), client_id, resource.to_owned(), issued, expires, now.unix_secs()))
}

pub(crate) fn app_service_success(identity: &ManagedIdentity, asked: &TokenQuery, token: &IssuedToken) -> Response<Full<Bytes>> {
    let client_id = identity.client_id.to_string();
    json(StatusCode::OK, &AppServiceToken::new(token.token.expose().clone(), client_id, asked.resource.clone(), token.expires.unix_secs()))
}

/// Records a refusal. When that fails there is nothing to hold back: the caller gets no token either way.
fn refused(metadata: &Metadata, ctx: &OpContext, credential: &'static str, error: &'static str) {
    let mut event = AuditEvent::new(ctx, Category::Token, "Token_Issue", Outcome::Denied);
    event.token = Some(TokenDetail {
        grant: "managed_identity".into(),
        credential: credential.into(),
        error: Some(error.into()),
        ..TokenDetail::default()
    });
    if let Err(error) = metadata.platform.refused(Refused::new(RefusedBy::Metadata, &format!("{credential} {error}")), event) {
        tracing::error!(%error, "a refusal could not be audited");
    }
}

fn code_of(error: &str) -> &'static str {
    ["bad_request_102", "invalid_request", "invalid_resource", "unknown_source", "too_many_requests", "temporarily_unavailable"]
        .into_iter()
        .find(|code| *code == error)
        .unwrap_or("invalid_request")
}

fn refusal_of(refusal: &Imds) -> String {
    match refusal {
        Imds::Broker(BrokerError::Source(TokenSourceError::UnknownResource(resource))) => resource.clone(),
        _ => String::new(),
    }
}

fn unknown_resource(resource: &str) -> String {
    format!("AADSTS500011: The resource principal named {resource} was not found in the tenant.")
}

const fn broker_error(refusal: &Imds) -> Option<&BrokerError> {
    match refusal {
        Imds::Broker(error) => Some(error),
        _ => None,
    }
}

fn with_retry_after(mut response: Response<Full<Bytes>>, error: Option<&BrokerError>) -> Response<Full<Bytes>> {
    if let Some(BrokerError::TooMany { retry_after_secs }) = error {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_secs));
    }
    response
}

fn newest() -> Vec<&'static str> {
    IMDS_VERSIONS.iter().rev().take(3).copied().collect()
}
