//! What a page hands to the next one through the browser: signed, short-lived, and bound to that browser.
//!
//! Nothing is kept here while a person thinks, so nobody can fill our memory with half-begun sign-ins.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless_model::{ClientId, ObjectId, Secret, Timestamp};
use keyless_web::Platform;
use serde::{Deserialize, Serialize};

/// How long a person may take over one page, in seconds.
pub(crate) const LIFETIME_SECS: i64 = 1800;

/// How the answer travels to the program (OAuth 2.0 Form Post Response Mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ResponseMode {
    Query,
    /// Behind `#`: browsers send it to no server.
    Fragment,
    FormPost,
}

/// An authorization request that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuthorizeRequest {
    /// The path segment that names the tenant.
    pub(crate) tenant: String,
    pub(crate) client_id: ClientId,
    pub(crate) redirect_uri: String,
    pub(crate) mode: ResponseMode,
    pub(crate) scope: String,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    /// PKCE, S256.
    pub(crate) challenge: String,
}

/// What happens when the person has signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Then {
    Redirect(AuthorizeRequest),
    /// The device sign-in of this user code goes on.
    Device(String),
    /// A user code is still to be typed.
    AskUserCode,
    /// The invitation of this user-to-be is accepted; what it says is in the directory.
    Accept(ObjectId),
}

/// A page's memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    /// The hash of the cookie of the browser that got the page; none in an invitation link, which opens in any browser.
    pub(crate) browser: Option<String>,
    pub(crate) expires: Timestamp,
    pub(crate) then: Then,
    /// Whose password was right and must be changed before anything else.
    pub(crate) changing: Option<Changing>,
}

/// A password that was proved and must be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Changing {
    pub(crate) user: ObjectId,
    /// Since when the proved password is in force: says which one it was.
    pub(crate) since: Timestamp,
}

/// Signs and reads tickets.
pub(crate) struct Tickets(hmac::Key);

impl Tickets {
    /// Of this system: every node reads what another one wrote.
    pub(crate) fn of(platform: &Platform) -> Self {
        Self::new(&platform.sealer.key_for("sign-in-tickets"))
    }

    fn new(key: &Secret<[u8; 32]>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }

    pub(crate) fn write(&self, ticket: &Ticket) -> String {
        // Plain structs with string keys always serialise.
        let json = serde_json::to_vec(ticket).unwrap_or_default();
        let tag = hmac::sign(&self.0, &json);
        format!("{}.{}", URL_SAFE_NO_PAD.encode(&json), URL_SAFE_NO_PAD.encode(tag.as_ref()))
    }

    /// A ticket of ours that has not expired and belongs to this browser; or to none, where that is allowed.
    pub(crate) fn read(&self, text: &str, browser: Option<&str>, now: Timestamp) -> Option<Ticket> {
        let (json, tag) = text.split_once('.')?;
        let (json, tag) = (URL_SAFE_NO_PAD.decode(json).ok()?, URL_SAFE_NO_PAD.decode(tag).ok()?);
        hmac::verify(&self.0, &json, &tag).ok()?;
        let ticket: Ticket = serde_json::from_slice(&json).ok()?;
        // SECURITY: a form that an attacker's page sends carries a ticket of the attacker's browser, never of this one.
        (ticket.expires > now && ticket.browser.as_deref() == browser).then_some(ticket)
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tickets(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_counts_in_its_browser_in_its_time_and_unchanged() {
        let tickets = Tickets::new(&Secret::new([1; 32]));
        let now = Timestamp::from_unix_secs(1_700_000_000);
        let ticket = Ticket { browser: Some("b".into()), expires: now.plus_secs(10), then: Then::AskUserCode, changing: None };
        let text = tickets.write(&ticket);
        assert_eq!(tickets.read(&text, Some("b"), now), Some(ticket));
        assert_eq!(tickets.read(&text, Some("c"), now), None);
        assert_eq!(tickets.read(&text, None, now), None);
        assert_eq!(tickets.read(&text, Some("b"), now.plus_secs(10)), None);
        assert_eq!(Tickets::new(&Secret::new([2; 32])).read(&text, Some("b"), now), None);
        let (json, tag) = text.split_once('.').unwrap();
        for changed in [format!("{json}A.{tag}"), format!("{tag}.{json}"), json.to_owned(), format!("{json}."), String::new()] {
            assert_eq!(tickets.read(&changed, Some("b"), now), None, "{changed}");
        }
    }
}
