//! `/v1.0/servicePrincipals`

pub(in crate::routes) mod create;
pub(in crate::routes) mod delete;
pub(in crate::routes) mod list;
pub(in crate::routes) mod show;
pub(in crate::routes) mod update;
