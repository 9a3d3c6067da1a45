//! The life of signing keys, as a pure function from what is and what time it is to what to do next.
//!
//! ```text
//! Prepared -> Published -> Active -> Retiring -> Retired -> forgotten
//!    made      in JWKS     signs    in JWKS    refused
//! ```
//! A key is published for one JWKS cache lifetime before it signs, so verifiers know it by then, and stays published for one token
//! lifetime after, so its tokens live out. It does nothing itself: the caller applies the steps in one transaction.

use keyless_model::entity::{KeyState, SigningAlgorithm, SigningKey};
use keyless_model::{KeyId, Timestamp};

/// The intervals of the key life cycle, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationPolicy {
    /// How long a key signs.
    pub interval_secs: i64,
    /// How long a key is published before it signs: at least one JWKS cache lifetime (clients cache for up to 24 h).
    pub publish_lead_secs: i64,
    /// The longest life of any token, clock leeway included.
    pub max_token_life_secs: i64,
}

/// The policy contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    #[error("rotation intervals must be positive")]
    NotPositive,
    #[error("keys rotate faster than they can be published ahead; make the interval longer than the publishing lead")]
    IntervalWithinLead,
}

/// One change. Apply all steps of a plan at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make a key and store it in that state.
    Generate { algorithm: SigningAlgorithm, state: KeyState },
    /// Set a key's state, and `since` to now.
    Move { kid: KeyId, to: KeyState },
    /// Delete the key, its private half with it.
    Forget { kid: KeyId },
}

/// How a rotation that somebody asked for treats verifiers that cache the JWKS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// The new key is published for the lead first.
    Graceful,
    /// The new key signs at once. Verifiers outside refuse its tokens until they refetch the JWKS.
    Now,
}

impl RotationPolicy {
    /// # Errors
    /// [`PolicyError`] when the intervals cannot all be kept.
    pub const fn check(&self) -> Result<(), PolicyError> {
        if self.interval_secs <= 0 || self.publish_lead_secs <= 0 || self.max_token_life_secs <= 0 {
            return Err(PolicyError::NotPositive);
        }
        if self.interval_secs <= self.publish_lead_secs {
            return Err(PolicyError::IntervalWithinLead);
        }
        Ok(())
    }
}

/// What is due now. Empty when nothing is; applying the steps and planning again at the same moment yields nothing.
///
/// `algorithms` are those that must have an active key; tokens of the others are signed with the first while they have none.
#[must_use]
pub fn plan(keys: &[SigningKey], algorithms: &[SigningAlgorithm], now: Timestamp, policy: &RotationPolicy) -> Vec<Step> {
    // Where another key signs in its place, a new one can wait until verifiers know it. The first algorithm is that other.
    let must_sign = |algorithm| {
        algorithms.first() == Some(&algorithm) || !keys.iter().any(|key| key.state == KeyState::Active && key.algorithm != algorithm)
    };
    let mut steps: Vec<Step> =
        algorithms.iter().flat_map(|&algorithm| Line::of(keys, algorithm).due(now, policy, must_sign(algorithm))).collect();
    for key in keys {
        let over = key.since.plus_secs(policy.max_token_life_secs) <= now;
        match key.state {
            KeyState::Retiring if over => steps.push(Step::Move { kid: key.kid.clone(), to: KeyState::Retired }),
            // The tombstone answers "why is this token refused" for as long as such tokens may turn up.
            KeyState::Retired if over => steps.push(Step::Forget { kid: key.kid.clone() }),
            // An algorithm that is no longer wanted: its key stops signing, its tokens live out.
            KeyState::Active if !algorithms.contains(&key.algorithm) => steps.push(retire(&key.kid)),
            KeyState::Prepared | KeyState::Published if !algorithms.contains(&key.algorithm) => {
                steps.push(Step::Move { kid: key.kid.clone(), to: KeyState::Retired });
            }
            _ => {}
        }
    }
    steps
}

/// When [`plan`] will next have something to do, if nothing else changes; `None` when there is nothing to wait for.
#[must_use]
pub fn next_due(keys: &[SigningKey], algorithms: &[SigningAlgorithm], now: Timestamp, policy: &RotationPolicy) -> Option<Timestamp> {
    if !plan(keys, algorithms, now, policy).is_empty() {
        return Some(now);
    }
    let moments = keys.iter().map(|key| match key.state {
        KeyState::Prepared => key.since,
        KeyState::Published => key.since.plus_secs(policy.publish_lead_secs),
        KeyState::Active => key.since.plus_secs(policy.interval_secs - policy.publish_lead_secs),
        KeyState::Retiring | KeyState::Retired => key.since.plus_secs(policy.max_token_life_secs),
    });
    // Moments that have passed belong to keys that wait for another one's turn.
    moments.filter(|moment| *moment > now).min()
}

