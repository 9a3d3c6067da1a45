//! Whether an assertion that was used before may be used again. What was used, the store remembers: for all nodes, and over restarts.

use keyless_model::Timestamp;
use keyless_store::{Admission, Presented as Used};
use keyless_token::replay::ReplayKey;

use super::presented::Presented;
use crate::codes;
use crate::config::AssertionReuse;
use crate::refusal::Refusal;
use crate::state::Authority;

/// Lets an assertion of `signer` through, `until` when it would be accepted.
///
/// # Errors
/// When it was used before and may not be again; when that cannot be known, because the store is away or full.
pub(super) async fn admit(presented: &Presented<'_>, signer: &str, jti: &str, until: Timestamp) -> Result<(), Refusal> {
    let (authority, ctx) = (presented.authority, &presented.facts.ctx);
    let client_id = presented.client.client_id;
    if let Some(wait) = authority.assertions.wait(client_id, ctx.now) {
        let why = format!("client {client_id} has {} assertions in use at once", authority.config.assertions_per_client);
        return Err(Refusal::new(&codes::TOO_MANY_ASSERTIONS).with(client_id).because(why).retry_after(wait));
    }
    let used = Used { key: ReplayKey::of(signer, jti), until, source: ctx.source, capacity: authority.config.assertions };
    let admission = authority.platform.directory.admit_assertion(ctx, used).await.map_err(|error| Authority::unavailable(&error))?;
    let replayed = |why: &'static str| Err(Refusal::new(&codes::ASSERTION_REPLAYED).because(why));
    match (admission, authority.config.assertion_reuse) {
        (Admission::First, _) => {
            // Only what takes room counts: others must not use up a client's share by showing an assertion again.
            _ = authority.assertions.failure(client_id, ctx.now);
            Ok(())
        }
        (Admission::Again { first: Some(first) }, AssertionReuse::SameAddress) if ctx.source == Some(first) => Ok(()),
        (Admission::Again { .. }, AssertionReuse::SameAddress) => replayed("the assertion was used before, from another address"),
        (Admission::Again { .. }, AssertionReuse::Never) => replayed("the assertion was used before"),
        (Admission::TooLate, _) => replayed("the assertion was expired already at a later time that the clock has shown"),
        (Admission::Full, _) => {
            tracing::error!(
                capacity = authority.config.assertions,
                "more client assertions are in use than are remembered; new ones wait for older to expire"
            );
            Err(Refusal::new(&codes::UNAVAILABLE).because("too many assertions are in use at once").retry_after(60))
        }
    }
}
