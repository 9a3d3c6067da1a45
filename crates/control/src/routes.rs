//! The route tables. A route exists when it has a line here, and a line cannot be written without saying what the caller must be
//! allowed.

mod accounts;
mod activity;
mod cognitive_services;
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
mod permissions;
mod provider_operations;
mod providers;
mod resource_groups;
mod resources;
mod role_assignments;
mod role_definitions;
mod subscriptions;
mod system_identities;
mod tenants;

use crate::route::Access::{Action, Attributed, Children, DirectoryRead, DirectoryWrite, List, Namespace, Own, Public, Resource};
use crate::route::{Route, route};

pub(crate) use metadata_endpoints::show as endpoints;

/// ARM's routes, searched in order; the generic ones come last.
pub(crate) fn arm() -> Vec<Route> {
    let mut routes = containers();
    routes.extend(authorization());
    routes.extend(identity());
    routes.extend(cognitive());
    routes.extend(generic());
    routes
}

fn containers() -> Vec<Route> {
    vec![
        route!(GET "" "/metadata/endpoints", Public, metadata_endpoints::unreachable),
        route!(GET "" "/tenants", Own, tenants::list::handle),
        route!(GET "" "/subscriptions", Own, subscriptions::list::handle),
        route!(GET "/subscriptions/{subscription}" "", Own, subscriptions::show::handle),
        route!(GET "/subscriptions/{subscription}" "/locations", Own, locations::list::handle),
        route!(GET "/subscriptions/{subscription}" "/providers", Own, providers::list::handle),
        route!(GET "/subscriptions/{subscription}" "/providers/{namespace}", Own, providers::show::handle),
        route!(POST "/subscriptions/{subscription}" "/providers/{namespace}/register", Namespace("register/action"), providers::show::handle),
        route!(POST "/subscriptions/{subscription}" "/providers/{namespace}/unregister", Namespace("unregister/action"), providers::unregister::handle),
        route!(GET "/subscriptions/{subscription}" "/providers/{namespace}/resourceTypes", Own, providers::types::handle),
        route!(GET "" "/providers", Own, providers::list::handle),
        route!(GET "" "/providers/{namespace}", Own, providers::show::handle),
        route!(GET "" "/providers/{namespace}/operations", Own, provider_operations::operations::handle),
        route!(GET "/subscriptions/{subscription}" "/resourceGroups", List("Microsoft.Resources/subscriptions/resourceGroups/read"), resource_groups::list::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}" "", Action("Microsoft.Resources/subscriptions/resourceGroups/read"), resource_groups::show::handle),
        route!(HEAD "/subscriptions/{subscription}/resourceGroups/{group}" "", Action("Microsoft.Resources/subscriptions/resourceGroups/read"), resource_groups::exists::handle),
        route!(PUT "/subscriptions/{subscription}/resourceGroups/{group}" "", Action("Microsoft.Resources/subscriptions/resourceGroups/write"), resource_groups::put::handle),
        route!(PATCH "/subscriptions/{subscription}/resourceGroups/{group}" "", Action("Microsoft.Resources/subscriptions/resourceGroups/write"), resource_groups::patch::handle),
        route!(DELETE "/subscriptions/{subscription}/resourceGroups/{group}" "", Action("Microsoft.Resources/subscriptions/resourceGroups/delete"), resource_groups::delete::handle),
        route!(GET "" "/providers/Microsoft.Management/managementGroups", List("Microsoft.Management/managementGroups/read"), management_groups::list::handle),
        route!(GET "/providers/Microsoft.Management/managementGroups/{name}" "", Action("Microsoft.Management/managementGroups/read"), management_groups::show::handle),
        route!(PUT "/providers/Microsoft.Management/managementGroups/{name}" "", Action("Microsoft.Management/managementGroups/write"), management_groups::put::handle),
        route!(PATCH "/providers/Microsoft.Management/managementGroups/{name}" "", Action("Microsoft.Management/managementGroups/write"), management_groups::put::handle),
        route!(DELETE "/providers/Microsoft.Management/managementGroups/{name}" "", Action("Microsoft.Management/managementGroups/delete"), management_groups::delete::handle),
        route!(PUT "/providers/Microsoft.Management/managementGroups/{name}" "/subscriptions/{subscription}", Action("Microsoft.Management/managementGroups/subscriptions/write"), management_groups::add_subscription::handle),
        route!(DELETE "/providers/Microsoft.Management/managementGroups/{name}" "/subscriptions/{subscription}", Action("Microsoft.Management/managementGroups/subscriptions/delete"), management_groups::remove_subscription::handle),
        route!(GET "/subscriptions/{subscription}" "/providers/Microsoft.Insights/eventtypes/management/values", Action("Microsoft.Insights/eventtypes/values/Read"), activity::list::handle),
        route!(GET "" "/providers/Microsoft.Insights/eventcategories", Own, activity::categories::handle),
    ]
}

