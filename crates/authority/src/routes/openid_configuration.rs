//! `GET /{tenant}/v2.0/.well-known/openid-configuration` and its v1 sibling (OpenID Connect Discovery 1.0).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use http::{Response, StatusCode};
use keyless_model::TenantId;
use keyless_token::Version;
use keyless_web::{RequestFacts, json};
use keyless_wire::oidc::OpenIdConfiguration;

use crate::refusal::{Refusal, stamp};
use crate::state::{Attempt, Authority};
use crate::tenant::{Realm, SOLE_TENANT};

/// The v2 document.
pub(super) async fn v2(State(authority): State<Arc<Authority>>, Path(tenant): Path<String>, request: Request) -> Response<Body> {
    respond(&authority, &tenant, Version::V2, &request)
}

/// The v1 document: the v1 issuer and token endpoint.
pub(super) async fn v1(State(authority): State<Arc<Authority>>, Path(tenant): Path<String>, request: Request) -> Response<Body> {
    // Under that name clients ask here, and then go on by v2.
    let version = if tenant.eq_ignore_ascii_case(SOLE_TENANT) { Version::V2 } else { Version::V1 };
    respond(&authority, &tenant, version, &request)
}

fn respond(authority: &Authority, tenant: &str, version: Version, request: &Request) -> Response<Body> {
    let facts = RequestFacts::of(&authority.platform, request.headers(), request.extensions());
    match document(authority, tenant, version) {
        Ok(document) => {
            let mut response = json(StatusCode::OK, &document);
            stamp(&mut response, &facts);
            response
        }
        Err(refusal) => authority.refuse(&facts, Attempt::default(), &refusal),
    }
}

fn document(authority: &Authority, segment: &str, version: Version) -> Result<OpenIdConfiguration, Refusal> {
    let snapshot = authority.platform.directory.load();
    let base = &authority.platform.endpoints.authority;
    let (segment, issuer) = match Realm::published(&snapshot, segment)? {
        // Endpoints name the tenant by id, whichever name the client used: `az` stores what it reads here.
        Realm::Tenant(tenant) => (tenant.id.to_string(), version.issuer(base, tenant.id)),
        // As Entra: whose tokens these will be is not known yet, so the issuer is a template.
        Realm::Any => (segment.to_ascii_lowercase(), template(version, base)),
    };
    let keys = authority.platform.keyring.at(&snapshot).map_err(|error| Authority::unavailable(&error))?;
    let published: BTreeSet<&str> = keys.public().jwks().keys.iter().filter_map(|key| key.alg.as_deref()).collect();
    // RS256 always: id tokens are signed with it, and OpenID Connect demands that it is named.
    let algorithms: Vec<&str> = std::iter::once("RS256").chain(published.into_iter().filter(|alg| *alg != "RS256")).collect();
    let mut document = OpenIdConfiguration::of_tenant(base, &segment, issuer, &algorithms);
    if version == Version::V1 {
        document.token_endpoint = format!("{base}/{segment}/oauth2/token");
        document.jwks_uri = format!("{base}/{segment}/discovery/keys");
    }
    Ok(document)
}

fn template(version: Version, base: &str) -> String {
    let nobody = TenantId::from_u128(0);
    version.issuer(base, nobody).replace(&nobody.to_string(), "{tenantid}")
}
