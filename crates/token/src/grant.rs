//! What an access token says: the claims that Entra's v1 and v2 tokens carry.
//!
//! Left out on purpose: `aio` and `rh`, which are private notes of Entra's own servers that no resource may read.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless_model::{ClientId, ObjectId, TenantId, Timestamp};
use serde::Serialize;

/// The token format. The resource decides, not the endpoint: AI accounts and ARM take v1, applications that ask for it take v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    V1,
    V2,
}

impl Version {
    /// Our issuer: `{base}/{tenant}/` for v1, `{base}/{tenant}/v2.0` for v2. Entra's v1 issuer has a host of its own
    /// (`sts.windows.net`); ours stays below the address that serves its discovery document, so that relying parties can follow it.
    #[must_use]
    pub fn issuer(self, issuer_base: &str, tenant: TenantId) -> String {
        match self {
            Self::V1 => format!("{issuer_base}/{tenant}/"),
            Self::V2 => format!("{issuer_base}/{tenant}/v2.0"),
        }
    }
}

/// How the application proved itself (`appidacr`, `azpacr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AppCredential {
    /// A public client: it has no credential, the person has.
    Public,
    Secret,
    Certificate,
    Federated,
}

impl AppCredential {
    const fn acr(self) -> &'static str {
        match self {
            Self::Public => "0",
            Self::Secret => "1",
            Self::Certificate | Self::Federated => "2",
        }
    }
}

/// Whom the token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSubject {
    ManagedIdentity {
        client_id: ClientId,
        object_id: ObjectId,
        /// `xms_mirid`: the identity's ARM id; for a system-assigned one its owner's.
        resource_id: String,
        /// `xms_az_rid`: the ARM id of the host that carries a user-assigned identity.
        host: Option<String>,
    },
    Application {
        client_id: ClientId,
        object_id: ObjectId,
        credential: AppCredential,
    },
    User {
        object_id: ObjectId,
        /// The application the person signed in to.
        client_id: ClientId,
        /// How that application proved itself; [`AppCredential::Public`] for `az` and other desktop programs.
        credential: AppCredential,
        upn: String,
        name: String,
        /// `amr`, such as `pwd`.
        methods: Vec<String>,
        /// `scp`.
        scopes: Vec<String>,
    },
}

/// An access token about to be signed.
#[derive(Debug, Clone)]
pub struct Grant<'a> {
    pub version: Version,
    /// Scheme, host and port without a trailing slash, such as `https://localhost:8443`.
    pub issuer_base: &'a str,
    pub tenant: TenantId,
    pub audience: &'a str,
    pub subject: TokenSubject,
    pub issued: Timestamp,
    pub lifetime_secs: i64,
    /// `uti`: unique per token.
    pub token_id: String,
    /// `xms_cc`: what the client can handle, such as `CP1`.
    pub capabilities: Vec<String>,
    /// `sid`: the sign-in session, for people.
    pub session: Option<String>,
}

/// The claims of an access token, in the order that Entra writes: the registered ones first, the rest by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessClaims<'a> {
    aud: &'a str,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    amr: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    appid: Option<ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    appidacr: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azp: Option<ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azpacr: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idp: Option<String>,
    idtyp: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    oid: ObjectId,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    sub: String,
    tid: TenantId,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upn: Option<&'a str>,
    uti: &'a str,
    ver: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    xms_az_rid: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    xms_cc: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    xms_mirid: Option<&'a str>,
}

impl Grant<'_> {
    /// The claims to sign; the header is `TokenHeader::from(self.version)`.
    #[must_use]
    pub fn claims(&self) -> AccessClaims<'_> {
        let issuer = self.version.issuer(self.issuer_base, self.tenant);
        let issued = self.issued.unix_secs();
        let (client_id, object_id, credential) = match &self.subject {
            // Entra's managed identities hold a certificate that nobody sees, hence "2".
            TokenSubject::ManagedIdentity { client_id, object_id, .. } => (*client_id, *object_id, AppCredential::Certificate),
            TokenSubject::Application { client_id, object_id, credential }
            | TokenSubject::User { client_id, object_id, credential, .. } => (*client_id, *object_id, *credential),
        };
        let v1 = self.version == Version::V1;
        let mut claims = AccessClaims {
            aud: self.audience,
            iat: issued,
            nbf: issued,
            exp: issued.saturating_add(self.lifetime_secs),
            acr: None,
            amr: &[],
            appid: v1.then_some(client_id),
            appidacr: v1.then_some(credential.acr()),
            azp: (!v1).then_some(client_id),
            azpacr: (!v1).then_some(credential.acr()),
            idp: None,
            idtyp: "app",
            name: None,
            oid: object_id,
            preferred_username: None,
            scp: None,
            sid: self.session.as_deref(),
            sub: String::new(),
            tid: self.tenant,
            unique_name: None,
            upn: None,
            uti: &self.token_id,
            ver: if v1 { "1.0" } else { "2.0" },
            xms_az_rid: None,
            xms_cc: &self.capabilities,
            xms_mirid: None,
            iss: issuer,
        };
        match &self.subject {
            TokenSubject::ManagedIdentity { resource_id, host, .. } => {
                claims.xms_mirid = Some(resource_id);
                claims.xms_az_rid = host.as_deref();
            }
            TokenSubject::Application { .. } => {}
            TokenSubject::User { upn, name, methods, scopes, .. } => {
                claims.idtyp = "user";
                claims.amr = methods;
                claims.name = Some(name);
                claims.scp = Some(scopes.join(" "));
                claims.sub = pairwise_subject(self.tenant, object_id, client_id);
                if v1 {
                    claims.acr = Some("1");
                    claims.unique_name = Some(upn);
                    claims.upn = Some(upn);
                } else {
                    claims.preferred_username = Some(upn);
                }
                return claims;
            }
        }
        claims.sub = object_id.to_string();
        claims.idp = v1.then(|| claims.iss.clone());
        claims
    }
}

/// A person's `sub` differs per application, so that two applications cannot join their records by it.
pub(crate) fn pairwise_subject(tenant: TenantId, object_id: ObjectId, client_id: ClientId) -> String {
    let mut input = b"keyless pairwise subject\0".to_vec();
    for id in [tenant.uuid(), object_id.uuid(), client_id.uuid()] {
        input.extend_from_slice(id.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(digest(&SHA256, &input))
}
