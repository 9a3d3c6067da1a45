//! The public side of our own keys: what the JWKS shows and what may verify.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless_model::KeyId;
use keyless_model::entity::{KeyState, SigningAlgorithm};
use keyless_wire::{Jwk, Jwks};

use crate::algorithm::Algorithm;
use crate::error::KeyError;
use crate::verifying::{PublicNumbers, VerifyingKey};

/// An immutable set of our verification keys. Build a new one whenever a key changes state.
///
/// Keys that are prepared or retired are left out: they neither show nor verify.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys {
    keys: Vec<(KeyId, VerifyingKey)>,
    jwks: Jwks,
}

impl PublicKeys {
    /// From `(kid, algorithm, SubjectPublicKeyInfo DER, state)`.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] when a key is unusable, [`KeyError::DuplicateId`] when two share a name.
    pub fn new<B: AsRef<[u8]>>(keys: impl IntoIterator<Item = (KeyId, SigningAlgorithm, B, KeyState)>) -> Result<Self, KeyError> {
        let mut set = Self::default();
        for (kid, algorithm, spki, state) in keys {
            match state {
                KeyState::Published | KeyState::Active | KeyState::Retiring => {}
                KeyState::Prepared | KeyState::Retired => continue,
            }
            if set.find(kid.as_str()).is_some() {
                return Err(KeyError::DuplicateId(kid));
            }
            let key = VerifyingKey::from_spki(algorithm.into(), spki.as_ref())?;
            set.jwks.keys.push(published(&kid, key.algorithm(), &key.numbers()?));
            set.keys.push((kid, key));
        }
        Ok(set)
    }

    /// The key set as it is published: `use` is `sig`, no private member, no certificate.
    #[must_use]
    pub const fn jwks(&self) -> &Jwks {
        &self.jwks
    }

    /// Whether a token signed by that key still counts.
    #[must_use]
    pub fn holds(&self, kid: &KeyId) -> bool {
        self.find(kid.as_str()).is_some()
    }

    /// INVARIANT: what is found here may verify; the constructor left the others out.
    pub(crate) fn find(&self, kid: &str) -> Option<&VerifyingKey> {
        self.keys.iter().find(|(own, _)| own.as_str() == kid).map(|(_, key)| key)
    }
}

fn published(kid: &KeyId, algorithm: Algorithm, numbers: &PublicNumbers) -> Jwk {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match numbers {
        PublicNumbers::Rsa { n, e } => Jwk::rsa(kid.as_str(), algorithm.as_str(), text(n), text(e)),
        PublicNumbers::P256 { x, y } => Jwk::p256(kid.as_str(), algorithm.as_str(), text(x), text(y)),
    }
}
