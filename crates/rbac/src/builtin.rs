//! Azure's built-in roles.

use keyless_model::RoleId;
use keyless_model::entity::RoleDefinition;

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

/// Every built-in role.
#[must_use]
pub fn roles() -> Vec<RoleDefinition> {
    Vec::new()
}
