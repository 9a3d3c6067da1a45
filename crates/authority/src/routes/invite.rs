//! `GET /invite?ticket=..`: the link of an invitation. The password page behind it makes the account.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use http::Response;
use keyless_web::{Form, RequestFacts};

use super::finish::ticket;
use crate::accounts::{InvitedAs, has_administrator};
use crate::codes;
use crate::refusal::Refusal;
use crate::sign_in::{Browser, Page, PageKind, Then};
use crate::state::{Attempt, Authority};

pub(super) async fn invite(State(authority): State<Arc<Authority>>, request: Request) -> Response<Body> {
    let facts = RequestFacts::of(&authority.platform, request.headers(), request.extensions());
    let invitation = Form::parse(request.uri().query().unwrap_or_default().as_bytes()).ok().and_then(|query| {
        let held = authority.sign_in.tickets.read(query.field("ticket")?, None, facts.ctx.now)?;
        match held.then {
            Then::Accept(invitation) => Some(invitation),
            _ => None,
        }
    });
    // Accepted already: the account exists, and the link is spent.
    let snapshot = authority.platform.directory.snapshot();
    let open = invitation.filter(|invitation| {
        let late = invitation.rights == InvitedAs::FirstAdministrator && has_administrator(&snapshot);
        !late && snapshot.user(invitation.user).is_none()
    });
    let Some(invitation) = open else {
        let text = "The invitation has expired or was accepted already. Ask for a new one.";
        return authority.refuse_page(&facts, Attempt::default(), Refusal::new(&codes::MALFORMED_REQUEST).with(text));
    };
    let browser = Browser::known(request.headers(), &*authority.platform.entropy);
    let mut page = Page::new(PageKind::NewPassword { invited_as: Some(&invitation.display_name) });
    page.ticket = Some(authority.sign_in.tickets.write(&ticket(&facts, &browser, Then::Accept(invitation.clone()))));
    page.browser = Some(&browser);
    page.answer(&facts, &*authority.platform.entropy)
}
