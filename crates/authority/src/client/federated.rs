//! A token of an external issuer in place of a credential: exact issuer, subject and audience, or a stated expression.

use std::sync::Arc;

use keyless_model::entity::{FederatedCredential, FederatedOwner};
use keyless_model::{ObjectId, TenantId, Timestamp};
use keyless_store::Snapshot;
use keyless_token::federated::{self, FederatedError, FederatedRules, Mismatch};
use keyless_token::jwks::ExternalKeys;
use keyless_token::{TokenError, Unverified, Version};

use super::presented::{CLIENTS_LEEWAY_SECS, Presented, time_refusal, token_refusal};
use super::{Registered, Registration, reuse};
use crate::codes;
use crate::config::AssertionReuse;
use crate::federation::Want;
use crate::refusal::Refusal;

/// Longest life of an external token. CI tokens live minutes, Kubernetes' projected ones an hour, some clouds' a day.
const MAX_LIFETIME_SECS: i64 = 24 * 3600 + 600;

/// Claims that every access or id token of ours has one of, and no workload identity token.
const OF_OUR_OWN_TOKENS: [&str; 5] = ["ver", "appid", "azp", "scp", "idtyp"];

/// An external token that matched: what the audit says of it, and its `jti` with the last moment at which it counts.
struct Proof {
    text: String,
    jti: Option<(String, Timestamp)>,
}

/// Judges a token that is not the client's own; says what matched.
pub(super) async fn check(presented: Presented<'_>, token: &Unverified<'_>) -> Result<String, Refusal> {
    let issuer = federated::stated_issuer(token).map_err(token_refusal)?;
    let snapshot = presented.authority.platform.directory.snapshot();
    let credentials: Vec<Arc<FederatedCredential>> = snapshot.federated_of(&owner(presented.client)).cloned().collect();
    // SECURITY: the issuer is an address that a stranger wrote: nothing is fetched unless a credential names it (case 47).
    if !credentials.iter().any(|credential| credential.issuer == issuer) {
        return Err(Refusal::new(&codes::NO_MATCHING_ISSUER).with(&issuer));
    }
    let kid = token.kid().ok_or_else(|| token_refusal(TokenError::Malformed("no kid")))?;
    if let Some(tenant) = snapshot.tenants().find(|tenant| own_issuer(&presented, tenant.id) == issuer) {
        return own(presented, token, &credentials, tenant.id, &snapshot);
    }
    let issuers = &presented.authority.issuers;
    let unavailable = |error: crate::federation::KeysUnavailable| Refusal::new(&codes::ISSUER_UNAVAILABLE).because(error).retry_after(5);
    let keys = issuers.keys(&issuer, Want::Kid(kid)).await.map_err(unavailable)?;
    let judged = match judge(&presented, token, &keys, &credentials) {
        // The same name for new material: ask once whether the issuer has other keys now (case 62).
        Err(FederatedError::Token(TokenError::Signature)) => {
            let keys = issuers.keys(&issuer, Want::OtherThan(&keys)).await.map_err(unavailable)?;
            judge(&presented, token, &keys, &credentials)
        }
        other => other,
    };
    let proof = judged.map_err(|error| refusal(&presented, error))?;
    // External tokens are made to be sent more than once (a projected Kubernetes token serves for an hour), unless the operator
    // wants none of it.
    if let (Some((jti, until)), true) = (&proof.jti, presented.authority.config.assertion_reuse == AssertionReuse::Never) {
        reuse::admit(&presented, &issuer, jti, *until).await?;
    }
    Ok(proof.text)
}

