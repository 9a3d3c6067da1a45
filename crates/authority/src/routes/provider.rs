//! `GET /common/provider` and its callback: a person signs in at the provider that the operator named, and comes back.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use http::{HeaderMap, Response};
use keyless_web::{Form, RequestFacts};

use super::finish::{asked, cancelled, finish};
use crate::codes;
use crate::provider::{Provider, ProviderError, Round, Unknown, find};
use crate::refusal::Refusal;
use crate::sign_in::{Browser, ResponseMode, redirect_with};
use crate::state::{Attempt, Authority};

/// The link on the sign-in page: sends the browser to the provider.
pub(super) async fn begin(State(authority): State<Arc<Authority>>, request: Request) -> Response<Body> {
    let facts = RequestFacts::of(&authority.platform, request.headers(), request.extensions());
    let sent = send(&authority, &facts, request.headers(), request.uri().query().unwrap_or_default()).await;
    sent.unwrap_or_else(|refusal| authority.refuse_page(&facts, attempt(), refusal))
}

/// Where the provider sends the browser back.
pub(super) async fn callback(State(authority): State<Arc<Authority>>, request: Request) -> Response<Body> {
    let facts = RequestFacts::of(&authority.platform, request.headers(), request.extensions());
    let gone_on = receive(&authority, &facts, request.headers(), request.uri().query().unwrap_or_default()).await;
    gone_on.unwrap_or_else(|refusal| authority.refuse_page(&facts, attempt(), refusal))
}

async fn send(authority: &Authority, facts: &RequestFacts, headers: &HeaderMap, query: &str) -> Result<Response<Body>, Refusal> {
    let provider = configured(authority)?;
    let query = Form::parse(query.as_bytes())?;
    let browser = Browser::of(headers).ok_or_else(stale)?;
    let held = query.field("ticket").and_then(|text| authority.sign_in.tickets.read(text, Some(&browser.hash()), facts.ctx.now));
    let held = held.ok_or_else(stale)?;
    asked(authority, facts, &held.then)?;
    let platform = &authority.platform;
    let round = Round::new(&browser, &provider.settings.issuer, held.then, facts.ctx.now, &*platform.entropy);
    let (round, state) = round.seal(&platform.sealer, &*platform.entropy);
    let (endpoint, parameters) = provider.begin(&round, &state).await.map_err(|error| refused(provider, &error))?;
    let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    redirect_with(facts, &endpoint, ResponseMode::Query, &parameters)
        .ok_or_else(|| Refusal::new(&codes::PROVIDER_REFUSED).with(&provider.settings.name))
}

async fn receive(authority: &Authority, facts: &RequestFacts, headers: &HeaderMap, query: &str) -> Result<Response<Body>, Refusal> {
    let provider = configured(authority)?;
    let (ctx, platform) = (&facts.ctx, &authority.platform);
    let query = Form::parse(query.as_bytes())?;
    // SECURITY: the state is looked at before anything else: without it this is not an answer to a question of this browser.
    let browser = Browser::of(headers).ok_or_else(stale)?;
    let state = query.field("state").ok_or_else(stale)?;
    let round = Round::open(state, &platform.sealer, &browser, &provider.settings.issuer, ctx.now).ok_or_else(stale)?;
    if let Some(wait) = provider.callbacks.failure(facts.place(), ctx.now) {
        return Err(Refusal::new(&codes::TOO_MANY_SIGN_INS).retry_after(wait));
    }
    provider.check_sender(query.field("iss")).await.map_err(|error| refused(provider, &error))?;
    match query.field("error") {
        Some("access_denied") => return Ok(cancelled(authority, facts, &round.then)),
        Some(error) => {
            let said: String = error.chars().take(60).collect();
            return Err(Refusal::new(&codes::PROVIDER_REFUSED)
                .with(&provider.settings.name)
                .because(format!("the provider said `{said}`")));
        }
        None => {}
    }
    let code = query.field("code").ok_or_else(stale)?;
    let proven = provider.prove(&round, code, ctx.now).await.map_err(|error| refused(provider, &error))?;
    if !provider.finish(&round, ctx.now) {
        return Err(stale());
    }
    let (realm, _) = asked(authority, facts, &round.then)?;
    match find(authority, ctx, &provider.settings, &realm, &proven).await? {
        Ok(signed_in) => finish(authority, facts, &round.then, signed_in),
        Err(unknown) => Ok(authority.refusal_page(facts, &told(provider, &proven.subject, &unknown))),
    }
}

fn attempt() -> Attempt {
    Attempt { grant: "sign_in".into(), credential: "provider".into(), ..Attempt::default() }
}

fn configured(authority: &Authority) -> Result<&Provider, Refusal> {
    let none = "No sign-in provider is configured on this system.";
    authority.provider.as_ref().ok_or_else(|| Refusal::new(&codes::MALFORMED_REQUEST).with(none))
}

fn stale() -> Refusal {
    let text = "The sign-in has expired, was finished already, or was begun in another browser. Start it again from your program.";
    Refusal::new(&codes::MALFORMED_REQUEST).with(text)
}

fn refused(provider: &Provider, error: &ProviderError) -> Refusal {
    let code = if error.is_silence() { &codes::PROVIDER_UNAVAILABLE } else { &codes::PROVIDER_REFUSED };
    Refusal::new(code).with(&provider.settings.name).because(error).retry_after(5)
}

/// What a person is told whom the provider knows and we do not. The subject is their own, and the administrator needs it.
fn told(provider: &Provider, subject: &str, unknown: &Unknown) -> Refusal {
    let refusal = Refusal::new(unknown.code());
    match unknown {
        Unknown::NotLinked(_) | Unknown::LinkedElsewhere(_) => refusal.with(subject).with(&provider.settings.name).with(subject),
        Unknown::Disabled | Unknown::Elsewhere => refusal,
    }
}
