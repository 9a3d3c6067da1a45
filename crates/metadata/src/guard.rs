//! What every request must satisfy before anything is looked up: it comes from this machine, from a program rather than a
//! browser or a proxy, and says that it means the metadata endpoint.

use http::{HeaderMap, Method, Request, header};

use crate::caller::Connection;

/// Why a request is not even looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GuardRefusal {
    /// Not from this machine (case 100).
    Remote,
    /// Anything but GET (case 90).
    Method,
    /// An absolute-form target or CONNECT: someone takes us for a proxy (case 98).
    ProxyRequest,
    /// `Host` names someone else: DNS rebinding (case 97).
    Host,
    /// Came through a proxy, which could be fooled into asking (case 89).
    Forwarded,
    /// Sent by a web page (case 107).
    Browser,
}

/// Headers that only a proxy adds. An empty one counts: that it is there is the sign.
const FORWARDED: [&str; 5] = ["x-forwarded-for", "forwarded", "x-forwarded-host", "x-forwarded-proto", "via"];
/// Headers that only a browser adds.
const BROWSER: [&str; 4] = ["origin", "sec-fetch-site", "sec-fetch-mode", "referer"];

pub(crate) fn check<B>(request: &Request<B>, connection: &Connection, allowed_hosts: &[String]) -> Result<(), GuardRefusal> {
    if !connection.is_local() {
        return Err(GuardRefusal::Remote);
    }
    if request.method() == Method::CONNECT || request.uri().scheme().is_some() || request.uri().authority().is_some() {
        return Err(GuardRefusal::ProxyRequest);
    }
    if request.method() != Method::GET {
        return Err(GuardRefusal::Method);
    }
    let headers = request.headers();
    if !host_is_allowed(headers, allowed_hosts) {
        return Err(GuardRefusal::Host);
    }
    if FORWARDED.iter().any(|name| headers.contains_key(*name)) {
        return Err(GuardRefusal::Forwarded);
    }
    if BROWSER.iter().any(|name| headers.contains_key(*name)) {
        return Err(GuardRefusal::Browser);
    }
    Ok(())
}

fn host_is_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let mut values = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (values.next(), values.next()) else { return false };
    host.to_str().is_ok_and(|host| allowed.iter().any(|name| name.eq_ignore_ascii_case(host)))
}
