//! `GET /{tenant}/oauth2/v2.0/logout`. A browser holds no session here, so there is nothing to end but the program's own tokens.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use http::Response;
use keyless_web::RequestFacts;

use super::finish::message;
use crate::state::Authority;

/// A page, never a redirect: an address in the query would send people wherever a link says.
pub(super) async fn logout(State(authority): State<Arc<Authority>>, request: Request) -> Response<Body> {
    let facts = RequestFacts::of(&authority.platform, request.headers(), request.extensions());
    message(&authority, &facts, "Signed out", "This browser keeps no sign-in. You may close this window.")
}
