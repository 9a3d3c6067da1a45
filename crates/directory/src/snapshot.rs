//! An immutable picture of the directory at one revision, indexed for the questions that the planes ask.
//!
//! The maps share structure: a snapshot that differs by one document costs a few hundred bytes more than its predecessor, and
//! readers of the older one are never disturbed.

use std::sync::Arc;

use imbl::{HashMap, OrdMap};
use keyless_model::entity::{
    Account, Application, Deployment, Entity, EntityKey, EntityKind, FederatedCredential, FederatedOwner, GenericResource, Group, Host,
    IdentityKind, Invitation, Lock, ManagedIdentity, ManagementGroup, Mutation, Principal, RefreshFamily, ResourceGroup, SigningKey,
    Subscription, Tenant, User,
};
use keyless_model::{ClientId, CredentialId, KeyId, ObjectId, Scope, SubscriptionId, TenantId};
use keyless_rbac::Policy;

use crate::Revision;

mod apply;
mod below;
mod names;
mod origins;

pub use below::Below;
use below::{after, below, range_below};
pub(crate) use names::Names;
pub use origins::page_origin;

/// Documents by key, in key order, so that a prefix of a scope lists what is below it.
pub(crate) type Table<K, V> = OrdMap<K, Arc<V>>;

/// The directory at one revision.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    revision: Revision,
    policy: Policy,
    tenants: Table<TenantId, Tenant>,
    management_groups: Table<String, ManagementGroup>,
    subscriptions: Table<SubscriptionId, Subscription>,
    resource_groups: Table<String, ResourceGroup>,
    signing_keys: Table<KeyId, SigningKey>,
    principals: HashMap<ObjectId, Arc<Principal>>,
    users: Table<ObjectId, User>,
    groups: Table<ObjectId, Group>,
    applications: Table<ObjectId, Application>,
    identities: HashMap<ClientId, Arc<ManagedIdentity>>,
    federated: HashMap<CredentialId, Arc<FederatedCredential>>,
    hosts: Table<String, Host>,
    accounts: Table<String, Account>,
    /// By the account's folded id, then by the deployment's folded name: the gateway looks up without building a key.
    deployments: OrdMap<String, Table<String, Deployment>>,
    resources: Table<String, GenericResource>,
    locks: Table<String, Lock>,
    refresh_families: HashMap<CredentialId, Arc<RefreshFamily>>,
    invitations: Table<ObjectId, Invitation>,
    names: Names,
}

impl Snapshot {
    /// Builds a snapshot from all documents.
    #[must_use]
    pub fn build(revision: Revision, entities: Vec<Entity>) -> Self {
        let mut snapshot = Self::default();
        for entity in entities {
            snapshot.apply(&Mutation::Put(Box::new(entity)));
        }
        snapshot.revision = revision;
        snapshot
    }

    /// The snapshot that follows when `mutations` are applied.
    #[must_use]
    pub fn with(&self, revision: Revision, mutations: &[Mutation]) -> Self {
        let mut next = self.clone();
        for mutation in mutations {
            next.apply(mutation);
        }
        next.revision = revision;
        next
    }

    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// The compiled access policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    // --- containers ---

    #[must_use]
    pub fn tenant(&self, id: TenantId) -> Option<&Arc<Tenant>> {
        self.tenants.get(&id)
    }

    /// The tenant named by id or by domain, in any case.
    #[must_use]
    pub fn tenant_named(&self, name: &str) -> Option<&Arc<Tenant>> {
        match name.parse::<TenantId>() {
            Ok(id) => self.tenants.get(&id),
            Err(_) => self.tenants.values().find(|tenant| tenant.domain.eq_ignore_ascii_case(name)),
        }
    }

    pub fn tenants(&self) -> impl Iterator<Item = &Arc<Tenant>> {
        self.tenants.values()
    }

    #[must_use]
    pub fn management_group(&self, name: &str) -> Option<&Arc<ManagementGroup>> {
        self.management_groups.get(&name.to_ascii_lowercase())
    }

    pub fn management_groups(&self) -> impl Iterator<Item = &Arc<ManagementGroup>> {
        self.management_groups.values()
    }

    #[must_use]
    pub fn subscription(&self, id: SubscriptionId) -> Option<&Arc<Subscription>> {
        self.subscriptions.get(&id)
    }

    pub fn subscriptions(&self) -> impl Iterator<Item = &Arc<Subscription>> {
        self.subscriptions.values()
    }

    #[must_use]
    pub fn resource_group(&self, scope: &Scope) -> Option<&Arc<ResourceGroup>> {
        self.resource_groups.get(scope.folded())
    }

