//! The answer to a person's program: access token, id token, refresh token, and who signed in.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Response, StatusCode};
use keyless_audit::ActorRecord;
use keyless_model::entity::{Principal, PrincipalKind, SigningAlgorithm, User};
use keyless_model::{Actor, ClientId, OpContext, Secret, Timestamp};
use keyless_store::Snapshot;
use keyless_token::code::SignedIn;
use keyless_token::{AppCredential, IdGrant, TokenHeader, TokenSubject};
use keyless_web::json;
use keyless_wire::oauth::{ClientInfo, TokenResponse};

use super::{Protocol, TokenRequest, refresh_in, v1_answer};
use crate::codes;
use crate::issuer::IssueRequest;
use crate::refusal::{Refusal, stamp};
use crate::requested_claims::capabilities;
use crate::scope::{PeopleScope, USER_IMPERSONATION};
use crate::state::{Attempt, Authority};

/// Bytes of randomness in an id token's `uti`.
const TOKEN_ID_BYTES: usize = 16;

/// A page in a browser keeps its refresh tokens where every script of the page reaches them: they end a day after the sign-in.
pub(super) const IN_BROWSER_SECS: i64 = 86_400;

/// Someone who signed in, and what their program gets.
pub(super) struct Grantee<'a> {
    pub(super) client_id: ClientId,
    pub(super) credential: AppCredential,
    pub(super) signed_in: &'a SignedIn,
    pub(super) scope: &'a PeopleScope,
    /// For the id token, from the sign-in request.
    pub(super) nonce: Option<&'a str>,
    pub(super) refresh_token: Option<Secret<String>>,
    /// When the sign-in ends: no token lasts longer.
    pub(super) until: Timestamp,
}

/// The person behind a sign-in, if it still counts.
pub(super) fn person(snapshot: &Snapshot, signed_in: &SignedIn) -> Result<(Principal, User), Refusal> {
    let gone = || Refusal::new(&codes::PRINCIPAL_GONE);
    let principal = snapshot.principal(signed_in.user).filter(|found| found.tenant == signed_in.tenant).ok_or_else(gone)?;
    let user = snapshot.user(signed_in.user).filter(|_| principal.kind == PrincipalKind::User).ok_or_else(gone)?;
    if !principal.enabled {
        return Err(Refusal::new(&codes::USER_DISABLED).because(format!("user {} is disabled", principal.id)));
    }
    let password_changed = user.password.as_ref().map(|password| password.changed);
    let revoked = [principal.tokens_valid_from, password_changed].into_iter().flatten().any(|moment| signed_in.at < moment);
    if revoked {
        return Err(Refusal::new(&codes::REFRESH_REVOKED).because(format!("the sign-in of user {} was revoked", principal.id)));
    }
    Ok((Principal::clone(principal), User::clone(user)))
}

/// The context of an operation in which this person acts.
pub(super) fn acting(request: &TokenRequest<'_>, signed_in: &SignedIn, client_id: ClientId) -> OpContext {
    let mut ctx = request.facts.ctx.clone();
    ctx.actor = Actor::Principal { id: signed_in.user, tenant: signed_in.tenant, client_id: Some(client_id) };
    ctx
}

/// Issues everything and answers.
pub(super) fn answer(
    authority: &Authority,
    request: &TokenRequest<'_>,
    grantee: Grantee<'_>,
    attempt: &mut Attempt,
) -> Result<Response<Body>, Refusal> {
    let Grantee { client_id, credential, signed_in, scope, nonce, refresh_token, until } = grantee;
    attempt.actor = Some(ActorRecord::Principal { object_id: signed_in.user, tenant: signed_in.tenant, client_id: Some(client_id) });
    attempt.audience = Some(scope.resource.chars().take(200).collect());
    let capabilities = capabilities(request.form.field("claims"))?;
    let snapshot = authority.platform.directory.snapshot();
    let (principal, user) = person(&snapshot, signed_in)?;
    let ctx = acting(request, signed_in, client_id);

    // First, because issuing the access token writes the audit event of the whole answer.
    let id_token = if scope.openid {
        let token_id = authority.platform.entropy.text(TOKEN_ID_BYTES);
        let grant = IdGrant {
            issuer_base: &authority.platform.endpoints.authority,
            tenant: signed_in.tenant,
            client_id,
            object_id: signed_in.user,
            upn: &user.user_principal_name,
            name: &principal.display_name,
            nonce,
            session: Some(&signed_in.session),
            issued: ctx.now,
            lifetime_secs: authority.config.id_token_secs,
            token_id: &token_id,
        };
        let keys = authority.platform.keyring.at(&snapshot).map_err(|error| Authority::unavailable(&error))?;
        let signer = keys.signer(SigningAlgorithm::RS256).ok_or_else(|| Refusal::new(&codes::UNAVAILABLE).retry_after(5))?;
        Some(signer.sign(&grant.claims(), TokenHeader::V2).map_err(|error| Authority::unavailable(&error))?)
    } else {
        None
    };

    let usual = authority.lifetime(&authority.config.user_token_secs);
    let left = until.millis_since(ctx.now) / 1000;
    if left <= 0 {
        return Err(Refusal::new(&codes::REFRESH_EXPIRED).because(format!("the sign-in of user {} has ended", principal.id)));
    }
    let issue = IssueRequest {
        tenant: signed_in.tenant,
        audience: scope.resource.clone(),
        subject: TokenSubject::User {
            object_id: signed_in.user,
            client_id,
            credential,
            upn: user.user_principal_name,
            name: principal.display_name,
            methods: signed_in.methods.clone(),
            scopes: vec![USER_IMPERSONATION.to_owned()],
        },
        lifetime_secs: usual.min(left),
        grant: attempt.grant.clone(),
        credential: attempt.credential.clone(),
        proof: attempt.proof.clone(),
        capabilities,
        session: Some(signed_in.session.clone()),
    };
    let tenant = snapshot.tenant(signed_in.tenant).map(|tenant| tenant.display_name.clone()).unwrap_or_default();
    let issued = authority.issuer.issue_at(&snapshot, &ctx, issue).map_err(|error| Refusal::from_issue(error, &tenant))?;

    let expires_in = issued.expires.millis_since(request.facts.ctx.now) / 1000;
    let mut body = TokenResponse::bearer(issued.token.expose().clone(), expires_in);
    body.refresh_in = refresh_in(expires_in);
    body.scope = Some(scope.granted());
    if request.origin.is_some() && refresh_token.is_some() {
        let ends = signed_in.at.plus_secs(IN_BROWSER_SECS);
        body.refresh_token_expires_in = Some(ends.millis_since(request.facts.ctx.now) / 1000);
    }
    body.refresh_token = refresh_token.map(|token| token.expose().clone());
    body.id_token = id_token.map(|token| token.expose().clone());
    if request.form.field("client_info") == Some("1") {
        body.client_info = Some(client_info(signed_in)?);
    }
    let mut response = match request.protocol {
        Protocol::V2 => json(StatusCode::OK, &body),
        Protocol::V1 => json(StatusCode::OK, &v1_answer(body, &issued, &scope.resource)),
    };
    stamp(&mut response, request.facts);
    Ok(response)
}

fn client_info(signed_in: &SignedIn) -> Result<String, Refusal> {
    let info = ClientInfo { uid: signed_in.user.to_string(), utid: signed_in.tenant.to_string() };
    let bytes = serde_json::to_vec(&info).map_err(|error| Authority::unavailable(&error))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
