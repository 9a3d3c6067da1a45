//! A service that a person called calls another one in that person's name (RFC 7523 assertion grant, Entra's on-behalf-of).

use axum::body::Body;
use http::Response;
use keyless_model::Timestamp;
use keyless_model::entity::Tenant;
use keyless_store::Snapshot;
use keyless_token::code::SignedIn;
use keyless_token::{Expect, LEEWAY_SECS, TokenError, TokenKind, Unverified, Verified, Version, verify};

use super::TokenRequest;
use super::family::NEVER_RENEWED;
use super::people::{Grantee, answer};
use crate::client::{self, Client};
use crate::codes;
use crate::refusal::Refusal;
use crate::scope::PeopleScope;
use crate::state::{Attempt, Authority};
use crate::tenant::Realm;

pub(super) async fn run(authority: &Authority, request: &TokenRequest<'_>, attempt: &mut Attempt) -> Result<Response<Body>, Refusal> {
    let form = request.form;
    let required = |name: &'static str| form.field(name).ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with(name));
    let (assertion, scope) = (required("assertion")?, PeopleScope::parse(required("scope")?)?);
    if form.field("requested_token_use") != Some("on_behalf_of") {
        return Err(Refusal::new(&codes::MALFORMED_REQUEST).with("The parameter 'requested_token_use' must be 'on_behalf_of'."));
    }
    let snapshot = authority.platform.directory.snapshot();
    let tenant = Realm::parse(&snapshot, request.tenant)?.named()?;
    // SECURITY: only a program with a credential: a public one could pass on any token that its user's machine leaks.
    let client = client::authenticate(authority, request, &snapshot, &tenant, attempt).await?;
    let (verified, methods) = judge(authority, &snapshot, &tenant, &client, assertion, request.facts.ctx.now)?;
    // SECURITY: a token for itself would be the next assertion, and so on without end. Entra refuses it by name as well.
    let resource = authority.issuer.resource(&snapshot, tenant.id, &scope.resource);
    let resource = resource.map_err(|error| Refusal::from_issue(error, &tenant.display_name))?;
    if resource.audience == client.registered.client_id.to_string() {
        return Err(Refusal::new(&codes::ON_BEHALF_OF_ITSELF).with(client.registered.client_id));
    }
    let (at, until) = sign_in(&snapshot, &verified, request.facts.ctx.now)?;
    let session = verified.session.map(|id| id.to_string()).unwrap_or_default();
    let signed_in = SignedIn { tenant: verified.tenant, user: verified.object_id, methods, at, session };
    let grantee = Grantee {
        client_id: client.registered.client_id,
        credential: client.credential,
        signed_in: &signed_in,
        scope: &scope,
        nonce: None,
        // The next call brings the person's next token: a service keeps no sign-in of its own.
        refresh_token: None,
        until,
    };
    answer(authority, request, grantee, attempt)
}

/// When the person signed in, and when that ends: with the line of refresh tokens that the sign-in began, or with the token where there
/// are none. SECURITY: services that call each other must not be able to pass a sign-in around for longer than it lasts, so one whose line
/// is gone or over is not acted for.
fn sign_in(snapshot: &Snapshot, verified: &Verified, now: Timestamp) -> Result<(Timestamp, Timestamp), Refusal> {
    let line = verified.session.and_then(|id| snapshot.refresh_family(id)).filter(|line| line.user == verified.object_id);
    let line =
        line.ok_or_else(|| Refusal::new(&codes::REFRESH_EXPIRED).because("the sign-in behind the assertion is not known any more"))?;
    if line.revoked {
        return Err(Refusal::new(&codes::REFRESH_REVOKED).because(format!("refresh family {} is revoked", line.id)));
    }
    if line.expires <= now {
        return Err(Refusal::new(&codes::REFRESH_EXPIRED).because(format!("refresh family {} has expired", line.id)));
    }
    let until = if line.generation == NEVER_RENEWED { verified.expires } else { line.expires };
    Ok((line.signed_in, until))
}

/// The person's token, if it was meant for this very program, and how they proved to be themselves.
fn judge(
    authority: &Authority,
    snapshot: &Snapshot,
    tenant: &Tenant,
    client: &Client,
    assertion: &str,
    now: Timestamp,
) -> Result<(Verified, Vec<String>), Refusal> {
    let base = &authority.platform.endpoints.authority;
    let issuers = [Version::V1.issuer(base, tenant.id), Version::V2.issuer(base, tenant.id)];
    let audiences = client.registered.audiences();
    let keys = authority.platform.keyring.at(snapshot).map_err(|error| Authority::unavailable(&error))?;
    let expect = Expect { issuers: &issuers, tenant: tenant.id, audiences: &audiences, now, leeway_secs: LEEWAY_SECS };
    let refused = |error| match error {
        TokenError::Audience => Refusal::new(&codes::ON_BEHALF_OF_AUDIENCE),
        error => Refusal::new(&codes::ON_BEHALF_OF_REFUSED).with(error),
    };
    let token = Unverified::parse(assertion).map_err(refused)?;
    let verified = verify(keys.public(), &token, &expect).map_err(refused)?;
    if verified.kind != TokenKind::User {
        return Err(Refusal::new(&codes::ON_BEHALF_OF_APP));
    }
    let claims = token.stated_claims().map_err(refused)?;
    let methods = claims.strings("amr").map_err(refused)?.into_iter().map(str::to_owned).collect();
    Ok((verified, methods))
}
