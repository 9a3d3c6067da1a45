//! `[sign_in]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{FilePath, WebAddress};

/// People sign in at your OpenID provider instead of with a password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The provider's issuer, as it stands in its tokens; may be on a private address
    pub issuer: WebAddress,
    /// What the provider calls this system
    pub client_id: String,
    /// A file that holds the client secret; without it this is a public client
    pub client_secret_file: Option<FilePath>,
    /// What people call the provider, for the button. Without it, the issuer's host
    pub name: Option<String>,
    /// The only certificates (PEM) under which the provider is trusted
    pub ca: Option<FilePath>,
    /// Take the provider's word for verified e-mail addresses of these domains: the user of that name. Without any, only people linked
    /// with `keyless user link`
    #[serde(default)]
    pub email_domains: Vec<String>,
}
