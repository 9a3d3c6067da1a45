//! Roles over AI accounts (`Microsoft.CognitiveServices`).

use super::{BLANK, Template};

pub(super) const ROLES: &[Template] = &[
    Template {
        id: super::COGNITIVE_SERVICES_OPENAI_USER,
        name: "Cognitive Services OpenAI User",
        description: "Ability to view files, models, deployments. Readers can't make any changes They can inference and create images",
        actions: &[
            "Microsoft.CognitiveServices/*/read",
            "Microsoft.Authorization/roleAssignments/read",
            "Microsoft.Authorization/roleDefinitions/read",
        ],
        data_actions: &[
            "Microsoft.CognitiveServices/accounts/OpenAI/*/read",
            "Microsoft.CognitiveServices/accounts/OpenAI/engines/completions/action",
            "Microsoft.CognitiveServices/accounts/OpenAI/engines/search/action",
            "Microsoft.CognitiveServices/accounts/OpenAI/engines/generate/action",
            "Microsoft.CognitiveServices/accounts/OpenAI/deployments/audio/action",
            "Microsoft.CognitiveServices/accounts/OpenAI/deployments/search/action",
            "Microsoft.CognitiveServices/accounts/OpenAI/deployments/completions/action",
            "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action",
            "Microsoft.CognitiveServices/accounts/OpenAI/deployments/realtime/action",
            "Microsoft.CognitiveServices/accounts/OpenAI/deployments/extensions/chat/completions/action",
            "Microsoft.CognitiveServices/accounts/OpenAI/deployments/embeddings/action",
            "Microsoft.CognitiveServices/accounts/OpenAI/images/generations/action",
            "Microsoft.CognitiveServices/accounts/OpenAI/video/generations/*/action",
            "Microsoft.CognitiveServices/accounts/OpenAI/video/generations/*/delete",
            "Microsoft.CognitiveServices/accounts/OpenAI/assistants/*",
            "Microsoft.CognitiveServices/accounts/OpenAI/responses/*",
        ],
        not_data_actions: &["Microsoft.CognitiveServices/accounts/OpenAI/stored-completions/read"],
        ..BLANK
    },
    Template {
        id: super::COGNITIVE_SERVICES_OPENAI_CONTRIBUTOR,
        name: "Cognitive Services OpenAI Contributor",
        description: "Full access including the ability to fine-tune, deploy and generate text",
        actions: &[
            "Microsoft.CognitiveServices/*/read",
            "Microsoft.CognitiveServices/accounts/deployments/write",
            "Microsoft.CognitiveServices/accounts/deployments/delete",
            "Microsoft.CognitiveServices/accounts/raiPolicies/read",
            "Microsoft.CognitiveServices/accounts/raiPolicies/write",
            "Microsoft.CognitiveServices/accounts/raiPolicies/delete",
            "Microsoft.CognitiveServices/accounts/commitmentplans/read",
            "Microsoft.CognitiveServices/accounts/commitmentplans/write",
            "Microsoft.CognitiveServices/accounts/commitmentplans/delete",
            "Microsoft.Authorization/roleAssignments/read",
            "Microsoft.Authorization/roleDefinitions/read",
        ],
        data_actions: &["Microsoft.CognitiveServices/accounts/OpenAI/*"],
        ..BLANK
    },
    Template {
        id: super::COGNITIVE_SERVICES_USER,
        name: "Cognitive Services User",
        description: "Lets you read and list keys of Cognitive Services.",
        actions: &[
            "Microsoft.CognitiveServices/*/read",
            "Microsoft.CognitiveServices/accounts/listkeys/action",
            "Microsoft.Insights/alertRules/read",
            "Microsoft.Insights/diagnosticSettings/read",
            "Microsoft.Insights/logDefinitions/read",
            "Microsoft.Insights/metricdefinitions/read",
            "Microsoft.Insights/metrics/read",
            "Microsoft.ResourceHealth/availabilityStatuses/read",
            "Microsoft.Resources/deployments/operations/read",
            "Microsoft.Resources/subscriptions/operationresults/read",
            "Microsoft.Resources/subscriptions/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Support/*",
        ],
        data_actions: &["Microsoft.CognitiveServices/*"],
        not_data_actions: &[
            "Microsoft.CognitiveServices/accounts/OpenAI/fine-tunes-deployments/write",
            "Microsoft.CognitiveServices/accounts/AIServices/fine_tuning_deployments/write",
            "Microsoft.CognitiveServices/accounts/AIServices/agents/endpoints/UserIdentityImpersonation/action",
        ],
        ..BLANK
    },
    Template {
        id: super::COGNITIVE_SERVICES_CONTRIBUTOR,
        name: "Cognitive Services Contributor",
        description: "Lets you create, read, update, delete and manage keys of Cognitive Services.",
        actions: &[
            "Microsoft.Authorization/*/read",
            "Microsoft.CognitiveServices/*",
            "Microsoft.Features/features/read",
            "Microsoft.Features/providers/features/read",
            "Microsoft.Features/providers/features/register/action",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Insights/diagnosticSettings/*",
            "Microsoft.Insights/logDefinitions/read",
            "Microsoft.Insights/metricdefinitions/read",
            "Microsoft.Insights/metrics/read",
            "Microsoft.ResourceHealth/availabilityStatuses/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/deployments/operations/read",
            "Microsoft.Resources/subscriptions/operationresults/read",
            "Microsoft.Resources/subscriptions/read",
            "Microsoft.Resources/subscriptions/resourcegroups/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Support/*",
        ],
        not_actions: &[
            "Microsoft.CognitiveServices/raiPolicy/write",
            "Microsoft.CognitiveServices/raiPolicy/delete",
            "Microsoft.CognitiveServices/raiExternalSafetyProviders/write",
            "Microsoft.CognitiveServices/raiExternalSafetyProviders/delete",
        ],
        ..BLANK
    },
    Template {
        id: super::COGNITIVE_SERVICES_DATA_READER,
        name: "Cognitive Services Data Reader",
        description: "Lets you read Cognitive Services data.",
        data_actions: &["Microsoft.CognitiveServices/*/read"],
        ..BLANK
    },
    Template {
        id: super::COGNITIVE_SERVICES_USAGES_READER,
        name: "Cognitive Services Usages Reader",
        description: "Minimal permission to view Cognitive Services usages.",
        actions: &["Microsoft.CognitiveServices/locations/usages/read"],
        ..BLANK
    },
];
