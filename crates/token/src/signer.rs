//! The private side: makes keys and signs claims.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless_model::entity::SigningAlgorithm;
use keyless_model::{KeyId, Secret};
use serde::Serialize;

use crate::error::KeyError;
use crate::grant::Version;
use crate::verifying::{PublicNumbers, VerifyingKey};

/// Which JOSE header a token gets. Entra repeats `kid` as `x5t` in v1 tokens and drops it in v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenHeader {
    /// `{"typ":"JWT","alg":..,"x5t":kid,"kid":kid}`.
    V1,
    /// `{"typ":"JWT","alg":..,"kid":kid}`; id tokens have it too.
    V2,
}

impl From<Version> for TokenHeader {
    fn from(version: Version) -> Self {
        match version {
            Version::V1 => Self::V1,
            Version::V2 => Self::V2,
        }
    }
}

/// A key as it comes from [`Signer::generate`]: to be sealed and stored, never shown.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The RFC 7638 thumbprint (SHA-256, base64url), so that one key has one name everywhere.
    pub kid: KeyId,
    pub algorithm: SigningAlgorithm,
    /// PKCS#8 DER.
    pub private_pkcs8: Secret<Vec<u8>>,
    /// `SubjectPublicKeyInfo` DER.
    pub public_spki: Vec<u8>,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
}

/// A private key that signs. Its `Debug` shows the key id only.
pub struct Signer {
    kid: KeyId,
    pair: Pair,
    random: SystemRandom,
    /// `base64url(header) + "."`, per [`TokenHeader`].
    heads: [String; 2],
}

impl Signer {
    /// Makes a new key with the cryptographic library's own random source (2048-bit RSA for RS256, P-256 for ES256).
    ///
    /// # Errors
    /// [`KeyError::Generate`] when the library fails.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<NewKey, KeyError> {
        let fail = |_| KeyError::Generate;
        let (private_pkcs8, public_spki) = match algorithm {
            SigningAlgorithm::RS256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(fail)?;
                let private: Pkcs8V1Der<'_> = pair.as_der().map_err(fail)?;
                let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(fail)?;
                (Secret::new(private.as_ref().to_vec()), public.as_ref().to_vec())
            }
            SigningAlgorithm::ES256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(fail)?;
                let private = pair.to_pkcs8v1().map_err(fail)?;
                let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(fail)?;
                (Secret::new(private.as_ref().to_vec()), public.as_ref().to_vec())
            }
        };
        let kid = thumbprint(&VerifyingKey::from_spki(algorithm.into(), &public_spki)?.numbers()?)?;
        Ok(NewKey { kid, algorithm, private_pkcs8, public_spki })
    }

    /// # Errors
    /// [`KeyError::Rejected`] when the bytes are no such private key.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, kid: KeyId, pkcs8: &Secret<Vec<u8>>) -> Result<Self, KeyError> {
        let rejected = |_| KeyError::Rejected("it is not a PKCS#8 private key for its algorithm");
        let pair = match algorithm {
            SigningAlgorithm::RS256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8.expose()).map_err(rejected)?;
                if pair.public_modulus_len() < KeySize::Rsa2048.len() {
                    return Err(KeyError::Rejected("an RSA key needs 2048 bits or more"));
                }
                Pair::Rsa(Box::new(pair))
            }
            SigningAlgorithm::ES256 => {
                Pair::P256(Box::new(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.expose()).map_err(rejected)?))
            }
        };
        let alg = crate::Algorithm::from(algorithm).as_str();
        // A key id is base64url (its type says so), so it needs no JSON escape.
        let heads = [
            format!(r#"{{"typ":"JWT","alg":"{alg}","x5t":"{kid}","kid":"{kid}"}}"#),
            format!(r#"{{"typ":"JWT","alg":"{alg}","kid":"{kid}"}}"#),
        ]
        .map(|json| URL_SAFE_NO_PAD.encode(json) + ".");
        Ok(Self { kid, pair, random: SystemRandom::new(), heads })
    }

    #[must_use]
    pub const fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// Signs claims into a compact JWS (RFC 7515 section 7.1).
    ///
    /// # Errors
    /// [`KeyError::Claims`] when the claims cannot be written as JSON, [`KeyError::Sign`] when the library fails.
    pub fn sign(&self, claims: &impl Serialize, header: TokenHeader) -> Result<Secret<String>, KeyError> {
        let payload = serde_json::to_vec(claims).map_err(|_| KeyError::Claims)?;
        let head = match header {
            TokenHeader::V1 => &self.heads[0],
            TokenHeader::V2 => &self.heads[1],
        };
        let mut text = String::with_capacity(head.len() + payload.len() * 4 / 3 + 360);
        text.push_str(head);
        URL_SAFE_NO_PAD.encode_string(&payload, &mut text);
        let signature = self.signature(text.as_bytes())?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(&signature, &mut text);
        Ok(Secret::new(text))
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature).map_err(|_| KeyError::Sign)?;
                Ok(signature)
            }
            Pair::P256(pair) => pair.sign(&self.random, message).map(|found| found.as_ref().to_vec()).map_err(|_| KeyError::Sign),
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// RFC 7638: SHA-256 over the required members in lexical order.
fn thumbprint(numbers: &PublicNumbers) -> Result<KeyId, KeyError> {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let canonical = match numbers {
        PublicNumbers::Rsa { n, e } => {
            format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(e), text(n))
        }
        PublicNumbers::P256 { x, y } => format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, text(x), text(y)),
    };
    KeyId::new(&text(digest(&SHA256, canonical.as_bytes()).as_ref())).map_err(|_| KeyError::Generate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprint_is_that_of_the_rfc() {
        // RFC 7638 section 3.1.
        let n = concat!(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs",
            "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5h",
            "ajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        );
        let numbers = PublicNumbers::Rsa { n: URL_SAFE_NO_PAD.decode(n).unwrap(), e: vec![1, 0, 1] };
        assert_eq!(thumbprint(&numbers).unwrap().as_str(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
