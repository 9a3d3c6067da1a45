//! The tree, one file per section. Every field is a setting: doc comment, type and default in one place.

mod audit;
mod authority;
mod control;
mod gateway;
mod keys;
mod lifetimes;
mod listen;
mod log;
mod metadata;
mod process;
mod quotas;
mod sign_in;
mod state;
mod timeouts;
mod trust;
mod upstream;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

pub use audit::Audit;
pub use authority::{AssertionAudience, AssertionReuse, Authority};
pub use control::Control;
pub use gateway::Gateway;
pub use keys::Keys;
pub use lifetimes::Lifetimes;
pub use listen::Listen;
pub use log::{Log, LogFormat};
pub use metadata::Metadata;
pub use process::Process;
pub use quotas::Quotas;
pub use sign_in::SignIn;
pub use state::State;
pub use timeouts::Timeouts;
pub use trust::Trust;
pub use upstream::Upstream;

use crate::value::FilePath;

/// A whole system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The data folder: state database, audit log, keys. Without it, the user's state folder (~/.local/state/keyless)
    pub data: Option<FilePath>,
    /// What a start on a new data folder makes. `demo` is the default of `keyless up`
    pub first_start: FirstStart,
    pub process: Process,
    pub log: Log,
    pub listen: Listen,
    pub state: State,
    pub audit: Audit,
    pub keys: Keys,
    pub authority: Authority,
    pub lifetimes: Lifetimes,
    pub trust: Trust,
    pub sign_in: Option<SignIn>,
    pub metadata: Metadata,
    pub control: Control,
    pub quotas: Quotas,
    pub gateway: Gateway,
    /// The model servers, each under a name of its own: `[upstreams.NAME]`.
    pub upstreams: BTreeMap<String, Upstream>,
    pub timeouts: Timeouts,
}

impl Settings {
    /// What serves a deployment whose model no upstream names: an upstream, or one of `detect`, `smollm2` and `built-in`.
    #[must_use]
    pub fn default_upstream(&self) -> Option<&str> {
        let usual = if self.upstreams.contains_key("default") { Some("default") } else { self.upstreams.is_empty().then_some("detect") };
        self.gateway.default_upstream.as_deref().or(usual)
    }
}

/// What a start on a new data folder makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "kebab-case")]
pub enum FirstStart {
    /// A tenant, a subscription, a resource group, this host and the identity `operator` that owns the subscription
    #[default]
    Bare,
    /// The same, and an account with two deployments and an identity that may call them
    Demo,
}
