//! `GET /common/discovery/instance`: MSAL asks whether a host is a real authority before it sends credentials there.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use http::{Response, StatusCode, Uri};
use keyless_web::{Form, RequestFacts, json};
use keyless_wire::oidc::InstanceDiscovery;

use crate::codes;
use crate::refusal::{Refusal, stamp};
use crate::state::{Attempt, Authority};

pub(super) async fn instance(State(authority): State<Arc<Authority>>, request: Request) -> Response<Body> {
    let facts = RequestFacts::of(&authority.platform, request.headers(), request.extensions());
    match discover(&authority, request.uri().query().unwrap_or_default()) {
        Ok(document) => {
            let mut response = json(StatusCode::OK, &document);
            stamp(&mut response, &facts);
            response
        }
        Err(refusal) => authority.refuse(&facts, Attempt::default(), &refusal),
    }
}

/// Vouches for our own host and for no other: whoever asks us about another host would trust our answer with its credentials.
fn discover(authority: &Authority, query: &str) -> Result<InstanceDiscovery, Refusal> {
    let query = Form::parse(query.as_bytes())?;
    let missing = |name: &'static str| Refusal::new(&codes::PARAMETER_MISSING).with(name);
    let api_version = match query.field("api-version").ok_or_else(|| missing("api-version"))? {
        "1.0" => "1.0",
        "1.1" => "1.1",
        _ => return Err(Refusal::new(&codes::MALFORMED_REQUEST).with("The api-version must be 1.0 or 1.1.")),
    };
    let endpoint = query.field("authorization_endpoint").ok_or_else(|| missing("authorization_endpoint"))?;
    let base = &authority.platform.endpoints.authority;
    let own = base.parse::<Uri>().ok().and_then(|uri| uri.authority().cloned());
    let asked = endpoint.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("https"));
    let (Some(own), Some(asked)) = (own, asked) else {
        return Err(Refusal::new(&codes::UNKNOWN_INSTANCE));
    };
    if !asked.authority().is_some_and(|found| found.as_str().eq_ignore_ascii_case(own.as_str())) {
        return Err(Refusal::new(&codes::UNKNOWN_INSTANCE));
    }
    let tenant = asked.path().split('/').find(|segment| !segment.is_empty()).unwrap_or("common");
    Ok(InstanceDiscovery::single(own.as_str(), format!("{base}/{tenant}/v2.0/.well-known/openid-configuration"), api_version))
}
