//! `/v1.0/users`

pub(in crate::routes) mod create;
pub(in crate::routes) mod delete;
pub(in crate::routes) mod list;
pub(in crate::routes) mod revoke_sessions;
pub(in crate::routes) mod show;
pub(in crate::routes) mod update;
