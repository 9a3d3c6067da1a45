//! `GET /{tenant}/oauth2/v2.0/authorize`: a program sends a person here to sign in (RFC 6749 section 4.1.1, PKCE required).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use http::Response;
use keyless_token::pkce::PkceChallenge;
use keyless_web::{Form, RequestFacts};

use super::finish::{sign_in_page, tell_program};
use crate::client::App;
use crate::codes;
use crate::refusal::Refusal;
use crate::scope::PeopleScope;
use crate::sign_in::{AuthorizeRequest, Browser, ResponseMode, Then};
use crate::state::{Attempt, Authority};
use crate::tenant::Realm;

/// Longest value that goes back to the program, in bytes.
const MAX_ECHO: usize = 2048;

/// Whom a refusal is told.
enum Refused {
    /// The person: where the program really is, is not known.
    Person(Refusal),
    /// The program, at the address that was checked.
    Program(Box<AuthorizeRequest>, Refusal),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Person(refusal)
    }
}

pub(super) async fn authorize(State(authority): State<Arc<Authority>>, Path(tenant): Path<String>, request: Request) -> Response<Body> {
    let facts = RequestFacts::of(&authority.platform, request.headers(), request.extensions());
    let attempt = Attempt { grant: "authorization_code".into(), ..Attempt::default() };
    match read(&authority, &tenant, request.uri().query().unwrap_or_default()) {
        Ok((app, checked, hint)) => {
            let browser = Browser::known(request.headers(), &*authority.platform.entropy);
            sign_in_page(&authority, &facts, &browser, &app.name, Then::Redirect(checked), &hint, None)
        }
        Err(Refused::Person(refusal)) => authority.refuse_page(&facts, attempt, refusal),
        Err(Refused::Program(checked, refusal)) => {
            let told = authority.audited(&facts, attempt, &refusal);
            let fields = [("error", told.code().error), ("error_description", &told.description())];
            tell_program(&authority, &facts, &checked, &fields)
        }
    }
}

/// The program, its request, and the name it proposes to sign in with.
fn read(authority: &Authority, tenant: &str, query: &str) -> Result<(App, AuthorizeRequest, String), Refused> {
    let query = Form::parse(query.as_bytes()).map_err(Refusal::from)?;
    let required = |name: &'static str| query.field(name).ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with(name));
    let snapshot = authority.platform.directory.snapshot();
    let realm = Realm::parse(&snapshot, tenant)?;
    let app = App::find(&snapshot, &realm, required("client_id")?)?;
    let redirect_uri = required("redirect_uri")?;
    if redirect_uri.len() > MAX_ECHO || !app.redirects_to(redirect_uri) {
        return Err(Refusal::new(&codes::REDIRECT_MISMATCH).with(redirect_uri).with(&app.name).into());
    }
    for name in ["state", "nonce"] {
        if query.field(name).is_some_and(|value| value.len() > MAX_ECHO) {
            return Err(Refusal::new(&codes::MALFORMED_REQUEST).with(format!("The parameter '{name}' is too long.")).into());
        }
    }
    let mut request = AuthorizeRequest {
        tenant: tenant.to_owned(),
        client_id: app.client_id,
        redirect_uri: redirect_uri.to_owned(),
        mode: ResponseMode::Query,
        scope: String::new(),
        state: query.field("state").map(str::to_owned),
        nonce: query.field("nonce").map(str::to_owned),
        challenge: String::new(),
    };
    match complete(authority, &snapshot, &realm, &query, &mut request) {
        Ok(()) => Ok((app, request, query.field("login_hint").unwrap_or_default().chars().take(200).collect())),
        Err(refusal) => Err(Refused::Program(Box::new(request), refusal)),
    }
}

/// Everything that the program may be told about at its own address.
fn complete(
    authority: &Authority,
    snapshot: &keyless_store::Snapshot,
    realm: &Realm,
    query: &Form,
    request: &mut AuthorizeRequest,
) -> Result<(), Refusal> {
    let malformed = |text: &str| Refusal::new(&codes::MALFORMED_REQUEST).with(text);
    request.mode = match query.field("response_mode") {
        None | Some("query") => ResponseMode::Query,
        Some("fragment") => ResponseMode::Fragment,
        Some("form_post") => ResponseMode::FormPost,
        Some(_) => return Err(malformed("The parameter 'response_mode' must be 'query', 'fragment' or 'form_post'.")),
    };
    let response_type = query.field("response_type").ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with("response_type"))?;
    if response_type != "code" {
        return Err(Refusal::new(&codes::RESPONSE_TYPE).with(response_type));
    }
    if query.has("request") || query.has("request_uri") {
        return Err(malformed("Request objects are not supported: send the parameters themselves."));
    }
    let scope = query.field("scope").ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with("scope"))?;
    let parsed = PeopleScope::parse(scope)?;
    if let Realm::Tenant(tenant) = realm {
        let found = authority.issuer.resource(snapshot, tenant.id, &parsed.resource);
        found.map_err(|error| Refusal::from_issue(error, &tenant.display_name))?;
    }
    scope.clone_into(&mut request.scope);
    let challenge = query.field("code_challenge").unwrap_or_default();
    PkceChallenge::parse(challenge, query.field("code_challenge_method"))
        .map_err(|error| Refusal::new(&codes::PKCE_REQUIRED).with(error))?;
    challenge.clone_into(&mut request.challenge);
    // There are no sessions: without a page nobody can sign in.
    if query.field("prompt") == Some("none") { Err(Refusal::new(&codes::SIGN_IN_REQUIRED)) } else { Ok(()) }
}
