//! `POST /{tenant}/oauth2/v2.0/devicecode`: a program without a browser begins a sign-in (RFC 8628 section 3.1).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use http::{Response, StatusCode};
use keyless_web::{Form, RequestFacts, json};
use keyless_wire::oauth::DeviceCodeResponse;

use super::token::read_form;
use crate::client::App;
use crate::codes;
use crate::refusal::{Refusal, stamp};
use crate::scope::PeopleScope;
use crate::sign_in::{DEVICE_INTERVAL_SECS, DEVICE_LIFETIME_SECS};
use crate::state::{Attempt, Authority};
use crate::tenant::Realm;

pub(super) async fn devicecode(State(authority): State<Arc<Authority>>, Path(tenant): Path<String>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let facts = RequestFacts::of(&authority.platform, &parts.headers, &parts.extensions);
    let attempt = Attempt { grant: "device_code".into(), ..Attempt::default() };
    let begun = match read_form(&parts, body).await {
        Ok(form) => begin(&authority, &facts, &tenant, &form),
        Err(refusal) => Err(refusal),
    };
    match begun {
        Ok(answer) => {
            let mut response = json(StatusCode::OK, &answer);
            stamp(&mut response, &facts);
            response
        }
        Err(refusal) => authority.refuse(&facts, attempt, &refusal),
    }
}

fn begin(authority: &Authority, facts: &RequestFacts, tenant: &str, form: &Form) -> Result<DeviceCodeResponse, Refusal> {
    let required = |name: &'static str| form.field(name).ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with(name));
    let (client_id, scope) = (required("client_id")?, required("scope")?);
    let snapshot = authority.platform.directory.snapshot();
    let realm = Realm::parse(&snapshot, tenant)?;
    let app = App::find(&snapshot, &realm, client_id)?;
    let parsed = PeopleScope::parse(scope)?;
    if let Realm::Tenant(tenant) = &realm {
        let found = authority.issuer.resource(&snapshot, tenant.id, &parsed.resource);
        found.map_err(|error| Refusal::from_issue(error, &tenant.display_name))?;
    }
    let from = (facts.place(), facts.ctx.source);
    let begun = authority.sign_in.devices.begin(app.client_id, scope, tenant, from, &*authority.platform.entropy, facts.ctx.now);
    let (device_code, user_code) = begun.ok_or_else(|| Refusal::new(&codes::TOO_MANY_SIGN_INS).retry_after(60))?;
    let verification_uri = format!("{}/device", authority.platform.endpoints.authority);
    Ok(DeviceCodeResponse {
        message: format!(
            "To sign in, use a web browser to open the page {verification_uri} and enter the code {user_code} to authenticate."
        ),
        user_code,
        device_code: device_code.expose().clone(),
        verification_uri,
        expires_in: DEVICE_LIFETIME_SECS,
        interval: DEVICE_INTERVAL_SECS,
    })
}
