//! Sends requests to the router, and after each one looks for the secrets that were used: in the log, in the audit, in refusals.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Request, StatusCode};
use keyless_testkit::TestPlatform;
use keyless_web::Peer;
use serde_json::Value;
use tower::ServiceExt as _;
use tracing::subscriber::DefaultGuard;

use crate::{Config, router};

/// Parameters whose values must never be seen again.
const SECRET_FIELDS: [&str; 9] =
    ["client_secret", "client_assertion", "assertion", "password", "code", "refresh_token", "device_code", "code_verifier", "new_password"];

/// A router over the fixture, and everything it said.
pub(super) struct Harness {
    pub(super) fixture: TestPlatform,
    router: Router,
    log: Log,
    /// What the last request wrote to the log.
    logged: Mutex<String>,
    secrets: Mutex<Vec<String>>,
    /// Audit events that were searched.
    audited: AtomicUsize,
    _subscriber: DefaultGuard,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    pub(super) body: Value,
}

impl Answer {
    /// The AADSTS number of a refusal, after checking its envelope.
    pub(super) fn code(&self) -> u64 {
        assert!(self.status.as_u16() >= 400, "{self:?}");
        assert_eq!(self.headers["cache-control"], "no-store");
        assert!(self.headers["content-type"].to_str().unwrap().starts_with("application/json"));
        for name in ["error", "error_description", "timestamp", "trace_id", "correlation_id", "error_uri"] {
            assert!(self.body[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {}", self.text);
        }
        let code = self.body["error_codes"][0].as_u64().unwrap();
        assert!(self.body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{code}: ")));
        code
    }

    pub(super) fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }

    /// The claims of a token in the answer, unverified.
    pub(super) fn claims(&self, name: &str) -> Value {
        let token = self.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {} {}", self.status, self.text));
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }
}

impl Harness {
    pub(super) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(super) async fn with(config: Config) -> Self {
        Self::over(TestPlatform::new().await, config)
    }

    /// A router over a fixture that may share its store with another.
    pub(super) fn over(fixture: TestPlatform, config: Config) -> Self {
        let log = Log::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).with_ansi(false).finish();
        let subscriber = tracing::subscriber::set_default(subscriber);
        let router = router(Arc::clone(&fixture.platform), keyless_testkit::system(), config);
        Self {
            fixture,
            router,
            log,
            logged: Mutex::default(),
            secrets: Mutex::default(),
            audited: AtomicUsize::new(0),
            _subscriber: subscriber,
        }
    }

    /// Something that must not be seen from now on.
    pub(super) fn keep_secret(&self, secret: impl Into<String>) {
        let secret = secret.into();
        if secret.len() >= 6 {
            self.secrets.lock().unwrap().push(secret);
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Posts a form, and remembers its secrets.
    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        for (name, value) in fields {
            if SECRET_FIELDS.contains(name) {
                self.keep_secret(*value);
            }
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(form(path).body(body.into()).unwrap()).await
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.answer(request).await;
        self.no_secret_leaked(&answer);
        answer
    }

    /// The answer alone, for calls side by side or that nobody waits for.
    pub(super) fn answer(&self, mut request: Request<Body>) -> impl Future<Output = Answer> + Send + 'static {
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer(SocketAddr::from(([192, 0, 2, 1], 4000))));
        }
        let router = self.router.clone();
        async move {
            let response = router.oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let body = serde_json::from_str(&text).unwrap_or_default();
            Answer { status: parts.status, headers: parts.headers, text, body }
        }
    }

    /// Case 130, after every request of every test: in what was said since the last one.
    fn no_secret_leaked(&self, answer: &Answer) {
        let log = self.log.take();
        let events = self.fixture.audit.events();
        let seen = self.audited.swap(events.len(), Ordering::Relaxed).min(events.len());
        let audit = serde_json::to_string(&events[seen..]).unwrap() + &format!("{:?}", &events[seen..]);
        for secret in self.secrets.lock().unwrap().iter() {
            assert!(!log.contains(secret), "a secret reached the log");
            assert!(!audit.contains(secret), "a secret reached the audit");
            assert!(answer.status.is_success() || !answer.text.contains(secret), "a secret reached an error: {}", answer.text);
        }
        *self.logged.lock().unwrap() = log;
    }

    /// The lines that the last request wrote to the log.
    pub(super) fn logged(&self) -> Vec<String> {
        self.logged.lock().unwrap().lines().map(str::to_owned).collect()
    }
}

/// A form post under construction.
pub(super) fn form(path: &str) -> http::request::Builder {
    Request::post(path).header("content-type", "application/x-www-form-urlencoded")
}

/// Collects what `tracing` writes.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> String {
        let written = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8_lossy(&written).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
