//! A program asks for itself (RFC 6749 section 4.4).

use axum::body::Body;
use http::Response;

use super::{Protocol, TokenRequest, app_answer};
use crate::client;
use crate::codes;
use crate::issuer::IssueRequest;
use crate::refusal::Refusal;
use crate::requested_claims::capabilities;
use crate::scope::default_scope_resource;
use crate::state::{Attempt, Authority};
use crate::tenant::Realm;

pub(super) async fn run(authority: &Authority, request: &TokenRequest<'_>, attempt: &mut Attempt) -> Result<Response<Body>, Refusal> {
    let form = request.form;
    let snapshot = authority.platform.directory.snapshot();
    let tenant = Realm::parse(&snapshot, request.tenant)?.named()?;
    let required = |name: &'static str| form.field(name).ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with(name));
    let resource = match request.protocol {
        Protocol::V2 => default_scope_resource(required("scope")?)?,
        Protocol::V1 => required("resource")?,
    };
    attempt.audience = Some(resource.chars().take(200).collect());
    let capabilities = capabilities(form.field("claims"))?;

    let client = client::authenticate(authority, request, &snapshot, &tenant, attempt).await?;

    let lifetime_secs = authority.lifetime(&authority.config.app_token_secs);
    let mut ctx = request.facts.ctx.clone();
    ctx.actor = keyless_model::Actor::Principal {
        id: client.registered.principal.id,
        tenant: tenant.id,
        client_id: Some(client.registered.client_id),
    };
    let issue = IssueRequest {
        tenant: tenant.id,
        audience: resource.to_owned(),
        subject: client.subject(),
        lifetime_secs,
        grant: attempt.grant.clone(),
        credential: attempt.credential.clone(),
        proof: attempt.proof.clone(),
        capabilities,
        session: None,
    };
    let issued = authority.issuer.issue_at(&snapshot, &ctx, issue).map_err(|error| Refusal::from_issue(error, &tenant.display_name))?;
    Ok(app_answer(request, &issued, resource))
}
