//! Budgets: how many tokens and calls a deployment, or one identity on it, may take in a minute.
//!
//! A call reserves an estimate before it is forwarded and is corrected to the real usage when its answer ends. Reserving is one
//! atomic step, so any number of concurrent calls together never reserve more than the limit. What can go beyond it is only the
//! part of an answer that its reservation did not foresee: per call at most `usage - estimate`, which is zero or less when the
//! caller sets `max_tokens` and the prompt has no more tokens than a quarter of its bytes.
//!
//! The counts live in this process; several gateways share none of them (yet).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use keyless_model::{ObjectId, Timestamp};

mod limits;
mod window;

pub(crate) use limits::{Limits, limits_of};
use window::{Reserved, Window};

/// Which limit said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spent {
    Tokens,
    Calls,
}

/// A call that must wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OverBudget {
    pub(crate) spent: Spent,
    pub(crate) retry_after_millis: u64,
}

/// What is left, for the `x-ratelimit-*` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remaining {
    pub(crate) limits: Limits,
    pub(crate) tokens: u64,
    pub(crate) calls: u64,
}

/// The counts of one budget.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    tokens: Window,
    calls: Window,
}

/// Whose budget it is: the deployment by its folded id, and the identity if it is one identity's.
type Holder = (Box<str>, Option<ObjectId>);

/// The budgets of this process.
#[derive(Debug, Default)]
pub(crate) struct Budgets {
    counters: RwLock<HashMap<Holder, Arc<Counters>>>,
}

/// Beyond this many budgets, those that nobody uses now are forgotten.
const MANY: usize = 100_000;

/// Tokens set aside for one call. Dropping it keeps them spent; [`Reservation::settle`] corrects them.
#[derive(Debug, Default)]
pub(crate) struct Reservation {
    parts: Vec<(Arc<Counters>, Reserved)>,
    estimate: u64,
    remaining: Option<Remaining>,
}

/// A budget that applies to a call.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    pub(crate) counters: Arc<Counters>,
    pub(crate) limits: Limits,
}

/// Reserves `estimate` tokens and one call from every budget, or nothing at all. The deployment's own budget comes first: its
/// figures are the ones shown, as on Azure.
///
/// # Errors
/// When one of them has not enough left.
pub(crate) fn admit(budgets: &[Budget], estimate: u64, now: Timestamp) -> Result<Reservation, OverBudget> {
    let mut admitted = Reservation { estimate, ..Reservation::default() };
    for (index, Budget { counters, limits }) in budgets.iter().enumerate() {
        match counters.reserve(*limits, estimate, now) {
            Ok((reserved, remaining)) => {
                admitted.parts.push((Arc::clone(counters), reserved));
                admitted.remaining.get_or_insert(remaining);
            }
            Err(over) => {
                for earlier in budgets.iter().take(index) {
                    earlier.counters.calls.give_back(now, earlier.limits.call_period_millis);
                }
                admitted.settle(0);
                return Err(over);
            }
        }
    }
    Ok(admitted)
}

impl Budgets {
    /// The budget of a deployment (by its folded id), or of one identity on it.
    pub(crate) fn budget(&self, deployment: &str, identity: Option<ObjectId>, limits: Limits, now: Timestamp) -> Budget {
        Budget { counters: self.counters_of(deployment, identity, now), limits }
    }

    fn counters_of(&self, deployment: &str, identity: Option<ObjectId>, now: Timestamp) -> Arc<Counters> {
        let holder: Holder = (deployment.into(), identity);
        // A poisoned lock only means that another thread panicked; the map itself is whole.
        if let Some(found) = self.counters.read().unwrap_or_else(PoisonError::into_inner).get(&holder) {
            return Arc::clone(found);
        }
        let mut all = self.counters.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MANY {
            all.retain(|_, counters| Arc::strong_count(counters) > 1 || !counters.tokens.is_over(now, limits::MINUTE_MILLIS));
        }
        Arc::clone(all.entry(holder).or_default())
    }
}

impl Budget {
    /// What is left, for whoever was refused.
    pub(crate) fn remaining(&self, now: Timestamp) -> Remaining {
        let Self { counters, limits } = self;
        let tokens = counters.tokens.left(now, limits::MINUTE_MILLIS, limits.tokens);
        Remaining { limits: *limits, tokens, calls: counters.calls.left(now, limits.call_period_millis, limits.calls) }
    }
}

impl Counters {
    fn reserve(&self, limits: Limits, estimate: u64, now: Timestamp) -> Result<(Reserved, Remaining), OverBudget> {
        let over = |spent| move |retry_after_millis| OverBudget { spent, retry_after_millis };
        let (_, calls) = self.calls.reserve(now, limits.call_period_millis, limits.calls, 1).map_err(over(Spent::Calls))?;
        match self.tokens.reserve(now, limits::MINUTE_MILLIS, limits.tokens, estimate) {
            Ok((reserved, tokens)) => Ok((reserved, Remaining { limits, tokens, calls })),
            Err(retry_after) => {
                self.calls.give_back(now, limits.call_period_millis);
                Err(over(Spent::Tokens)(retry_after))
            }
        }
    }
}

impl Reservation {
    /// What the deployment has left; none when it is unlimited.
    pub(crate) const fn remaining(&self) -> Option<&Remaining> {
        self.remaining.as_ref()
    }

    /// Corrects the reserved estimate to the tokens that were really used.
    pub(crate) fn settle(self, used: u64) {
        for (counters, reserved) in self.parts {
            counters.tokens.settle(reserved, self.estimate, used);
        }
    }
}

/// What a call is expected to use at most: a token for every four bytes of the body, and for each answer what the caller allows,
/// or the interface's own default where the caller says nothing.
pub(crate) fn estimate(body_bytes: u64, max_tokens: Option<u64>, answers: u64) -> u64 {
    const UNSAID: u64 = 16;
    (body_bytes / 4).saturating_add(max_tokens.unwrap_or(UNSAID).saturating_mul(answers))
}

#[cfg(test)]
mod tests;
