//! Applications, their service principals and their secrets.

use keyless_model::entity::{Application, ClientSecret, Mutation, Principal, PrincipalKind};
use keyless_model::{ClientId, CredentialId, ObjectId, Secret, TenantId, Timestamp};

use super::{Means, Planned};

/// Characters of a client secret: unreserved in URLs, so that no client has to escape one.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.";

/// An application with a new object id and a new client id.
#[must_use]
pub fn application(tenant: TenantId, display_name: &str, means: Means<'_>) -> Planned<Application> {
    let entity = Application {
        id: ObjectId::new(means.entropy.uuid()),
        tenant,
        client_id: ClientId::new(means.entropy.uuid()),
        display_name: display_name.to_owned(),
        identifier_uris: Vec::new(),
        secrets: Vec::new(),
        certificates: Vec::new(),
        redirect_uris: Vec::new(),
        public_redirect_uris: Vec::new(),
        spa_redirect_uris: Vec::new(),
        public_client: false,
        created: means.now,
    };
    Planned { mutations: vec![Mutation::put(entity.clone())], entity }
}

/// The service principal of an application: what roles are assigned to.
#[must_use]
pub fn service_principal(application: &Application, means: Means<'_>) -> Planned<Principal> {
    let (id, name) = (ObjectId::new(means.entropy.uuid()), application.display_name.as_str());
    let entity = Principal::new(id, application.tenant, PrincipalKind::ServicePrincipal, name, means.now);
    let entity = Principal { client_id: Some(application.client_id), ..entity };
    Planned { mutations: vec![Mutation::put(entity.clone())], entity }
}

/// A new secret in Entra's own form (`???8Q~` and 34 more characters: 222 random bits), and what is kept of it.
#[must_use]
pub fn secret(display_name: Option<String>, starts: Timestamp, expires: Timestamp, means: Means<'_>) -> (ClientSecret, Secret<String>) {
    let mut random = Secret::new([0; 37]);
    let mut bytes = *random.expose();
    means.entropy.fill(&mut bytes);
    random = Secret::new(bytes);
    let mut text = String::with_capacity(40);
    for (at, byte) in random.expose().iter().enumerate() {
        if at == 3 {
            text.push_str("8Q~");
        }
        text.push(char::from(ALPHABET[usize::from(byte % 64)]));
    }
    let text = Secret::new(text);
    let kept = ClientSecret {
        id: CredentialId::new(means.entropy.uuid()),
        display_name,
        hint: text.expose().chars().take(3).collect(),
        hash: means.sealer.secret_hash(text.expose()),
        starts,
        expires,
    };
    (kept, text)
}
