//! What the directory holds. Each entity is one durable document; the store keeps it whole, the directory indexes it.

mod ai;
mod authorization;
mod capacity;
mod identity;
mod key;
mod principal;
mod resource;
mod sealed;

pub use ai::{Account, Deployment, DeploymentModel, IpRule, NetworkAcls, NetworkDefault, PublicNetworkAccess, Sku, VirtualNetworkRule};
pub use authorization::{DenyAssignment, DenyPrincipal, Permissions, RoleAssignment, RoleDefinition, RoleKind};
pub use capacity::RateLimits;
pub use identity::{AssignedIdentities, FederatedCredential, FederatedOwner, Host, IdentityKind, ManagedIdentity, SubjectMatch};
pub use key::{AssertionAlgorithm, KeyState, SigningAlgorithm, SigningKey};
pub use principal::{
    Application, CertificateCredential, ClientSecret, Group, Invitation, InvitedAs, Principal, PrincipalKind, RefreshFamily, User,
    UserPassword,
};
pub use resource::{GenericResource, Lock, LockLevel, ManagementGroup, ResourceGroup, Subscription, Tags, Tenant};
pub use sealed::Sealed;

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AssignmentId, ClientId, CredentialId, DenyAssignmentId, KeyId, ObjectId, RoleId, Scope, SubscriptionId, TenantId};

macro_rules! scope_of {
    (at_scope, $body:ident) => {
        Some(&$body.scope)
    };
    (elsewhere, $body:ident) => {{
        _ = $body;
        None
    }};
}

macro_rules! entities {
    ($($(#[$doc:meta])* $name:ident($kind:literal, $ty:ty, $is_id:expr, $place:ident)),* $(,)?) => {
        /// One durable document.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", content = "body")]
        pub enum Entity {
            $($(#[$doc])* #[serde(rename = $kind)] $name($ty),)*
        }

        /// The kinds of entity, in the order in which a loader should apply them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum EntityKind {
            $(#[serde(rename = $kind)] $name,)*
        }

        impl EntityKind {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name under which the store files this kind.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $kind,)* }
            }

            /// The kind of that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($kind => Some(Self::$name),)* _ => None }
            }

            /// Whether a document of this kind can have this id.
            fn has_id(self, id: &str) -> bool {
                match self { $(Self::$name => $is_id(id),)* }
            }
        }

        impl Entity {
            /// Where the store files this entity.
            #[must_use]
            pub fn key(&self) -> EntityKey {
                match self { $(Self::$name(body) => EntityKey { kind: EntityKind::$name, id: body.entity_id() },)* }
            }
        }

        impl Entity {
            /// Where it lies, for what is at a scope.
            #[must_use]
            pub fn scope(&self) -> Option<&Scope> {
                match self { $(Self::$name(body) => scope_of!($place, body),)* }
            }
        }

        $(impl From<$ty> for Entity {
            fn from(body: $ty) -> Self { Self::$name(body) }
        })*
    };
}

entities! {
    Tenant("tenant", Tenant, is_uuid::<TenantId>, elsewhere),
    ManagementGroup("managementGroup", ManagementGroup, is_folded, elsewhere),
    Subscription("subscription", Subscription, is_uuid::<SubscriptionId>, elsewhere),
    ResourceGroup("resourceGroup", ResourceGroup, is_scope, at_scope),
    SigningKey("signingKey", SigningKey, is_key_id, elsewhere),
    Principal("principal", Principal, is_uuid::<ObjectId>, elsewhere),
    User("user", User, is_uuid::<ObjectId>, elsewhere),
    Group("group", Group, is_uuid::<ObjectId>, elsewhere),
    Application("application", Application, is_uuid::<ObjectId>, elsewhere),
    ManagedIdentity("managedIdentity", ManagedIdentity, is_uuid::<ClientId>, at_scope),
    FederatedCredential("federatedCredential", FederatedCredential, is_uuid::<CredentialId>, elsewhere),
    Host("host", Host, is_scope, at_scope),
    Account("account", Account, is_scope, at_scope),
    Deployment("deployment", Deployment, is_scope, at_scope),
    GenericResource("genericResource", GenericResource, is_scope, at_scope),
    Lock("lock", Lock, is_folded, at_scope),
    RoleDefinition("roleDefinition", RoleDefinition, is_uuid::<RoleId>, elsewhere),
    RoleAssignment("roleAssignment", RoleAssignment, is_uuid::<AssignmentId>, at_scope),
    DenyAssignment("denyAssignment", DenyAssignment, is_uuid::<DenyAssignmentId>, at_scope),
    RefreshFamily("refreshFamily", RefreshFamily, is_uuid::<CredentialId>, elsewhere),
    Invitation("invitation", Invitation, is_uuid::<ObjectId>, elsewhere),
}

