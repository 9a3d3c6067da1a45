//! Proof Key for Code Exchange (RFC 7636), method S256 only: `plain` would show the verifier to whoever sees the request.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

/// The challenge of an authorization request: SHA-256 of a verifier that only the client knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PkceChallenge([u8; 32]);

/// Why a challenge or verifier is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PkceError {
    #[error("code_challenge_method must be S256")]
    Method,
    #[error("code_challenge must be base64url of a SHA-256 hash, 43 characters")]
    Challenge,
    #[error("code_verifier must be 43 to 128 letters, digits, `-`, `.`, `_` or `~`")]
    Verifier,
    #[error("code_verifier does not match the code_challenge of the sign-in request")]
    Mismatch,
}

impl PkceChallenge {
    /// From `code_challenge` and `code_challenge_method`. A missing method means `plain` in the RFC, so it is refused.
    ///
    /// # Errors
    /// [`PkceError::Method`] or [`PkceError::Challenge`].
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<Self, PkceError> {
        if method != Some("S256") {
            return Err(PkceError::Method);
        }
        let bytes = URL_SAFE_NO_PAD.decode(challenge).map_err(|_| PkceError::Challenge)?;
        bytes.try_into().map(Self).map_err(|_| PkceError::Challenge)
    }

    /// Checks the verifier that comes with the code.
    ///
    /// # Errors
    /// [`PkceError::Verifier`] or [`PkceError::Mismatch`].
    pub fn check(&self, verifier: &str) -> Result<(), PkceError> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
            return Err(PkceError::Verifier);
        }
        let found = digest(&SHA256, verifier.as_bytes());
        if found.as_ref().ct_eq(&self.0).into() { Ok(()) } else { Err(PkceError::Mismatch) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_holds() {
        let challenge = PkceChallenge::parse(CHALLENGE, Some("S256")).unwrap();
        assert_eq!(challenge.check(VERIFIER), Ok(()));
        let other = VERIFIER.replace("dBj", "dBk");
        assert_eq!(challenge.check(&other), Err(PkceError::Mismatch));
    }

    #[test]
    fn plain_or_malformed_challenges_are_refused() {
        for method in [None, Some("plain"), Some("s256"), Some("")] {
            assert_eq!(PkceChallenge::parse(CHALLENGE, method), Err(PkceError::Method));
        }
        for challenge in ["", "short", &format!("{CHALLENGE}="), &CHALLENGE[..42], &format!("{CHALLENGE}A")] {
            assert_eq!(PkceChallenge::parse(challenge, Some("S256")), Err(PkceError::Challenge), "{challenge}");
        }
    }

    #[test]
    fn the_challenge_itself_is_no_verifier() {
        let challenge = PkceChallenge::parse(CHALLENGE, Some("S256")).unwrap();
        assert_eq!(challenge.check(CHALLENGE), Err(PkceError::Mismatch));
        for verifier in ["", "short", &"a".repeat(42), &"a".repeat(129), &format!("{}!", "a".repeat(43)), &"\u{e9}".repeat(30)] {
            assert_eq!(challenge.check(verifier), Err(PkceError::Verifier));
        }
    }
}
