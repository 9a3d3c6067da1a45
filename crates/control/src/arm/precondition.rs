//! `If-Match` and `If-None-Match` (RFC 9110 section 13.1) on resources that have an etag.

use http::HeaderMap;
use http::header::{IF_MATCH, IF_NONE_MATCH};

use crate::failure::{Code, Failure};

/// The etag of a version.
pub(crate) fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// Refuses a write whose conditions the current version does not meet; `None` means that the resource does not exist.
pub(crate) fn check(headers: &HeaderMap, current: Option<u64>) -> Result<(), Failure> {
    let failed = || {
        let message = "The condition specified using HTTP conditional header(s) is not met. Read the resource again and retry.";
        Failure::new(Code::PreconditionFailed, message)
    };
    let named = |header: &http::HeaderValue, current: u64| {
        // A value that is no text names no version.
        header
            .to_str()
            .is_ok_and(|text| text.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag(current)))
    };
    if let Some(header) = headers.get(IF_MATCH)
        && !current.is_some_and(|current| named(header, current))
    {
        return Err(failed());
    }
    match (headers.get(IF_NONE_MATCH), current) {
        (Some(header), Some(current)) if named(header, current) => Err(failed()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(name: http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_lost_update_is_refused() {
        assert!(check(&headers(IF_MATCH, "\"1\""), Some(1)).is_ok());
        assert!(check(&headers(IF_MATCH, "\"1\", \"2\""), Some(2)).is_ok());
        assert!(check(&headers(IF_MATCH, "*"), Some(7)).is_ok());
        for (value, current) in [("\"1\"", Some(2)), ("1", Some(1)), ("*", None), ("\"1\"", None)] {
            assert_eq!(check(&headers(IF_MATCH, value), current).unwrap_err().status, 412, "{value} {current:?}");
        }
    }

    #[test]
    fn creation_only_is_honoured() {
        assert!(check(&headers(IF_NONE_MATCH, "*"), None).is_ok());
        assert_eq!(check(&headers(IF_NONE_MATCH, "*"), Some(1)).unwrap_err().status, 412);
        assert!(check(&HeaderMap::new(), None).is_ok());
    }
}
