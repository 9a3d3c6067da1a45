//! `Microsoft.Authorization/permissions`: what the caller may do somewhere.

pub(super) mod list;
