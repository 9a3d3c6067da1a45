//! A person signed in with a browser; their program brings the code (RFC 6749 section 4.1.3, RFC 7636).

use axum::body::Body;
use http::Response;

use super::TokenRequest;
use super::family::{self, Stay};
use super::people::{Grantee, acting, answer};
use crate::client::{self, App};
use crate::codes;
use crate::refusal::Refusal;
use crate::scope::PeopleScope;
use crate::sign_in::Taken;
use crate::state::{Attempt, Authority};
use crate::tenant::Realm;

pub(super) async fn run(authority: &Authority, request: &TokenRequest<'_>, attempt: &mut Attempt) -> Result<Response<Body>, Refusal> {
    let form = request.form;
    let required = |name: &'static str| form.field(name).ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with(name));
    let (code, redirect_uri, verifier) = (required("code")?, required("redirect_uri")?, required("code_verifier")?);
    let snapshot = authority.platform.directory.snapshot();
    let realm = Realm::parse(&snapshot, request.tenant)?;
    let (client_id, credential) = client::authenticate_page_or_app(authority, request, &snapshot, &realm, attempt).await?;

    let now = request.facts.ctx.now;
    // SECURITY: taken before it is judged: a code that somebody tries in vain is gone, too.
    let record = match authority.sign_in.codes.take(code, now) {
        Taken::First(record) => record,
        Taken::Again(record) => {
            family::end(authority, &request.facts.ctx, &record).await?;
            let why = format!("the code was used before; what began with it ends: {}", record.signed_in.session);
            return Err(Refusal::new(&codes::CODE_UNKNOWN).because(why));
        }
        Taken::Unknown => return Err(Refusal::new(&codes::CODE_UNKNOWN)),
    };
    let (scope, nonce) = (record.scope.clone(), record.nonce.clone());
    let signed_in =
        record.redeem(client_id, redirect_uri, verifier, now).map_err(|error| Refusal::new(&codes::CODE_UNKNOWN).with(error))?;
    // SECURITY: after the sign-in vouched for the address, so that naming another one makes nobody a page.
    if App::find(&snapshot, &realm, &client_id.to_string())?.is_page(redirect_uri) != request.origin.is_some() {
        return Err(Refusal::wrong_place(request.origin));
    }
    if !realm.includes(signed_in.tenant) {
        return Err(Refusal::new(&codes::CODE_UNKNOWN).with("it was issued in another tenant"));
    }
    // The program may ask for less or other than at sign-in, of one resource; the person's roles decide what it can do there.
    let asked_at_sign_in = PeopleScope::parse(&scope)?;
    let mut scope = PeopleScope::parse(form.field("scope").unwrap_or(&scope))?;
    // Staying signed in is what the sign-in itself must have asked for.
    scope.offline &= asked_at_sign_in.offline;
    authority.issuer.resource(&snapshot, signed_in.tenant, &scope.resource).map_err(|error| Refusal::from_issue(error, request.tenant))?;
    let ctx = acting(request, &signed_in, client_id);
    let (refresh_token, until) = family::begin(authority, &ctx, &signed_in, client_id, Stay::of(&scope, request.origin)).await?;
    let grantee = Grantee { client_id, credential, signed_in: &signed_in, scope: &scope, nonce: nonce.as_deref(), refresh_token, until };
    answer(authority, request, grantee, attempt)
}
