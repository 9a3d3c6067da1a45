//! Text that claims to be a token. Parsing it proves its form and nothing else.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{NO_PAD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use keyless_model::KeyId;

use crate::algorithm::Algorithm;
use crate::claims::Claims;
use crate::error::TokenError;
use crate::json::{Object, Value};
use crate::verifying::VerifyingKey;

/// Longest token text, in bytes. Assertions with a certificate chain in the header are the largest that honest clients send.
const MAX_TEXT: usize = 32 * 1024;
/// Longest header segment that needs no certificate chain is far below; this bounds the JSON work before any signature check.
const MAX_HEADER: usize = 16 * 1024;
/// Longest `kid`, `x5t` or `x5t#S256`.
const MAX_NAME: usize = 256;

/// Canonical but for the padding, which may be there or not.
const PADDED_OR_NOT: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// A strict compact JWS (RFC 7515 section 7.1) whose signature nobody has checked yet.
///
/// `jwk`, `jku`, `x5u` and `x5c` are never read as keys: a token does not choose the key it is checked with.
pub struct Unverified<'a> {
    /// `header.payload`, the bytes that were signed.
    signed: &'a str,
    signature: Vec<u8>,
    algorithm: Algorithm,
    payload: Vec<u8>,
    header: Header,
}

#[derive(Default)]
struct Header {
    kid: Option<String>,
    typ: Option<String>,
    x5t: Option<String>,
    x5t_s256: Option<String>,
}

impl<'a> Unverified<'a> {
    /// # Errors
    /// [`TokenError::Malformed`] for anything but three canonical base64url segments with a strict JSON header, and for headers that
    /// demand processing we do not do (`crit`, `b64`, `zip`, encryption); [`TokenError::Algorithm`] for an `alg` not on the list.
    pub fn parse(text: &'a str) -> Result<Self, TokenError> {
        Self::parse_with(text, &URL_SAFE_NO_PAD)
    }

    /// A client's assertion: as [`Unverified::parse`], and each segment may end in the padding that RFC 7515 leaves out, because
    /// `azure.identity.aio` writes it. Two spellings of one assertion are no danger: assertions are remembered by their `jti`.
    ///
    /// # Errors
    /// As [`Unverified::parse`].
    pub fn parse_assertion(text: &'a str) -> Result<Self, TokenError> {
        Self::parse_with(text, &PADDED_OR_NOT)
    }

    fn parse_with(text: &'a str, base64url: &GeneralPurpose) -> Result<Self, TokenError> {
        let decode = |segment| decode(segment, base64url);
        if text.len() > MAX_TEXT {
            return Err(TokenError::Malformed("too long"));
        }
        let not_three = TokenError::Malformed("not three segments");
        let (signed, signature) = text.rsplit_once('.').ok_or(not_three.clone())?;
        let (header, payload) = signed.split_once('.').ok_or(not_three.clone())?;
        // An empty payload would be a detached one (RFC 7515 appendix F): its bytes would come from somewhere else.
        if payload.contains('.') || payload.is_empty() {
            return Err(not_three);
        }
        if header.len() > MAX_HEADER {
            return Err(TokenError::Malformed("header too long"));
        }
        let (algorithm, header) = read_header(&decode(header)?)?;
        Ok(Self { signed, signature: decode(signature)?, algorithm, payload: decode(payload)?, header })
    }

    /// The algorithm the header names. The key decides whether it is the right one.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key the token asks to be checked with.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// `typ`, as sent.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    /// The SHA-1 certificate thumbprint, as sent (`x5t`).
    #[must_use]
    pub fn x5t(&self) -> Option<&str> {
        self.header.x5t.as_deref()
    }

    /// The SHA-256 certificate thumbprint, as sent (`x5t#S256`).
    #[must_use]
    pub fn x5t_s256(&self) -> Option<&str> {
        self.header.x5t_s256.as_deref()
    }

    /// The claims as the sender states them, for choosing whose keys to check with. Never a ground for access.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] when the payload is not one strict JSON object.
    pub fn stated_claims(&self) -> Result<Claims<'_>, TokenError> {
        Claims::parse(&self.payload)
    }

    /// Checks the signature with a key chosen by the caller.
    pub(crate) fn check(&self, key: &VerifyingKey) -> Result<(), TokenError> {
        key.check(self.signed.as_bytes(), &self.signature)
    }

    /// The key id, when it could be one of ours.
    pub(crate) fn own_kid(&self) -> Result<KeyId, TokenError> {
        let kid = self.kid().ok_or(TokenError::Malformed("no kid"))?;
        KeyId::new(kid).map_err(|_| TokenError::Malformed("kid is not a key id"))
    }
}

/// Shows the form, never the content: a token in a debug log is a leaked token.
impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Canonical base64url: no padding, no `+` or `/`, no spare bits. Otherwise one token would have many spellings, and a cache or a
/// revocation list keyed by its hash could be walked around.
fn decode(segment: &str, base64url: &GeneralPurpose) -> Result<Vec<u8>, TokenError> {
    base64url.decode(segment).map_err(|_| TokenError::Malformed("a segment is not canonical base64url"))
}

fn read_header(bytes: &[u8]) -> Result<(Algorithm, Header), TokenError> {
    let object = Object::parse(bytes).ok_or(TokenError::Malformed("the header is not strict JSON"))?;
    let mut algorithm = None;
    let mut header = Header::default();
    for (name, value) in object.iter() {
        match name {
            "alg" => match value {
                Value::Text(text) => algorithm = Algorithm::parse(text),
                _ => return Err(TokenError::Algorithm),
            },
            "kid" => header.kid = Some(name_text(value, "kid")?),
            "typ" => header.typ = Some(name_text(value, "typ")?),
            "x5t" => header.x5t = Some(name_text(value, "x5t")?),
            "x5t#S256" => header.x5t_s256 = Some(name_text(value, "x5t#S256")?),
            // Each of these changes what the signature covers or what the payload is. Honest clients send none of them.
            "crit" | "b64" | "zip" | "enc" | "p2c" | "p2s" | "epk" => {
                return Err(TokenError::Malformed("the header asks for processing that is not supported"));
            }
            // SECURITY: "jwk", "jku", "x5u" and "x5c" land here with everything else and are ignored.
            _ => {}
        }
    }
    Ok((algorithm.ok_or(TokenError::Algorithm)?, header))
}

fn name_text(value: &Value<'_>, what: &'static str) -> Result<String, TokenError> {
    match value {
        Value::Text(text) if text.len() <= MAX_NAME => Ok(text.clone().into_owned()),
        _ => Err(TokenError::Malformed(what)),
    }
}
