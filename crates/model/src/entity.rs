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

use serde::{Deserialize, Serialize};

macro_rules! entities {
    ($($(#[$doc:meta])* $name:ident($kind:literal, $ty:ty)),* $(,)?) => {
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
        }

        impl Entity {
            /// Where the store files this entity.
            #[must_use]
            pub fn key(&self) -> EntityKey {
                match self { $(Self::$name(body) => EntityKey { kind: EntityKind::$name, id: body.entity_id() },)* }
            }
        }

        $(impl From<$ty> for Entity {
            fn from(body: $ty) -> Self { Self::$name(body) }
        })*
    };
}

entities! {
    Tenant("tenant", Tenant),
    ManagementGroup("managementGroup", ManagementGroup),
    Subscription("subscription", Subscription),
    ResourceGroup("resourceGroup", ResourceGroup),
    SigningKey("signingKey", SigningKey),
    Principal("principal", Principal),
    User("user", User),
    Group("group", Group),
    Application("application", Application),
    ManagedIdentity("managedIdentity", ManagedIdentity),
    FederatedCredential("federatedCredential", FederatedCredential),
    Host("host", Host),
    Account("account", Account),
    Deployment("deployment", Deployment),
    GenericResource("genericResource", GenericResource),
    Lock("lock", Lock),
    RoleDefinition("roleDefinition", RoleDefinition),
    RoleAssignment("roleAssignment", RoleAssignment),
    DenyAssignment("denyAssignment", DenyAssignment),
    RefreshFamily("refreshFamily", RefreshFamily),
    Invitation("invitation", Invitation),
}

/// The address of an entity in the store: its kind and an id unique within the kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntityKey {
    pub kind: EntityKind,
    pub id: String,
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
}
