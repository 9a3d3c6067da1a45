//! Which program is asking, and whether it proved to be that program (RFC 6749 section 2.3).
//!
//! It does not know what the program asks for.

use std::sync::Arc;

use keyless_audit::ActorRecord;
use keyless_model::entity::{Application, IdentityKind, ManagedIdentity, Principal, Tenant};
use keyless_model::{ClientId, TenantId};
use keyless_store::Snapshot;
use keyless_token::{AppCredential, TokenSubject};

use crate::codes;
use crate::refusal::Refusal;
use crate::state::{Attempt, Authority};
use crate::tenant::Realm;
use crate::token_request::TokenRequest;

mod app;
mod assertion;
mod federated;
mod presented;
mod reuse;
mod secret;

pub(crate) use app::App;
#[cfg(test)]
pub(crate) use app::PAGES_READ;
#[cfg(test)]
pub(crate) use secret::WORK as SECRET_WORK;

/// A program that the directory knows, and that has proved nothing yet.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    pub(crate) client_id: ClientId,
    pub(crate) principal: Arc<Principal>,
    pub(crate) what: Registration,
}

/// What stands behind a client id.
#[derive(Debug, Clone)]
pub(crate) enum Registration {
    Application(Arc<Application>),
    /// User-assigned: it has no secret, but a federated credential may speak for it.
    Identity(Arc<ManagedIdentity>),
}

/// A program that has proved to be itself.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) registered: Registered,
    pub(crate) credential: AppCredential,
}

impl Registered {
    /// The program of that id in the tenant.
    fn find(snapshot: &Snapshot, tenant: TenantId, client_id: ClientId) -> Option<Self> {
        let principal = Arc::clone(snapshot.service_principal(client_id).filter(|found| found.tenant == tenant)?);
        let application = snapshot.application_of(client_id).filter(|found| found.tenant == tenant).cloned();
        let identity = || {
            let found = snapshot.identity(client_id)?;
            (found.tenant == tenant && found.identity_kind == IdentityKind::UserAssigned).then(|| Arc::clone(found))
        };
        let what = application.map(Registration::Application).or_else(|| identity().map(Registration::Identity))?;
        Some(Self { client_id, principal, what })
    }

    /// What a token may name as its audience to be meant for this program.
    pub(crate) fn audiences(&self) -> Vec<String> {
        let uris = self.application().map(|app| app.identifier_uris.clone()).unwrap_or_default();
        std::iter::once(self.client_id.to_string()).chain(uris).collect()
    }

    fn application(&self) -> Option<&Application> {
        match &self.what {
            Registration::Application(application) => Some(application),
            Registration::Identity(_) => None,
        }
    }
}

impl Client {
    /// Whom a token of this program names when it acts for itself.
    pub(crate) fn subject(&self) -> TokenSubject {
        let (client_id, object_id) = (self.registered.client_id, self.registered.principal.id);
        match &self.registered.what {
            Registration::Application(_) => TokenSubject::Application { client_id, object_id, credential: self.credential },
            Registration::Identity(identity) => {
                TokenSubject::ManagedIdentity { client_id, object_id, resource_id: identity.scope.as_str().to_owned(), host: None }
            }
        }
    }
}

/// Authenticates a program that must have a credential.
pub(crate) async fn authenticate(
    authority: &Authority,
    request: &TokenRequest<'_>,
    snapshot: &Snapshot,
    tenant: &Tenant,
    attempt: &mut Attempt,
) -> Result<Client, Refusal> {
    let (facts, form) = (request.facts, request.form);
    let named = form.field("client_id").ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with("client_id"))?;
    // SECURITY: an unknown client costs the same work as a wrong secret (case 69); only the code tells them apart, as Entra's does.
    let registered = named.parse().ok().and_then(|client_id| Registered::find(snapshot, tenant.id, client_id));
    let unknown = || Refusal::new(&codes::APPLICATION_NOT_FOUND).with(named).with(&tenant.display_name);
    let credential = match (form.field("client_secret"), form.field("client_assertion")) {
        (Some(_), Some(_)) => {
            let text = "Send either 'client_secret' or 'client_assertion', not both.";
            Err(Refusal::new(&codes::MALFORMED_REQUEST).with(text))
        }
        (Some(presented), None) => {
            attempt.credential = "secret".into();
            secret::check(authority, facts, registered.as_ref(), presented).map(|id| {
                attempt.proof = Some(format!("client secret {id} holds"));
                AppCredential::Secret
            })
        }
        (None, Some(text)) => {
            attempt.credential = "assertion".into();
            let client = registered.as_ref().ok_or_else(unknown)?;
            assertion::check(presented::Presented { authority, facts, tenant, client }, request.tenant, form, text, attempt).await
        }
        (None, None) => Err(Refusal::new(&codes::CREDENTIAL_MISSING).with(&attempt.grant)),
    };
    let registered = registered.ok_or_else(unknown)?;
    let credential = credential?;
    attempt.actor =
        Some(ActorRecord::Principal { object_id: registered.principal.id, tenant: tenant.id, client_id: Some(registered.client_id) });
    if !registered.principal.enabled {
        return Err(Refusal::new(&codes::APPLICATION_DISABLED).with(registered.client_id).with(&registered.principal.display_name));
    }
    Ok(Client { registered, credential })
}

/// Authenticates what a person signed in to: a program, or a page in a browser, which has no credential and is known by its origin.
///
/// SECURITY: a request with an `Origin` is a page's. One that is none of the application's is refused before anything is used up, and
/// a page that brings a credential shows it to everybody who opens it.
pub(crate) async fn authenticate_page_or_app(
    authority: &Authority,
    request: &TokenRequest<'_>,
    snapshot: &Snapshot,
    realm: &Realm,
    attempt: &mut Attempt,
) -> Result<(ClientId, AppCredential), Refusal> {
    let Some(origin) = request.origin else { return authenticate_app(authority, request, snapshot, realm, attempt).await };
    let form = request.form;
    let named = form.field("client_id").ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with("client_id"))?;
    let app = App::find(snapshot, realm, named)?;
    if !app.has_page_at(origin) {
        return Err(Refusal::wrong_place(request.origin));
    }
    if form.has("client_secret") || form.has("client_assertion") {
        return Err(Refusal::new(&codes::PUBLIC_CLIENT).with(app.client_id));
    }
    attempt.credential = "page".into();
    Ok((app.client_id, AppCredential::Public))
}

/// Authenticates a program in which a person signed in. A public one names itself only: the person's code or token is the proof.
pub(crate) async fn authenticate_app(
    authority: &Authority,
    request: &TokenRequest<'_>,
    snapshot: &Snapshot,
    realm: &Realm,
    attempt: &mut Attempt,
) -> Result<(ClientId, AppCredential), Refusal> {
    let form = request.form;
    let named = form.field("client_id").ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with("client_id"))?;
    let app = App::find(snapshot, realm, named)?;
    let presents = form.has("client_secret") || form.has("client_assertion");
    match app.tenant().and_then(|tenant| snapshot.tenant(tenant)) {
        Some(tenant) if presents && app.may_hold_credential() => {
            let client = authenticate(authority, request, snapshot, tenant, attempt).await?;
            // The person, not the program, is the one who acts.
            attempt.actor = None;
            Ok((client.registered.client_id, client.credential))
        }
        _ if presents => Err(Refusal::new(&codes::PUBLIC_CLIENT).with(app.client_id)),
        _ if app.is_public() => {
            attempt.credential = "public".into();
            Ok((app.client_id, AppCredential::Public))
        }
        _ => Err(Refusal::new(&codes::CREDENTIAL_REQUIRED)),
    }
}
