//! Health, readiness and metrics, on a loopback listener of their own.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use keyless_web::Platform;

use crate::capacity::Capacity;
use crate::listen::Service;

const SERVICES: [(Service, &str); 4] = [
    (Service::Planes, "planes"),
    (Service::PlainGateway, "gateway_http"),
    (Service::Metadata, "metadata"),
    (Service::Operations, "operations"),
];

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
    /// By service, then by class of status (1xx to 5xx).
    answers: [[AtomicU64; 5]; 4],
}

impl Operations {
    pub(crate) fn new(platform: Arc<Platform>, capacity: Arc<Capacity>) -> Self {
        Self {
            platform,
            capacity,
            ready: AtomicBool::new(false),
            degraded: RwLock::default(),
            state: RwLock::default(),
            answers: Default::default(),
        }
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
        self.answers[row][class].fetch_add(1, Ordering::Relaxed);
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
            "/metrics" => text(StatusCode::OK, self.metrics()),
            _ => text(StatusCode::NOT_FOUND, "there are /healthz, /readyz and /metrics\n".to_owned()),
        }
    }

    fn metrics(&self) -> String {
        let mut out = String::with_capacity(1024);
        let snapshot = self.platform.directory.load();
        let ready = u8::from(self.platform.audit.ready().is_ok());
        // Writing to a String cannot fail.
        _ = writeln!(out, "# HELP keyless_build_info The running version.\n# TYPE keyless_build_info gauge");
        _ = writeln!(out, "keyless_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
        _ = writeln!(
            out,
            "# HELP keyless_directory_revision Commits that this process has seen.\n# TYPE keyless_directory_revision counter"
        );
        _ = writeln!(out, "keyless_directory_revision {}", snapshot.revision().0);
        _ = writeln!(
            out,
            "# HELP keyless_audit_writable Whether audit events can be written; calls are refused when 0.\n# TYPE keyless_audit_writable gauge"
        );
        _ = writeln!(out, "keyless_audit_writable {ready}");
        let writable = u8::from(self.state().is_none());
        _ = writeln!(
            out,
            "# HELP keyless_state_writable Whether the state database takes changes.\n# TYPE keyless_state_writable gauge\nkeyless_state_writable {writable}"
        );
        _ = writeln!(out, "# HELP keyless_connections Open connections, and those about to be accepted.\n# TYPE keyless_connections gauge");
        for (service, name) in SERVICES {
            _ = writeln!(out, "keyless_connections{{listener=\"{name}\"}} {}", self.capacity.open(service));
        }
        _ = writeln!(out, "# HELP keyless_connections_limit The most connections.\n# TYPE keyless_connections_limit gauge");
        for (service, name) in SERVICES {
            _ = writeln!(out, "keyless_connections_limit{{listener=\"{name}\"}} {}", self.capacity.total(service));
        }
        _ = writeln!(
            out,
            "# HELP keyless_connections_turned_away_total Connections closed because their source had its part.\n# TYPE keyless_connections_turned_away_total counter"
        );
        _ = writeln!(out, "keyless_connections_turned_away_total {}", self.capacity.turned_away());
        let space = self.platform.audit.space().unwrap_or_default();
        for (name, help, value) in [
            ("keyless_audit_bytes", "Size of the audit log.", space.used),
            ("keyless_audit_free_bytes", "Room on the disk of the audit log.", space.free),
            ("keyless_audit_low_space", "Whether that disk is nearly full; refusals are only counted then.", space.low.into()),
            ("keyless_audit_changed", "Whether a line of the audit log was found changed; see keyless audit verify.", space.changed.into()),
            (
                "keyless_audit_over_size",
                "Whether the audit log is larger than wished, because it is too young to be removed.",
                space.over.into(),
            ),
        ] {
            _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
        }
        _ = writeln!(out, "# HELP keyless_answers_total Answers by listener and class of status.\n# TYPE keyless_answers_total counter");
        for ((_, service), classes) in SERVICES.iter().zip(&self.answers) {
            for (class, count) in classes.iter().enumerate() {
                let count = count.load(Ordering::Relaxed);
                _ = writeln!(out, "keyless_answers_total{{listener=\"{service}\",status=\"{}xx\"}} {count}", class + 1);
            }
        }
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
