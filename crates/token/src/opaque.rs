//! Refresh tokens: opaque to clients, checkable by us before any look-up.
//!
//! `k1.` + base64url(family 16 bytes || generation 8 || nonce 16 || HMAC-SHA256 32). The HMAC, and not a stored hash, proves that we
//! made it: the store keeps one small record per family (which generation is current), a guessed token costs no look-up, and a stolen
//! database holds nothing that could be presented. The prefix lets secret scanners recognise a leaked one.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless_model::{CredentialId, Entropy, Secret};

/// What every refresh token begins with.
pub const REFRESH_PREFIX: &str = "k1.";
/// Separates this use of the key from any other.
const PURPOSE: &[u8] = b"keyless refresh token 1\0";
const BODY: usize = 16 + 8 + 16;
const TAG: usize = 32;

/// Makes and recognises refresh tokens. Its key must come from the store's master key and be the same on every node.
pub struct RefreshSealer(hmac::Key);

/// A refresh token that we made. Whether it still counts is for the family's record to say: a generation below the current one is a
/// replay, and revokes the family (RFC 9700 section 4.14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshToken {
    pub family: CredentialId,
    pub generation: u64,
}

/// The text is no refresh token of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a refresh token of this system; sign in again")]
pub struct NotOurs;

impl RefreshSealer {
    #[must_use]
    pub fn new(key: &Secret<[u8; 32]>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }

    /// Writes a token for one generation of a family.
    #[must_use]
    pub fn seal(&self, token: RefreshToken, entropy: &dyn Entropy) -> Secret<String> {
        let mut bytes = [0; BODY + TAG];
        bytes[..16].copy_from_slice(token.family.uuid().as_bytes());
        bytes[16..24].copy_from_slice(&token.generation.to_be_bytes());
        // Two tokens of one generation (a retried answer) stay distinguishable in the audit log, which names tokens by hash.
        entropy.fill(&mut bytes[24..BODY]);
        let tag = self.tag(&bytes[..BODY]);
        bytes[BODY..].copy_from_slice(tag.as_ref());
        Secret::new(REFRESH_PREFIX.to_owned() + &URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a token that a client presents.
    ///
    /// # Errors
    /// [`NotOurs`], whatever the reason.
    pub fn open(&self, text: &str) -> Result<RefreshToken, NotOurs> {
        let mut bytes = [0; BODY + TAG];
        let packed = text.strip_prefix(REFRESH_PREFIX).filter(|packed| packed.len() == (BODY + TAG) / 3 * 4).ok_or(NotOurs)?;
        let length = URL_SAFE_NO_PAD.decode_slice(packed, &mut bytes).map_err(|_| NotOurs)?;
        let (body, tag) = bytes[..length].split_at_checked(BODY).ok_or(NotOurs)?;
        let mut message = PURPOSE.to_vec();
        message.extend_from_slice(body);
        // Constant time.
        hmac::verify(&self.0, &message, tag).map_err(|_| NotOurs)?;
        let (mut family, mut generation) = ([0; 16], [0; 8]);
        family.copy_from_slice(&body[..16]);
        generation.copy_from_slice(&body[16..24]);
        Ok(RefreshToken { family: CredentialId::from_u128(u128::from_be_bytes(family)), generation: u64::from_be_bytes(generation) })
    }

    fn tag(&self, body: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(PURPOSE);
        context.update(body);
        context.sign()
    }
}

impl fmt::Debug for RefreshSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshSealer(***)")
    }
}

#[cfg(test)]
pub(crate) mod tests;
