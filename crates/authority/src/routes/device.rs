//! `GET` and `POST /device`: where a person types the code that their device shows (RFC 8628 section 3.3).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use http::Response;
use keyless_token::code::read_user_code;
use keyless_web::RequestFacts;

use super::finish::{Posted, posted, sign_in_page, ticket};
use crate::client::App;
use crate::codes;
use crate::refusal::Refusal;
use crate::sign_in::{Browser, Page, PageKind, Then};
use crate::state::{Attempt, Authority};
use crate::tenant::Realm;

/// The page that asks for the code. It takes none from the URL: whoever sends a link must not be able to fill it in (phishing).
pub(super) async fn get(State(authority): State<Arc<Authority>>, request: Request) -> Response<Body> {
    let facts = RequestFacts::of(&authority.platform, request.headers(), request.extensions());
    let browser = Browser::known(request.headers(), &*authority.platform.entropy);
    code_page(&authority, &facts, &browser, None)
}

pub(super) async fn post(State(authority): State<Arc<Authority>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let facts = RequestFacts::of(&authority.platform, &parts.headers, &parts.extensions);
    let answer = match posted(&authority, &facts, &parts, body).await {
        Ok(posted) => run(&authority, &facts, &posted),
        Err(refusal) => Err(refusal),
    };
    answer.unwrap_or_else(|refusal| authority.refuse_page(&facts, Attempt::default(), refusal))
}

fn run(authority: &Authority, facts: &RequestFacts, posted: &Posted) -> Result<Response<Body>, Refusal> {
    // Every try counts, right or wrong: codes of other people must not be found by trying.
    if let Some(wait) = authority.sign_in.user_codes.failure(facts.place(), facts.ctx.now) {
        return Err(Refusal::new(&codes::TOO_MANY_SIGN_INS).retry_after(wait));
    }
    let waiting = posted.form.field("user_code").and_then(read_user_code).and_then(|user_code| {
        let asked = authority.sign_in.devices.asked(&user_code, facts.ctx.now)?;
        Some((user_code, asked))
    });
    let Some((user_code, asked)) = waiting else {
        let error = "No device waits under this code. Check it, or start the sign-in again on the device.";
        return Ok(code_page(authority, facts, &posted.browser, Some(error.to_owned())));
    };
    let snapshot = authority.platform.directory.snapshot();
    let app = App::find(&snapshot, &Realm::parse(&snapshot, &asked.tenant)?, &asked.client_id.to_string())?;
    Ok(sign_in_page(authority, facts, &posted.browser, &app.name, Then::Device(user_code), "", None))
}

fn code_page(authority: &Authority, facts: &RequestFacts, browser: &Browser, error: Option<String>) -> Response<Body> {
    let mut page = Page::new(PageKind::UserCode);
    page.error = error;
    page.ticket = Some(authority.sign_in.tickets.write(&ticket(facts, browser, Then::AskUserCode)));
    page.browser = Some(browser);
    page.answer(facts, &*authority.platform.entropy)
}