/// The address of an entity in the store: its kind and an id unique within the kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "StoredKey")]
pub struct EntityKey {
    pub kind: EntityKind,
    pub id: String,
}

#[derive(Deserialize)]
struct StoredKey {
    kind: EntityKind,
    id: String,
}

/// No document can have this key.
#[derive(Debug, thiserror::Error)]
#[error("`{id}` is no id of a {kind}; ids are written in one way only", kind = .kind.as_str())]
pub struct InvalidKey {
    kind: EntityKind,
    id: String,
}

/// SECURITY: a deletion under a name that no document has would delete nothing and look like a revocation. Every change is read back
/// before it is committed, so that it is refused here.
impl TryFrom<StoredKey> for EntityKey {
    type Error = InvalidKey;

    fn try_from(StoredKey { kind, id }: StoredKey) -> Result<Self, InvalidKey> {
        if kind.has_id(&id) { Ok(Self { kind, id }) } else { Err(InvalidKey { kind, id }) }
    }
}

fn is_uuid<T: FromStr + Display>(id: &str) -> bool {
    id.parse::<T>().is_ok_and(|read| read.to_string() == id)
}

fn is_scope(id: &str) -> bool {
    id.parse::<Scope>().is_ok_and(|scope| scope.folded() == id)
}

fn is_folded(id: &str) -> bool {
    !id.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_key_id(id: &str) -> bool {
    KeyId::new(id).is_ok()
}

/// One step of a change. A change is a list of these, applied whole or not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutation {
    Put(Box<Entity>),
    Delete(EntityKey),
}

impl Mutation {
    pub fn put(entity: impl Into<Entity>) -> Self {
        Self::Put(Box::new(entity.into()))
    }

    #[must_use]
    pub fn key(&self) -> EntityKey {
        match self {
            Self::Put(entity) => entity.key(),
            Self::Delete(key) => key.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_name() {
        for kind in EntityKind::ALL {
            assert_eq!(EntityKind::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(EntityKind::parse("unicorn"), None);
    }

    #[test]
    fn a_key_that_no_document_can_have_is_not_read() {
        let read = |kind: &str, id: &str| serde_json::from_value::<EntityKey>(serde_json::json!({ "kind": kind, "id": id }));
        let uuid = "00000000-0000-0000-0000-00000000000a";
        for (kind, good, bad) in [
            ("roleAssignment", uuid, "role-1"),
            ("principal", uuid, "00000000-0000-0000-0000-00000000000A"),
            ("refreshFamily", uuid, ""),
            ("resourceGroup", "/subscriptions/00000000-0000-0000-0000-00000000000a/resourcegroups/rg", "rg"),
            ("host", "/subscriptions/00000000-0000-0000-0000-00000000000a/resourcegroups/rg", "/subscriptions/x/Y"),
            ("managementGroup", "mg", "MG"),
            ("signingKey", "k-1", "../k"),
        ] {
            assert_eq!(read(kind, good).unwrap().id, good);
            assert!(read(kind, bad).is_err(), "{kind} {bad}");
        }
    }
}
