//! Tenants, subscriptions and resource groups.

use keyless_model::entity::{Mutation, ResourceGroup, Subscription, Tags, Tenant};
use keyless_model::{InvalidScope, Scope, SubscriptionId, TenantId};

use super::{Means, Planned};

/// A directory with a new id.
#[must_use]
pub fn tenant(display_name: &str, domain: &str, means: Means<'_>) -> Planned<Tenant> {
    let id = TenantId::new(means.entropy.uuid());
    let entity = Tenant { id, display_name: display_name.to_owned(), domain: domain.to_owned(), created: means.now };
    Planned { mutations: vec![Mutation::put(entity.clone())], entity }
}

/// A subscription with a new id.
#[must_use]
pub fn subscription(tenant: TenantId, display_name: &str, means: Means<'_>) -> Planned<Subscription> {
    let id = SubscriptionId::new(means.entropy.uuid());
    let entity = Subscription { id, tenant, display_name: display_name.to_owned(), management_group: None };
    Planned { mutations: vec![Mutation::put(entity.clone())], entity }
}

/// The scope of a resource group.
///
/// # Errors
/// When the name holds a character that ARM forbids.
pub fn resource_group_scope(subscription: SubscriptionId, name: &str) -> Result<Scope, InvalidScope> {
    Scope::subscription(subscription).join(&format!("resourceGroups/{name}"))
}

/// A resource group.
#[must_use]
pub fn resource_group(scope: Scope, location: &str, tags: Tags, means: Means<'_>) -> Planned<ResourceGroup> {
    let entity = ResourceGroup { scope, location: location.to_owned(), tags, created: means.now };
    Planned { mutations: vec![Mutation::put(entity.clone())], entity }
}
