//! `GET /invite?ticket=..`: the link of an invitation. The password page behind it makes the account.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use http::Response;
use keyless_web::{Form, RequestFacts};

use super::finish::ticket;
use crate::accounts;
use crate::codes;
use crate::refusal::Refusal;
use crate::sign_in::{Browser, Page, PageKind, Then};
use crate::state::{Attempt, Authority};

pub(super) async fn invite(State(authority): State<Arc<Authority>>, request: Request) -> Response<Body> {
    let facts = RequestFacts::of(&authority.platform, request.headers(), request.extensions());
    let user = Form::parse(request.uri().query().unwrap_or_default().as_bytes()).ok().and_then(|query| {
        match authority.sign_in.tickets.read(query.field("ticket")?, None, facts.ctx.now)?.then {
            Then::Accept(user) => Some(user),
            _ => None,
        }
    });
    let unreadable = || Refusal::new(&codes::MALFORMED_REQUEST).with("The link is no invitation, or it has expired. Ask for a new one.");
    let snapshot = authority.platform.directory.snapshot();
    let open = user.ok_or_else(unreadable).and_then(|user| accounts::open(&snapshot, user, facts.ctx.now));
    let invitation = match open {
        Ok(invitation) => invitation,
        Err(refusal) => return authority.refuse_page(&facts, Attempt::default(), refusal),
    };
    let browser = Browser::known(request.headers(), &*authority.platform.entropy);
    let mut page = Page::new(PageKind::NewPassword { invited_as: Some(&invitation.display_name) });
    page.ticket = Some(authority.sign_in.tickets.write(&ticket(&facts, &browser, Then::Accept(invitation.user))));
    page.browser = Some(&browser);
    page.answer(&facts, &*authority.platform.entropy)
}