/// A rotation on demand for one algorithm.
#[must_use]
pub fn rotate(keys: &[SigningKey], algorithm: SigningAlgorithm, now: Timestamp, policy: &RotationPolicy, urgency: Urgency) -> Vec<Step> {
    let line = Line::of(keys, algorithm);
    match urgency {
        // A successor on its way is the rotation that was asked for.
        Urgency::Graceful if line.successor().is_some() => Vec::new(),
        Urgency::Graceful if line.active.is_empty() => line.due(now, policy, true),
        Urgency::Graceful => vec![Step::Generate { algorithm, state: KeyState::Published }],
        Urgency::Now => {
            let mut steps: Vec<Step> = line.active.iter().map(|key| retire(&key.kid)).collect();
            steps.push(line.stand_in());
            steps
        }
    }
}

/// Takes a key out at once, with every token it signed. When it was the signer, another key takes its place without a lead.
#[must_use]
pub fn revoke(keys: &[SigningKey], kid: &KeyId) -> Vec<Step> {
    let Some(revoked) = keys.iter().find(|key| key.kid == *kid && key.state != KeyState::Retired) else { return Vec::new() };
    let mut steps = vec![Step::Move { kid: kid.clone(), to: KeyState::Retired }];
    if revoked.state == KeyState::Active {
        let others: Vec<SigningKey> = keys.iter().filter(|key| key.kid != *kid).cloned().collect();
        let line = Line::of(&others, revoked.algorithm);
        if line.active.is_empty() {
            steps.push(line.stand_in());
        }
    }
    steps
}

/// The keys of one algorithm that sign now or will.
struct Line<'a> {
    algorithm: SigningAlgorithm,
    /// Newest first. More than one only after outside interference.
    active: Vec<&'a SigningKey>,
    /// Longest published first.
    published: Vec<&'a SigningKey>,
    prepared: Vec<&'a SigningKey>,
}

impl<'a> Line<'a> {
    fn of(keys: &'a [SigningKey], algorithm: SigningAlgorithm) -> Self {
        let within = |state| {
            let mut found: Vec<_> = keys.iter().filter(|key| key.algorithm == algorithm && key.state == state).collect();
            found.sort_by(|a, b| (a.since, &a.kid).cmp(&(b.since, &b.kid)));
            found
        };
        let mut active = within(KeyState::Active);
        active.reverse();
        Self { algorithm, active, published: within(KeyState::Published), prepared: within(KeyState::Prepared) }
    }

    fn successor(&self) -> Option<&'a SigningKey> {
        self.published.first().or(self.prepared.first()).copied()
    }

    fn due(&self, now: Timestamp, policy: &RotationPolicy, must_sign: bool) -> Vec<Step> {
        let Some((&signer, surplus)) = self.active.split_first() else {
            return if must_sign { vec![self.stand_in()] } else { self.begin(now, policy) };
        };
        // INVARIANT: one active key per algorithm.
        let mut steps: Vec<Step> = surplus.iter().map(|key| retire(&key.kid)).collect();
        if let Some(ripe) = self.published.iter().find(|key| key.since.plus_secs(policy.publish_lead_secs) <= now) {
            steps.push(retire(&signer.kid));
            steps.push(Step::Move { kid: ripe.kid.clone(), to: KeyState::Active });
        } else if self.published.is_empty() {
            if let Some(next) = self.prepared.first() {
                steps.push(Step::Move { kid: next.kid.clone(), to: KeyState::Published });
            } else if signer.since.plus_secs(policy.interval_secs - policy.publish_lead_secs) <= now {
                steps.push(Step::Generate { algorithm: self.algorithm, state: KeyState::Published });
            }
        }
        steps
    }

    /// The way to the first active key, when nobody has to sign now.
    fn begin(&self, now: Timestamp, policy: &RotationPolicy) -> Vec<Step> {
        let to = |key: &SigningKey, to| vec![Step::Move { kid: key.kid.clone(), to }];
        match (self.published.first(), self.prepared.first()) {
            (Some(key), _) if key.since.plus_secs(policy.publish_lead_secs) <= now => to(key, KeyState::Active),
            (Some(_), _) => Vec::new(),
            (None, Some(key)) => to(key, KeyState::Published),
            (None, None) => vec![Step::Generate { algorithm: self.algorithm, state: KeyState::Published }],
        }
    }

    /// Somebody must sign now: the key that verifiers most likely know, else a new one. The first key of all comes this way, too.
    fn stand_in(&self) -> Step {
        match self.successor() {
            Some(key) => Step::Move { kid: key.kid.clone(), to: KeyState::Active },
            None => Step::Generate { algorithm: self.algorithm, state: KeyState::Active },
        }
    }
}

fn retire(kid: &KeyId) -> Step {
    Step::Move { kid: kid.clone(), to: KeyState::Retiring }
}

#[cfg(test)]
mod tests;
