//! Health, readiness and metrics, on a loopback listener of their own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use keyless_web::Platform;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::capacity::Capacity;
use crate::listen::Service;

const SERVICES: [(Service, &str); 4] = [
    (Service::Planes, "planes"),
    (Service::PlainGateway, "gateway_http"),
    (Service::Metadata, "metadata"),
    (Service::Operations, "operations"),
];

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// What a scraper must be told to find the counters' names.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Counters and health of this process.
#[derive(Debug)]
pub(crate) struct Operations {
    platform: Arc<Platform>,
    capacity: Arc<Capacity>,
    ready: AtomicBool,
    /// What some calls fail for, while others are answered.
    degraded: RwLock<Option<String>>,
    /// Why the state database takes no changes, when it does not.
    state: RwLock<Option<String>>,
    answers: Family<[(&'static str, &'static str); 2], Counter>,
    /// The same at hand, so that no answer waits for a lock: by service, then by class of status.
    counters: [[Counter; 5]; 4],
}

impl Operations {
    pub(crate) fn new(platform: Arc<Platform>, capacity: Arc<Capacity>) -> Self {
        let answers = Family::<_, Counter>::default();
        let counter = |listener, status| answers.get_or_create_owned(&[("listener", listener), ("status", status)]);
        let counters = SERVICES.map(|(_, listener)| CLASSES.map(|class| counter(listener, class)));
        Self { platform, capacity, ready: AtomicBool::new(false), degraded: RwLock::default(), state: RwLock::default(), answers, counters }
    }

    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Some calls fail for this reason; none is all well.
    pub(crate) fn set_degraded(&self, reason: Option<String>) {
        *self.degraded.write().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    fn degraded(&self) -> Option<String> {
        self.degraded.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|reason| format!("degraded: {reason}"))
    }

    /// Takes note of whether the state database takes changes.
    pub(crate) fn set_state<E: std::fmt::Display>(&self, state: Result<(), E>) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state.err().map(|error| error.to_string());
    }

    fn state(&self) -> Option<String> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn space(&self) -> Option<String> {
        let space = self.platform.audit.space()?;
        if space.low {
            let free = space.free >> 20;
            return Some(format!(
                "degraded: the disk of the audit log is nearly full ({free} MiB free), and no call is answered once it is; free some, or set --audit-keep"
            ));
        }
        if space.changed {
            return Some("degraded: the audit log was changed; keep a copy, and run `keyless audit verify`".to_owned());
        }
        space.over.then(|| {
            format!(
                "degraded: the audit log ({} MiB) is larger than --audit-max-size and too young to be removed (--audit-spare); see who writes so much",
                space.used >> 20
            )
        })
    }

    pub(crate) fn count(&self, service: Service, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        let row = SERVICES.iter().position(|(known, _)| *known == service).unwrap_or_default();
        self.counters[row][class].inc();
    }

    /// `ok`, `degraded` with the reason, or why no call is answered.
    pub(crate) fn health(&self) -> String {
        if let Err(error) = self.platform.audit.ready() {
            return error.to_string();
        }
        self.state().or_else(|| self.space()).or_else(|| self.degraded()).unwrap_or_else(|| "ok".to_owned())
    }

    pub(crate) fn handle<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET {
            return text(StatusCode::METHOD_NOT_ALLOWED, "use GET\n".to_owned());
        }
        match request.uri().path() {
            // Alive: the process answers. Ready: it may be sent calls.
            "/healthz" => text(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" => match (self.ready.load(Ordering::Relaxed), self.health()) {
                // A model server that is down takes no node out of service: tokens and resources do not need it, and the nodes of a
                // system share it, so a load balancer would take them all out together.
                (true, health) if health == "ok" || health.starts_with("degraded: ") => text(StatusCode::OK, format!("{health}\n")),
                (true, health) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{health}\n")),
                (false, _) => text(StatusCode::SERVICE_UNAVAILABLE, "starting or stopping\n".to_owned()),
            },
            "/metrics" => {
                let mut response = text(StatusCode::OK, self.metrics());
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS));
                response
            }
            _ => text(StatusCode::NOT_FOUND, "there are /healthz, /readyz and /metrics\n".to_owned()),
        }
    }

    /// As OpenMetrics writes them. SECURITY: no label names a caller, an identity or a resource.
    fn metrics(&self) -> String {
        let mut registry = Registry::with_prefix("keyless");
        registry.register("build", "The running version", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let space = self.platform.audit.space().unwrap_or_default();
        for (name, help, value) in [
            ("directory_revision", "Commits that this process has seen", self.platform.directory.load().revision().0),
            ("audit_writable", "Whether audit events can be written; calls are refused when 0", self.platform.audit.ready().is_ok().into()),
            ("state_writable", "Whether the state database takes changes", self.state().is_none().into()),
            ("audit_bytes", "Size of the audit log", space.used),
            ("audit_free_bytes", "Room on the disk of the audit log", space.free),
            ("audit_low_space", "Whether that disk is nearly full; refusals are only counted then", space.low.into()),
            ("audit_changed", "Whether a line of the audit log was found changed; see keyless audit verify", space.changed.into()),
            ("audit_over_size", "Whether the audit log is larger than wished, because it is too young to be removed", space.over.into()),
        ] {
            registry.register(name, help, ConstGauge::new(value));
        }
        let (open, limit) = (Family::<_, Gauge>::default(), Family::<_, Gauge>::default());
        for (service, name) in SERVICES {
            open.get_or_create(&[("listener", name)]).set(self.capacity.open(service) as i64);
            limit.get_or_create(&[("listener", name)]).set(self.capacity.total(service) as i64);
        }
        registry.register("connections", "Open connections, and those about to be accepted", open);
        registry.register("connections_limit", "The most connections", limit);
        let turned_away = ConstCounter::new(self.capacity.turned_away());
        registry.register("connections_turned_away", "Connections closed because their source had its part", turned_away);
        registry.register("answers", "Answers by listener and class of status", self.answers.clone());
        let mut out = String::with_capacity(4096);
        encode(&mut out, &registry).expect("writing to a String cannot fail");
        out
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests;
