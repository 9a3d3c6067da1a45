//! What Azure has and Keyless has not, each with the reason and what to do instead. Without it such a call would end in a message
//! about a misspelt path, and its sender would look for a mistake of their own.

use crate::failure::{Code, Failure};

/// A type or operation, with everything below it, and why it is not here.
const TYPES: &[(&str, &str)] = &[
    ("Microsoft.Resources/deployments", TEMPLATES),
    ("Microsoft.Resources/deploymentStacks", TEMPLATES),
    ("Microsoft.Resources/deploymentScripts", TEMPLATES),
    ("Microsoft.Resources/templateSpecs", TEMPLATES),
    ("Microsoft.Resources/tags", TAGS),
    ("Microsoft.CognitiveServices/accounts/raiPolicies", FILTERS),
    ("Microsoft.CognitiveServices/accounts/raiBlocklists", FILTERS),
    ("Microsoft.CognitiveServices/accounts/raiTopics", FILTERS),
    ("Microsoft.CognitiveServices/accounts/defenderForAISettings", FILTERS),
    ("Microsoft.CognitiveServices/locations/raiContentFilters", FILTERS),
    ("Microsoft.CognitiveServices/commitmentPlans", SOLD),
    ("Microsoft.CognitiveServices/accounts/commitmentPlans", SOLD),
    ("Microsoft.CognitiveServices/locations/commitmentTiers", SOLD),
    ("Microsoft.CognitiveServices/quotaTiers", SOLD),
    ("Microsoft.CognitiveServices/calculateModelCapacity", SOLD),
    ("Microsoft.CognitiveServices/modelCapacities", SOLD),
    ("Microsoft.CognitiveServices/locations/modelCapacities", SOLD),
    ("Microsoft.CognitiveServices/accounts/privateEndpointConnections", NETWORK),
    ("Microsoft.CognitiveServices/accounts/privateLinkResources", NETWORK),
    ("Microsoft.CognitiveServices/accounts/networkSecurityPerimeterConfigurations", NETWORK),
    (
        "Microsoft.CognitiveServices/accounts/encryptionScopes",
        "secrets are sealed with the master key of the data folder; there are no keys of customers",
    ),
    ("Microsoft.CognitiveServices/accounts/projects", PROJECTS),
    ("Microsoft.CognitiveServices/accounts/connections", PROJECTS),
    ("Microsoft.CognitiveServices/accounts/capabilityHosts", PROJECTS),
    ("Microsoft.Authorization/classicAdministrators", "there are no classic administrators; assign Owner"),
    (
        "Microsoft.Authorization/elevateAccess",
        "nobody is above the role assignments; assign Owner at the root scope from the machine that runs Keyless",
    ),
    ("Microsoft.Authorization/roleEligibilitySchedules", ELIGIBLE),
    ("Microsoft.Authorization/roleEligibilityScheduleInstances", ELIGIBLE),
    ("Microsoft.Authorization/roleEligibilityScheduleRequests", ELIGIBLE),
    ("Microsoft.Authorization/roleAssignmentSchedules", ELIGIBLE),
    ("Microsoft.Authorization/roleAssignmentScheduleInstances", ELIGIBLE),
    ("Microsoft.Authorization/roleAssignmentScheduleRequests", ELIGIBLE),
    ("Microsoft.Authorization/roleAssignmentApprovals", ELIGIBLE),
    ("Microsoft.Authorization/roleManagementPolicies", ELIGIBLE),
    ("Microsoft.Authorization/roleManagementPolicyAssignments", ELIGIBLE),
    ("Microsoft.Authorization/roleManagementAlerts", ELIGIBLE),
    ("Microsoft.Authorization/roleManagementAlertDefinitions", ELIGIBLE),
    ("Microsoft.Authorization/roleManagementAlertConfigurations", ELIGIBLE),
    ("Microsoft.Authorization/roleManagementAlertOperations", ELIGIBLE),
    ("Microsoft.Authorization/eligibleChildResources", ELIGIBLE),
    ("Microsoft.Authorization/accessReviewScheduleDefinitions", REVIEWS),
    ("Microsoft.Authorization/accessReviewScheduleSettings", REVIEWS),
    ("Microsoft.Authorization/accessReviewHistoryDefinitions", REVIEWS),
    ("Microsoft.Authorization/policyAssignments", POLICY),
    ("Microsoft.Authorization/policyDefinitions", POLICY),
    ("Microsoft.Authorization/policySetDefinitions", POLICY),
    ("Microsoft.Authorization/policyExemptions", POLICY),
];

