//! Keeps the signing keys in step with time: makes, publishes, activates, retires and forgets them, and does so at once when told.
//!
//! What is due is `keyless-token`'s pure decision; this applies it to the directory, one transaction per plan. Several nodes may
//! run it: whoever commits second finds nothing left to do.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use keyless_audit::{AuditEvent, AuditUnavailable, Category, DecisionRecord, Outcome};
use keyless_directory::invariant::Violation;
use keyless_directory::sealer::signing_key_purpose;
use keyless_model::entity::{Entity, KeyState, Mutation, Sealed, SigningAlgorithm, SigningKey};
use keyless_model::{Actor, KeyId, OpContext, Timestamp};
use keyless_rbac::{Permit, SystemRight};
use keyless_store::{Blocking, Change, Snapshot, StoreError, UpdateError};
use keyless_token::rotation::{self, PolicyError, RotationPolicy, Step, Urgency};
use keyless_token::{KeyError, NewKey, Signer};
use keyless_web::Platform;

/// A month per key; published for the 24 hours that Entra's clients keep a key set; kept for the longest token (a managed
/// identity's, 24 h 5 min) and the leeway of external verifiers.
pub const DEFAULT_ROTATION: RotationPolicy =
    RotationPolicy { interval_secs: 30 * 86_400, publish_lead_secs: 86_400, max_token_life_secs: 86_700 + 600 };

/// The longest sleep between two looks: the wall clock may be set, and other nodes may act.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// Wait after a failure.
const RETRY: Duration = Duration::from_secs(10);

