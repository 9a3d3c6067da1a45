//! `POST /common/login`: a person's name and password, from the sign-in page.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use http::Response;
use keyless_model::Secret;
use keyless_web::RequestFacts;

use super::finish::{Posted, finish, message, posted, sign_in_page, tell_program, ticket};
use crate::client::App;
use crate::codes;
use crate::refusal::Refusal;
use crate::sign_in::{self, Checked, Page, PageKind, Then};
use crate::state::{Attempt, Authority};
use crate::tenant::Realm;

pub(super) async fn login(State(authority): State<Arc<Authority>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let facts = RequestFacts::of(&authority.platform, &parts.headers, &parts.extensions);
    let answer = match posted(&authority, &facts, &parts, body).await {
        Ok(posted) => run(&authority, &facts, posted).await,
        Err(refusal) => Err(refusal),
    };
    answer.unwrap_or_else(|refusal| authority.refuse_page(&facts, Attempt::default(), refusal))
}

async fn run(authority: &Authority, facts: &RequestFacts, posted: Posted) -> Result<Response<Body>, Refusal> {
    let Posted { form, ticket: held, browser } = posted;
    let (realm, app) = asked(authority, facts, &held.then)?;
    if form.has("cancel") {
        return Ok(cancelled(authority, facts, &held.then));
    }
    let name = form.field("username").unwrap_or_default().to_owned();
    let given = Secret::new(form.field("password").unwrap_or_default().to_owned());
    match sign_in::check(authority, &facts.ctx, &realm, &name, given).await? {
        Ok(Checked::In(signed_in)) => finish(authority, facts, &held.then, signed_in),
        Ok(Checked::MustChange(changing)) => {
            let mut next = ticket(facts, &browser, held.then);
            next.changing = Some(changing);
            let mut page = Page::new(PageKind::NewPassword { invited_as: None });
            page.ticket = Some(authority.sign_in.tickets.write(&next));
            Ok(page.answer(facts, &*authority.platform.entropy))
        }
        Err(error) => Ok(sign_in_page(authority, facts, &browser, &app.name, held.then, &name, Some(error.to_string()))),
    }
}

/// Who may sign in, and to what.
fn asked(authority: &Authority, facts: &RequestFacts, then: &Then) -> Result<(Realm, App), Refusal> {
    let snapshot = authority.platform.directory.snapshot();
    let (tenant, client_id) = match then {
        Then::Redirect(request) => (request.tenant.clone(), request.client_id),
        Then::Device(user_code) => {
            let asked = authority.sign_in.devices.asked(user_code, facts.ctx.now);
            let asked = asked.ok_or_else(|| Refusal::new(&codes::DEVICE_CODE_EXPIRED))?;
            (asked.tenant, asked.client_id)
        }
        Then::AskUserCode | Then::Accept(_) => {
            return Err(Refusal::new(&codes::MALFORMED_REQUEST).with("The page asks for something else than a password."));
        }
    };
    let realm = Realm::parse(&snapshot, &tenant)?;
    let app = App::find(&snapshot, &realm, &client_id.to_string())?;
    // An application of one tenant is for that tenant's people, under whichever name the client reached it.
    let realm = match app.tenant().and_then(|tenant| snapshot.tenant(tenant)) {
        Some(tenant) => Realm::Tenant(Arc::clone(tenant)),
        None => realm,
    };
    Ok((realm, app))
}

fn cancelled(authority: &Authority, facts: &RequestFacts, then: &Then) -> Response<Body> {
    let refusal = Refusal::new(&codes::SIGN_IN_CANCELLED);
    let told = authority.audited(facts, Attempt::default(), &refusal);
    match then {
        Then::Redirect(request) => {
            tell_program(authority, facts, request, &[("error", told.code().error), ("error_description", &told.description())])
        }
        Then::Device(user_code) => {
            authority.sign_in.devices.answer(user_code, None, facts.ctx.now);
            message(authority, facts, "Cancelled", "The device was not signed in. You may close this window.")
        }
        Then::AskUserCode | Then::Accept(_) => message(authority, facts, "Cancelled", "You may close this window."),
    }
}
