//! The programs that people sign in to, and where their answers may go.

use std::sync::Arc;

use http::Uri;
use keyless_model::entity::Application;
use keyless_model::{ClientId, TenantId};
use keyless_store::Snapshot;

use crate::codes;
use crate::refusal::Refusal;
use crate::tenant::Realm;

/// Azure's command line, which knows its client id from the factory and is in nobody's directory.
const AZURE_CLI: ClientId = ClientId::from_u128(0x04b0_7795_8ddb_461a_bbee_02f9_e1bf_7b46);

/// A program that a person signs in to.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) client_id: ClientId,
    pub(crate) name: String,
    kind: AppKind,
}

#[derive(Debug, Clone)]
enum AppKind {
    /// Public, on the person's own machine.
    AzureCli,
    Registered(Arc<Application>),
}

impl App {
    /// The program of that id, in the tenant if one is named.
    pub(crate) fn find(snapshot: &Snapshot, realm: &Realm, named: &str) -> Result<Self, Refusal> {
        let unknown = || {
            let directory = match realm {
                Realm::Tenant(tenant) => tenant.display_name.clone(),
                Realm::Any => "organizations".to_owned(),
            };
            Refusal::new(&codes::APPLICATION_NOT_FOUND).with(named).with(directory)
        };
        let client_id: ClientId = named.parse().map_err(|_| unknown())?;
        if client_id == AZURE_CLI {
            return Ok(Self { client_id, name: "Azure CLI".to_owned(), kind: AppKind::AzureCli });
        }
        let application = snapshot.application_of(client_id).filter(|found| realm.includes(found.tenant)).ok_or_else(unknown)?;
        let principal = snapshot.service_principal(client_id).filter(|found| found.tenant == application.tenant).ok_or_else(unknown)?;
        if !principal.enabled {
            return Err(Refusal::new(&codes::APPLICATION_DISABLED).with(client_id).with(&principal.display_name));
        }
        let name = application.display_name.clone();
        Ok(Self { client_id, name, kind: AppKind::Registered(Arc::clone(application)) })
    }

    /// Whether it may ask without a credential of its own.
    pub(crate) fn is_public(&self) -> bool {
        match &self.kind {
            AppKind::AzureCli => true,
            AppKind::Registered(application) => application.public_client,
        }
    }

    /// Whether it could present a credential at all.
    pub(crate) fn may_hold_credential(&self) -> bool {
        matches!(self.kind, AppKind::Registered(_))
    }

    /// The tenant whose people may sign in to it; any for first-party programs.
    pub(crate) fn tenant(&self) -> Option<TenantId> {
        match &self.kind {
            AppKind::AzureCli => None,
            AppKind::Registered(application) => Some(application.tenant),
        }
    }

    /// Whether an answer with a code in it may go to this address.
    ///
    /// SECURITY: byte for byte as registered; only a loopback address may have any port (RFC 8252 section 7.3), because a program
    /// on the person's machine cannot choose one beforehand. Anything looser hands codes to strangers.
    pub(crate) fn redirects_to(&self, redirect_uri: &str) -> bool {
        let registered: &[String] = match &self.kind {
            AppKind::AzureCli => &["http://localhost".to_owned(), "http://127.0.0.1".to_owned()],
            AppKind::Registered(application) => &application.redirect_uris,
        };
        // A page's port is part of its origin, so it has the one that was registered.
        let known = |known: &&String| if self.pages().contains(*known) { *known == redirect_uri } else { true };
        registered.iter().filter(known).any(|known| matches_redirect(known, redirect_uri))
    }

    /// The addresses of its pages in a browser ("Single-Page Application").
    fn pages(&self) -> &[String] {
        match &self.kind {
            AppKind::AzureCli => &[],
            AppKind::Registered(application) => &application.spa_redirect_uris,
        }
    }

    /// Whether answers at this address reach a page in a browser, which keeps no secret.
    pub(crate) fn is_page(&self, redirect_uri: &str) -> bool {
        self.pages().iter().any(|page| page == redirect_uri)
    }

