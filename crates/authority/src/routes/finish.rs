//! The steps that the pages share: show the sign-in page, tell a program the outcome, go on after a sign-in.

use std::sync::Arc;

use axum::body::Body;
use http::request::Parts;
use http::{Response, header};
use keyless_token::code::{AuthorizationCode, SignedIn};
use keyless_token::pkce::PkceChallenge;
use keyless_web::{Form, RequestFacts};

use super::token::read_form;
use crate::client::App;
use crate::codes;
use crate::refusal::Refusal;
use crate::sign_in::{AuthorizeRequest, Browser, Page, PageKind, ResponseMode, TICKET_SECS, Then, Ticket, redirect_with};
use crate::state::{Attempt, Authority};
use crate::tenant::Realm;

/// How long a program has to bring its code, in seconds.
const CODE_SECS: i64 = 300;

/// A form that one of our pages sent from this browser.
pub(super) struct Posted {
    pub(super) form: Form,
    pub(super) ticket: Ticket,
    pub(super) browser: Browser,
}

/// Reads a form post with its ticket.
pub(super) async fn posted(authority: &Authority, facts: &RequestFacts, parts: &Parts, body: Body) -> Result<Posted, Refusal> {
    let stale = || {
        let text = "The page has expired or was opened in another browser. Start the sign-in again from your program.";
        Refusal::new(&codes::MALFORMED_REQUEST).with(text)
    };
    // SECURITY: a form of another site must not sign anybody in (login CSRF), whatever cookies the browser sends along.
    let own = |origin: &http::HeaderValue| origin.as_bytes() == authority.platform.endpoints.authority.as_bytes();
    if parts.headers.get(header::ORIGIN).is_some_and(|origin| !own(origin)) {
        return Err(stale());
    }
    let form = read_form(parts, body).await?;
    let browser = Browser::of(&parts.headers).ok_or_else(stale)?;
    let ticket = form.field("ticket").and_then(|text| authority.sign_in.tickets.read(text, Some(&browser.hash()), facts.ctx.now));
    Ok(Posted { ticket: ticket.ok_or_else(stale)?, form, browser })
}

/// A ticket for the next page in this browser.
pub(super) fn ticket(facts: &RequestFacts, browser: &Browser, then: Then) -> Ticket {
    Ticket { browser: Some(browser.hash()), expires: facts.ctx.now.plus_secs(TICKET_SECS), then, changing: None }
}

/// The page on which a person signs in, for this program.
pub(super) fn sign_in_page(
    authority: &Authority,
    facts: &RequestFacts,
    browser: &Browser,
    app: &str,
    then: Then,
    name: &str,
    error: Option<String>,
) -> Response<Body> {
    let device = match &then {
        Then::Device(user_code) => authority.sign_in.devices.asked(user_code, facts.ctx.now).map(|asked| asked.origin(facts.ctx.now)),
        _ => None,
    };
    let target = match &then {
        Then::Redirect(request) => Some(request.redirect_uri.clone()),
        _ => None,
    };
    let provider = authority.provider.as_ref().map(|provider| provider.settings.name.as_str());
    let mut page = Page::new(PageKind::SignIn { app, device: device.as_deref(), name, provider });
    page.error = error;
    page.ticket = Some(authority.sign_in.tickets.write(&ticket(facts, browser, then)));
    page.browser = Some(browser);
    page.form_target = target.as_deref();
    page.answer(facts, &*authority.platform.entropy)
}

/// A plain sentence.
pub(super) fn message(authority: &Authority, facts: &RequestFacts, title: &str, text: &str) -> Response<Body> {
    Page::new(PageKind::Message { title, text }).answer(facts, &*authority.platform.entropy)
}

/// Sends the outcome to the program in the way it asked for.
pub(super) fn tell_program(
    authority: &Authority,
    facts: &RequestFacts,
    request: &AuthorizeRequest,
    fields: &[(&str, &str)],
) -> Response<Body> {
    let mut fields = fields.to_vec();
    if let Some(state) = &request.state {
        fields.push(("state", state));
    }
    match request.mode {
        ResponseMode::Query | ResponseMode::Fragment => {
            redirect_with(facts, &request.redirect_uri, request.mode, &fields).unwrap_or_else(|| {
                authority.refuse_page(facts, Attempt::default(), Refusal::new(&codes::REDIRECT_MISMATCH).with(&request.redirect_uri))
            })
        }
        ResponseMode::FormPost => {
            let failed = fields.iter().any(|(name, _)| *name == "error");
            let title = if failed { "Not signed in" } else { "Signed in" };
            let mut page = Page::new(PageKind::SendOn { title, action: &request.redirect_uri, fields: &fields });
            page.form_target = Some(&request.redirect_uri);
            page.answer(facts, &*authority.platform.entropy)
        }
    }
}

/// Goes on after a sign-in.
pub(super) fn finish(authority: &Authority, facts: &RequestFacts, then: &Then, signed_in: SignedIn) -> Result<Response<Body>, Refusal> {
    match then {
        Then::Redirect(request) => {
            let challenge = PkceChallenge::parse(&request.challenge, Some("S256"));
            let record = AuthorizationCode {
                client_id: request.client_id,
                redirect_uri: request.redirect_uri.clone(),
                scope: request.scope.clone(),
                nonce: request.nonce.clone(),
                challenge: challenge.map_err(|error| Refusal::new(&codes::PKCE_REQUIRED).with(error))?,
                signed_in,
                expires: facts.ctx.now.plus_secs(CODE_SECS),
            };
            let code = authority.sign_in.codes.put(record, &*authority.platform.entropy, facts.ctx.now);
            let code = code.ok_or_else(|| Refusal::new(&codes::TOO_MANY_SIGN_INS))?;
            Ok(tell_program(authority, facts, request, &[("code", code.expose())]))
        }
        Then::Device(user_code) => {
            if !authority.sign_in.devices.answer(user_code, Some(signed_in), facts.ctx.now) {
                return Err(Refusal::new(&codes::DEVICE_CODE_EXPIRED));
            }
            Ok(message(authority, facts, "Signed in", "Your device goes on by itself. You may close this window."))
        }
        Then::AskUserCode | Then::Accept(_) => {
            Ok(message(authority, facts, "Signed in", "There is nothing more to do. You may close this window."))
        }
    }
}

/// Who may sign in, and to what.
pub(super) fn asked(authority: &Authority, facts: &RequestFacts, then: &Then) -> Result<(Realm, App), Refusal> {
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

/// Tells whoever waits that the person does not want to.
pub(super) fn cancelled(authority: &Authority, facts: &RequestFacts, then: &Then) -> Response<Body> {
    let refusal = Refusal::new(&codes::SIGN_IN_CANCELLED);
    let told = authority.audited(facts, Attempt::default(), &refusal);
    match then {
        Then::Redirect(request) => {
            tell_program(authority, facts, request, &[("error", told.code().error), ("error_description", &told.description())])
        }
        // SECURITY: whoever saw the code on a screen could decline for its owner; so it is left to end by itself.
        Then::Device(_) => {
            let text = "Nobody was signed in, and the code ends by itself. You may close this window.";
            message(authority, facts, "Cancelled", text)
        }
        Then::AskUserCode | Then::Accept(_) => message(authority, facts, "Cancelled", "You may close this window."),
    }
}
