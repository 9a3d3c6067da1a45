//! `/tenants`

pub(super) mod list;
