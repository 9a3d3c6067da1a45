//! One question to a model, asked as a program would ask it, for `demo` and `drill`.

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use keyless_model::Secret;
use serde_json::{Value, json};

use super::exchange::{Reply, TransportError};
use super::web::Web;

/// A dated API version that every account accepts.
pub(crate) const API_VERSION: &str = "2024-10-21";

/// What the caller shows.
#[derive(Debug)]
pub(crate) enum Credential<'a> {
    Token(&'a Secret<String>),
    Key(&'a Secret<String>),
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Chat {
    pub(crate) status: StatusCode,
    /// The model's words, or the refusal's code and message.
    pub(crate) words: String,
    /// Whether the gateway said no, in its own words: a call that merely broke is no refusal.
    pub(crate) refused: bool,
    /// The id under which the call is in the audit.
    pub(crate) request_id: Option<String>,
}

impl Chat {
    /// Asks `question` of the deployment. Few tokens: what counts here is whether there is an answer.
    ///
    /// # Errors
    /// When no answer comes; a refusal is an answer.
    pub(crate) async fn ask(
        web: &Web,
        endpoint: &str,
        deployment: &str,
        credential: &Credential<'_>,
        question: &str,
    ) -> Result<Self, TransportError> {
        let url = format!("{}/openai/deployments/{deployment}/chat/completions?api-version={API_VERSION}", endpoint.trim_end_matches('/'));
        let (name, value) = match credential {
            Credential::Token(token) => (header::AUTHORIZATION, format!("Bearer {}", token.expose())),
            Credential::Key(key) => (HeaderName::from_static("api-key"), key.expose().clone()),
        };
        let mut value = HeaderValue::from_str(&value).map_err(|_| TransportError::Address("the credential".to_owned()))?;
        value.set_sensitive(true);
        let headers = [(name, value), (header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let body = json!({ "messages": [{ "role": "user", "content": question }], "max_tokens": 24, "temperature": 0 });
        let reply = web.send(Method::POST, &url, &headers, body.to_string()).await?;
        Ok(Self::read(&reply))
    }

    fn read(reply: &Reply) -> Self {
        let body: Value = reply.json().unwrap_or(Value::Null);
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
        let words = match (text("/choices/0/message/content"), text("/error/code"), text("/error/message").or(text("/message"))) {
            (Some(answer), _, _) => answer.trim().to_owned(),
            // Some refusals have no name but their status.
            (None, Some(code), Some(message)) if code != reply.status.as_str() => format!("{code}: {message}"),
            (None, _, Some(message)) => message.to_owned(),
            _ => String::from_utf8_lossy(&reply.body).chars().take(200).collect(),
        };
        let request_id = reply.headers.get("apim-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let named = text("/error/code").or_else(|| text("/error/message")).or_else(|| text("/message")).is_some();
        let refused = named && matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        Self { status: reply.status, words, refused, request_id }
    }

    /// The beginning of the answer.
    pub(crate) fn first_words(&self) -> String {
        let line = self.words.lines().next().unwrap_or_default();
        match line.char_indices().nth(60) {
            Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
            None => line.to_owned(),
        }
    }

    pub(crate) fn answered(&self) -> bool {
        self.status.is_success()
    }
}
