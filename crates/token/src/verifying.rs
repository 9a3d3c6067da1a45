//! One public key bound to one algorithm, parsed once and used for every token after.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicKey as RsaPublicKey;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    VerificationAlgorithm,
};
use x509_parser::asn1_rs::FromDer as _;
use x509_parser::oid_registry::OID_PKCS1_RSAENCRYPTION;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::algorithm::Algorithm;
use crate::error::{KeyError, TokenError};

/// The fixed head of a P-256 `SubjectPublicKeyInfo` (RFC 5480); the uncompressed point follows.
const P256_SPKI_HEAD: usize = 26;
/// `0x04 || x || y`.
const P256_POINT: usize = 65;

/// A verification key. SECURITY: the algorithm belongs to the key, so a token cannot choose how its key is used.
#[derive(Debug, Clone)]
pub(crate) struct VerifyingKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

/// The numbers of a public key, big-endian without leading zeros (RSA) or 32 bytes each (P-256).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PublicNumbers {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256 { x: Vec<u8>, y: Vec<u8> },
}

impl VerifyingKey {
    /// From a DER `SubjectPublicKeyInfo` (RFC 5280).
    ///
    /// # Errors
    /// [`KeyError::Rejected`] when it is no key for that algorithm or a weak one.
    pub(crate) fn from_spki(algorithm: Algorithm, spki: &[u8]) -> Result<Self, KeyError> {
        let scheme: &'static dyn VerificationAlgorithm = match algorithm {
            Algorithm::RS256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::PS256 => &RSA_PSS_2048_8192_SHA256,
            Algorithm::ES256 => &ECDSA_P256_SHA256_FIXED,
        };
        // SECURITY: a key of the form id-RSASSA-PSS brings its own mask hash and salt, and the library would check by those.
        if algorithm != Algorithm::ES256 && !is_plain_rsa(spki) {
            return Err(KeyError::Rejected("it is not an RSA key of the form rsaEncryption"));
        }
        let key = ParsedPublicKey::new(scheme, spki).map_err(|_| KeyError::Rejected("it is not a public key for its algorithm"))?;
        Ok(Self { algorithm, key })
    }

    /// From the numbers of a JWK (RFC 7518 section 6).
    ///
    /// # Errors
    /// [`KeyError::Rejected`] when they are no key of that algorithm: a point beside the curve, say.
    pub(crate) fn from_numbers(algorithm: Algorithm, numbers: &PublicNumbers) -> Result<Self, KeyError> {
        let rejected = |_| KeyError::Rejected("its numbers are not a public key");
        match (algorithm, numbers) {
            (Algorithm::RS256 | Algorithm::PS256, PublicNumbers::Rsa { n, e }) => {
                let spki: PublicKeyX509Der<'_> = RsaPublicKeyComponents { n, e }.as_der().map_err(|_| rejected(()))?;
                // The DER way in runs the library's own consistency checks; the component way does not.
                Self::from_spki(algorithm, spki.as_ref())
            }
            (Algorithm::ES256, PublicNumbers::P256 { x, y }) if x.len() == 32 && y.len() == 32 => {
                Self::from_spki(algorithm, &[&[4], x.as_slice(), y.as_slice()].concat())
            }
            _ => Err(rejected(())),
        }
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// # Errors
    /// [`TokenError::Signature`] whatever the reason, so that a caller learns nothing from the difference.
    pub(crate) fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), TokenError> {
        // DER signatures are shorter or longer; P1363 is always two 32-byte numbers.
        if self.algorithm == Algorithm::ES256 && signature.len() != 64 {
            return Err(TokenError::Signature);
        }
        self.key.verify_sig(message, signature).map_err(|_| TokenError::Signature)
    }

    /// The numbers to publish.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] when the library cannot write the key out again.
    pub(crate) fn numbers(&self) -> Result<PublicNumbers, KeyError> {
        let unreadable = KeyError::Rejected("its public numbers cannot be read");
        let der: PublicKeyX509Der<'_> = self.key.as_der().map_err(|_| unreadable.clone())?;
        match self.algorithm {
            Algorithm::RS256 | Algorithm::PS256 => {
                let key = RsaPublicKey::from_der(der.as_ref()).map_err(|_| unreadable)?;
                Ok(PublicNumbers::Rsa {
                    n: key.modulus().big_endian_without_leading_zero().to_vec(),
                    e: key.exponent().big_endian_without_leading_zero().to_vec(),
                })
            }
            Algorithm::ES256 => match der.as_ref().get(P256_SPKI_HEAD..) {
                Some([4, point @ ..]) if point.len() == P256_POINT - 1 => {
                    let (x, y) = point.split_at(32);
                    Ok(PublicNumbers::P256 { x: x.to_vec(), y: y.to_vec() })
                }
                _ => Err(unreadable),
            },
        }
    }
}

/// Whether a `SubjectPublicKeyInfo` names rsaEncryption as its algorithm (RFC 3279 section 2.3.1).
fn is_plain_rsa(spki: &[u8]) -> bool {
    SubjectPublicKeyInfo::from_der(spki).is_ok_and(|(_, key)| key.algorithm.algorithm == OID_PKCS1_RSAENCRYPTION)
}

#[cfg(test)]
mod jws;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
