//! Key sets of external issuers: fetched from strangers, so capped, strict, and judged key by key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::algorithm::Algorithm;
use crate::json::{Object, Value};
use crate::strength::check_rsa;
use crate::verifying::{PublicNumbers, VerifyingKey};

/// Largest key set read, in bytes. The largest honest one seen has some 20 kB.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;
/// Most keys in a set.
pub const MAX_JWKS_KEYS: usize = 100;
/// Longest `kid`, in bytes.
const MAX_KID: usize = 256;

/// Why a whole key set is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    #[error("the key set is larger than 256 kB; an issuer's key set has a few keys only")]
    TooLarge,
    #[error("the key set has more than 100 keys; an issuer's key set has a few keys only")]
    TooManyKeys,
    #[error("the key set is not strict JSON with a `keys` list; check the issuer's jwks_uri")]
    Malformed,
    /// Which of them signed? Nobody could say.
    #[error("two different keys of the set have the same kid; the issuer must give each key its own")]
    DuplicateId,
}

/// The usable verification keys of one external issuer.
///
/// Left out, without refusing the rest: keys without `kid`, for other uses or algorithms, weak ones, symmetric ones, and keys whose
/// private numbers the issuer published with them - whoever can read the set can sign with those.
#[derive(Debug, Clone, Default)]
pub struct ExternalKeys {
    keys: Vec<(String, VerifyingKey)>,
    /// Names of keys that sign for one issuer only, as Entra says of its keys.
    issuers: Vec<(String, String)>,
    left_out: usize,
}

impl ExternalKeys {
    /// Parses a JWKS document (RFC 7517).
    ///
    /// # Errors
    /// [`JwksError`] when the document as a whole cannot be trusted to mean one thing.
    pub fn parse(document: &[u8]) -> Result<Self, JwksError> {
        if document.len() > MAX_JWKS_BYTES {
            return Err(JwksError::TooLarge);
        }
        let object = Object::parse(document).ok_or(JwksError::Malformed)?;
        let Some(Value::List(list)) = object.member("keys") else { return Err(JwksError::Malformed) };
        if list.len() > MAX_JWKS_KEYS {
            return Err(JwksError::TooManyKeys);
        }
        let mut set = Self::default();
        let mut numbers: Vec<(&str, PublicNumbers)> = Vec::new();
        for item in list {
            let Value::Object(jwk) = item else { return Err(JwksError::Malformed) };
            let Some((kid, found, algorithms)) = usable(jwk) else {
                set.left_out += 1;
                continue;
            };
            match numbers.iter().find(|(other, _)| *other == kid) {
                Some((_, same)) if *same == found => {}
                Some(_) => return Err(JwksError::DuplicateId),
                None => numbers.push((kid, found.clone())),
            }
            if let Some(issuer) = text(jwk, "issuer") {
                set.issuers.push((kid.to_owned(), issuer.to_owned()));
            }
            for &algorithm in algorithms {
                if set.find(kid, algorithm).is_none() {
                    match VerifyingKey::from_numbers(algorithm, &found) {
                        Ok(key) => set.keys.push((kid.to_owned(), key)),
                        Err(_) => set.left_out += 1,
                    }
                }
            }
        }
        Ok(set)
    }

    /// How many keys of the document were left out as unusable.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether some key has that name, for any algorithm. When not, one refetch of the set may help.
    #[must_use]
    pub fn names(&self, kid: &str) -> bool {
        self.keys.iter().any(|(own, _)| own == kid)
    }

    /// The issuer that a key signs for, when the set says so: Entra's own member `issuer`, in which `{tenantid}` stands for any tenant.
    #[must_use]
    pub fn issuer_of(&self, kid: &str) -> Option<&str> {
        self.issuers.iter().find(|(own, _)| own == kid).map(|(_, issuer)| issuer.as_str())
    }

    pub(crate) fn find(&self, kid: &str, algorithm: Algorithm) -> Option<&VerifyingKey> {
        self.keys.iter().find(|(own, key)| own == kid && key.algorithm() == algorithm).map(|(_, key)| key)
    }
}

/// Name, numbers and algorithms of a key that may verify signatures.
fn usable<'k>(jwk: &'k Object<'_>) -> Option<(&'k str, PublicNumbers, &'static [Algorithm])> {
    const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    if PRIVATE.iter().any(|name| jwk.member(name).is_some()) {
        return None;
    }
    let kid = text(jwk, "kid").filter(|kid| !kid.is_empty() && kid.len() <= MAX_KID)?;
    if !matches!(jwk.member("use"), None | Some(Value::Null)) && text(jwk, "use") != Some("sig") {
        return None;
    }
    let for_verifying = match jwk.member("key_ops") {
        None => true,
        Some(Value::List(list)) => list.iter().any(|item| matches!(item, Value::Text(operation) if operation == "verify")),
        Some(_) => false,
    };
    let (numbers, family): (_, &'static [Algorithm]) = match text(jwk, "kty")? {
        "RSA" => {
            let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
            check_rsa(&n, &e).ok()?;
            (PublicNumbers::Rsa { n, e }, &[Algorithm::RS256, Algorithm::PS256])
        }
        "EC" if text(jwk, "crv") == Some("P-256") => {
            let (x, y) = (number(jwk, "x")?, number(jwk, "y")?);
            (PublicNumbers::P256 { x, y }, &[Algorithm::ES256])
        }
        _ => return None,
    };
    let algorithms = match jwk.member("alg") {
        // Most issuers leave `alg` out of RSA keys; the credential's own list then decides.
        None => family,
        Some(Value::Text(name)) => {
            let position = family.iter().position(|algorithm| algorithm.as_str() == name)?;
            &family[position..=position]
        }
        Some(_) => return None,
    };
    for_verifying.then_some((kid, numbers, algorithms))
}

fn text<'k>(jwk: &'k Object<'_>, name: &str) -> Option<&'k str> {
    match jwk.member(name) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn number(jwk: &Object<'_>, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).ok()
}

#[cfg(test)]
mod tests;
