//! A person signs in on another device; the program polls (RFC 8628 section 3.4).

use axum::body::Body;
use http::Response;
use keyless_token::code::DevicePoll;

use super::TokenRequest;
use super::family::{self, Stay};
use super::people::{Grantee, acting, answer};
use crate::client;
use crate::codes;
use crate::refusal::Refusal;
use crate::scope::PeopleScope;
use crate::state::{Attempt, Authority};
use crate::tenant::Realm;

pub(super) async fn run(authority: &Authority, request: &TokenRequest<'_>, attempt: &mut Attempt) -> Result<Response<Body>, Refusal> {
    let form = request.form;
    // MSAL for Python sends the same code under both names.
    let code =
        form.field("device_code").or(form.field("code")).ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with("device_code"))?;
    let snapshot = authority.platform.directory.snapshot();
    let realm = Realm::parse(&snapshot, request.tenant)?;
    let (client_id, credential) = client::authenticate_app(authority, request, &snapshot, &realm, attempt).await?;

    let (poll, scope) = authority.sign_in.devices.poll(code, client_id, request.facts.ctx.now);
    let refusal = match poll {
        DevicePoll::Approved(signed_in) => {
            let scope = PeopleScope::parse(&scope)?;
            let ctx = acting(request, &signed_in, client_id);
            let (refresh_token, until) = family::begin(authority, &ctx, &signed_in, client_id, Stay::of(&scope, None)).await?;
            let grantee = Grantee { client_id, credential, signed_in: &signed_in, scope: &scope, nonce: None, refresh_token, until };
            return answer(authority, request, grantee, attempt);
        }
        DevicePoll::AuthorizationPending => &codes::AUTHORIZATION_PENDING,
        DevicePoll::SlowDown => &codes::SLOW_DOWN,
        DevicePoll::AuthorizationDeclined => &codes::AUTHORIZATION_DECLINED,
        DevicePoll::ExpiredToken => &codes::DEVICE_CODE_EXPIRED,
        DevicePoll::BadVerificationCode => &codes::DEVICE_CODE_UNKNOWN,
    };
    Err(Refusal::new(refusal))
}
