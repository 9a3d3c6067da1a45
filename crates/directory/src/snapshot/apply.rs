//! Applies one mutation to a snapshot under construction, keeping every index in step.

use super::{
    Account, Application, Arc, Deployment, Entity, EntityKey, EntityKind, FederatedCredential, IdentityKind, ManagedIdentity, Mutation,
    Principal, Snapshot, User,
};
use keyless_model::{ClientId, CredentialId, ObjectId, Scope, SubscriptionId, TenantId};

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
            Entity::RefreshFamily(row) => _ = self.refresh_families.insert(row.id, Arc::new(row.clone())),
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
        self.names.applications.insert(row.client_id, row.id);
        self.applications.insert(row.id, Arc::new(row.clone()));
    }

    fn put_identity(&mut self, row: &ManagedIdentity) {
        if row.identity_kind == IdentityKind::UserAssigned {
            self.names.user_assigned.insert(row.scope.folded().to_owned(), row.client_id);
        }
        self.identities.insert(row.client_id, Arc::new(row.clone()));
    }

    fn put_federated(&mut self, row: &FederatedCredential) {
        self.names.federated.entry(row.owner.clone()).or_default().insert(row.id);
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
            EntityKind::SigningKey => _ = keyless_model::KeyId::new(id).ok().and_then(|id| self.signing_keys.remove(&id)),
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
            EntityKind::RefreshFamily => _ = id.parse::<CredentialId>().ok().and_then(|id| self.refresh_families.remove(&id)),
            EntityKind::Invitation => _ = id.parse::<ObjectId>().ok().and_then(|id| self.invitations.remove(&id)),
            EntityKind::RoleDefinition | EntityKind::RoleAssignment | EntityKind::DenyAssignment => {}
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
    }

    fn delete_identity(&mut self, id: &str) {
        let Some(row) = id.parse::<ClientId>().ok().and_then(|id| self.identities.remove(&id)) else { return };
        if row.identity_kind == IdentityKind::UserAssigned {
            self.names.user_assigned.remove(row.scope.folded());
        }
    }

    fn delete_federated(&mut self, id: &str) {
        let Some(row) = id.parse::<CredentialId>().ok().and_then(|id| self.federated.remove(&id)) else { return };
        let Some(mut rest) = self.names.federated.remove(&row.owner) else { return };
        rest.remove(&row.id);
        if !rest.is_empty() {
            self.names.federated.insert(row.owner.clone(), rest);
        }
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
