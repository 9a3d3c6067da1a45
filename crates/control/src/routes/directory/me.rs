//! `/v1.0/me`

pub(in crate::routes) mod owned;
pub(in crate::routes) mod show;

/// Graph's own words.
const NO_PERSON: &str = "/me request is only valid with delegated authentication flow.";
