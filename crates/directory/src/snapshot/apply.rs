//! Applies one mutation to a snapshot under construction, keeping every index in step; finds any document by its key.

use std::hash::Hash;

use imbl::{HashMap, HashSet};
use keyless_model::{ClientId, CredentialId, KeyId, ObjectId, Scope, SubscriptionId, TenantId};

use super::{
    Account, Application, Arc, Deployment, Entity, EntityKey, EntityKind, FederatedCredential, IdentityKind, ManagedIdentity, Mutation,
    Principal, Snapshot, User,
};

impl Snapshot {
    pub(super) fn apply(&mut self, mutation: &Mutation) {
        self.policy.apply(mutation);
        match mutation {
            Mutation::Put(entity) => self.put(entity),
            Mutation::Delete(key) => self.delete(key),
        }
    }

    fn put(&mut self, entity: &Entity) {
        match entity {
            Entity::Tenant(row) => _ = self.tenants.insert(row.id, Arc::new(row.clone())),
            Entity::ManagementGroup(row) => _ = self.management_groups.insert(row.name.to_ascii_lowercase(), Arc::new(row.clone())),
            Entity::Subscription(row) => _ = self.subscriptions.insert(row.id, Arc::new(row.clone())),
            Entity::ResourceGroup(row) => _ = self.resource_groups.insert(row.scope.folded().to_owned(), Arc::new(row.clone())),
            Entity::SigningKey(row) => _ = self.signing_keys.insert(row.kid.clone(), Arc::new(row.clone())),
            Entity::Principal(row) => self.put_principal(row),
            Entity::User(row) => self.put_user(row),
            Entity::Group(row) => _ = self.groups.insert(row.id, Arc::new(row.clone())),
            Entity::Application(row) => self.put_application(row),
            Entity::ManagedIdentity(row) => self.put_identity(row),
            Entity::FederatedCredential(row) => self.put_federated(row),
            Entity::Host(row) => _ = self.hosts.insert(row.scope.folded().to_owned(), Arc::new(row.clone())),
            Entity::Account(row) => self.put_account(row),
            Entity::Deployment(row) => self.put_deployment(row),
            Entity::GenericResource(row) => _ = self.resources.insert(row.scope.folded().to_owned(), Arc::new(row.clone())),
            Entity::Lock(row) => _ = self.locks.insert(entity.key().id, Arc::new(row.clone())),
            Entity::RefreshFamily(row) => {
                file(&mut self.names.families, row.user, row.id);
                self.refresh_families.insert(row.id, Arc::new(row.clone()));
            }
            Entity::Invitation(row) => _ = self.invitations.insert(row.user, Arc::new(row.clone())),
            // These live in the policy only.
            Entity::RoleDefinition(_) | Entity::RoleAssignment(_) | Entity::DenyAssignment(_) => {}
        }
    }

    fn put_principal(&mut self, row: &Principal) {
        self.delete_principal(&row.id.to_string());
        if let Some(client_id) = row.client_id {
            self.names.service_principals.insert(client_id, row.id);
        }
        self.names.principals.insert(row.id);
        self.principals.insert(row.id, Arc::new(row.clone()));
    }

    fn put_user(&mut self, row: &User) {
        self.delete_user(&row.id.to_string());
        self.names.users.insert(row.user_principal_name.to_lowercase(), row.id);
        self.users.insert(row.id, Arc::new(row.clone()));
    }

    fn put_application(&mut self, row: &Application) {
        self.delete_application(&row.id.to_string());
        self.names.applications.insert(row.client_id, row.id);
        self.names.origins.file(row);
        self.applications.insert(row.id, Arc::new(row.clone()));
    }

    fn put_identity(&mut self, row: &ManagedIdentity) {
        if row.identity_kind == IdentityKind::UserAssigned {
            self.names.user_assigned.insert(row.scope.folded().to_owned(), row.client_id);
        }
        self.identities.insert(row.client_id, Arc::new(row.clone()));
    }

    fn put_federated(&mut self, row: &FederatedCredential) {
        file(&mut self.names.federated, row.owner.clone(), row.id);
        self.federated.insert(row.id, Arc::new(row.clone()));
    }

    fn put_account(&mut self, row: &Account) {
        self.forget_subdomain(row.scope.folded());
        if row.deleted.is_none() {
            self.names.subdomains.insert(row.custom_subdomain.to_ascii_lowercase(), row.scope.folded().to_owned());
        }
        self.accounts.insert(row.scope.folded().to_owned(), Arc::new(row.clone()));
    }

    fn put_deployment(&mut self, row: &Deployment) {
        let Some(account) = row.scope.parent() else { return };
        let table = self.deployments.entry(account.folded().to_owned()).or_default();
        table.insert(row.scope.name().to_ascii_lowercase(), Arc::new(row.clone()));
    }

