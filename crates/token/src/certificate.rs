//! The certificates that applications register: their public key, their dates and their thumbprints. Chains and extensions mean
//! nothing here: an operator's registration is the trust, as in Entra.

use std::fmt;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyless_model::Timestamp;
use x509_parser::certificate::X509CertificateParser;
use x509_parser::nom::{Offset as _, Parser as _};
use x509_parser::time::ASN1Time;

use crate::algorithm::Algorithm;
use crate::error::{KeyError, TokenError};
use crate::strength::check_rsa;
use crate::verifying::{PublicNumbers, VerifyingKey};

/// Largest certificate accepted, in bytes of DER.
const MAX_DER: usize = 16 * 1024;
/// How DER of a certificate starts, and no text does.
const SEQUENCE: u8 = 0x30;
const NOT_ONE: KeyError = KeyError::Rejected("it is not an X.509 certificate");

/// An X.509 certificate with a key that may sign assertions: RSA of 2048 bits or more, or P-256.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    keys: Vec<VerifyingKey>,
    not_before: Timestamp,
    not_after: Timestamp,
    sha1: [u8; 20],
    sha256: [u8; 32],
}

impl Certificate {
    /// From PEM (the first certificate of the text), from bare base64 (Graph's `keyCredentials[].key`) or from DER.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] when it is no certificate, when the text also holds a private key, or when its key is weak.
    pub fn read(bytes: &[u8]) -> Result<Self, KeyError> {
        match std::str::from_utf8(bytes) {
            Ok(text) if bytes.first() != Some(&SEQUENCE) => Self::from_text(text),
            _ => Self::from_der(bytes),
        }
    }

    fn from_text(text: &str) -> Result<Self, KeyError> {
        // A private key that was sent to us is a private key no more. Say so instead of quietly keeping the other half.
        if text.contains("PRIVATE KEY-----") {
            return Err(KeyError::Rejected("the text holds a private key; register the certificate alone and keep the key where it signs"));
        }
        let not_text = KeyError::Rejected("it is neither PEM nor base64 of a certificate");
        let body = match text.split_once("-----BEGIN CERTIFICATE-----") {
            Some((_, rest)) => rest.split_once("-----END CERTIFICATE-----").ok_or(not_text.clone())?.0,
            None => text,
        };
        let packed: String = body.split_ascii_whitespace().collect();
        Self::from_der(&STANDARD.decode(packed).map_err(|_| not_text)?)
    }

    /// # Errors
    /// As [`Certificate::read`].
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if der.len() > MAX_DER {
            return Err(KeyError::Rejected("the certificate is larger than 16 KiB"));
        }
        // No word of the extensions is read: whatever they hold, it can do nothing here.
        let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
        let (_, parsed) = parser.parse(der).ok().filter(|(rest, _)| rest.is_empty()).ok_or(NOT_ONE)?;
        if !has_plain_dates(der, parsed.issuer().as_raw()) {
            return Err(NOT_ONE);
        }
        let moment = |date: ASN1Time| Timestamp::from_unix_secs(date.timestamp());
        let (not_before, not_after) = (moment(parsed.validity().not_before), moment(parsed.validity().not_after));
        let mut hash = ([0; 20], [0; 32]);
        hash.0.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref());
        hash.1.copy_from_slice(digest(&SHA256, der).as_ref());
        let keys = keys(parsed.public_key().raw)?;
        Ok(Self { der: der.to_vec(), keys, not_before, not_after, sha1: hash.0, sha256: hash.1 })
    }

    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    #[must_use]
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    #[must_use]
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// SHA-1 of the DER: a name that clients use (`x5t`), not a proof of anything.
    #[must_use]
    pub const fn sha1(&self) -> &[u8; 20] {
        &self.sha1
    }

    /// SHA-256 of the DER (`x5t#S256`).
    #[must_use]
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Checks a signature made with the certificate's key.
    pub(crate) fn key(&self, algorithm: Algorithm) -> Result<&VerifyingKey, TokenError> {
        self.keys.iter().find(|key| key.algorithm() == algorithm).ok_or(TokenError::Algorithm)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("not_before", &self.not_before).field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

/// One entry per algorithm that the key can serve.
fn keys(spki: &[u8]) -> Result<Vec<VerifyingKey>, KeyError> {
    if let Ok(key) = VerifyingKey::from_spki(Algorithm::RS256, spki) {
        if let PublicNumbers::Rsa { n, e } = key.numbers()? {
            check_rsa(&n, &e)?;
        }
        return Ok(vec![key, VerifyingKey::from_spki(Algorithm::PS256, spki)?]);
    }
    VerifyingKey::from_spki(Algorithm::ES256, spki)
        .map(|key| vec![key])
        .map_err(|_| KeyError::Rejected("its key is neither RSA (rsaEncryption) of 2048 bits or more nor P-256"))
}

/// Whether a certificate's dates, which follow its issuer, have one of the two forms of RFC 5280 section 4.1.2.5: `UTCTime` and
/// `GeneralizedTime` with seconds and `Z`. `x509-parser` also takes others of X.690, all of other lengths.
fn has_plain_dates(der: &[u8], issuer: &[u8]) -> bool {
    fn plain(date: &[u8]) -> Option<&[u8]> {
        match date {
            [0x17, 13, rest @ ..] => rest.get(13..),
            [0x18, 15, rest @ ..] => rest.get(15..),
            _ => None,
        }
    }
    matches!(der.get(der.offset(issuer) + issuer.len()..), Some([SEQUENCE, _, dates @ ..]) if plain(dates).and_then(plain).is_some())
}

#[cfg(test)]
mod tests;
