//! Id tokens: tell the client who signed in. They are never accepted as access tokens: no `appid`, no `azp`, no `scp`.

use keyless_model::{ClientId, ObjectId, TenantId, Timestamp};
use serde::Serialize;

use crate::grant::{Version, pairwise_subject};

/// An id token about to be signed, always v2 (OpenID Connect Core section 2).
#[derive(Debug, Clone)]
pub struct IdGrant<'a> {
    /// Scheme, host and port without a trailing slash.
    pub issuer_base: &'a str,
    pub tenant: TenantId,
    /// The audience.
    pub client_id: ClientId,
    pub object_id: ObjectId,
    pub upn: &'a str,
    pub name: &'a str,
    /// From the authorization request, verbatim.
    pub nonce: Option<&'a str>,
    pub session: Option<&'a str>,
    pub issued: Timestamp,
    pub lifetime_secs: i64,
    pub token_id: &'a str,
}

/// The claims of an id token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdClaims<'a> {
    aud: ClientId,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    oid: ObjectId,
    preferred_username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    sub: String,
    tid: TenantId,
    uti: &'a str,
    ver: &'static str,
}

impl<'a> IdGrant<'a> {
    /// The claims to sign, with `TokenHeader::V2`.
    #[must_use]
    pub fn claims(&self) -> IdClaims<'a> {
        let issued = self.issued.unix_secs();
        IdClaims {
            aud: self.client_id,
            iss: Version::V2.issuer(self.issuer_base, self.tenant),
            iat: issued,
            nbf: issued,
            exp: issued.saturating_add(self.lifetime_secs),
            name: self.name,
            nonce: self.nonce,
            oid: self.object_id,
            preferred_username: self.upn,
            sid: self.session,
            sub: pairwise_subject(self.tenant, self.object_id, self.client_id),
            tid: self.tenant,
            uti: self.token_id,
            ver: "2.0",
        }
    }
}
