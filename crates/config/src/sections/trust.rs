//! `[trust]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smart_default::SmartDefault;

use keyless_model::TenantId;

use crate::value::{FilePath, WebAddress};

/// Whom else the operator trusts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, SmartDefault)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// Accept tokens of these OIDC issuers in federated credentials although they are on a private or loopback address
    pub issuers: Vec<WebAddress>,
    /// The only certificates (PEM) under which those issuers are trusted
    pub issuer_ca: Option<FilePath>,
    /// Let guests of these Entra tenants in by their own tokens (see `keyless guest`)
    #[schemars(with = "Vec<String>")]
    pub tenants: Vec<TenantId>,
    /// Where those tenants' tokens come from: an https URL without a path. Without it, https://login.microsoftonline.com
    pub tenant_authority: Option<WebAddress>,
    /// The only certificates (PEM) under which that authority is trusted
    pub tenant_ca: Option<FilePath>,
}