    /// Whether one of its pages has this origin, as browsers write it.
    pub(crate) fn has_page_at(&self, origin: &str) -> bool {
        has_page_at(self.pages(), origin)
    }
}

#[cfg(test)]
std::thread_local! {
    /// How many addresses of pages were read.
    pub(crate) static PAGES_READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Whether one of the addresses has this origin. SECURITY: compared whole, so `null` and every neighbour of a name are strangers.
fn has_page_at(pages: &[String], origin: &str) -> bool {
    #[cfg(test)]
    PAGES_READ.with(|read| read.set(read.get() + pages.len()));
    pages.iter().any(|page| keyless_directory::page_origin(page).is_some_and(|known| known == origin))
}

fn matches_redirect(registered: &str, asked: &str) -> bool {
    if asked.contains('#') || asked.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return false;
    }
    let (Ok(known), Ok(found)) = (registered.parse::<Uri>(), asked.parse::<Uri>()) else { return false };
    let Some(authority) = found.authority().filter(|authority| !authority.as_str().contains('@')) else { return false };
    let loopback = matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]");
    match (found.scheme_str(), loopback) {
        (Some("https"), _) => registered == asked,
        (Some("http"), true) => {
            known.scheme_str() == Some("http")
                && known.host() == found.host()
                && known.path() == found.path()
                && known.query() == found.query()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches_redirect;

    #[test]
    fn an_origin_is_compared_whole_and_as_browsers_write_it() {
        let pages: Vec<String> =
            ["https://App.example/a/b?c=d", "https://port.example:8443/", "https://plain.example:443/x", "http://localhost:3000"]
                .map(Into::into)
                .into();
        for known in ["https://app.example", "https://port.example:8443", "https://plain.example", "http://localhost:3000"] {
            assert!(super::has_page_at(&pages, known), "{known}");
        }
        for stranger in [
            "",
            "null",
            "*",
            "https://app.example/",
            "https://app.example:443",
            "http://app.example",
            "https://app.example.evil.example",
            "https://evil.example",
            "https://sub.app.example",
            "https://port.example",
            "http://localhost",
            "http://localhost:3001",
            "http://127.0.0.1:3000",
        ] {
            assert!(!super::has_page_at(&pages, stranger), "{stranger}");
        }
    }

    #[test]
    fn only_a_loopback_address_may_choose_its_port() {
        for (registered, asked) in [
            ("http://localhost", "http://localhost:35625"),
            ("http://localhost", "http://localhost:35625/"),
            ("http://127.0.0.1", "http://127.0.0.1:1"),
            ("http://localhost/cb", "http://localhost:9/cb"),
            ("https://app.example/cb", "https://app.example/cb"),
        ] {
            assert!(matches_redirect(registered, asked), "{registered} {asked}");
        }
        for (registered, asked) in [
            ("http://localhost", "http://localhost.evil.example:80"),
            ("http://localhost", "https://localhost:35625"),
            ("http://localhost", "http://localhost:80@evil.example/"),
            ("http://localhost", "http://127.0.0.1:35625"),
            ("http://localhost", "http://localhost:35625/x"),
            ("http://localhost", "http://localhost:35625?x=1"),
            ("http://localhost", "http://localhost:35625#x"),
            ("https://app.example/cb", "https://app.example/cb/"),
            ("https://app.example/cb", "https://app.example/cb?x=1"),
            ("https://app.example/cb", "https://app.example:444/cb"),
            ("https://app.example/cb", "https://APP.example/cb"),
            ("http://app.example/cb", "http://app.example/cb"),
            ("https://app.example/cb", "javascript:alert(1)"),
            ("https://app.example/cb", "//app.example/cb"),
            ("https://app.example/cb", "https://app.example/cb\n"),
        ] {
            assert!(!matches_redirect(registered, asked), "{registered} {asked}");
        }
    }
}
