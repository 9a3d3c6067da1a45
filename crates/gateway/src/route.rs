//! What is asked: the operation, the deployment in the path, and the version of the interface.
//!
//! Paths are compared byte for byte: doubled slashes, dots and percent-encoding make a different path, one that is not served.

use std::borrow::Cow;

use http::Method;

mod table;

pub(crate) use table::{Dialect, Operation, Serve, Shape, UNKNOWN};

/// A request line, understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route<'a> {
    pub(crate) operation: &'static Operation,
    /// The deployment, where the path names it; otherwise the body's `model` does.
    pub(crate) deployment: Option<&'a str>,
    /// The id at the end of the path (`/models/{id}`).
    pub(crate) item: Option<&'a str>,
    pub(crate) version: Version<'a>,
}

/// `api-version`, judged by the rules of the route's dialect.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Version<'a> {
    /// As sent; `v1` where it may be left out and was.
    Served(Cow<'a, str>),
    /// 404: a dated route without a date.
    Missing,
    /// 400: a date on a v1 route, or the parameter given twice.
    NotSupported,
}

/// Reads `path` (below the account's endpoint) and `query`. A path that is not in the table is the operation [`UNKNOWN`]: whether
/// it exists is told to authenticated callers only.
pub(crate) fn route_of<'a>(method: &Method, path: &'a str, query: Option<&'a str>) -> Route<'a> {
    for operation in table::OPERATIONS {
        if operation.method == method.as_str()
            && let Some((deployment, item)) = matches(operation.template, path)
        {
            return Route { operation, deployment, item, version: version_of(operation.dialect, query) };
        }
    }
    Route { operation: &UNKNOWN, deployment: None, item: None, version: Version::Served(Cow::Borrowed("")) }
}

/// The deployment and item that `path` puts into the braces of `template`, when it fits.
fn matches<'a>(template: &str, path: &'a str) -> Option<(Option<&'a str>, Option<&'a str>)> {
    let (mut deployment, mut item) = (None, None);
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some((deployment, item)),
            (Some(_), Some("")) if wanted.clone().next().is_none() && !template.ends_with('/') => return None,
            (Some("{deployment-id}"), Some(name)) if !name.is_empty() => deployment = Some(name),
            (Some(name), Some(value)) if name.starts_with('{') && !value.is_empty() => item = Some(value),
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return None,
        }
    }
}

fn version_of(dialect: Dialect, query: Option<&str>) -> Version<'_> {
    let mut versions =
        form_urlencoded::parse(query.unwrap_or_default().as_bytes()).filter(|(name, _)| name.eq_ignore_ascii_case("api-version"));
    let first = versions.next().map(|(_, value)| value);
    // SECURITY: two values could be one thing to us and another to a proxy.
    if versions.next().is_some() {
        return Version::NotSupported;
    }
    match (dialect, first) {
        (Dialect::Dated, Some(value)) if is_dated(&value) => Version::Served(value),
        (Dialect::Dated, _) => Version::Missing,
        (Dialect::Inference, version) => Version::Served(version.unwrap_or_default()),
        (Dialect::V1, None) => Version::Served(Cow::Borrowed("v1")),
        (Dialect::V1, Some(value)) if matches!(&*value, "v1" | "preview" | "latest") => Version::Served(value),
        (Dialect::V1, Some(_)) => Version::NotSupported,
    }
}

/// `2024-10-21`, `2025-04-01-preview`.
fn is_dated(version: &str) -> bool {
    let date = version.strip_suffix("-preview").unwrap_or(version).as_bytes();
    date.len() == 10
        && date.iter().enumerate().all(|(index, byte)| if matches!(index, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() })
}

#[cfg(test)]
mod tests;
