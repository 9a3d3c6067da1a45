//! `/v1.0/me`

pub(in crate::routes) mod show;