/// Why the keys were not changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("no signing key has the id `{0}`, or it is retired already; see `keyless keys list`")]
    Unknown(KeyId),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Audit(#[from] AuditUnavailable),
    #[error(transparent)]
    Violation(#[from] Violation),
}

/// The signing keys' keeper.
#[derive(Debug, Clone)]
pub struct KeyRotation {
    platform: Arc<Platform>,
    system: SystemRight,
    policy: RotationPolicy,
    algorithms: Vec<SigningAlgorithm>,
    /// One new key at a time: the clock and the owner may ask at once.
    making: Blocking,
}

/// Why a plan was not committed.
#[derive(Debug)]
enum Unplanned {
    NothingToDo,
    /// The snapshot asks for keys that were not made beforehand.
    KeysMissing,
}

impl KeyRotation {
    /// # Errors
    /// [`KeysError::Policy`] when the intervals contradict each other.
    pub fn new(platform: Arc<Platform>, system: SystemRight, policy: RotationPolicy) -> Result<Self, KeysError> {
        policy.check()?;
        Ok(Self { platform, system, policy, algorithms: vec![SigningAlgorithm::RS256], making: Blocking::new(1, 8) })
    }

    /// Also keeps an ES256 key, for [`crate::Config::es256_audiences`].
    #[must_use]
    pub fn with_es256(mut self) -> Self {
        if !self.algorithms.contains(&SigningAlgorithm::ES256) {
            self.algorithms.push(SigningAlgorithm::ES256);
        }
        self
    }

    /// Follows the clock until `stop` ends.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        tokio::pin!(stop);
        loop {
            let sleep = match self.step().await {
                Ok(()) => self.until_due(),
                Err(error) => {
                    tracing::error!(%error, "the signing keys could not be rotated; retrying");
                    RETRY
                }
            };
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// Does what is due now: at the first start, makes the first key.
    ///
    /// # Errors
    /// [`KeysError`]; nothing was changed then.
    pub async fn step(&self) -> Result<(), KeysError> {
        let ctx = self.platform.begin(Actor::System("key rotation"));
        let plan = |keys: &[SigningKey]| rotation::plan(keys, &self.algorithms, ctx.now, &self.policy);
        self.apply(&ctx, &self.system.permit("key rotation"), "SigningKey_Rotate", plan).await.map(|_| ())
    }

    /// Starts a rotation on demand.
    ///
    /// # Errors
    /// [`KeysError`]; nothing was changed then.
    pub async fn rotate(&self, ctx: &OpContext, permit: &Permit, urgency: Urgency) -> Result<(), KeysError> {
        let plan = |keys: &[SigningKey]| {
            self.algorithms.iter().flat_map(|&algorithm| rotation::rotate(keys, algorithm, ctx.now, &self.policy, urgency)).collect()
        };
        self.apply(ctx, permit, "SigningKey_Rotate", plan).await.map(|_| ())
    }

    /// Takes a key out at once: from the next snapshot on, every plane refuses every token it signed.
    ///
    /// # Errors
    /// [`KeysError::Unknown`] when there is no such key to revoke.
    pub async fn revoke(&self, ctx: &OpContext, permit: &Permit, kid: &KeyId) -> Result<(), KeysError> {
        let done = self.apply(ctx, permit, "SigningKey_Revoke", |keys| rotation::revoke(keys, kid)).await?;
        if done { Ok(()) } else { Err(KeysError::Unknown(kid.clone())) }
    }

    fn until_due(&self) -> Duration {
        let snapshot = self.platform.directory.snapshot();
        let now = self.platform.clock.now();
        let due = rotation::next_due(&keys(&snapshot), &self.algorithms, now, &self.policy);
        let millis = due.map_or(i64::MAX, |due| due.millis_since(now)).max(100);
        Duration::from_millis(millis.unsigned_abs()).min(LONGEST_SLEEP)
    }

    /// Applies a plan in one transaction; false when there was nothing to do.
    async fn apply(
        &self,
        ctx: &OpContext,
        permit: &Permit,
        operation: &'static str,
        plan: impl Fn(&[SigningKey]) -> Vec<Step>,
    ) -> Result<bool, KeysError> {
        let mut made: Vec<NewKey> = Vec::new();
        loop {
            // Making an RSA key takes a while: not under the directory's writer lock.
            let wanted = plan(&keys(&self.platform.directory.snapshot()));
            for step in &wanted {
                if let Step::Generate { algorithm, .. } = *step {
                    let new = self.making.run(move || Signer::generate(algorithm)).await;
                    made.push(new.map_err(|_| KeyError::Generate)??);
                }
            }
            let change = |snapshot: &Snapshot| {
                let keys = keys(snapshot);
                let steps = plan(&keys);
                if steps.is_empty() {
                    return Err(Unplanned::NothingToDo);
                }
                let mutations = self.mutations(self.platform.clock.now(), &keys, &steps, &made).ok_or(Unplanned::KeysMissing)?;
                let mut event = AuditEvent::new(ctx, Category::System, operation, Outcome::Allowed);
                event.decision = Some(told(&steps));
                Ok(Change::new(mutations, event))
            };
            match self.platform.directory.update(ctx, permit, change).await {
                Ok(_) => {
                    tracing::info!(operation, "the signing keys changed");
                    return Ok(true);
                }
                Err(UpdateError::Refused(Unplanned::NothingToDo)) => return Ok(false),
                Err(UpdateError::Refused(Unplanned::KeysMissing)) => {}
                Err(UpdateError::Store(error)) => return Err(error.into()),
                Err(UpdateError::Audit(error)) => return Err(error.into()),
                Err(UpdateError::Violation(error)) => return Err(error.into()),
            }
        }
    }

    /// The steps as changes of documents; none when a key is missing that was not made.
    ///
    /// `now` is that of the commit: making a key takes a while, and it is not published before it is there.
    fn mutations(&self, now: Timestamp, keys: &[SigningKey], steps: &[Step], made: &[NewKey]) -> Option<Vec<Mutation>> {
        let mut made: Vec<&NewKey> = made.iter().collect();
        let find = |kid: &KeyId| keys.iter().find(|key| key.kid == *kid).cloned();
        let mut mutations = Vec::new();
        for step in steps {
            match step {
                Step::Generate { algorithm, state } => {
                    let position = made.iter().position(|new| new.algorithm == *algorithm)?;
                    mutations.push(Mutation::put(self.stored(now, made.swap_remove(position), *state)));
                }
                Step::Move { kid, to } => {
                    let mut key = find(kid)?;
                    key.state = *to;
                    key.since = now;
                    // SECURITY: keys move forward only; what will never sign again cannot be stolen when it is not there.
                    if matches!(to, KeyState::Retiring | KeyState::Retired) {
                        key.private = Sealed::from_ciphertext(Vec::new());
                    }
                    mutations.push(Mutation::put(key));
                }
                Step::Forget { kid } => mutations.push(Mutation::Delete(Entity::from(find(kid)?).key())),
            }
        }
        Some(mutations)
    }

    fn stored(&self, now: Timestamp, new: &NewKey, state: KeyState) -> SigningKey {
        let private = self.platform.sealer.seal(&signing_key_purpose(&new.kid), new.private_pkcs8.expose(), &*self.platform.entropy);
        SigningKey {
            kid: new.kid.clone(),
            algorithm: new.algorithm,
            state,
            private,
            public: STANDARD_NO_PAD.encode(&new.public_spki),
            since: now,
            created: now,
        }
    }
}

fn keys(snapshot: &Snapshot) -> Vec<SigningKey> {
    snapshot.signing_keys().map(|key| SigningKey::clone(key)).collect()
}

/// The steps in words.
fn told(steps: &[Step]) -> DecisionRecord {
    let words: Vec<String> = steps
        .iter()
        .map(|step| match step {
            Step::Generate { algorithm, state } => format!("a new {algorithm:?} key is {state:?}"),
            Step::Move { kid, to } => format!("key {kid} is {to:?}"),
            Step::Forget { kid } => format!("key {kid} is forgotten"),
        })
        .collect();
    DecisionRecord::allowed(words.join("; "))
}
