//! Which browser is talking: a random cookie, so that a form can prove that it came from a page of ours in the same browser.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, header};
use keyless_model::{Entropy, Secret};

/// `__Host-`: only this very host may set it, over TLS, for the whole host.
const COOKIE: &str = "__Host-keyless-browser";
const RANDOM_BYTES: usize = 32;
const TEXT_LENGTH: usize = 43;

/// A browser, known by its cookie only. It is no session: whoever signs in does so anew each time.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    cookie: Secret<String>,
    /// Whether it must be told its cookie.
    new: bool,
}

impl Browser {
    /// The browser that sent this request; none when it sent no cookie of ours, or two.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut found = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == COOKIE)
            .map(|(_, value)| value);
        let value = found.next().filter(|_| found.next().is_none())?;
        let plain = value.len() == TEXT_LENGTH && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        plain.then(|| Self { cookie: Secret::new(value.to_owned()), new: false })
    }

    /// The browser that sent this request, with a cookie from now on.
    pub(crate) fn known(headers: &HeaderMap, entropy: &dyn Entropy) -> Self {
        Self::of(headers).unwrap_or_else(|| Self { cookie: Secret::new(entropy.text(RANDOM_BYTES)), new: true })
    }

    /// What a ticket keeps of it.
    pub(crate) fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.cookie.expose().as_bytes()))
    }

    /// `Set-Cookie`, when it must be told. `Lax`: a page of another site cannot post with it.
    pub(crate) fn set_cookie(&self) -> Option<HeaderValue> {
        let text = format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax", self.cookie.expose());
        let mut value = HeaderValue::try_from(text).ok().filter(|_| self.new)?;
        value.set_sensitive(true);
        Some(value)
    }
}
