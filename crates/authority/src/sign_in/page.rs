//! The pages a person sees: plain HTML that works with a keyboard, a screen reader and without scripts.
//!
//! Nothing comes from elsewhere, nothing may frame them, and what is put into them is escaped by `maud`, unless `PreEscaped` says it is ours.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Response, StatusCode, header};
use keyless_model::Entropy;
use keyless_web::{NO_STORE, RequestFacts};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::csrf::Browser;
use super::ticket::ResponseMode;
use crate::refusal::stamp;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;margin:0;background:#f3f4f6;color:#111827}\
main{max-width:26rem;margin:10vh auto;padding:2rem;background:#fff;border:1px solid #6b7280;border-radius:.5rem}\
h1{font-size:1.4rem;margin:0 0 1rem}label{display:block;margin:1rem 0 .25rem;font-weight:600}\
input{width:100%;box-sizing:border-box;font:inherit;padding:.5rem;border:1px solid #4b5563;border-radius:.25rem}\
button{font:inherit;margin:1.5rem .75rem 0 0;padding:.5rem 1.25rem;border:2px solid #1d4ed8;border-radius:.25rem;background:#1d4ed8;color:#fff}\
a.button{display:inline-block;padding:.5rem 1.25rem;border:2px solid #1d4ed8;border-radius:.25rem;color:#1d4ed8;text-decoration:none}\
button.second{background:#fff;color:#1d4ed8}:focus-visible{outline:3px solid #f59e0b;outline-offset:2px}\
[role=alert]{border-left:4px solid #b91c1c;padding:.5rem .75rem;background:#fef2f2}\
@media(prefers-color-scheme:dark){body{background:#111827;color:#f9fafb}main{background:#1f2937}input{background:#111827;color:#f9fafb}\
[role=alert]{background:#450a0a}button.second,a.button{background:#1f2937;color:#bfdbfe;border-color:#bfdbfe}}";

/// What a page is for.
#[derive(Debug, Clone)]
pub(crate) enum PageKind<'a> {
    /// Name and password, for a program.
    SignIn {
        app: &'a str,
        /// Where and when a device asked, if one did.
        device: Option<&'a str>,
        name: &'a str,
        /// What the provider is called at which people may sign in instead.
        provider: Option<&'a str>,
    },
    /// A new password for an account that must have one.
    NewPassword {
        invited_as: Option<&'a str>,
    },
    UserCode,
    /// Nothing more to do.
    Message {
        title: &'a str,
        text: &'a str,
    },
    /// Sends the fields to the program by itself; a button does it where scripts are off.
    SendOn {
        /// Whether the person is signed in now.
        title: &'a str,
        action: &'a str,
        fields: &'a [(&'a str, &'a str)],
    },
}

/// A page about to be answered.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) status: StatusCode,
    pub(crate) kind: PageKind<'a>,
    /// What went wrong with the page before.
    pub(crate) error: Option<String>,
    /// The ticket of its form.
    pub(crate) ticket: Option<String>,
    pub(crate) browser: Option<&'a Browser>,
    /// The address of the program that the form's answer is sent on to.
    pub(crate) form_target: Option<&'a str>,
}

impl<'a> Page<'a> {
    pub(crate) const fn new(kind: PageKind<'a>) -> Self {
        Self { status: StatusCode::OK, kind, error: None, ticket: None, browser: None, form_target: None }
    }

    pub(crate) fn answer(&self, facts: &RequestFacts, entropy: &dyn Entropy) -> Response<Body> {
        let mut random = [0; 16];
        entropy.fill(&mut random);
        let nonce = STANDARD.encode(random);
        let mut response = Response::new(Body::from(self.html(&nonce).into_string()));
        *response.status_mut() = self.status;
        stamp(&mut response, facts);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, NO_STORE);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        // Not `no-referrer`: with that a browser would send `Origin: null` with our own forms, and nobody could tell them from others'.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        // Without a policy the page is not answered as one: better an empty window than one that others may script.
        let policy = HeaderValue::try_from(self.policy(&nonce)).unwrap_or(HeaderValue::from_static("default-src 'none'; sandbox"));
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        if let Some(cookie) = self.browser.and_then(Browser::set_cookie) {
            headers.insert(header::SET_COOKIE, cookie);
        }
        response
    }

    fn policy(&self, nonce: &str) -> String {
        let script = if matches!(self.kind, PageKind::SendOn { .. }) { format!(" script-src 'nonce-{nonce}';") } else { String::new() };
        // Browsers apply `form-action` to redirects after a form as well, so the program's address is named where one follows.
        let target = self.form_target.and_then(origin).map(|origin| format!(" {origin}")).unwrap_or_default();
        format!(
            "default-src 'none'; style-src 'nonce-{nonce}';{script} form-action 'self'{target}; frame-ancestors 'none'; base-uri 'none'"
        )
    }

    fn html(&self, nonce: &str) -> Markup {
        let title = self.title();
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width,initial-scale=1";
                    title { (title) " - Keyless" }
                    style nonce=(nonce) { (PreEscaped(STYLE)) }
                }
                body {
                    main {
                        h1 { (title) }
                        @if let Some(error) = &self.error { p role="alert" id="error" { (error) } }
                        (self.content(nonce))
                    }
                }
            }
        }
    }

    fn title(&self) -> String {
        match &self.kind {
            PageKind::SignIn { app, .. } => format!("Sign in to {app}"),
            PageKind::NewPassword { invited_as: None } => "Choose a new password".to_owned(),
            PageKind::NewPassword { invited_as: Some(name) } => format!("Welcome, {name}"),
            PageKind::UserCode => "Enter the code from your device".to_owned(),
            PageKind::Message { title, .. } => (*title).to_owned(),
            PageKind::SendOn { title, .. } => (*title).to_owned(),
        }
    }

    fn content(&self, nonce: &str) -> Markup {
        let (described, invalid) = self.error.as_ref().map(|_| ("error", "true")).unzip();
        let ticket = html! { @if let Some(ticket) = &self.ticket { (hidden("ticket", ticket)) } };
        match &self.kind {
            PageKind::SignIn { app, device, name, provider } => html! {
                @if let Some(origin) = device {
                    p {
                        "A program that calls itself " (app) " asks to sign in on another device: " (origin)
                        ". Go on only if you started it yourself just now."
                    }
                }
                // A link and not a form: browsers hold every redirect that follows a form against `form-action`, and nobody knows
                // over which hosts the provider sends people.
                @if let Some(name) = provider {
                    a.button href={ "/common/provider?ticket=" (query(self.ticket.as_deref().unwrap_or_default())) } { "Sign in with " (name) }
                    p { "or" }
                }
                form method="post" action="/common/login" {
                    (ticket)
                    label for="username" { "User name" }
                    input id="username" name="username" type="email" autocomplete="username" autocapitalize="none" spellcheck="false"
                        required value=(name) aria-describedby=[described] aria-invalid=[invalid];
                    label for="password" { "Password" }
                    input id="password" name="password" type="password" autocomplete="current-password" required
                        aria-describedby=[described] aria-invalid=[invalid];
                    button type="submit" { "Sign in" }
                    button.second type="submit" name="cancel" value="1" formnovalidate { "Cancel" }
                }
            },
            PageKind::NewPassword { .. } => html! {
                form method="post" action="/common/password" {
                    (ticket)
                    label for="new_password" { "New password" }
                    p id="rule" { "12 characters or more." }
                    input id="new_password" name="new_password" type="password" autocomplete="new-password" minlength="12" required
                        autofocus aria-describedby="rule";
                    label for="again" { "The same again" }
                    input id="again" name="again" type="password" autocomplete="new-password" minlength="12" required;
                    button type="submit" { "Save and go on" }
                }
            },
            PageKind::UserCode => html! {
                form method="post" action="/device" {
                    (ticket)
                    label for="user_code" { "Code" }
                    input id="user_code" name="user_code" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="32"
                        required autofocus aria-describedby=[described] aria-invalid=[invalid];
                    button type="submit" { "Next" }
                }
            },
            PageKind::Message { text, .. } => html! { p { (text) } },
            PageKind::SendOn { action, fields, .. } => html! {
                form id="on" method="post" action=(action) {
                    @for (name, value) in *fields { (hidden(name, value)) }
                    p { "Your program goes on." }
                    button type="submit" { "Continue" }
                }
                script nonce=(nonce) { (PreEscaped("document.getElementById('on').submit()")) }
            },
        }
    }
}

/// 303 to the program with these parameters added to its address.
pub(crate) fn redirect_with(
    facts: &RequestFacts,
    redirect_uri: &str,
    mode: ResponseMode,
    fields: &[(&str, &str)],
) -> Option<Response<Body>> {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let separator = match mode {
        ResponseMode::Fragment => '#',
        _ if redirect_uri.contains('?') => '&',
        _ => '?',
    };
    let mut location = HeaderValue::try_from(format!("{redirect_uri}{separator}{query}")).ok()?;
    location.set_sensitive(true);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    stamp(&mut response, facts);
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Some(response)
}

fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

fn query(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// `scheme://host:port`, when it is nothing but plain characters.
fn origin(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let origin = format!("{}://{}", uri.scheme_str()?, uri.authority()?);
    origin.bytes().all(|b| b.is_ascii_alphanumeric() || b":/.-[]".contains(&b)).then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_becomes_markup() {
        let evil = "\" onfocus=\"alert(1)\"><script>alert(1)</script>'";
        for kind in [
            PageKind::SignIn { app: evil, device: Some(evil), name: evil, provider: Some(evil) },
            PageKind::NewPassword { invited_as: Some(evil) },
            PageKind::Message { title: evil, text: evil },
            PageKind::SendOn { title: evil, action: evil, fields: &[("state", evil)] },
        ] {
            let mut page = Page::new(kind);
            page.error = Some(evil.to_owned());
            page.ticket = Some(evil.to_owned());
            let html = page.html("n").into_string();
            assert!(!html.contains("<script>alert") && !html.contains("onfocus=\""), "{html}");
        }
    }

    #[test]
    fn a_policy_cannot_be_widened_by_a_redirect_address() {
        let mut page = Page::new(PageKind::UserCode);
        page.form_target = Some("http://localhost:35625/x");
        assert!(page.policy("n").contains("form-action 'self' http://localhost:35625;"));
        page.form_target = Some("https://a.example; script-src *");
        assert!(page.policy("n").contains("form-action 'self';"));
        assert!(!page.policy("n").contains("script-src"));
    }
}
