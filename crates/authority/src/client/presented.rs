//! An assertion that is presented: by whom, to whom, and what is learned when it is not taken.

use keyless_model::Timestamp;
use keyless_model::entity::Tenant;
use keyless_token::{TimeError, TokenError};
use keyless_web::RequestFacts;

use super::Registered;
use crate::codes;
use crate::refusal::Refusal;
use crate::state::Authority;

/// Clock differences forgiven clients and external issuers each way, in seconds: their clocks are not ours to set.
pub(super) const CLIENTS_LEEWAY_SECS: i64 = 300;

/// Who presents an assertion, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Presented<'a> {
    pub(super) authority: &'a Authority,
    pub(super) facts: &'a RequestFacts,
    pub(super) tenant: &'a Tenant,
    pub(super) client: &'a Registered,
}

impl Presented<'_> {
    /// Counts a refusal that guessing would cause; too many of them become 429.
    pub(super) fn failed(&self, refusal: Refusal) -> Refusal {
        if refusal.code().status >= 500 {
            return refusal;
        }
        let client_id = self.client.client_id;
        match self.authority.throttle.failure(client_id, self.facts.ctx.now) {
            Some(wait) => Refusal::new(&codes::TOO_MANY_FAILURES).with(client_id).retry_after(wait),
            None => refusal,
        }
    }
}

/// What a client learns of an assertion that is no good token.
pub(super) fn token_refusal(error: TokenError) -> Refusal {
    let code = match error {
        TokenError::Signature => return Refusal::new(&codes::KEY_NOT_FOUND).with("Client assertion contains an invalid signature."),
        TokenError::Malformed(_) | TokenError::Claim(_) => &codes::ASSERTION_MALFORMED,
        _ => &codes::ASSERTION_REFUSED,
    };
    Refusal::new(code).with(error)
}

/// What a client learns of an assertion outside its time.
pub(super) fn time_refusal(error: &TimeError, now: Timestamp) -> Refusal {
    match error {
        TimeError::OutOfTime { starts, expires } => {
            let starts = starts.map_or_else(|| "unstated".to_owned(), Timestamp::rfc3339);
            Refusal::new(&codes::ASSERTION_OUT_OF_TIME).with(now).with(starts).with(expires)
        }
        other => Refusal::new(&codes::ASSERTION_REFUSED).with(other),
    }
}
