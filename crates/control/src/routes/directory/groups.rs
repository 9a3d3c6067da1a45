//! `/v1.0/groups`

pub(in crate::routes) mod add_member;
pub(in crate::routes) mod create;
pub(in crate::routes) mod delete;
pub(in crate::routes) mod list;
pub(in crate::routes) mod members;
pub(in crate::routes) mod remove_member;
pub(in crate::routes) mod show;