/// A token of this very system: its keys are here, and its holder must still be somebody.
fn own(
    presented: Presented<'_>,
    token: &Unverified<'_>,
    credentials: &[Arc<FederatedCredential>],
    tenant: TenantId,
    snapshot: &Snapshot,
) -> Result<String, Refusal> {
    let claims = token.stated_claims().map_err(token_refusal)?;
    // SECURITY: only what was made to be shown to others: an access or id token of this system proves nothing to it but what it was
    // issued for, and whoever receives one could show it here.
    let ours = OF_OUR_OWN_TOKENS.iter().any(|name| claims.text(name).is_some());
    let outside = claims.audiences().is_ok_and(|names| names.iter().all(|name| presented.authority.issuer.is_outside(snapshot, name)));
    if ours || !outside {
        return Err(token_refusal(TokenError::Type));
    }
    let unavailable = |error: &dyn std::error::Error| Refusal::new(&codes::UNAVAILABLE).because(error).retry_after(5);
    let keys = presented.authority.platform.keyring.at(snapshot).map_err(|error| unavailable(&error))?;
    let document = serde_json::to_vec(keys.public().jwks()).map_err(|error| unavailable(&error))?;
    let keys = ExternalKeys::parse(&document).map_err(|error| unavailable(&error))?;
    let proof = judge(&presented, token, &keys, credentials).map_err(|error| refusal(&presented, error))?;
    let holder = claims.text("oid").and_then(|oid| oid.parse::<ObjectId>().ok()).and_then(|oid| snapshot.principal(oid));
    let issued = claims.seconds("iat").ok().flatten().map(Timestamp::from_unix_secs);
    let holds = holder.zip(issued).is_some_and(|(holder, issued)| {
        holder.enabled && holder.tenant == tenant && holder.tokens_valid_from.is_none_or(|from| issued >= from)
    });
    if holds {
        Ok(proof.text)
    } else {
        Err(Refusal::new(&codes::PRINCIPAL_GONE).because("the assertion's own principal is gone, disabled or revoked"))
    }
}

fn own_issuer(presented: &Presented<'_>, tenant: TenantId) -> String {
    Version::V2.issuer(&presented.authority.platform.endpoints.authority, tenant)
}

fn owner(client: &Registered) -> FederatedOwner {
    match &client.what {
        Registration::Application(application) => FederatedOwner::Application(application.id),
        Registration::Identity(identity) => FederatedOwner::Identity(identity.scope.clone()),
    }
}

/// What is proven when the token matches.
fn judge(
    presented: &Presented<'_>,
    token: &Unverified<'_>,
    keys: &ExternalKeys,
    credentials: &[Arc<FederatedCredential>],
) -> Result<Proof, FederatedError> {
    let rules = FederatedRules { now: presented.facts.ctx.now, leeway_secs: CLIENTS_LEEWAY_SECS, max_lifetime_secs: MAX_LIFETIME_SECS };
    let proven = federated::check(token, keys, credentials.iter().map(AsRef::as_ref), &rules)?;
    Ok(Proof {
        text: format!("federated credential {} matches issuer {} and subject {}", proven.credential.id, proven.issuer, proven.subject),
        jti: proven.jti.map(|jti| (jti, proven.expires.plus_secs(CLIENTS_LEEWAY_SECS))),
    })
}

fn refusal(presented: &Presented<'_>, error: FederatedError) -> Refusal {
    match error {
        FederatedError::Token(error) => token_refusal(error),
        FederatedError::Time(error) => time_refusal(&error, presented.facts.ctx.now),
        FederatedError::UnknownKey => Refusal::new(&codes::KEY_NOT_FOUND).with("[Reason - The key was not found.]"),
        FederatedError::NoMatch { mismatch, issuer, subject, audience } => match mismatch {
            Mismatch::Issuer => Refusal::new(&codes::NO_MATCHING_ISSUER).with(issuer),
            Mismatch::Audience => Refusal::new(&codes::NO_MATCHING_AUDIENCE).with(audience),
            Mismatch::Subject => Refusal::new(&codes::NO_MATCHING_SUBJECT).with(subject),
            Mismatch::SubjectCase => Refusal::new(&codes::SUBJECT_CASE).with(subject),
        },
        other => Refusal::new(&codes::ASSERTION_REFUSED).with(other),
    }
}
