//! Roles over what AI programs usually read beside models: search indexes, secrets, blobs.

use super::{BLANK, Template};

pub(super) const ROLES: &[Template] = &[
    Template {
        id: super::SEARCH_INDEX_DATA_READER,
        name: "Search Index Data Reader",
        description: "Grants read access to Azure Cognitive Search index data.",
        data_actions: &["Microsoft.Search/searchServices/indexes/documents/read"],
        ..BLANK
    },
    Template {
        id: super::SEARCH_INDEX_DATA_CONTRIBUTOR,
        name: "Search Index Data Contributor",
        description: "Grants full access to Azure Cognitive Search index data.",
        data_actions: &[
            "Microsoft.Search/searchServices/indexes/documents/*",
            "Microsoft.Search/searchServices/indexes/contentSecurity/elevatedOperations/read",
        ],
        ..BLANK
    },
    Template {
        id: super::SEARCH_SERVICE_CONTRIBUTOR,
        name: "Search Service Contributor",
        description: "Lets you manage Search services, but not access to them.",
        actions: &[
            "Microsoft.Authorization/*/read",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.ResourceHealth/availabilityStatuses/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Search/searchServices/*",
            "Microsoft.Support/*",
        ],
        ..BLANK
    },
    Template {
        id: super::KEY_VAULT_SECRETS_USER,
        name: "Key Vault Secrets User",
        description: "Read secret contents. Only works for key vaults that use the 'Azure role-based access control' permission model.",
        data_actions: &["Microsoft.KeyVault/vaults/secrets/getSecret/action", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
        ..BLANK
    },
    Template {
        id: super::STORAGE_BLOB_DATA_READER,
        name: "Storage Blob Data Reader",
        description: "Allows for read access to Azure Storage blob containers and data",
        actions: &[
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
            "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
        ],
        data_actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"],
        ..BLANK
    },
];
