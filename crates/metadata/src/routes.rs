//! The paths of the metadata endpoint. Each route checks who asks, chooses the identity, gives the token or says why not.

mod app_service;
mod imds;
mod instance;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

use crate::caller::Connection;
use crate::{Metadata, guard, refuse};

pub(crate) fn dispatch<B>(metadata: &Metadata, request: &Request<B>, connection: &Connection) -> Response<Full<Bytes>> {
    if let Err(refusal) = guard::check(request, connection, &metadata.config.allowed_hosts) {
        return refuse::guard(refusal);
    }
    // SECURITY: exact text only. `//`, `%2e` and `;` variants are different paths, and there is nothing there (case 99).
    match request.uri().path() {
        "/metadata/identity/oauth2/token" => imds::token(metadata, request, connection),
        "/metadata/instance" => instance::document(metadata, request, connection),
        "/msi/token" => app_service::token(metadata, request, connection),
        _ => refuse::not_found(),
    }
}
