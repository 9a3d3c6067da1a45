//! A refusal on its way out: Entra's envelope for the client, a private sentence for the audit. Neither ever holds a credential.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use keyless_web::{RequestFacts, json};
use keyless_wire::oauth::OAuthError;

use crate::codes::{self, Code};

/// Why a request is not answered with a token.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    code: &'static Code,
    arguments: Vec<String>,
    /// For the audit log: what the client is not told.
    private: Option<String>,
    retry_after_secs: Option<u32>,
}

impl Refusal {
    pub(crate) const fn new(code: &'static Code) -> Self {
        Self { code, arguments: Vec::new(), private: None, retry_after_secs: None }
    }

    /// What belongs to a page in a browser was brought by a program, or the other way round.
    pub(crate) fn wrong_place(origin: Option<&str>) -> Self {
        match origin {
            Some(origin) => Self::new(&codes::CROSS_ORIGIN).with(origin.chars().take(200).collect::<String>()),
            None => Self::new(&codes::PAGE_ONLY),
        }
    }

    /// The next argument of the code's text.
    #[must_use]
    pub(crate) fn with(mut self, argument: impl ToString) -> Self {
        self.arguments.push(argument.to_string());
        self
    }

    /// What the audit says beside the code.
    #[must_use]
    pub(crate) fn because(mut self, private: impl ToString) -> Self {
        self.private = Some(private.to_string());
        self
    }

    #[must_use]
    pub(crate) const fn retry_after(mut self, secs: u32) -> Self {
        self.retry_after_secs = Some(secs);
        self
    }

    pub(crate) const fn code(&self) -> &'static Code {
        self.code
    }

    /// The sentence for the client.
    pub(crate) fn text(&self) -> String {
        self.code.text(&self.arguments)
    }

    /// The sentence with its number, as clients show it to people.
    pub(crate) fn description(&self) -> String {
        format!("AADSTS{}: {}", self.code.number, self.text())
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::BAD_REQUEST)
    }

    /// The sentence for the audit log.
    pub(crate) fn reason(&self) -> String {
        match &self.private {
            Some(private) => format!("AADSTS{}: {private}", self.code.number),
            None => self.description(),
        }
    }

    /// The answer in Entra's envelope.
    pub(crate) fn answer(&self, facts: &RequestFacts, authority: &str) -> Response<Body> {
        let trace = facts.ctx.request_id.to_string();
        let correlation = facts.correlation.as_deref().unwrap_or(&trace);
        let body = OAuthError::aadsts(self.code.error, self.code.number, &self.text(), &entra_time(facts), &trace, correlation, authority);
        let mut response = json(self.status(), &body);
        stamp(&mut response, facts);
        if let Some(secs) = self.retry_after_secs {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}

/// `x-ms-request-id` and the client's own correlation id, on every answer.
pub(crate) fn stamp(response: &mut Response<Body>, facts: &RequestFacts) {
    let headers = response.headers_mut();
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    for (name, value) in [("x-ms-request-id", Some(facts.ctx.request_id.to_string())), ("client-request-id", facts.correlation.clone())] {
        if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
            headers.insert(name, value);
        }
    }
}

/// `2026-01-01 00:00:00Z`.
fn entra_time(facts: &RequestFacts) -> String {
    let text = facts.ctx.now.rfc3339();
    format!("{} {}Z", text.get(..10).unwrap_or_default(), text.get(11..19).unwrap_or_default())
}

impl From<keyless_web::FormError> for Refusal {
    fn from(error: keyless_web::FormError) -> Self {
        use keyless_web::FormError;
        let code = match error {
            FormError::TooLarge | FormError::TooMany => &codes::REQUEST_TOO_LARGE,
            FormError::Duplicate(_) | FormError::ControlCharacter(_) => &codes::MALFORMED_REQUEST,
        };
        Self::new(code).with(error)
    }
}
