//! Where pages in a browser live whose applications are registered: found without a walk of all applications.

use std::collections::BTreeSet;

use imbl::HashMap;
use keyless_model::TenantId;
use keyless_model::entity::Application;

/// From an origin to the tenants with applications that have a page there, and how many of each.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins(HashMap<String, HashMap<TenantId, u32>>);

impl Origins {
    pub(super) fn file(&mut self, application: &Application) {
        for origin in of(application) {
            *self.0.entry(origin).or_default().entry(application.tenant).or_default() += 1;
        }
    }

    pub(super) fn unfile(&mut self, application: &Application) {
        for origin in of(application) {
            let Some(tenants) = self.0.get_mut(&origin) else { continue };
            match tenants.get_mut(&application.tenant) {
                Some(count) if *count > 1 => *count -= 1,
                _ => _ = tenants.remove(&application.tenant),
            }
            if tenants.is_empty() {
                self.0.remove(&origin);
            }
        }
    }

    /// Whether an application of this tenant has a page there; of any, without one.
    pub(super) fn has(&self, tenant: Option<TenantId>, origin: &str) -> bool {
        self.0.get(origin).is_some_and(|tenants| tenant.is_none_or(|tenant| tenants.contains_key(&tenant)))
    }
}

fn of(application: &Application) -> BTreeSet<String> {
    application.spa_redirect_uris.iter().filter_map(|page| page_origin(page)).collect()
}

/// The origin of a page's address, as browsers write it (RFC 6454 section 6.2): lower case, without the scheme's own port. None when
/// it is not clear to every reader.
#[must_use]
pub fn page_origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let place = rest.split(['/', '?', '#']).next()?;
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !place.ends_with(']') => (host, Some(port.parse::<u16>().ok()?)),
        _ => (place, None),
    };
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-._".contains(&letter);
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let clear = address.map_or_else(|| host.bytes().all(plain), |host| host.bytes().all(|letter| letter == b':' || plain(letter)));
    if host.is_empty() || !clear {
        return None;
    }
    let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
    let port = port.filter(|port| !matches!((scheme.as_str(), port), ("https", 443) | ("http", 80)));
    Some(port.map_or_else(|| format!("{scheme}://{host}"), |port| format!("{scheme}://{host}:{port}")))
}
