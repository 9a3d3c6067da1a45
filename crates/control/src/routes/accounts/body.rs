//! The body of an account's PUT and PATCH, and what it changes. Read-only members (`endpoint`, `provisioningState`, `internalId`)
//! come back in a PUT by `az resource update` and are ignored.

use std::net::IpAddr;

use keyless_model::Scope;
use keyless_model::entity::{Account, IpRule, NetworkAcls, NetworkDefault, PublicNetworkAccess, VirtualNetworkRule};
use keyless_model::name;
use keyless_store::Snapshot;
use serde::Deserialize;

use crate::arm::identity::IdentityBody;
use crate::arm::tags::TagsBody;
use crate::failure::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct Body {
    pub(super) kind: Option<String>,
    pub(super) location: Option<String>,
    pub(super) sku: Option<SkuBody>,
    pub(super) identity: Option<IdentityBody>,
    #[serde(default)]
    pub(super) tags: TagsBody,
    #[serde(default)]
    pub(super) properties: Properties,
}

#[derive(Deserialize)]
pub(super) struct SkuBody {
    pub(super) name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Properties {
    pub(super) custom_sub_domain_name: Option<String>,
    pub(super) disable_local_auth: Option<bool>,
    pub(super) public_network_access: Option<String>,
    pub(super) network_acls: Option<AclsBody>,
    #[serde(default)]
    pub(super) restore: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AclsBody {
    default_action: Option<String>,
    #[serde(default)]
    ip_rules: Vec<IpRule>,
    #[serde(default)]
    virtual_network_rules: Vec<VirtualNetworkRule>,
}

impl Body {
    /// Applies everything but the identity block to `account`.
    pub(super) fn apply(&self, snapshot: &Snapshot, account: &mut Account) -> Result<(), Failure> {
        account.tags = self.tags.over(&account.tags)?;
        if let Some(sku) = &self.sku {
            account.sku.name = sku_name(&sku.name)?;
        }
        let properties = &self.properties;
        if let Some(domain) = properties.custom_sub_domain_name.as_deref().filter(|domain| !domain.is_empty()) {
            let wished = subdomain(snapshot, domain, &account.scope)?;
            // SECURITY: a name that an account gave up could be taken by another, which would then get its clients' prompts.
            if wished != account.custom_subdomain {
                return Err(invalid("customSubDomainName", "the name of an account's endpoint cannot be changed; make another account"));
            }
        }
        if let Some(disable) = properties.disable_local_auth {
            account.disable_local_auth = disable;
        }
        if let Some(access) = &properties.public_network_access {
            account.public_network_access = match access.to_ascii_lowercase().as_str() {
                "enabled" => PublicNetworkAccess::Enabled,
                "disabled" => PublicNetworkAccess::Disabled,
                _ => return Err(invalid("publicNetworkAccess", "it must be Enabled or Disabled")),
            };
        }
        if let Some(acls) = &properties.network_acls {
            account.network_acls = acls.read(&account.network_acls)?;
        }
        Ok(())
    }
}

impl AclsBody {
    /// SECURITY: without a default action the account keeps its own, and a first list of addresses stands for "only these": a body
    /// that names rules only must never open what was closed.
    fn read(&self, current: &NetworkAcls) -> Result<NetworkAcls, Failure> {
        let first = *current == NetworkAcls::default() && !(self.ip_rules.is_empty() && self.virtual_network_rules.is_empty());
        let default_action = match self.default_action.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None if first => NetworkDefault::Deny,
            None => current.default_action,
            Some("allow") => NetworkDefault::Allow,
            Some("deny") => NetworkDefault::Deny,
            Some(_) => return Err(invalid("networkAcls.defaultAction", "it must be Allow or Deny")),
        };
        // SECURITY: a rule that cannot be read could be skipped at the gateway, which changes what the list means.
        if let Some(bad) = self.ip_rules.iter().find(|rule| !is_block(&rule.value)) {
            let shown: String = bad.value.chars().take(60).collect();
            return Err(invalid("networkAcls.ipRules", &format!("'{shown}' is neither an IP address nor a CIDR block")));
        }
        Ok(NetworkAcls { default_action, ip_rules: self.ip_rules.clone(), virtual_network_rules: self.virtual_network_rules.clone() })
    }
}

/// An address, or an address and the length of its prefix.
fn is_block(text: &str) -> bool {
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    length.is_none_or(|length| !length.starts_with('+') && length.parse::<u8>().is_ok_and(|length| length <= most))
}

pub(in crate::routes) fn sku_name(name: &str) -> Result<String, Failure> {
    let plain = (1..=20).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    if plain { Ok(name.to_owned()) } else { Err(invalid("sku.name", "name a SKU such as S0")) }
}

/// `OpenAI` or `AIServices`, in Azure's spelling.
pub(in crate::routes) fn known_kind(named: &str) -> Result<String, Failure> {
    let known = ["OpenAI", "AIServices"].into_iter().find(|known| known.eq_ignore_ascii_case(named));
    known.map(str::to_owned).ok_or_else(|| invalid("kind", "the kinds of account here are OpenAI and AIServices"))
}

/// A wished endpoint name, when it is well-formed and free - or the account's own already.
pub(in crate::routes) fn subdomain(snapshot: &Snapshot, wished: &str, own: &Scope) -> Result<String, Failure> {
    let wished = wished.to_ascii_lowercase();
    name::custom_subdomain(&wished).map_err(|error| invalid("customSubDomainName", &error.to_string()))?;
    // SECURITY: a deleted account that may be recovered keeps its name, as on Azure: clients still send their prompts there.
    let kept = || snapshot.accounts_below(&Scope::root()).find(|row| row.deleted.is_some() && row.custom_subdomain == wished);
    match snapshot.account_at(&wished).or_else(kept) {
        Some(other) if other.scope != *own => {
            let message =
                format!("Please pick a different name. The subdomain name '{wished}' is not available as it's already used by a resource.");
            Err(Failure::new(Code::CustomDomainInUse, message))
        }
        _ => Ok(wished),
    }
}

fn invalid(property: &'static str, why: &str) -> Failure {
    Failure::new(Code::InvalidApiProperties, format!("The property '{property}' is invalid: {why}.")).at(property)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_rules_are_addresses_or_blocks() {
        for good in ["10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "::1", "2001:db8::/32"] {
            assert!(is_block(good), "{good}");
        }
        for bad in ["", "10.0.0", "10.0.0.1/33", "10.0.0.0/+8", "10.0.0.0/", "::/129", "any", "10.0.0.1 ", "10.0.0.1/8/8"] {
            assert!(!is_block(bad), "{bad}");
        }
    }
}
