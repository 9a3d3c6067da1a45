//! Directory objects: who may be granted something, and how an application or a person proves to be one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::entity::AssertionAlgorithm;
use crate::{ClientId, CredentialId, ObjectId, TenantId, Timestamp};

/// What kind of directory object a principal is (`principalType` in ARM).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PrincipalKind {
    /// The service principal of a managed identity.
    ManagedIdentity,
    /// The service principal of an application.
    ServicePrincipal,
    User,
    Group,
}

impl PrincipalKind {
    /// The word ARM uses; it shows managed identities as service principals.
    #[must_use]
    pub const fn arm_name(self) -> &'static str {
        match self {
            Self::ManagedIdentity | Self::ServicePrincipal => "ServicePrincipal",
            Self::User => "User",
            Self::Group => "Group",
        }
    }
}

/// An object that roles are assigned to. Identities, applications' service principals, users and groups each have one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    pub id: ObjectId,
    pub tenant: TenantId,
    pub kind: PrincipalKind,
    pub display_name: String,
    /// The client id of the application or identity behind a service principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Set for a guest: the Entra tenant that the principal lives in. Only that tenant's tokens speak for a guest, whose object id is
    /// the one it has there; [`Principal::tenant`] is the directory that it is a guest of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<TenantId>,
    /// A disabled principal gets no token, and its tokens stop working at once.
    pub enabled: bool,
    /// Tokens issued before this moment are refused ("revoke sessions").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_valid_from: Option<Timestamp>,
    pub created: Timestamp,
}

impl Principal {
    /// An enabled principal of this very tenant.
    #[must_use]
    pub fn new(id: ObjectId, tenant: TenantId, kind: PrincipalKind, display_name: impl Into<String>, created: Timestamp) -> Self {
        let display_name = display_name.into();
        Self { id, tenant, kind, display_name, client_id: None, home: None, enabled: true, tokens_valid_from: None, created }
    }

    /// The tenant whose tokens speak for this principal.
    #[must_use]
    pub fn token_tenant(&self) -> TenantId {
        self.home.unwrap_or(self.tenant)
    }

    pub(super) fn entity_id(&self) -> String {
        self.id.to_string()
    }
}

/// The person behind a user principal; shares its object id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub id: ObjectId,
    pub user_principal_name: String,
    pub mail_nickname: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<UserPassword>,
    /// The subject at an upstream OIDC provider, as (issuer, subject).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<(String, String)>,
}

/// A password at rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserPassword {
    /// Argon2id in PHC string form.
    pub hash: String,
    pub must_change: bool,
    pub changed: Timestamp,
}

impl User {
    /// Whether this may be somebody's sign-in name in a directory of this domain: a name at that very domain, by which the tenant is
    /// found when the person signs in, in the letters that Entra allows.
    #[must_use]
    pub fn is_sign_in_name(name: &str, domain: &str) -> bool {
        let (local, given) = name.split_once('@').unwrap_or_default();
        let plain = (1..=64).contains(&local.len()) && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+'!#^~".contains(&b));
        plain && given.eq_ignore_ascii_case(domain)
    }

    pub(super) fn entity_id(&self) -> String {
        self.id.to_string()
    }
}

/// A security group; shares its principal's object id. Members may be groups: membership is transitive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub id: ObjectId,
    pub mail_nickname: String,
    #[serde(default)]
    pub description: Option<String>,
    pub members: BTreeSet<ObjectId>,
}

impl Group {
    pub(super) fn entity_id(&self) -> String {
        self.id.to_string()
    }
}

/// An app registration. Its service principal is a separate [`Principal`] with the same client id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    /// The application object's own id (not the service principal's).
    pub id: ObjectId,
    pub tenant: TenantId,
    pub client_id: ClientId,
    pub display_name: String,
    /// Further names by which a token's audience may call this application.
    #[serde(default)]
    pub identifier_uris: Vec<String>,
    /// Every address that answers of a sign-in may go to, of whatever kind.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Which of them belong to a program on a person's machine, and which to a page in a browser; the rest are of servers. Clients
    /// set and read the three apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_redirect_uris: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spa_redirect_uris: Vec<String>,
    /// A public client holds no credential (device code, browser sign-in).
    #[serde(default)]
    pub public_client: bool,
    #[serde(default)]
    pub secrets: Vec<ClientSecret>,
    #[serde(default)]
    pub certificates: Vec<CertificateCredential>,
    pub created: Timestamp,
}

impl Application {
    pub(super) fn entity_id(&self) -> String {
        self.id.to_string()
    }
}

/// A client secret at rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientSecret {
    pub id: CredentialId,
    pub display_name: Option<String>,
    /// The first three characters, as Entra shows them.
    pub hint: String,
    /// Lower-case hex of HMAC-SHA256 over the whole secret, under a key derived from the store's master key. Generated secrets
    /// have 256 bits, so a slow hash would add nothing but a denial of service; the key makes a stolen database useless.
    pub hash: String,
    pub starts: Timestamp,
    pub expires: Timestamp,
}

/// A certificate that an application signs assertions with (public part only).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateCredential {
    pub id: CredentialId,
    pub display_name: Option<String>,
    /// Base64 DER of the certificate.
    pub der: String,
    /// Lower-case hex SHA-1 and SHA-256 of the DER (`x5t`, `x5t#S256`).
    pub sha1: String,
    pub sha256: String,
    pub starts: Timestamp,
    pub expires: Timestamp,
    /// What its assertions may be signed with.
    #[serde(default = "AssertionAlgorithm::of_certificates")]
    pub algorithms: Vec<AssertionAlgorithm>,
}

/// A person who was invited and has no account yet. It is what makes the link count: without it the link opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// Decided beforehand, so that an invitation makes one person at most.
    pub user: ObjectId,
    pub tenant: TenantId,
    pub user_principal_name: String,
    pub display_name: String,
    pub rights: InvitedAs,
    pub invited: Timestamp,
    pub expires: Timestamp,
}

/// What an invited person may do once the account is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InvitedAs {
    /// Nothing yet.
    Member,
    /// Everything.
    Owner,
    /// Everything, unless a person who may give roles is there already when the invitation is accepted.
    FirstAdministrator,
}

impl Invitation {
    /// Whether it is for this sign-in name.
    #[must_use]
    pub fn is_for(&self, name: &str) -> bool {
        self.user_principal_name.to_lowercase() == name.to_lowercase()
    }

    pub(super) fn entity_id(&self) -> String {
        self.user.to_string()
    }
}

/// A line of refresh tokens that descend from one sign-in. Replaying an older member revokes the family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshFamily {
    pub id: CredentialId,
    pub user: ObjectId,
    pub client_id: ClientId,
    /// The generation that is valid now; a token of an older one is a replay.
    pub generation: u64,
    /// When `generation` began. A client that sent its last request twice still holds the generation before for a moment.
    #[serde(default)]
    pub rotated: Timestamp,
    pub signed_in: Timestamp,
    pub expires: Timestamp,
    pub revoked: bool,
    /// Of a page in a browser: it ends a day after the sign-in, and only that page may use it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_browser: bool,
    /// How the person signed in (`"pwd"`, `"fed"`).
    pub method: String,
}

impl RefreshFamily {
    pub(super) fn entity_id(&self) -> String {
        self.id.to_string()
    }
}
