//! `[upstreams.NAME]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{FilePath, WebAddress};

/// A model server that speaks OpenAI's interface. A deployment may name it; else the one that names its model serves it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Its base URL; the path `/v1` is added when there is none
    pub url: WebAddress,
    /// The models it has. Without any, it is asked
    #[serde(default)]
    pub models: Vec<String>,
    /// A file that holds its own API key
    pub api_key_file: Option<FilePath>,
    /// The only certificates (PEM) under which it is trusted. Without it, the operating system's roots
    pub ca: Option<FilePath>,
}
