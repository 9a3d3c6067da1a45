//! `[authority]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

use std::num::NonZeroU32;

/// Who gets tokens, and by what proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct Authority {
    /// Let workloads get tokens for these audiences outside, besides api://AzureADTokenExchange
    pub federation_audiences: Vec<String>,
    /// Sign tokens for these resources with ES256, which costs far less than RS256 but which fewer verifiers know
    pub es256_audiences: Vec<String>,
    /// What a client assertion must be addressed to
    pub assertion_audience: AssertionAudience,
    /// Whether a client assertion may be used more than once
    pub assertion_reuse: AssertionReuse,
    /// Wrong credentials that a client may send in a minute before it is told to wait; its right one still works
    #[default(NonZeroU32::new(60).expect("it is not nought"))]
    pub wrong_credentials_per_minute: NonZeroU32,
}

/// What a client assertion must be addressed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "kebab-case")]
pub enum AssertionAudience {
    /// The issuer, or the token endpoint's URL as MSAL sends it
    #[default]
    IssuerOrEndpoint,
    /// The issuer only (RFC 7523bis)
    Issuer,
}

/// Whether a client assertion may be used more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "kebab-case")]
pub enum AssertionReuse {
    /// From the address that used it first, until it expires, as MSAL does
    #[default]
    SameAddress,
    /// Never
    Never,
}
