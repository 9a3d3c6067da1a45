//! From unverified text to a known caller. Cheap refusals first; no claim is read before the signature holds.

use keyless_model::{ClientId, CredentialId, KeyId, ObjectId, TenantId, Timestamp};

use crate::algorithm::Algorithm;
use crate::claims::Claims;
use crate::error::TokenError;
use crate::grant::Version;
use crate::jwks::ExternalKeys;
use crate::public::PublicKeys;
use crate::unverified::Unverified;
use crate::verifying::VerifyingKey;

/// Clock differences forgiven between us and issuers on synchronised machines, in seconds.
pub const LEEWAY_SECS: i64 = 60;

/// What the surface that received the token demands.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// Accepted issuers, byte for byte.
    pub issuers: &'a [String],
    /// The tenant of the resource that is being called.
    pub tenant: TenantId,
    /// Accepted audiences, byte for byte.
    pub audiences: &'a [String],
    pub now: Timestamp,
    /// Clock difference that is forgiven, each way.
    pub leeway_secs: i64,
}

/// Whether a program or a person is calling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    Application,
    User,
}

/// Who called, proven. It identifies; the directory decides what that identity may do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub tenant: TenantId,
    pub object_id: ObjectId,
    /// The application that asked for the token (`appid`, `azp`).
    pub client_id: Option<ClientId>,
    pub kind: TokenKind,
    pub version: Version,
    pub audience: String,
    pub issued: Timestamp,
    pub expires: Timestamp,
    /// `uti`: names this token in the audit log without being it.
    pub token_id: String,
    pub kid: KeyId,
    /// `sid`: the sign-in behind it, for users.
    pub session: Option<CredentialId>,
    /// Delegated permissions (`scp`), for users.
    pub scopes: Vec<String>,
    pub upn: Option<String>,
    pub name: Option<String>,
    /// Client capabilities (`xms_cc`), such as `CP1`.
    pub capabilities: Vec<String>,
}

/// A token that one of our keys signed. Whether it counts here and now is [`Signed::accept`]'s question.
#[derive(Debug)]
pub struct Signed<'a> {
    claims: Claims<'a>,
    kid: KeyId,
}

/// Verifies an access token against our own keys.
///
/// # Errors
/// The first rule that fails, as a [`TokenError`]. [`TokenError::Tenant`] is only ever said of a genuine, current token for this
/// audience, because its answer names the token's tenant.
pub fn verify(keys: &PublicKeys, token: &Unverified<'_>, expect: &Expect<'_>) -> Result<Verified, TokenError> {
    Signed::check(keys, token)?.accept(expect)
}

impl<'a> Signed<'a> {
    /// Checks form, key and signature: the part that does not depend on who asks, and the only expensive one.
    ///
    /// # Errors
    /// The first rule that fails, as a [`TokenError`].
    pub fn check(keys: &PublicKeys, token: &'a Unverified<'_>) -> Result<Self, TokenError> {
        let kid = token.own_kid()?;
        let key = keys.find(kid.as_str());
        Self::with_key(token, kid, key)
    }

    /// The same with the keys of another authority that the operator trusts, such as a real Entra tenant: RS256 only, as Entra signs.
    /// [`Signed::accept`] then decides by `Expect::issuers`; one key set may serve many tenants, so those must be listed one by one.
    ///
    /// # Errors
    /// The first rule that fails, as a [`TokenError`]; after [`TokenError::UnknownKey`] one refetch of the keys may help.
    pub fn check_external(keys: &ExternalKeys, token: &'a Unverified<'_>) -> Result<Self, TokenError> {
        let kid = token.own_kid()?;
        let key = keys.find(kid.as_str(), Algorithm::RS256);
        Self::with_key(token, kid, key)
    }

    fn with_key(token: &'a Unverified<'_>, kid: KeyId, key: Option<&VerifyingKey>) -> Result<Self, TokenError> {
        let Some(key) = key else { return Err(TokenError::UnknownKey(kid)) };
        if key.algorithm() != token.algorithm() {
            return Err(TokenError::Algorithm);
        }
        if token.typ() != Some("JWT") {
            return Err(TokenError::Type);
        }
        token.check(key)?;
        Ok(Self { claims: token.stated_claims()?, kid })
    }

