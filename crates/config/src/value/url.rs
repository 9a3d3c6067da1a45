//! Addresses of servers elsewhere.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use super::text_value;

/// An http or https URL with a host, without user, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress(String);

impl WebAddress {
    pub(super) const FORMAT: &str = "uri";
    pub(super) const EXPECTS: &str = "an http or https URL, such as http://127.0.0.1:11434";
}

impl Deref for WebAddress {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // SECURITY: what is refused is not repeated: it may hold a password.
        let refused = |why: &str| Err(format!("{why}; write {}", Self::EXPECTS));
        let Some(("http" | "https", rest)) = text.split_once("://") else { return refused("this is neither http nor https") };
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.contains('@') {
            return refused("a URL that holds a user or a password ends up in logs");
        }
        if rest.contains(['?', '#']) {
            return refused("a URL with a query or a fragment names no server");
        }
        if authority.is_empty() || authority.starts_with(':') || !rest.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b))
        {
            return refused("this is no URL with a host");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for WebAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

text_value!(WebAddress);
