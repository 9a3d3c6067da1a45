//! `POST /common/login`: a person's name and password, from the sign-in page.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use http::Response;
use keyless_model::Secret;
use keyless_web::RequestFacts;

use super::finish::{Posted, asked, cancelled, finish, posted, sign_in_page, ticket};
use crate::refusal::Refusal;
use crate::sign_in::{self, Checked, Page, PageKind, Then};
use crate::state::{Attempt, Authority};

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
    let name = form.field("username").unwrap_or_default().to_owned();
    let given = Secret::new(form.field("password").unwrap_or_default().to_owned());
    if form.has("cancel") {
        // Only a person who could have signed in declines for the device, too.
        if let (Then::Device(user_code), false) = (&held.then, given.expose().is_empty())
            && let Ok(Checked::In(_)) = sign_in::check(authority, facts, &realm, &name, given).await?
        {
            authority.sign_in.devices.answer(user_code, None, facts.ctx.now);
        }
        return Ok(cancelled(authority, facts, &held.then));
    }
    match sign_in::check(authority, facts, &realm, &name, given).await? {
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
