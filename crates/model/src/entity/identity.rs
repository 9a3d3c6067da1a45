//! Managed identities, what may carry them, and how a workload elsewhere becomes one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::entity::{AssertionAlgorithm, Tags};
use crate::{ClientId, CredentialId, ObjectId, Scope, TenantId, Timestamp};

/// The two life cycles of a managed identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum IdentityKind {
    /// A resource of its own, attached to any number of carriers.
    UserAssigned,
    /// Lives and dies with the resource that owns it.
    SystemAssigned { owner: Scope },
}

/// An identity without a credential of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedIdentity {
    /// User-assigned: its own ARM id. System-assigned: the owner's.
    pub scope: Scope,
    pub identity_kind: IdentityKind,
    pub tenant: TenantId,
    pub client_id: ClientId,
    pub principal_id: ObjectId,
    pub location: String,
    #[serde(default)]
    pub tags: Tags,
    pub created: Timestamp,
}

impl ManagedIdentity {
    pub(super) fn entity_id(&self) -> String {
        self.client_id.to_string()
    }
}

/// The identities that a resource carries (`identity` in ARM).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssignedIdentities {
    /// The client id of the system-assigned identity, when the resource has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<ClientId>,
    /// The ARM ids of the attached user-assigned identities.
    #[serde(default)]
    pub user: BTreeSet<Scope>,
}

/// Something that may carry identities: this machine, a virtual machine, a runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Host {
    /// A `Microsoft.Compute/virtualMachines` id: what Azure itself puts identities on.
    pub scope: Scope,
    pub location: String,
    pub identity: AssignedIdentities,
    #[serde(default)]
    pub tags: Tags,
    pub created: Timestamp,
}

impl Host {
    pub(super) fn entity_id(&self) -> String {
        self.scope.folded().to_owned()
    }
}

/// Whose sign-in a federated credential allows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FederatedOwner {
    /// A user-assigned identity, by ARM id.
    Identity(Scope),
    /// An application object.
    Application(ObjectId),
}

/// How the subject of an external token is matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SubjectMatch {
    /// Byte for byte.
    Exact(String),
    /// A claims-matching expression, as Entra's flexible federated credentials have.
    Expression(String),
}

/// Trust in one subject of one external OIDC issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FederatedCredential {
    pub id: CredentialId,
    pub owner: FederatedOwner,
    pub name: String,
    /// Compared byte for byte with the token's `iss`.
    pub issuer: String,
    pub subject: SubjectMatch,
    pub audience: String,
    #[serde(default)]
    pub description: Option<String>,
    pub created: Timestamp,
    /// What the issuer's tokens may be signed with.
    #[serde(default = "AssertionAlgorithm::of_issuers")]
    pub algorithms: Vec<AssertionAlgorithm>,
}

impl FederatedCredential {
    pub(super) fn entity_id(&self) -> String {
        self.id.to_string()
    }
}
