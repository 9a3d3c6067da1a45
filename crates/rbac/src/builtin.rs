//! Azure's built-in roles, as far as they matter to identities and AI: same ids, names and permissions as on Azure.
//!
//! Taken from Microsoft's published definitions, and held by a test against a copy of what Azure prints (`tests/azure-roles.json`). A
//! role whose permissions were not found there is left out rather than guessed.

use keyless_model::entity::{Permissions, RoleDefinition, RoleKind};
use keyless_model::{RoleId, Scope, Timestamp};

mod cognitive;
mod data;
mod foundry;
mod general;
mod identity;

pub const OWNER: RoleId = RoleId::from_u128(0x8e3af657_a8ff_443c_a75c_2fe8c4bcb635);
pub const CONTRIBUTOR: RoleId = RoleId::from_u128(0xb24988ac_6180_42a0_ab88_20f7382dd24c);
pub const READER: RoleId = RoleId::from_u128(0xacdd72a7_3385_48ef_bd42_f606fba81ae7);
pub const USER_ACCESS_ADMINISTRATOR: RoleId = RoleId::from_u128(0x18d7d88d_d35e_4fb5_a5c3_7773c20a72d9);
pub const RBAC_ADMINISTRATOR: RoleId = RoleId::from_u128(0xf58310d9_a9f6_439a_9e8d_f62e7b41a168);

pub const MANAGED_IDENTITY_CONTRIBUTOR: RoleId = RoleId::from_u128(0xe40ec5ca_96e0_45a2_b4ff_59039f2c2b59);
pub const MANAGED_IDENTITY_OPERATOR: RoleId = RoleId::from_u128(0xf1a07417_d97a_45cb_824c_7a7467783830);

pub const COGNITIVE_SERVICES_OPENAI_USER: RoleId = RoleId::from_u128(0x5e0bd9bd_7b93_4f28_af87_19fc36ad61bd);
pub const COGNITIVE_SERVICES_OPENAI_CONTRIBUTOR: RoleId = RoleId::from_u128(0xa001fd3d_188f_4b5d_821b_7da978bf7442);
pub const COGNITIVE_SERVICES_USER: RoleId = RoleId::from_u128(0xa97b65f3_24c7_4388_baec_2e87135dc908);
pub const COGNITIVE_SERVICES_CONTRIBUTOR: RoleId = RoleId::from_u128(0x25fbc0a9_bd7c_42a3_aa1a_3b75d497ee68);
pub const COGNITIVE_SERVICES_DATA_READER: RoleId = RoleId::from_u128(0xb59867f0_fa02_499b_be73_45a86b5b3e1c);
pub const COGNITIVE_SERVICES_USAGES_READER: RoleId = RoleId::from_u128(0xbba48692_92b0_4667_a9ad_c31c7b334ac2);

pub const AZURE_AI_DEVELOPER: RoleId = RoleId::from_u128(0x64702f94_c441_49e6_a78b_ef80e0188fee);
pub const FOUNDRY_USER: RoleId = RoleId::from_u128(0x53ca6127_db72_4b80_b1b0_d745d6d5456d);
pub const FOUNDRY_PROJECT_MANAGER: RoleId = RoleId::from_u128(0xeadc314b_1a2d_4efa_be10_5d325db5065e);
pub const FOUNDRY_ACCOUNT_OWNER: RoleId = RoleId::from_u128(0xe47c6f54_e4a2_4754_9501_8e0985b135e1);
pub const AZURE_AI_ADMINISTRATOR: RoleId = RoleId::from_u128(0xb78c5d69_af96_48a3_bf8d_a8b4d589de94);
pub const FOUNDRY_OWNER: RoleId = RoleId::from_u128(0xc883944f_8b7b_4483_af10_35834be79c4a);

pub const SEARCH_INDEX_DATA_READER: RoleId = RoleId::from_u128(0x1407120a_92aa_4202_b7e9_c0e197c71c8f);
pub const SEARCH_INDEX_DATA_CONTRIBUTOR: RoleId = RoleId::from_u128(0x8ebe5a00_799e_43f5_93ac_243d3dce84a7);
pub const SEARCH_SERVICE_CONTRIBUTOR: RoleId = RoleId::from_u128(0x7ca78c08_252a_4471_8644_bb5ff32d4ba0);
pub const KEY_VAULT_SECRETS_USER: RoleId = RoleId::from_u128(0x4633458b_17de_408a_b874_0445c86b69e6);
pub const STORAGE_BLOB_DATA_READER: RoleId = RoleId::from_u128(0x2a2b9908_6ea1_4ae2_8e65_a410df84e7d1);

/// When Microsoft generated the definitions taken: 2026-07-01.
const TAKEN: Timestamp = Timestamp::from_unix_secs(1_782_864_000);

/// What a built-in role consists of. Each has one block of permissions and may be assigned anywhere.
struct Template {
    id: RoleId,
    name: &'static str,
    description: &'static str,
    actions: &'static [&'static str],
    not_actions: &'static [&'static str],
    data_actions: &'static [&'static str],
    not_data_actions: &'static [&'static str],
    condition: Option<&'static str>,
}

/// Fills the fields that most roles leave empty. Its id is never used.
const BLANK: Template = Template {
    id: RoleId::from_u128(0),
    name: "",
    description: "",
    actions: &[],
    not_actions: &[],
    data_actions: &[],
    not_data_actions: &[],
    condition: None,
};

impl Template {
    fn definition(&self) -> RoleDefinition {
        let owned = |patterns: &[&str]| patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        RoleDefinition {
            id: self.id,
            role_name: self.name.to_owned(),
            description: self.description.to_owned(),
            role_kind: RoleKind::BuiltInRole,
            permissions: vec![Permissions {
                actions: owned(self.actions),
                not_actions: owned(self.not_actions),
                data_actions: owned(self.data_actions),
                not_data_actions: owned(self.not_data_actions),
                condition: self.condition.map(str::to_owned),
            }],
            assignable_scopes: vec![Scope::root()],
            created: TAKEN,
            updated: TAKEN,
            updated_by: None,
        }
    }
}

/// What a built-in role was called before it was renamed in 2026. Guides and scripts still say so, and a name that finds nothing
/// would send their readers looking for a mistake of their own; real Azure no longer answers to these.
#[must_use]
pub fn former_name(id: RoleId) -> Option<&'static str> {
    match id {
        FOUNDRY_USER => Some("Azure AI User"),
        FOUNDRY_PROJECT_MANAGER => Some("Azure AI Project Manager"),
        FOUNDRY_ACCOUNT_OWNER => Some("Azure AI Account Owner"),
        FOUNDRY_OWNER => Some("Azure AI Owner"),
        _ => None,
    }
}

/// Whether a built-in role's condition names this role: its holders may assign it, whatever it is.
pub(crate) fn is_named_by_a_condition(id: RoleId) -> bool {
    let id = id.to_string();
    let all = [general::ROLES, identity::ROLES, cognitive::ROLES, foundry::ROLES, data::ROLES];
    all.into_iter().flatten().filter_map(|role| role.condition).any(|condition| condition.contains(&id))
}

/// Every built-in role.
#[must_use]
pub fn roles() -> Vec<RoleDefinition> {
    [general::ROLES, identity::ROLES, cognitive::ROLES, foundry::ROLES, data::ROLES]
        .into_iter()
        .flatten()
        .map(Template::definition)
        .collect()
}

#[cfg(test)]
mod tests;