    /// The claim rules. Cheap: a surface that answers for several tenants may ask once for each.
    ///
    /// # Errors
    /// The first rule that fails, as a [`TokenError`].
    pub fn accept(&self, expect: &Expect<'_>) -> Result<Verified, TokenError> {
        let claims = &self.claims;
        let issuer = claims.required("iss")?;
        if !expect.issuers.iter().any(|accepted| accepted == issuer) {
            return Err(TokenError::Issuer);
        }
        let (issued, expires) = within_time(claims, expect)?;
        // A list of audiences is refused even when ours is in it: the others could replay the token here.
        let audience = claims.required("aud")?;
        if !expect.audiences.iter().any(|accepted| accepted == audience) {
            return Err(TokenError::Audience);
        }
        let version = match claims.required("ver")? {
            "1.0" => Version::V1,
            "2.0" => Version::V2,
            _ => return Err(TokenError::Claim("ver")),
        };
        // Id tokens are signed with the same keys and carry neither of these.
        let client = match version {
            Version::V1 => claims.optional("appid")?,
            Version::V2 => claims.optional("azp")?,
        };
        let client_id: ClientId = client.ok_or(TokenError::Type)?.parse().map_err(|_| TokenError::Claim("appid"))?;
        let tenant = tenant_of(claims, issuer)?;
        let object_id: ObjectId = claims.required("oid")?.parse().map_err(|_| TokenError::Claim("oid"))?;
        if tenant != expect.tenant {
            return Err(TokenError::Tenant(tenant));
        }
        let owned = |text: &str| text.to_owned();
        let scopes = claims.optional("scp")?.unwrap_or_default();
        Ok(Verified {
            tenant,
            object_id,
            client_id: Some(client_id),
            kind: kind_of(claims)?,
            version,
            audience: audience.to_owned(),
            issued,
            expires,
            token_id: claims.required("uti")?.to_owned(),
            kid: self.kid.clone(),
            // Another authority's may have any form; nothing here is named by it.
            session: claims.optional("sid")?.and_then(|text| text.parse().ok()),
            scopes: scopes.split(' ').filter(|one| !one.is_empty()).map(owned).collect(),
            upn: claims.optional("upn")?.or(claims.optional("preferred_username")?).map(owned),
            name: claims.optional("name")?.map(owned),
            capabilities: claims.strings("xms_cc")?.into_iter().map(owned).collect(),
        })
    }
}

/// `exp`, `nbf` and `iat`. The issue time is required: "revoke what was issued before" could not be answered without it.
fn within_time(claims: &Claims<'_>, expect: &Expect<'_>) -> Result<(Timestamp, Timestamp), TokenError> {
    let now = expect.now.unix_secs();
    let expires = claims.seconds("exp")?.ok_or(TokenError::Claim("exp"))?;
    if now >= expires.saturating_add(expect.leeway_secs) {
        return Err(TokenError::Expired);
    }
    let issued = claims.seconds("iat")?.ok_or(TokenError::Claim("iat"))?;
    let starts = claims.seconds("nbf")?.unwrap_or(issued).max(issued);
    if starts > now.saturating_add(expect.leeway_secs) {
        return Err(TokenError::NotYetValid);
    }
    if expires <= issued {
        return Err(TokenError::Claim("exp"));
    }
    Ok((Timestamp::from_unix_secs(issued), Timestamp::from_unix_secs(expires)))
}

/// The token's tenant. SECURITY: an issuer is trusted for its own tenant only, so `tid` must be the one its URL names; a token that
/// says otherwise would let one tenant's authority speak for another's users (the class of CVE-2025-55241).
fn tenant_of(claims: &Claims<'_>, issuer: &str) -> Result<TenantId, TokenError> {
    let text = claims.required("tid")?;
    let tenant: TenantId = text.parse().map_err(|_| TokenError::Claim("tid"))?;
    if issuer.split('/').any(|part| part.eq_ignore_ascii_case(text)) { Ok(tenant) } else { Err(TokenError::Issuer) }
}

/// `idtyp` says it; without it (Entra omits it for people) a delegated scope is the mark of a user.
fn kind_of(claims: &Claims<'_>) -> Result<TokenKind, TokenError> {
    match claims.optional("idtyp")? {
        Some("app") => Ok(TokenKind::Application),
        Some("user") => Ok(TokenKind::User),
        Some(_) => Err(TokenError::Claim("idtyp")),
        None if claims.optional("scp")?.is_some() => Ok(TokenKind::User),
        None => Ok(TokenKind::Application),
    }
}