fn authorization() -> Vec<Route> {
    vec![
        route!(GET "{*}" "/providers/Microsoft.Authorization/roleDefinitions", Action("Microsoft.Authorization/roleDefinitions/read"), role_definitions::list::handle),
        route!(GET "{*}" "/providers/Microsoft.Authorization/roleDefinitions/{name}", Action("Microsoft.Authorization/roleDefinitions/read"), role_definitions::show::handle),
        route!(PUT "{*}" "/providers/Microsoft.Authorization/roleDefinitions/{name}", Action("Microsoft.Authorization/roleDefinitions/write"), role_definitions::put::handle),
        route!(DELETE "{*}" "/providers/Microsoft.Authorization/roleDefinitions/{name}", Action("Microsoft.Authorization/roleDefinitions/delete"), role_definitions::delete::handle),
        route!(GET "{*}" "/providers/Microsoft.Authorization/roleAssignments", Action("Microsoft.Authorization/roleAssignments/read"), role_assignments::list::handle),
        route!(GET "{*}" "/providers/Microsoft.Authorization/roleAssignments/{name}", Action("Microsoft.Authorization/roleAssignments/read"), role_assignments::show::handle),
        route!(PUT "{*}" "/providers/Microsoft.Authorization/roleAssignments/{name}", Attributed("Microsoft.Authorization/roleAssignments/write", role_assignments::put::attributes), role_assignments::put::handle),
        route!(DELETE "{*}" "/providers/Microsoft.Authorization/roleAssignments/{name}", Attributed("Microsoft.Authorization/roleAssignments/delete", role_assignments::delete::attributes), role_assignments::delete::handle),
        route!(GET "/subscriptions/{subscription}" "/providers/Microsoft.Authorization/roleAssignmentsUsageMetrics", Action("Microsoft.Authorization/roleAssignments/read"), role_assignments::usage::handle),
        route!(GET "{*}" "/providers/Microsoft.Authorization/permissions", Own, permissions::list::handle),
        route!(GET "" "/providers/Microsoft.Authorization/providerOperations", Own, provider_operations::list::handle),
        route!(GET "" "/providers/Microsoft.Authorization/providerOperations/{namespace}", Own, provider_operations::show::handle),
        route!(GET "{*}" "/providers/Microsoft.Authorization/denyAssignments", Action("Microsoft.Authorization/denyAssignments/read"), deny_assignments::list::handle),
        route!(GET "{*}" "/providers/Microsoft.Authorization/denyAssignments/{name}", Action("Microsoft.Authorization/denyAssignments/read"), deny_assignments::show::handle),
        route!(GET "{*}" "/providers/Microsoft.Authorization/locks", Action("Microsoft.Authorization/locks/read"), locks::list::handle),
        route!(GET "{*}" "/providers/Microsoft.Authorization/locks/{name}", Action("Microsoft.Authorization/locks/read"), locks::show::handle),
        route!(PUT "{*}" "/providers/Microsoft.Authorization/locks/{name}", Action("Microsoft.Authorization/locks/write"), locks::put::handle),
        route!(DELETE "{*}" "/providers/Microsoft.Authorization/locks/{name}", Action("Microsoft.Authorization/locks/delete"), locks::delete::handle),
    ]
}

