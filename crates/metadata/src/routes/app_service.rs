//! `GET /msi/token`: the form of App Service, Functions and Container Apps, used by `keyless run` and `keyless env`.
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use keyless_model::Actor;

use crate::caller::Connection;
use crate::source::TokenRequest;
use crate::{Metadata, query, refuse, select};

const API_VERSIONS: [&str; 2] = ["2019-08-01", "2017-09-01"];

pub(super) fn token<B>(metadata: &Metadata, request: &Request<B>, connection: &Connection) -> Response<Full<Bytes>> {
    let platform = &metadata.platform;
    let mut ctx = platform.begin(Actor::Anonymous);
    ctx.source = Some(connection.peer.ip());
    let attachment = identity_header(request).and_then(|header| metadata.attachments.of_header(header, connection.owner, ctx.now));
    let Some(attachment) = attachment else { return refuse::app_service(metadata, &ctx, refuse::AppService::Header) };
    let asked = match query::parse(request.uri().query().unwrap_or_default(), |version| API_VERSIONS.contains(&version)) {
        Ok(asked) => asked,
        Err(error) => return refuse::app_service(metadata, &ctx, refuse::AppService::Query(error)),
    };
    let snapshot = platform.directory.load();
    let identity = match select::lent(&snapshot, attachment.identity, &asked.selector) {
        Ok(identity) => identity,
        Err(_) => return refuse::app_service(metadata, &ctx, refuse::AppService::NotFound),
    };
    let host = &metadata.config.host;
    let holder = format!("loan {} to {}, {}", attachment.id, attachment.label, connection.user());
    let wanted = TokenRequest { identity: &identity, resource: &asked.resource, host, credential: "identity_header", holder: &holder };
    match metadata.broker.token(platform, &snapshot, &ctx, &wanted, connection.uid()) {
        Ok(token) => refuse::app_service_success(&identity, &asked, &token),
        Err(error) => refuse::app_service(metadata, &ctx, refuse::AppService::Broker(error)),
    }
}

/// The header secret: `X-IDENTITY-HEADER`, or `secret` in the 2017 form; once, and only one of them.
fn identity_header<B>(request: &Request<B>) -> Option<&str> {
    let headers = request.headers();
    let mut values = headers.get_all("x-identity-header").iter().chain(headers.get_all("secret").iter());
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
