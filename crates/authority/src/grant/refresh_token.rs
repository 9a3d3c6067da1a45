//! A program renews a person's tokens, for the same or another resource (RFC 6749 section 6).

use axum::body::Body;
use http::Response;
use keyless_store::Snapshot;
use keyless_token::code::SignedIn;

use super::people::{Grantee, answer};
use super::{Protocol, TokenRequest, family};
use crate::client;
use crate::codes;
use crate::refusal::Refusal;
use crate::scope::PeopleScope;
use crate::state::{Attempt, Authority};
use crate::tenant::Realm;

pub(super) async fn run(authority: &Authority, request: &TokenRequest<'_>, attempt: &mut Attempt) -> Result<Response<Body>, Refusal> {
    let form = request.form;
    let required = |name: &'static str| form.field(name).ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with(name));
    let presented = required("refresh_token")?;
    let scope = match request.protocol {
        Protocol::V2 => PeopleScope::parse(required("scope")?)?,
        Protocol::V1 => PeopleScope::parse(&format!("{}/.default offline_access openid", required("resource")?))?,
    };
    let snapshot = authority.platform.directory.snapshot();
    let realm = Realm::parse(&snapshot, request.tenant)?;
    let (client_id, credential) = client::authenticate_page_or_app(authority, request, &snapshot, &realm, attempt).await?;
    if attempt.credential == "public" || attempt.credential == "page" {
        attempt.credential = "refresh_token".into();
    }
    let allow = |snapshot: &Snapshot, signed_in: &SignedIn| {
        if !realm.includes(signed_in.tenant) {
            return Err(Refusal::new(&codes::USER_ELSEWHERE).with(request.tenant));
        }
        let found = authority.issuer.resource(snapshot, signed_in.tenant, &scope.resource);
        found.map(|_| ()).map_err(|error| Refusal::from_issue(error, request.tenant))
    };
    let (signed_in, next, until) = family::take(authority, &request.facts.ctx, presented, (client_id, request.origin), allow).await?;
    let grantee = Grantee { client_id, credential, signed_in: &signed_in, scope: &scope, nonce: None, refresh_token: Some(next), until };
    answer(authority, request, grantee, attempt)
}