fn identity() -> Vec<Route> {
    vec![
        route!(GET "/subscriptions/{subscription}" "/providers/Microsoft.ManagedIdentity/userAssignedIdentities", List("Microsoft.ManagedIdentity/userAssignedIdentities/read"), identities::list::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}" "/providers/Microsoft.ManagedIdentity/userAssignedIdentities", List("Microsoft.ManagedIdentity/userAssignedIdentities/read"), identities::list::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}" "", Action("Microsoft.ManagedIdentity/userAssignedIdentities/read"), identities::show::handle),
        route!(HEAD "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}" "", Action("Microsoft.ManagedIdentity/userAssignedIdentities/read"), identities::exists::handle),
        route!(PUT "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}" "", Action("Microsoft.ManagedIdentity/userAssignedIdentities/write"), identities::put::handle),
        route!(PATCH "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}" "", Action("Microsoft.ManagedIdentity/userAssignedIdentities/write"), identities::put::handle),
        route!(DELETE "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}" "", Action("Microsoft.ManagedIdentity/userAssignedIdentities/delete"), identities::delete::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}" "/federatedIdentityCredentials", Action("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read"), federated_credentials::list::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}/federatedIdentityCredentials/{credential}" "", Action("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read"), federated_credentials::show::handle),
        route!(PUT "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}/federatedIdentityCredentials/{credential}" "", Action("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write"), federated_credentials::put::handle),
        route!(DELETE "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}/federatedIdentityCredentials/{credential}" "", Action("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete"), federated_credentials::delete::handle),
        route!(POST "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}" "/listAssociatedResources", Action("Microsoft.ManagedIdentity/userAssignedIdentities/listAssociatedResources/action"), identities::list_associated::handle),
        route!(GET "{*}" "/providers/Microsoft.ManagedIdentity/identities/default", Action("Microsoft.ManagedIdentity/identities/read"), system_identities::show::handle),
        route!(GET "/subscriptions/{subscription}" "/providers/Microsoft.Compute/virtualMachines", List("Microsoft.Compute/virtualMachines/read"), hosts::list::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}" "/providers/Microsoft.Compute/virtualMachines", List("Microsoft.Compute/virtualMachines/read"), hosts::list::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}" "", Action("Microsoft.Compute/virtualMachines/read"), hosts::show::handle),
        route!(PUT "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}" "", Action("Microsoft.Compute/virtualMachines/write"), hosts::put::handle),
        route!(PATCH "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}" "", Action("Microsoft.Compute/virtualMachines/write"), hosts::put::handle),
        route!(DELETE "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}" "", Action("Microsoft.Compute/virtualMachines/delete"), hosts::delete::handle),
    ]
}