    fn delete(&mut self, key: &EntityKey) {
        let id = &key.id;
        match key.kind {
            EntityKind::Tenant => _ = id.parse::<TenantId>().ok().and_then(|id| self.tenants.remove(&id)),
            EntityKind::ManagementGroup => _ = self.management_groups.remove(id),
            EntityKind::Subscription => _ = id.parse::<SubscriptionId>().ok().and_then(|id| self.subscriptions.remove(&id)),
            EntityKind::ResourceGroup => _ = self.resource_groups.remove(id),
            EntityKind::SigningKey => _ = KeyId::new(id).ok().and_then(|id| self.signing_keys.remove(&id)),
            EntityKind::Principal => self.delete_principal(id),
            EntityKind::User => self.delete_user(id),
            EntityKind::Group => _ = id.parse::<ObjectId>().ok().and_then(|id| self.groups.remove(&id)),
            EntityKind::Application => self.delete_application(id),
            EntityKind::ManagedIdentity => self.delete_identity(id),
            EntityKind::FederatedCredential => self.delete_federated(id),
            EntityKind::Host => _ = self.hosts.remove(id),
            EntityKind::Account => {
                self.forget_subdomain(id);
                self.accounts.remove(id);
            }
            EntityKind::Deployment => self.delete_deployment(id),
            EntityKind::GenericResource => _ = self.resources.remove(id),
            EntityKind::Lock => _ = self.locks.remove(id),
            EntityKind::RefreshFamily => {
                let Some(row) = id.parse::<CredentialId>().ok().and_then(|id| self.refresh_families.remove(&id)) else { return };
                unfile(&mut self.names.families, &row.user, row.id);
            }
            EntityKind::Invitation => _ = id.parse::<ObjectId>().ok().and_then(|id| self.invitations.remove(&id)),
            EntityKind::RoleDefinition | EntityKind::RoleAssignment | EntityKind::DenyAssignment => {}
        }
    }

    /// The document of that key; none when there is none, or when the key is none that the kind could have.
    #[must_use]
    pub fn entity(&self, key: &EntityKey) -> Option<Entity> {
        fn own<T: Clone + Into<Entity>>(row: Option<&Arc<T>>) -> Option<Entity> {
            row.map(|row| T::clone(row).into())
        }
        let id = key.id.as_str();
        match key.kind {
            EntityKind::Tenant => own(self.tenant(id.parse().ok()?)),
            EntityKind::ManagementGroup => own(self.management_groups.get(id)),
            EntityKind::Subscription => own(self.subscription(id.parse().ok()?)),
            EntityKind::ResourceGroup => own(self.resource_groups.get(id)),
            EntityKind::SigningKey => own(self.signing_keys.get(&KeyId::new(id).ok()?)),
            EntityKind::Principal => own(self.principal(id.parse().ok()?)),
            EntityKind::User => own(self.user(id.parse().ok()?)),
            EntityKind::Group => own(self.group(id.parse().ok()?)),
            EntityKind::Application => own(self.application(id.parse().ok()?)),
            EntityKind::ManagedIdentity => own(self.identity(id.parse().ok()?)),
            EntityKind::FederatedCredential => own(self.federated_credential(id.parse().ok()?)),
            EntityKind::Host => own(self.hosts.get(id)),
            EntityKind::Account => own(self.accounts.get(id)),
            EntityKind::Deployment => {
                let scope: Scope = id.parse().ok()?;
                own(self.deployment(&scope.parent()?, scope.name()))
            }
            EntityKind::GenericResource => own(self.resources.get(id)),
            EntityKind::Lock => own(self.locks.get(id)),
            EntityKind::RoleDefinition => self.policy.role(id.parse().ok()?).cloned().map(Entity::from),
            EntityKind::RoleAssignment => self.policy.assignment(id.parse().ok()?).map(Entity::from),
            EntityKind::DenyAssignment => self.policy.deny_assignment(id.parse().ok()?).cloned().map(Entity::from),
            EntityKind::Invitation => own(self.invitation(id.parse().ok()?)),
            EntityKind::RefreshFamily => own(self.refresh_family(id.parse().ok()?)),
        }
    }

    fn delete_principal(&mut self, id: &str) {
        let Some(row) = id.parse::<ObjectId>().ok().and_then(|id| self.principals.remove(&id)) else { return };
        self.names.principals.remove(&row.id);
        if let Some(client_id) = row.client_id {
            self.names.service_principals.remove(&client_id);
        }
    }

    fn delete_user(&mut self, id: &str) {
        let Some(row) = id.parse::<ObjectId>().ok().and_then(|id| self.users.remove(&id)) else { return };
        self.names.users.remove(&row.user_principal_name.to_lowercase());
    }

    fn delete_application(&mut self, id: &str) {
        let Some(row) = id.parse::<ObjectId>().ok().and_then(|id| self.applications.remove(&id)) else { return };
        self.names.applications.remove(&row.client_id);
        self.names.origins.unfile(&row);
    }

    fn delete_identity(&mut self, id: &str) {
        let Some(row) = id.parse::<ClientId>().ok().and_then(|id| self.identities.remove(&id)) else { return };
        if row.identity_kind == IdentityKind::UserAssigned {
            self.names.user_assigned.remove(row.scope.folded());
        }
    }

    fn delete_federated(&mut self, id: &str) {
        let Some(row) = id.parse::<CredentialId>().ok().and_then(|id| self.federated.remove(&id)) else { return };
        unfile(&mut self.names.federated, &row.owner, row.id);
    }

    fn delete_deployment(&mut self, id: &str) {
        let Ok(scope) = id.parse::<Scope>() else { return };
        let Some(account) = scope.parent() else { return };
        if let Some(table) = self.deployments.get_mut(account.folded()) {
            table.remove(&scope.name().to_ascii_lowercase());
        }
    }

    fn forget_subdomain(&mut self, account: &str) {
        let Some(row) = self.accounts.get(account) else { return };
        if row.deleted.is_none() {
            self.names.subdomains.remove(&row.custom_subdomain.to_ascii_lowercase());
        }
    }
}

/// Files a credential under its owner.
fn file<K: Clone + Eq + Hash>(table: &mut HashMap<K, HashSet<CredentialId>>, owner: K, id: CredentialId) {
    table.entry(owner).or_default().insert(id);
}

fn unfile<K: Clone + Eq + Hash>(table: &mut HashMap<K, HashSet<CredentialId>>, owner: &K, id: CredentialId) {
    let Some(mut rest) = table.remove(owner) else { return };
    rest.remove(&id);
    if !rest.is_empty() {
        table.insert(owner.clone(), rest);
    }
}
