//! A known path, called with a method it does not have.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use http::Response;
use keyless_web::RequestFacts;

use crate::codes;
use crate::refusal::Refusal;
use crate::state::{Attempt, Authority};

/// 405 in the envelope (case 78). axum adds `Allow`.
pub(super) async fn not_allowed(State(authority): State<Arc<Authority>>, request: Request) -> Response<Body> {
    let facts = RequestFacts::of(&authority.platform, request.headers(), request.extensions());
    let refusal = Refusal::new(&codes::METHOD_NOT_ALLOWED).with(accepted(request.uri().path())).with(request.method());
    authority.refuse(&facts, Attempt::default(), &refusal)
}

/// What a known path takes: documents and pages are read, all else is a form.
fn accepted(path: &str) -> &'static str {
    let last = path.rsplit('/').next().unwrap_or_default();
    match last {
        "token" | "devicecode" | "login" | "password" => "POST",
        "device" => "GET and POST",
        _ => "GET",
    }
}
