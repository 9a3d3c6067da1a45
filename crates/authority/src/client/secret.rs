//! Client secrets: compared as keyed hashes, in constant time, with the same work whether or not the client exists.

use keyless_model::entity::ClientSecret;
use keyless_model::{CredentialId, Secret};
use keyless_web::RequestFacts;

use super::Registered;
use crate::codes;
use crate::refusal::Refusal;
use crate::state::Authority;

/// What an unknown client's secret is compared with: hex of no HMAC, so nothing matches it.
const NO_HASH: &str = "----------------------------------------------------------------";

/// Which secret of the client this is, if it holds now.
pub(super) fn check(
    authority: &Authority,
    facts: &RequestFacts,
    registered: Option<&Registered>,
    presented: &str,
) -> Result<CredentialId, Refusal> {
    let presented = Secret::new(authority.platform.sealer.secret_hash(presented));
    let application = registered.and_then(Registered::application);
    let secrets = application.map(|app| app.secrets.as_slice()).unwrap_or_default();
    // One comparison more than there are secrets: an unknown client and one without secrets compare too.
    let mut matched: Option<&ClientSecret> = None;
    let _ = presented.matches(NO_HASH.as_bytes());
    for secret in secrets {
        if presented.matches(secret.hash.as_bytes()) {
            matched = Some(secret);
        }
    }
    let Some(registered) = registered else {
        return Err(Refusal::new(&codes::WRONG_SECRET).because("unknown client"));
    };
    if application.is_some_and(|app| app.public_client && app.secrets.is_empty() && app.certificates.is_empty()) {
        return Err(Refusal::new(&codes::PUBLIC_CLIENT).with(registered.client_id));
    }
    let now = facts.ctx.now;
    match matched {
        Some(secret) if secret.starts <= now && now < secret.expires => Ok(secret.id),
        Some(secret) if secret.expires <= now => Err(Refusal::new(&codes::EXPIRED_SECRET)
            .with(registered.client_id)
            .because(format!("application {} presented secret {}, which has expired", registered.client_id, secret.id))),
        _ => Err(wrong(authority, facts, registered)),
    }
}

fn wrong(authority: &Authority, facts: &RequestFacts, registered: &Registered) -> Refusal {
    let client_id = registered.client_id;
    match authority.throttle.failure(client_id, facts.ctx.now) {
        Some(wait) => Refusal::new(&codes::TOO_MANY_FAILURES).with(client_id).retry_after(wait),
        None => Refusal::new(&codes::WRONG_SECRET).with(client_id),
    }
}
