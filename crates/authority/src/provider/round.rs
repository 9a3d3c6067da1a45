//! One round through the provider: what we must know again when the person comes back, sealed into `state`.
//!
//! Nothing is kept here meanwhile, so nobody can fill our memory with half-begun sign-ins, and any node may finish the round.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless_model::entity::Sealed;
use keyless_model::{Entropy, Secret, Timestamp};
use keyless_store::Sealer;
use serde::{Deserialize, Serialize};

use crate::sign_in::{Browser, Then};

/// How long a person may take at the provider, in seconds.
pub(super) const LIFETIME_SECS: i64 = 900;
const PURPOSE: &str = "sign-in-round";
/// Longest state that is looked at, in bytes.
const MAX_STATE: usize = 16 * 1024;

/// A sign-in that is under way at the provider.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    /// Names the round: it ends in one sign-in at most.
    pub(super) id: String,
    pub(super) expires: Timestamp,
    pub(crate) then: Then,
    pub(super) nonce: Secret<String>,
    /// PKCE (RFC 7636). SECURITY: sealed, because `state` passes through the browser's address bar and the provider's log; whoever
    /// reads it there must not be able to redeem the code that stands next to it.
    pub(super) verifier: Secret<String>,
    browser: String,
    issuer: String,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Written {
    id: String,
    expires: Timestamp,
    then: Then,
    nonce: String,
    verifier: String,
    browser: String,
    issuer: String,
}

impl Round {
    pub(crate) fn new(browser: &Browser, issuer: &str, then: Then, now: Timestamp, entropy: &dyn Entropy) -> Self {
        Self {
            id: entropy.text(16),
            expires: now.plus_secs(LIFETIME_SECS),
            then,
            nonce: Secret::new(entropy.text(32)),
            verifier: Secret::new(entropy.text(32)),
            browser: browser.hash(),
            issuer: issuer.to_owned(),
        }
    }

    /// `code_challenge`, method S256.
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.expose().as_bytes()))
    }

    /// `state`: opaque to everybody else.
    pub(crate) fn seal(self, sealer: &Sealer, entropy: &dyn Entropy) -> (Self, String) {
        let written = Written {
            id: self.id.clone(),
            expires: self.expires,
            then: self.then.clone(),
            nonce: self.nonce.expose().clone(),
            verifier: self.verifier.expose().clone(),
            browser: self.browser.clone(),
            issuer: self.issuer.clone(),
        };
        // Plain structs with string keys always serialise.
        let json = Secret::new(serde_json::to_vec(&written).unwrap_or_default());
        let state = URL_SAFE_NO_PAD.encode(sealer.seal(PURPOSE, json.expose(), entropy).ciphertext());
        (self, state)
    }

    /// The round of a state that this browser took to this issuer a while ago.
    pub(crate) fn open(state: &str, sealer: &Sealer, browser: &Browser, issuer: &str, now: Timestamp) -> Option<Self> {
        if state.len() > MAX_STATE {
            return None;
        }
        let sealed = Sealed::from_ciphertext(URL_SAFE_NO_PAD.decode(state).ok()?);
        let json = sealer.open(PURPOSE, &sealed).ok()?;
        let written: Written = serde_json::from_slice(json.expose()).ok()?;
        let round = Self {
            id: written.id,
            expires: written.expires,
            then: written.then,
            nonce: Secret::new(written.nonce),
            verifier: Secret::new(written.verifier),
            browser: written.browser,
            issuer: written.issuer,
        };
        // SECURITY: an address that an attacker made with their own account carries a state of the attacker's browser, never of this
        // one (login CSRF); and a provider that was exchanged meanwhile answers no question that its predecessor was asked.
        (round.expires > now && round.browser == browser.hash() && round.issuer == issuer).then_some(round)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use keyless_store::MasterKey;
    use keyless_testkit::SeededEntropy;

    use super::*;

    const ISSUER: &str = "https://login.example";

    #[test]
    fn a_round_is_opened_in_its_browser_in_its_time_for_its_issuer_and_unchanged() {
        let (sealer, entropy) = (MasterKey::from_bytes([1; 32]).sealer(), SeededEntropy::default());
        let now = Timestamp::from_unix_secs(1_700_000_000);
        let browser = || Browser::known(&HeaderMap::new(), &entropy);
        let (mine, other) = (browser(), browser());
        let round = Round::new(&mine, ISSUER, Then::AskUserCode, now, &entropy);
        let (round, state) = round.seal(&sealer, &entropy);
        let opened = Round::open(&state, &sealer, &mine, ISSUER, now).unwrap();
        assert_eq!((&opened.id, &opened.then, opened.challenge()), (&round.id, &Then::AskUserCode, round.challenge()));
        assert!(opened.nonce.matches(round.nonce.expose().as_bytes()) && opened.verifier.matches(round.verifier.expose().as_bytes()));
        assert!(!state.contains(round.verifier.expose().as_str()), "only we read the verifier");
        assert!(Round::open(&state, &sealer, &other, ISSUER, now).is_none());
        assert!(Round::open(&state, &sealer, &mine, "https://other.example", now).is_none());
        assert!(Round::open(&state, &sealer, &mine, ISSUER, now.plus_secs(LIFETIME_SECS)).is_none());
        assert!(Round::open(&state, &MasterKey::from_bytes([2; 32]).sealer(), &mine, ISSUER, now).is_none());
        for changed in [format!("{state}A"), state[1..].to_owned(), String::new(), "A".repeat(MAX_STATE + 1)] {
            assert!(Round::open(&changed, &sealer, &mine, ISSUER, now).is_none());
        }
    }
}
