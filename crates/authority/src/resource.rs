//! Which audiences exist: the resources a token can be asked for. It does not know who may use them; `rbac` does, on every call.

use keyless_model::TenantId;
use keyless_store::Snapshot;
use keyless_token::Version;
use keyless_web::Endpoints;

/// Azure's own resources, all of which take v1 tokens.
const AZURE: [&str; 5] = [
    "https://cognitiveservices.azure.com",
    "https://ai.azure.com",
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://graph.microsoft.com",
];

/// Something a token can be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    /// `aud` of its tokens.
    pub(crate) audience: String,
    pub(crate) version: Version,
}

/// The resources that exist in every tenant. Applications are looked up in the directory.
#[derive(Debug, Clone)]
pub(crate) struct Resources {
    /// Without a trailing slash.
    own: Vec<String>,
    federation: Vec<String>,
}

impl Resources {
    pub(crate) fn new(endpoints: &Endpoints, federation: &[String]) -> Self {
        let addresses = [&endpoints.authority, &endpoints.control, &endpoints.gateway];
        let own = AZURE.iter().map(|name| (*name).to_owned()).chain(addresses.into_iter().cloned()).collect();
        Self { own, federation: federation.to_vec() }
    }

    /// The resource of that name, compared byte for byte except for one trailing slash, which the token's audience keeps: `az`
    /// asks for `https://localhost:8443//.default` and expects the audience `https://localhost:8443/`.
    pub(crate) fn find(&self, snapshot: &Snapshot, tenant: TenantId, name: &str) -> Option<Resource> {
        let bare = name.strip_suffix('/').unwrap_or(name);
        if self.own.iter().any(|own| own == bare) {
            return Some(Resource { audience: name.to_owned(), version: Version::V1 });
        }
        if self.federation.iter().any(|audience| audience == name) {
            return Some(Resource { audience: name.to_owned(), version: Version::V2 });
        }
        let application = match name.parse() {
            Ok(client_id) => snapshot.application_of(client_id),
            Err(_) => snapshot.applications().find(|app| app.identifier_uris.iter().any(|uri| uri == name)),
        };
        let application = application.filter(|app| app.tenant == tenant)?;
        let principal = snapshot.service_principal(application.client_id)?;
        principal.enabled.then(|| Resource { audience: application.client_id.to_string(), version: Version::V2 })
    }
}
