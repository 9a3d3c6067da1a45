//! `POST /common/password`: a new password, of a person who must change theirs or accepts an invitation.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use http::Response;
use keyless_model::Secret;
use keyless_web::RequestFacts;

use super::finish::{Posted, finish, message, posted};
use crate::accounts;
use crate::codes;
use crate::refusal::Refusal;
use crate::sign_in::{self, Page, PageKind, SignInError, Then, Ticket};
use crate::state::{Attempt, Authority};

pub(super) async fn password(State(authority): State<Arc<Authority>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let facts = RequestFacts::of(&authority.platform, &parts.headers, &parts.extensions);
    let answer = match posted(&authority, &facts, &parts, body).await {
        Ok(posted) => run(&authority, &facts, posted).await,
        Err(refusal) => Err(refusal),
    };
    answer.unwrap_or_else(|refusal| authority.refuse_page(&facts, Attempt::default(), refusal))
}

async fn run(authority: &Authority, facts: &RequestFacts, posted: Posted) -> Result<Response<Body>, Refusal> {
    let Posted { form, ticket, .. } = posted;
    let field = |name| Secret::new(form.field(name).unwrap_or_default().to_owned());
    let (new, again) = (field("new_password"), field("again"));
    match (ticket.changing, &ticket.then) {
        (Some(changing), then) => match sign_in::change(authority, &facts.ctx, changing, &new, &again).await? {
            Ok(signed_in) => finish(authority, facts, then, signed_in),
            Err(error) => Ok(again_page(authority, facts, &ticket, None, error)),
        },
        (None, Then::Accept(user)) => {
            let invitation = accounts::open(&authority.platform.directory.snapshot(), *user, facts.ctx.now)?;
            if !new.matches(again.expose().as_bytes()) {
                return Ok(again_page(authority, facts, &ticket, Some(&invitation.display_name), SignInError::Different));
            }
            match accounts::accept(authority, &facts.ctx, *user, &new).await? {
                Ok(()) => {
                    let text = format!("You can sign in as {} now, with `az login` for example.", invitation.user_principal_name);
                    Ok(message(authority, facts, "Your account is ready", &text))
                }
                Err(error) => Ok(again_page(authority, facts, &ticket, Some(&invitation.display_name), error)),
            }
        }
        (None, _) => Err(Refusal::new(&codes::MALFORMED_REQUEST).with("The page asks for something else than a new password.")),
    }
}

fn again_page(
    authority: &Authority,
    facts: &RequestFacts,
    ticket: &Ticket,
    invited_as: Option<&str>,
    error: SignInError,
) -> Response<Body> {
    let mut page = Page::new(PageKind::NewPassword { invited_as });
    page.error = Some(error.to_string());
    page.ticket = Some(authority.sign_in.tickets.write(ticket));
    page.answer(facts, &*authority.platform.entropy)
}
