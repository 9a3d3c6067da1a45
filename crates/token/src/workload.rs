//! Tokens with which a workload of this system proves itself to others: a cloud's token service, another system like this one.
//!
//! They are no access tokens: without `ver`, `appid`, `azp` and `scp` no plane of ours takes one, whatever its audience says.

use keyless_model::{ObjectId, TenantId, Timestamp};
use serde::Serialize;

use crate::grant::Version;

/// A workload identity token about to be signed (OpenID Connect Core 1.0, section 2, without a person).
#[derive(Debug, Clone)]
pub struct WorkloadGrant<'a> {
    /// Scheme, host and port without a trailing slash.
    pub issuer_base: &'a str,
    pub tenant: TenantId,
    /// Who is to accept it, exactly as it compares.
    pub audience: &'a str,
    /// The subject: never used again for another principal.
    pub object_id: ObjectId,
    /// `xms_mirid`: a managed identity's ARM id, for relying parties that map attributes.
    pub resource_id: Option<&'a str>,
    pub issued: Timestamp,
    pub lifetime_secs: i64,
    /// `jti`: lets a relying party take each token once.
    pub token_id: &'a str,
}

/// The claims of a workload identity token.
///
/// No `azp`: relying parties that know it compare it with their audience in place of `aud`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkloadClaims<'a> {
    iss: String,
    sub: ObjectId,
    aud: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: &'a str,
    oid: ObjectId,
    tid: TenantId,
    #[serde(skip_serializing_if = "Option::is_none")]
    xms_mirid: Option<&'a str>,
}

impl<'a> WorkloadGrant<'a> {
    /// The claims to sign, with `TokenHeader::V2`.
    #[must_use]
    pub fn claims(&self) -> WorkloadClaims<'a> {
        let issued = self.issued.unix_secs();
        WorkloadClaims {
            iss: Version::V2.issuer(self.issuer_base, self.tenant),
            sub: self.object_id,
            aud: self.audience,
            iat: issued,
            nbf: issued,
            exp: issued.saturating_add(self.lifetime_secs),
            jti: self.token_id,
            oid: self.object_id,
            tid: self.tenant,
            xms_mirid: self.resource_id,
        }
    }
}
