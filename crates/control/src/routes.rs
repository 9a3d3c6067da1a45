//! The nouns. Each one's file holds its routes, with what the caller must be allowed, how it is shown and what answers.

mod accounts;
mod activity;
mod deleted_accounts;
mod deny_assignments;
mod deployments;
mod directory;
mod federated_credentials;
mod hosts;
mod identities;
mod locations;
mod locks;
mod management_groups;
mod metadata_endpoints;
mod models;
mod permissions;
mod provider_operations;
mod providers;
mod resource_groups;
mod resources;
mod role_assignments;
mod role_definitions;
mod skus;
mod subscriptions;
mod system_identities;
mod tenants;
mod usages;

use crate::route::Route;

/// The resource providers, and the types that each has a noun for.
const PROVIDERS: &[(&str, &[&str])] = &[
    ("Microsoft.Authorization", &["roleAssignments", "roleDefinitions", "denyAssignments", "locks"]),
    (
        "Microsoft.CognitiveServices",
        &["accounts", "accounts/deployments", "deletedAccounts", "locations", "locations/resourceGroups/deletedAccounts"],
    ),
    ("Microsoft.Compute", &["virtualMachines"]),
    ("Microsoft.Insights", &["eventtypes"]),
    ("Microsoft.ManagedIdentity", &["userAssignedIdentities", "userAssignedIdentities/federatedIdentityCredentials"]),
    ("Microsoft.Management", &["managementGroups"]),
    ("Microsoft.Resources", &["subscriptions", "resourceGroups", "tenants"]),
];

/// ARM's routes, searched in order; the generic ones come last.
pub(crate) fn arm() -> Vec<Route> {
    let nouns = [
        metadata_endpoints::routes(),
        tenants::routes(),
        subscriptions::routes(),
        locations::routes(),
        providers::routes(),
        resource_groups::routes(),
        management_groups::routes(),
        activity::routes(),
        role_definitions::routes(),
        role_assignments::routes(),
        permissions::routes(),
        provider_operations::routes(),
        deny_assignments::routes(),
        locks::routes(),
        identities::routes(),
        federated_credentials::routes(),
        system_identities::routes(),
        hosts::routes(),
        accounts::routes(),
        deployments::routes(),
        skus::routes(),
        models::routes(),
        usages::routes(),
        deleted_accounts::routes(),
        resources::routes(),
    ];
    nouns.into_iter().flatten().collect()
}

/// Graph's routes.
pub(crate) fn graph() -> Vec<Route> {
    directory::routes()
}

#[cfg(test)]
mod tests;