fn cognitive() -> Vec<Route> {
    vec![
        route!(GET "/subscriptions/{subscription}" "/providers/Microsoft.CognitiveServices/accounts", List("Microsoft.CognitiveServices/accounts/read"), accounts::list::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}" "/providers/Microsoft.CognitiveServices/accounts", List("Microsoft.CognitiveServices/accounts/read"), accounts::list::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}" "", Action("Microsoft.CognitiveServices/accounts/read"), accounts::show::handle),
        route!(HEAD "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}" "", Action("Microsoft.CognitiveServices/accounts/read"), accounts::exists::handle),
        route!(PUT "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}" "", Action("Microsoft.CognitiveServices/accounts/write"), accounts::put::handle),
        route!(PATCH "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}" "", Action("Microsoft.CognitiveServices/accounts/write"), accounts::patch::handle),
        route!(DELETE "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}" "", Action("Microsoft.CognitiveServices/accounts/delete"), accounts::delete::handle),
        route!(POST "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}" "/listKeys", Action("Microsoft.CognitiveServices/accounts/listKeys/action"), accounts::list_keys::handle),
        route!(POST "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}" "/regenerateKey", Action("Microsoft.CognitiveServices/accounts/regenerateKey/action"), accounts::regenerate_key::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}" "/models", Action("Microsoft.CognitiveServices/accounts/models/read"), accounts::models::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}" "/skus", Action("Microsoft.CognitiveServices/accounts/skus/read"), accounts::skus::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}" "/usages", Action("Microsoft.CognitiveServices/accounts/usages/read"), accounts::usages::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}" "/deployments", Children("Microsoft.CognitiveServices/accounts/deployments/read"), deployments::list::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}/deployments/{deployment}" "", Action("Microsoft.CognitiveServices/accounts/deployments/read"), deployments::show::handle),
        route!(HEAD "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}/deployments/{deployment}" "", Action("Microsoft.CognitiveServices/accounts/deployments/read"), deployments::exists::handle),
        route!(PUT "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}/deployments/{deployment}" "", Action("Microsoft.CognitiveServices/accounts/deployments/write"), deployments::put::handle),
        route!(PATCH "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}/deployments/{deployment}" "", Action("Microsoft.CognitiveServices/accounts/deployments/write"), deployments::patch::handle),
        route!(DELETE "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}/deployments/{deployment}" "", Action("Microsoft.CognitiveServices/accounts/deployments/delete"), deployments::delete::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{account}/deployments/{deployment}" "/skus", Action("Microsoft.CognitiveServices/accounts/deployments/read"), deployments::skus::handle),
        route!(GET "/subscriptions/{subscription}" "/providers/Microsoft.CognitiveServices/skus", Action("Microsoft.CognitiveServices/skus/read"), cognitive_services::skus::handle),
        route!(POST "/subscriptions/{subscription}" "/providers/Microsoft.CognitiveServices/locations/{location}/checkSkuAvailability", Action("Microsoft.CognitiveServices/locations/checkSkuAvailability/action"), cognitive_services::check_sku::handle),
        route!(GET "/subscriptions/{subscription}" "/providers/Microsoft.CognitiveServices/locations/{location}/models", Action("Microsoft.CognitiveServices/locations/models/read"), cognitive_services::models::handle),
        route!(GET "/subscriptions/{subscription}" "/providers/Microsoft.CognitiveServices/locations/{location}/usages", Action("Microsoft.CognitiveServices/locations/usages/read"), cognitive_services::usages::handle),
        route!(POST "/subscriptions/{subscription}" "/providers/Microsoft.CognitiveServices/checkDomainAvailability", Action("Microsoft.CognitiveServices/checkDomainAvailability/action"), cognitive_services::check_domain::handle),
        route!(GET "/subscriptions/{subscription}" "/providers/Microsoft.CognitiveServices/deletedAccounts", List("Microsoft.CognitiveServices/deletedAccounts/read"), deleted_accounts::list::handle),
        route!(GET "/subscriptions/{subscription}" "/providers/Microsoft.CognitiveServices/locations/{location}/resourceGroups/{group}/deletedAccounts/{account}", Action("Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts/read"), deleted_accounts::show::handle),
        route!(DELETE "/subscriptions/{subscription}" "/providers/Microsoft.CognitiveServices/locations/{location}/resourceGroups/{group}/deletedAccounts/{account}", Action("Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts/delete"), deleted_accounts::purge::handle),
    ]
}

fn generic() -> Vec<Route> {
    vec![
        route!(GET "/subscriptions/{subscription}" "/resources", List("Microsoft.Resources/subscriptions/resources/read"), resources::list::handle),
        route!(GET "/subscriptions/{subscription}/resourceGroups/{group}" "/resources", List("Microsoft.Resources/subscriptions/resourceGroups/resources/read"), resources::list::handle),
        route!(GET "{*}" "", Resource, resources::show::handle),
        route!(HEAD "{*}" "", Resource, resources::exists::handle),
        route!(PUT "{*}" "", Resource, resources::put::handle),
        route!(PATCH "{*}" "", Resource, resources::patch::handle),
        route!(DELETE "{*}" "", Resource, resources::delete::handle),
    ]
}

