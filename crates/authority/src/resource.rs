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
    pub(crate) kind: ResourceKind,
}

/// Whose it is, and so what its tokens look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResourceKind {
    /// Ours, or an application of ours: access tokens.
    Ours(Version),
    /// Somebody else's: workload identity tokens.
    Outside,
}

/// Longest audience, in bytes.
const MAX_AUDIENCE: usize = 512;

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
            return Some(Resource { audience: name.to_owned(), kind: ResourceKind::Ours(Version::V1) });
        }
        if self.federation.iter().any(|audience| audience == name) && !is_application(snapshot, name) {
            return Some(Resource { audience: name.to_owned(), kind: ResourceKind::Outside });
        }
        let application = match name.parse() {
            Ok(client_id) => snapshot.application_of(client_id),
            Err(_) => snapshot.applications().find(|app| app.identifier_uris.iter().any(|uri| uri == name)),
        };
        let application = application.filter(|app| app.tenant == tenant)?;
        let principal = snapshot.service_principal(application.client_id)?;
        let kind = ResourceKind::Ours(Version::V2);
        principal.enabled.then(|| Resource { audience: application.client_id.to_string(), kind })
    }

    /// Somebody else's resource of that name; none when the name is one of ours, or could be taken for one, or is no name at all.
    ///
    /// SECURITY: more is refused than our planes accept: any address on a host of ours or of Azure's, in any spelling, and whatever
    /// an application here calls itself. A token for a stranger must never be worth anything at home.
    pub(crate) fn outside(&self, snapshot: &Snapshot, name: &str) -> Option<Resource> {
        let outside = self.is_foreign(name) && !is_application(snapshot, name);
        outside.then(|| Resource { audience: name.to_owned(), kind: ResourceKind::Outside })
    }

    fn is_foreign(&self, name: &str) -> bool {
        let sound = !name.is_empty() && name.len() <= MAX_AUDIENCE && name.bytes().all(|byte| byte.is_ascii_graphic());
        let host = |text: &str| text.parse::<http::Uri>().ok()?.host().map(str::to_ascii_lowercase);
        let wanted = host(name);
        let ours = self.own.iter().any(|own| own.eq_ignore_ascii_case(name) || wanted.is_some() && host(own) == wanted);
        sound && !ours
    }

    /// The first of the operator's outside audiences that can be none.
    pub(crate) fn misnamed(&self) -> Option<&str> {
        self.federation.iter().find(|name| !self.is_foreign(name)).map(String::as_str)
    }

    /// Those of the operator's outside audiences that an application here calls itself.
    pub(crate) fn taken<'a>(&'a self, snapshot: &'a Snapshot) -> impl Iterator<Item = &'a str> {
        self.federation.iter().map(String::as_str).filter(|name| is_application(snapshot, name))
    }
}

fn is_application(snapshot: &Snapshot, name: &str) -> bool {
    match name.parse() {
        Ok(client_id) => snapshot.application_of(client_id).is_some(),
        Err(_) => snapshot.applications().any(|app| app.identifier_uris.iter().any(|uri| uri.eq_ignore_ascii_case(name))),
    }
}
