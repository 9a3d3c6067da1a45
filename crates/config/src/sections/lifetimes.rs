//! `[lifetimes]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

use crate::value::TimeSpan;

/// How long tokens and sign-ins live. A token is ended earlier by its principal or its key: the directory decides at every call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct Lifetimes {
    /// An application's access token
    #[default(TimeSpan::secs(3600))]
    pub application_token: TimeSpan,
    /// So much longer at most, at random: workloads that started together do not come back together
    #[default(TimeSpan::secs(300))]
    pub application_token_spread: TimeSpan,
    /// A person's access token
    #[default(TimeSpan::secs(3600))]
    pub person_token: TimeSpan,
    /// So much longer at most, at random
    #[default(TimeSpan::secs(1800))]
    pub person_token_spread: TimeSpan,
    /// A person's id token
    #[default(TimeSpan::secs(3600))]
    pub id_token: TimeSpan,
    /// A managed identity's access token
    #[default(TimeSpan::secs(24 * 3600 + 300))]
    pub identity_token: TimeSpan,
    /// A token that the owner asks for on the command line
    #[default(TimeSpan::secs(3600))]
    pub owner_token: TimeSpan,
    /// A token for an audience outside of this system, where what is revoked here ends by time only
    #[default(TimeSpan::secs(900))]
    pub outside_token: TimeSpan,
    /// A sign-in (its refresh tokens) that is not used for so long ends
    #[default(TimeSpan::secs(14 * 86_400))]
    pub sign_in_idle: TimeSpan,
    /// No sign-in lives longer than this
    #[default(TimeSpan::secs(90 * 86_400))]
    pub sign_in: TimeSpan,
}