const TEMPLATES: &str = "templates are not run here; write the resources in a file and use `keyless apply FILE`";
const TAGS: &str = "tags are written with the resource that carries them; send them in its PUT or PATCH";
const FILTERS: &str =
    "contents are not filtered here, so a setting would only seem to protect; filter in the application or the model server";
const SOLD: &str = "capacity is not sold here; a deployment takes what its `sku.capacity` says, see the location's usages";
const NETWORK: &str = "there are no private links here; use `networkAcls` and `publicNetworkAccess` of the account";
const PROJECTS: &str = "accounts have no projects here; assign roles at the account or at one of its deployments";
const ELIGIBLE: &str = "roles are assigned, not made eligible or scheduled; use role assignments";
const REVIEWS: &str = "there are no access reviews; list the role assignments and read the activity log";
const POLICY: &str = "there is no Azure Policy here; use custom roles, conditions and locks";

/// What is asked of any provider.
const OF_PROVIDERS: &[(&str, &str)] = &[
    ("providerPermissions", "providers are part of the program and need no permissions of their own"),
    ("register", "providers are registered in every subscription from the start"),
];

/// Words at the end of a path outside any provider.
const WORDS: &[(&str, &str)] = &[
    ("exportTemplate", TEMPLATES),
    ("moveResources", "resources stay where they were made; make them anew in the other group"),
    ("validateMoveResources", "resources stay where they were made; make them anew in the other group"),
    ("tagNames", TAGS),
];

/// Why the path that these segments spell is not served, when it is something that Azure has.
pub(crate) fn reason(segments: &[String]) -> Option<Failure> {
    let known = match segments.iter().rposition(|segment| segment.eq_ignore_ascii_case("providers")) {
        Some(at) => {
            let kind = type_of(segments.get(at + 1..)?);
            let of_any = || OF_PROVIDERS.iter().find(|(word, _)| kind.split('/').skip(1).eq([*word]));
            TYPES.iter().find(|(known, _)| starts_with(&kind, known)).or_else(of_any)
        }
        None => WORDS.iter().find(|(word, _)| segments.iter().skip(2).any(|segment| segment.eq_ignore_ascii_case(word))),
    };
    let (what, why) = known?;
    Some(Failure::new(Code::NotSupported, format!("Keyless does not have '{what}': {why}.")))
}

/// `Namespace/type/type` of `Namespace/type/name/type/name`.
fn type_of(segments: &[String]) -> String {
    let types = segments.iter().skip(1).step_by(2).map(String::as_str);
    segments.first().map(String::as_str).into_iter().chain(types).collect::<Vec<_>>().join("/")
}

fn starts_with(kind: &str, known: &str) -> bool {
    let same = kind.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known));
    same && matches!(kind.as_bytes().get(known.len()), None | Some(b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::path::segments;

    const GROUP: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg";

    fn why(path: &str) -> Option<String> {
        reason(&segments(path).unwrap()).map(|failure| failure.message)
    }

    #[test]
    fn what_azure_has_and_we_have_not_is_named_with_what_to_do() {
        let account = format!("{GROUP}/providers/microsoft.cognitiveservices/accounts/ai");
        for (path, says) in [
            (format!("{GROUP}/providers/Microsoft.Resources/deployments/main"), "keyless apply"),
            (format!("{GROUP}/providers/Microsoft.Resources/deployments/main/validate"), "keyless apply"),
            (format!("{account}/raipolicies"), "filter"),
            (format!("{account}/raiPolicies/strict"), "filter"),
            (format!("{account}/raiBlocklists/b/raiBlocklistItems/i"), "filter"),
            (format!("{account}/projects/p/connections/c"), "deployments"),
            ("/subscriptions/1/providers/Microsoft.CognitiveServices/locations/eastus/commitmentTiers".to_owned(), "capacity"),
            (format!("{account}/providers/Microsoft.Authorization/roleEligibilitySchedules"), "role assignments"),
            ("/providers/Microsoft.Authorization/elevateAccess".to_owned(), "Owner"),
            (format!("{GROUP}/exportTemplate"), "keyless apply"),
        ] {
            assert!(why(&path).is_some_and(|why| why.contains(says)), "{path}: {:?}", why(&path));
        }
    }

    #[test]
    fn no_route_of_ours_is_called_unsupported() {
        for route in crate::routes::arm() {
            let path = format!("{}{}", route.at.replace("{*}", GROUP), route.tail);
            // A provider is registered per subscription; elsewhere there is nothing to register.
            assert!(why(&path).is_none() || route.tail.ends_with("/register"), "{path}");
        }
        for path in
            [format!("{GROUP}/providers/Microsoft.CognitiveServices/accounts/projects"), format!("{GROUP}/providers/X.Y/exportTemplates/z")]
        {
            assert_eq!(why(&path), None, "{path}");
        }
    }
}
