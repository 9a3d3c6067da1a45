//! The time rules for assertions that others made: their clocks, their formats.

use keyless_model::Timestamp;

use crate::claims::Claims;
use crate::error::TokenError;

/// Why an assertion does not count now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// AADSTS700024. The times are for the error text.
    #[error("the assertion is not within its valid time range; check the clocks of both machines")]
    OutOfTime { starts: Option<Timestamp>, expires: Timestamp },
    #[error("the assertion lives longer than this system accepts; let it expire within minutes of its issue")]
    LivesTooLong,
}

/// How strict to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeRules {
    pub(crate) now: Timestamp,
    pub(crate) leeway_secs: i64,
    pub(crate) max_lifetime_secs: i64,
}

/// Returns the expiry. `exp` is required and may have a fraction; `iat` and `nbf` are honoured when sent: the Rust client states no
/// `iat`, MSAL for Python no `nbf`.
pub(crate) fn check<E: From<TokenError> + From<TimeError>>(claims: &Claims<'_>, rules: TimeRules) -> Result<Timestamp, E> {
    let now = rules.now.unix_secs();
    let expires = claims.seconds_lenient("exp")?.ok_or(TokenError::Claim("exp"))?;
    let (issued, starts) = (claims.seconds_lenient("iat")?, claims.seconds_lenient("nbf")?);
    let latest = issued.max(starts);
    if now >= expires.saturating_add(rules.leeway_secs) || latest.is_some_and(|secs| secs > now.saturating_add(rules.leeway_secs)) {
        let starts = latest.map(Timestamp::from_unix_secs);
        return Err(TimeError::OutOfTime { starts, expires: Timestamp::from_unix_secs(expires) }.into());
    }
    // Without a stated issue time, what is left of its life is all that can be judged.
    let from = issued.or(starts).unwrap_or(now).min(now);
    if expires.saturating_sub(from) > rules.max_lifetime_secs {
        return Err(TimeError::LivesTooLong.into());
    }
    Ok(Timestamp::from_unix_secs(expires))
}