/// Graph's routes.
pub(crate) fn graph() -> Vec<Route> {
    use directory::{applications, groups, me, objects, service_principals, users};
    vec![
        route!(GET "" "/v1.0/me", Own, me::show::handle),
        route!(GET "" "/v1.0/me/ownedObjects", Own, me::owned::handle),
        route!(GET "" "/v1.0/servicePrincipals", DirectoryRead, service_principals::list::handle),
        route!(GET "" "/v1.0/servicePrincipals/{id}", DirectoryRead, service_principals::show::handle),
        route!(POST "" "/v1.0/servicePrincipals", DirectoryWrite, service_principals::create::handle),
        route!(PATCH "" "/v1.0/servicePrincipals/{id}", DirectoryWrite, service_principals::update::handle),
        route!(DELETE "" "/v1.0/servicePrincipals/{id}", DirectoryWrite, service_principals::delete::handle),
        route!(GET "" "/v1.0/applications", DirectoryRead, applications::list::handle),
        route!(GET "" "/v1.0/applications/{id}", DirectoryRead, applications::show::handle),
        route!(POST "" "/v1.0/applications", DirectoryWrite, applications::create::handle),
        route!(PATCH "" "/v1.0/applications/{id}", DirectoryWrite, applications::update::handle),
        route!(DELETE "" "/v1.0/applications/{id}", DirectoryWrite, applications::delete::handle),
        route!(POST "" "/v1.0/applications/{id}/addPassword", DirectoryWrite, applications::add_password::handle),
        route!(POST "" "/v1.0/applications/{id}/removePassword", DirectoryWrite, applications::remove_password::handle),
        route!(GET "" "/v1.0/applications/{id}/federatedIdentityCredentials", DirectoryRead, applications::list_federated::handle),
        route!(POST "" "/v1.0/applications/{id}/federatedIdentityCredentials", DirectoryWrite, applications::create_federated::handle),
        route!(GET "" "/v1.0/applications/{id}/federatedIdentityCredentials/{credential}", DirectoryRead, applications::show_federated::handle),
        route!(PATCH "" "/v1.0/applications/{id}/federatedIdentityCredentials/{credential}", DirectoryWrite, applications::update_federated::handle),
        route!(DELETE "" "/v1.0/applications/{id}/federatedIdentityCredentials/{credential}", DirectoryWrite, applications::delete_federated::handle),
        // Microsoft documents claims-matching expressions under `/beta` only; both names are the same here.
        route!(GET "" "/beta/applications/{id}/federatedIdentityCredentials", DirectoryRead, applications::list_federated::handle),
        route!(POST "" "/beta/applications/{id}/federatedIdentityCredentials", DirectoryWrite, applications::create_federated::handle),
        route!(GET "" "/beta/applications/{id}/federatedIdentityCredentials/{credential}", DirectoryRead, applications::show_federated::handle),
        route!(PATCH "" "/beta/applications/{id}/federatedIdentityCredentials/{credential}", DirectoryWrite, applications::update_federated::handle),
        route!(DELETE "" "/beta/applications/{id}/federatedIdentityCredentials/{credential}", DirectoryWrite, applications::delete_federated::handle),
        route!(GET "" "/v1.0/users", DirectoryRead, users::list::handle),
        route!(GET "" "/v1.0/users/{id}", DirectoryRead, users::show::handle),
        route!(POST "" "/v1.0/users", DirectoryWrite, users::create::handle),
        route!(PATCH "" "/v1.0/users/{id}", DirectoryWrite, users::update::handle),
        route!(DELETE "" "/v1.0/users/{id}", DirectoryWrite, users::delete::handle),
        route!(POST "" "/v1.0/users/{id}/revokeSignInSessions", DirectoryWrite, users::revoke_sessions::handle),
        route!(GET "" "/v1.0/groups", DirectoryRead, groups::list::handle),
        route!(GET "" "/v1.0/groups/{id}", DirectoryRead, groups::show::handle),
        route!(POST "" "/v1.0/groups", DirectoryWrite, groups::create::handle),
        route!(DELETE "" "/v1.0/groups/{id}", DirectoryWrite, groups::delete::handle),
        route!(GET "" "/v1.0/groups/{id}/members", DirectoryRead, groups::members::handle),
        route!(POST "" "/v1.0/groups/{id}/members/$ref", DirectoryWrite, groups::add_member::handle),
        route!(DELETE "" "/v1.0/groups/{id}/members/{member}/$ref", DirectoryWrite, groups::remove_member::handle),
        route!(POST "" "/v1.0/directoryObjects/getByIds", DirectoryRead, objects::get_by_ids::handle),
        route!(GET "" "/v1.0/directoryObjects/{id}", DirectoryRead, objects::show::handle),
        route!(POST "" "/v1.0/directoryObjects/{id}/checkMemberGroups", DirectoryRead, objects::check_member_groups::handle),
    ]
}

#[cfg(test)]
mod tests;
