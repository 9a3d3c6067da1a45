//! `/v1.0/directoryObjects`

pub(in crate::routes) mod check_member_groups;
pub(in crate::routes) mod get_by_ids;
pub(in crate::routes) mod show;