    /// The resource groups at or below a scope, in id order.
    pub fn resource_groups_below<'s>(&self, range: impl Into<Below<'s>>) -> impl Iterator<Item = &Arc<ResourceGroup>> {
        below(&self.resource_groups, range.into())
    }

    // --- keys ---

    pub fn signing_keys(&self) -> impl Iterator<Item = &Arc<SigningKey>> {
        self.signing_keys.values()
    }

    // --- principals ---

    #[must_use]
    pub fn principal(&self, id: ObjectId) -> Option<&Arc<Principal>> {
        self.principals.get(&id)
    }

    pub fn principals(&self) -> impl Iterator<Item = &Arc<Principal>> {
        self.principals.values()
    }

    /// How many principals there are.
    #[must_use]
    pub fn principal_count(&self) -> usize {
        self.principals.len()
    }

    /// The principals with an id above `last`, in id order; all of them without one.
    pub fn principals_after(&self, last: Option<ObjectId>) -> impl Iterator<Item = &Arc<Principal>> {
        self.names.principals.range(after(last)).filter_map(|id| self.principals.get(id))
    }

    /// The service principal of an application or identity.
    #[must_use]
    pub fn service_principal(&self, client_id: ClientId) -> Option<&Arc<Principal>> {
        self.principals.get(self.names.service_principals.get(&client_id)?)
    }

    #[must_use]
    pub fn user(&self, id: ObjectId) -> Option<&Arc<User>> {
        self.users.get(&id)
    }

    /// The user of that sign-in name, in any case.
    #[must_use]
    pub fn user_named(&self, user_principal_name: &str) -> Option<&Arc<User>> {
        self.users.get(self.names.users.get(&user_principal_name.to_lowercase())?)
    }

    pub fn users(&self) -> impl Iterator<Item = &Arc<User>> {
        self.users.values()
    }

    /// The users with an id above `last`, in id order; all of them without one.
    pub fn users_after(&self, last: Option<ObjectId>) -> impl Iterator<Item = &Arc<User>> {
        self.users.range(after(last)).map(|(_, row)| row)
    }

    #[must_use]
    pub fn group(&self, id: ObjectId) -> Option<&Arc<Group>> {
        self.groups.get(&id)
    }

    pub fn groups(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.groups.values()
    }

    /// The groups with an id above `last`, in id order; all of them without one.
    pub fn groups_after(&self, last: Option<ObjectId>) -> impl Iterator<Item = &Arc<Group>> {
        self.groups.range(after(last)).map(|(_, row)| row)
    }

    #[must_use]
    pub fn application(&self, id: ObjectId) -> Option<&Arc<Application>> {
        self.applications.get(&id)
    }

    #[must_use]
    pub fn application_of(&self, client_id: ClientId) -> Option<&Arc<Application>> {
        self.applications.get(self.names.applications.get(&client_id)?)
    }

    pub fn applications(&self) -> impl Iterator<Item = &Arc<Application>> {
        self.applications.values()
    }

    /// Whether an application of this tenant, or of any, has a page in a browser at this origin. SECURITY: compared whole, so `null` and
    /// every neighbour of a name are strangers; and found by one look-up, for strangers ask without end.
    #[must_use]
    pub fn has_page_at(&self, tenant: Option<TenantId>, origin: &str) -> bool {
        self.names.origins.has(tenant, origin)
    }

    /// The applications with an id above `last`, in id order; all of them without one.
    pub fn applications_after(&self, last: Option<ObjectId>) -> impl Iterator<Item = &Arc<Application>> {
        self.applications.range(after(last)).map(|(_, row)| row)
    }

    // --- identities ---

    #[must_use]
    pub fn identity(&self, client_id: ClientId) -> Option<&Arc<ManagedIdentity>> {
        self.identities.get(&client_id)
    }

    #[must_use]
    pub fn identity_of(&self, principal: ObjectId) -> Option<&Arc<ManagedIdentity>> {
        self.identity(self.principal(principal)?.client_id?)
    }

    /// The user-assigned identity of that ARM id.
    #[must_use]
    pub fn user_assigned(&self, scope: &Scope) -> Option<&Arc<ManagedIdentity>> {
        self.identities.get(self.names.user_assigned.get(scope.folded())?)
    }

    /// The user-assigned identities at or below a scope, in id order.
    pub fn user_assigned_below<'s>(&self, range: impl Into<Below<'s>>) -> impl Iterator<Item = &Arc<ManagedIdentity>> {
        range_below(&self.names.user_assigned, range.into()).filter_map(|(_, client_id)| self.identities.get(client_id))
    }

    pub fn identities(&self) -> impl Iterator<Item = &Arc<ManagedIdentity>> {
        self.identities.values()
    }

    #[must_use]
    pub fn federated_credential(&self, id: CredentialId) -> Option<&Arc<FederatedCredential>> {
        self.federated.get(&id)
    }

    /// The federated credentials of an identity or application, in no order.
    pub fn federated_of<'a>(&'a self, owner: &FederatedOwner) -> impl Iterator<Item = &'a Arc<FederatedCredential>> + use<'a> {
        self.names.federated.get(owner).into_iter().flatten().filter_map(|id| self.federated.get(id))
    }

    #[must_use]
    pub fn host(&self, scope: &Scope) -> Option<&Arc<Host>> {
        self.hosts.get(scope.folded())
    }

    /// The hosts at or below a scope, in id order.
    pub fn hosts_below<'s>(&self, range: impl Into<Below<'s>>) -> impl Iterator<Item = &Arc<Host>> {
        below(&self.hosts, range.into())
    }

    // --- AI ---

    /// The account of that id; soft-deleted ones too (`deleted` is set).
    #[must_use]
    pub fn account(&self, scope: &Scope) -> Option<&Arc<Account>> {
        self.accounts.get(scope.folded())
    }

    /// The account of that id, unless it is soft-deleted.
    #[must_use]
    pub fn live_account(&self, scope: &Scope) -> Option<&Arc<Account>> {
        self.account(scope).filter(|account| account.deleted.is_none())
    }

    /// The live account whose endpoint carries this name; the name must be in lower case.
    #[must_use]
    pub fn account_at(&self, custom_subdomain: &str) -> Option<&Arc<Account>> {
        self.accounts.get(self.names.subdomains.get(custom_subdomain)?)
    }

    /// The accounts at or below a scope, in id order, soft-deleted ones too.
    pub fn accounts_below<'s>(&self, range: impl Into<Below<'s>>) -> impl Iterator<Item = &Arc<Account>> {
        below(&self.accounts, range.into())
    }

    /// The deployment of that name, in any case.
    #[must_use]
    pub fn deployment(&self, account: &Scope, name: &str) -> Option<&Arc<Deployment>> {
        let table = self.deployments.get(account.folded())?;
        if name.bytes().any(|b| b.is_ascii_uppercase()) { table.get(&name.to_ascii_lowercase()) } else { table.get(name) }
    }

    /// An account's deployments, in name order.
    pub fn deployments_of(&self, account: &Scope) -> impl Iterator<Item = &Arc<Deployment>> {
        self.deployments.get(account.folded()).into_iter().flat_map(Table::values)
    }

    // --- the rest of ARM ---

    #[must_use]
    pub fn resource(&self, scope: &Scope) -> Option<&Arc<GenericResource>> {
        self.resources.get(scope.folded())
    }

    /// The generic resources at or below a scope, in id order.
    pub fn resources_below<'s>(&self, range: impl Into<Below<'s>>) -> impl Iterator<Item = &Arc<GenericResource>> {
        below(&self.resources, range.into())
    }

    /// The locks that hold for `scope`: its own and its ancestors'.
    pub fn locks_on<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a Arc<Lock>> {
        self.locks.values().filter(move |lock| lock.scope.covers(scope))
    }

    /// The locks at or below `scope`.
    pub fn locks_below<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a Arc<Lock>> {
        self.locks.values().filter(move |lock| scope.covers(&lock.scope))
    }

    #[must_use]
    pub fn refresh_family(&self, id: CredentialId) -> Option<&Arc<RefreshFamily>> {
        self.refresh_families.get(&id)
    }

    /// A person's lines of refresh tokens, in no order.
    pub fn refresh_families_of(&self, user: ObjectId) -> impl Iterator<Item = &Arc<RefreshFamily>> {
        self.names.families.get(&user).into_iter().flatten().filter_map(|id| self.refresh_families.get(id))
    }

    pub fn refresh_families(&self) -> impl Iterator<Item = &Arc<RefreshFamily>> {
        self.refresh_families.values()
    }

    /// The invitation of the person who will be this user.
    #[must_use]
    pub fn invitation(&self, user: ObjectId) -> Option<&Arc<Invitation>> {
        self.invitations.get(&user)
    }

    pub fn invitations(&self) -> impl Iterator<Item = &Arc<Invitation>> {
        self.invitations.values()
    }
}

#[cfg(test)]
mod tests;
