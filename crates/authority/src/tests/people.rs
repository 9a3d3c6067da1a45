//! People sign in: in a browser, on another device, and stay signed in.

mod accounts;
mod browser;
mod device;
mod invitations;
mod lockout;
mod on_behalf_of;
mod pages;
mod provider;
mod refresh;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, StatusCode};
use keyless_model::entity::{Principal, User};
use keyless_model::{Actor, ObjectId, Secret};
use keyless_testkit::TENANT;
use serde_json::json;

use super::harness::{Answer, Harness, form};
use crate::{AccountError, NewInvitation, NewUser, add_user, invite, revoke_sessions};

const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
const ARM_SCOPE: &str = "https://localhost:8443//.default offline_access openid profile";
pub(super) const NAME: &str = "ada@keyless.test";
const PASSWORD: &str = "correct horse battery staple";
const REDIRECT: &str = "http://localhost:35625";
// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A browser: remembers its cookie and the form of the last page.
#[derive(Default)]
struct Browser {
    cookie: Option<String>,
    ticket: String,
}

impl Browser {
    async fn open(&mut self, harness: &Harness, path: &str) -> Answer {
        let mut request = Request::get(path);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let answer = harness.send(request.body(axum::body::Body::empty()).unwrap()).await;
        self.remember(&answer);
        answer
    }

    async fn submit(&mut self, harness: &Harness, path: &str, fields: &[(&str, &str)]) -> Answer {
        for (name, value) in fields {
            if name.contains("password") || *name == "again" {
                harness.keep_secret(*value);
            }
        }
        let answer = harness.send(self.request(path, fields)).await;
        self.remember(&answer);
        answer
    }

    /// The form of the last page, filled in.
    fn request(&self, path: &str, fields: &[(&str, &str)]) -> Request<axum::body::Body> {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("ticket", &self.ticket).extend_pairs(fields).finish();
        let mut request = form(path).header("origin", "https://localhost:8443");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        request.body(body.into()).unwrap()
    }

    fn remember(&mut self, answer: &Answer) {
        if let Some(cookie) = answer.headers.get("set-cookie") {
            self.cookie = Some(cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
        }
        if let Some(ticket) = answer.hidden("ticket") {
            self.ticket = ticket;
        }
    }

    async fn sign_in(&mut self, harness: &Harness, name: &str, password: &str) -> Answer {
        self.submit(harness, "/common/login", &[("username", name), ("password", password)]).await
    }
}

impl Answer {
    /// The value of a hidden input.
    fn hidden(&self, name: &str) -> Option<String> {
        let rest = self.text.split(&format!("name=\"{name}\" value=\"")).nth(1)?;
        Some(rest.split('"').next()?.to_owned())
    }
}

pub(super) async fn person(harness: &Harness, must_change: bool) -> ObjectId {
    let new = NewUser {
        tenant: TENANT,
        user_principal_name: NAME.into(),
        display_name: "Ada Lovelace".into(),
        password: Some(Secret::new(PASSWORD.to_owned())),
        must_change,
    };
    harness.keep_secret(PASSWORD);
    let platform = &harness.fixture.platform;
    add_user(platform, &platform.begin(Actor::System("test")), &keyless_testkit::system().permit("test"), new).await.unwrap()
}

fn authorize(changes: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("client_id", AZURE_CLI),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", ARM_SCOPE),
        ("state", "st&te"),
        ("response_mode", "form_post"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("nonce", "n-0S6_WzA2Mj"),
        ("client_info", "1"),
        ("prompt", "select_account"),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    fields.retain(|(_, value)| *value != "<absent>");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("/organizations/oauth2/v2.0/authorize?{query}")
}

async fn code(harness: &Harness) -> String {
    let mut browser = Browser::default();
    browser.open(harness, &authorize(&[])).await;
    let code = browser.sign_in(harness, NAME, PASSWORD).await.hidden("code").unwrap();
    harness.keep_secret(code.clone());
    code
}

async fn redeem(harness: &Harness, code: &str, changes: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("client_id", AZURE_CLI),
        ("grant_type", "authorization_code"),
        ("client_info", "1"),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", REDIRECT),
        ("scope", ARM_SCOPE),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    harness.post("/organizations/oauth2/v2.0/token", &fields).await
}

async fn refresh(harness: &Harness, tenant: &str, token: &str, scope: &str) -> Answer {
    let fields =
        [("client_id", AZURE_CLI), ("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope), ("client_info", "1")];
    harness.post(&format!("/{tenant}/oauth2/v2.0/token"), &fields).await
}

fn refresh_token(harness: &Harness, answer: &Answer) -> String {
    let token = answer.body["refresh_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned();
    harness.keep_secret(token.clone());
    token
}
