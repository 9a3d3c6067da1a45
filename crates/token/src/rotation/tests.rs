//! The life of keys, played through.

use std::collections::HashMap;

use keyless_model::entity::Sealed;
use proptest::prelude::*;

use super::*;

const POLICY: RotationPolicy = RotationPolicy { interval_secs: 1000, publish_lead_secs: 100, max_token_life_secs: 300 };
const BOTH: &[SigningAlgorithm] = &[SigningAlgorithm::RS256, SigningAlgorithm::ES256];
const RSA: &[SigningAlgorithm] = &[SigningAlgorithm::RS256];

/// A key store that applies steps.
#[derive(Debug, Default)]
struct World {
    keys: Vec<SigningKey>,
    now: i64,
    made: u32,
    /// When each key entered the JWKS.
    published: HashMap<KeyId, i64>,
    /// When each key last signed.
    signed: HashMap<KeyId, i64>,
    /// Keys that became active by somebody's order, or because no key was left.
    hurried: Vec<KeyId>,
}

impl World {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_secs(self.now)
    }

    fn apply(&mut self, steps: Vec<Step>, hurried: bool) {
        let now = self.now();
        let without = |keys: &[SigningKey], algorithm| !keys.iter().any(|key| key.algorithm == algorithm && key.state == KeyState::Active);
        for step in steps {
            match step {
                Step::Generate { algorithm, state } => {
                    self.made += 1;
                    let kid = KeyId::new(&format!("k{}", self.made)).unwrap();
                    if state == KeyState::Active && (hurried || without(&self.keys, algorithm)) {
                        self.hurried.push(kid.clone());
                    }
                    let private = Sealed::from_ciphertext(vec![]);
                    self.keys.push(SigningKey { kid, algorithm, state, private, public: String::new(), since: now, created: now });
                }
                Step::Move { kid, to } => {
                    let at = self.keys.iter().position(|key| key.kid == kid).expect("steps name keys that exist");
                    assert!(to > self.keys[at].state, "keys move forward only");
                    if to == KeyState::Active
                        && (hurried || without(&self.keys, self.keys[at].algorithm) && self.keys[at].state == KeyState::Prepared)
                    {
                        self.hurried.push(kid);
                    }
                    (self.keys[at].state, self.keys[at].since) = (to, now);
                }
                Step::Forget { kid } => self.keys.retain(|key| key.kid != kid),
            }
        }
        for key in &self.keys {
            if matches!(key.state, KeyState::Published | KeyState::Active | KeyState::Retiring) {
                self.published.entry(key.kid.clone()).or_insert(self.now);
            }
            if key.state == KeyState::Active {
                self.signed.insert(key.kid.clone(), self.now);
            }
        }
    }

    fn tick(&mut self, algorithms: &[SigningAlgorithm]) {
        self.apply(plan(&self.keys, algorithms, self.now(), &POLICY), false);
    }

    /// Time passes; the planner is asked whenever it wants to be.
    fn pass(&mut self, secs: i64, algorithms: &[SigningAlgorithm]) {
        let until = self.now + secs;
        while let Some(due) = next_due(&self.keys, algorithms, self.now(), &POLICY).filter(|due| due.unix_secs() <= until) {
            // The active keys signed until this moment.
            self.now = due.unix_secs();
            self.sign();
            self.tick(algorithms);
        }
        self.now = until;
        self.sign();
    }

    fn sign(&mut self) {
        for key in self.keys.iter().filter(|key| key.state == KeyState::Active) {
            self.signed.insert(key.kid.clone(), self.now);
        }
    }

    fn active(&self, algorithm: SigningAlgorithm) -> Vec<&KeyId> {
        self.keys.iter().filter(|key| key.algorithm == algorithm && key.state == KeyState::Active).map(|key| &key.kid).collect()
    }

    fn state(&self, kid: &str) -> Option<KeyState> {
        self.keys.iter().find(|key| key.kid.as_str() == kid).map(|key| key.state)
    }
}

#[test]
fn a_key_lives_through_its_states_on_time() {
    let mut world = World::default();
    world.pass(0, RSA);
    assert_eq!(world.state("k1"), Some(KeyState::Active), "the first key signs at once: nobody caches a set without it");
    world.pass(899, RSA);
    assert_eq!(world.keys.len(), 1);
    world.pass(1, RSA);
    assert_eq!((world.state("k1"), world.state("k2")), (Some(KeyState::Active), Some(KeyState::Published)));
    world.pass(99, RSA);
    assert_eq!(world.state("k1"), Some(KeyState::Active));
    world.pass(1, RSA);
    assert_eq!((world.state("k1"), world.state("k2")), (Some(KeyState::Retiring), Some(KeyState::Active)));
    world.pass(299, RSA);
    assert_eq!(world.state("k1"), Some(KeyState::Retiring));
    world.pass(1, RSA);
    assert_eq!(world.state("k1"), Some(KeyState::Retired));
    world.pass(300, RSA);
    assert_eq!(world.state("k1"), None);
}

#[test]
fn graceful_rotation_publishes_first_and_a_second_order_changes_nothing() {
    let mut world = World::default();
    world.pass(10, RSA);
    let steps = rotate(&world.keys, SigningAlgorithm::RS256, world.now(), &POLICY, Urgency::Graceful);
    assert_eq!(steps, [Step::Generate { algorithm: SigningAlgorithm::RS256, state: KeyState::Published }]);
    world.apply(steps, true);
    assert_eq!(rotate(&world.keys, SigningAlgorithm::RS256, world.now(), &POLICY, Urgency::Graceful), []);
    world.pass(99, RSA);
    assert_eq!(world.state("k1"), Some(KeyState::Active));
    world.pass(1, RSA);
    assert_eq!((world.state("k1"), world.state("k2")), (Some(KeyState::Retiring), Some(KeyState::Active)));
}

#[test]
fn rotation_now_prefers_the_key_that_verifiers_know() {
    let mut world = World::default();
    world.pass(950, RSA);
    world.apply(rotate(&world.keys, SigningAlgorithm::RS256, world.now(), &POLICY, Urgency::Now), true);
    assert_eq!((world.state("k1"), world.state("k2"), world.keys.len()), (Some(KeyState::Retiring), Some(KeyState::Active), 2));
    world.apply(rotate(&world.keys, SigningAlgorithm::RS256, world.now(), &POLICY, Urgency::Now), true);
    assert_eq!((world.state("k2"), world.state("k3")), (Some(KeyState::Retiring), Some(KeyState::Active)));
}

#[test]
fn revoked_signer_is_out_at_once_and_replaced_n46() {
    let mut world = World::default();
    world.pass(10, BOTH);
    world.apply(revoke(&world.keys, &KeyId::new("k1").unwrap()), true);
    assert_eq!(world.state("k1"), Some(KeyState::Retired));
    assert_eq!((world.active(SigningAlgorithm::RS256).len(), world.active(SigningAlgorithm::ES256).len()), (1, 1));
    assert_eq!(revoke(&world.keys, &KeyId::new("k1").unwrap()), [], "twice is once");
    assert_eq!(revoke(&world.keys, &KeyId::new("never").unwrap()), []);
    world.pass(1000, BOTH);
    assert_ne!(world.active(SigningAlgorithm::RS256)[0].as_str(), "k1");
}

#[test]
fn surplus_signers_are_retired() {
    let mut world = World::default();
    world.pass(0, RSA);
    world.now = 5;
    world.apply(vec![Step::Generate { algorithm: SigningAlgorithm::RS256, state: KeyState::Active }], true);
    world.tick(RSA);
    assert_eq!((world.state("k1"), world.state("k2")), (Some(KeyState::Retiring), Some(KeyState::Active)));
}

#[test]
fn key_of_an_algorithm_no_longer_wanted_lives_out() {
    let mut world = World::default();
    world.pass(0, BOTH);
    world.tick(RSA);
    assert!(world.active(SigningAlgorithm::ES256).is_empty());
    assert_eq!(world.keys.iter().filter(|key| key.state == KeyState::Retiring).count(), 1);
}

#[test]
fn an_algorithm_that_is_added_later_is_published_before_it_signs() {
    let mut world = World::default();
    world.pass(10, RSA);
    world.tick(BOTH);
    let added = world.keys.iter().find(|key| key.algorithm == SigningAlgorithm::ES256).unwrap().kid.clone();
    assert_eq!(world.state(added.as_str()), Some(KeyState::Published));
    world.pass(POLICY.publish_lead_secs, BOTH);
    assert_eq!(world.state(added.as_str()), Some(KeyState::Active));
    assert_eq!(world.active(SigningAlgorithm::RS256).len(), 1);
}

#[test]
fn contradicting_policies_are_refused() {
    assert_eq!(POLICY.check(), Ok(()));
    assert_eq!(RotationPolicy { publish_lead_secs: 1000, ..POLICY }.check(), Err(PolicyError::IntervalWithinLead));
    for bad in [
        RotationPolicy { interval_secs: 0, ..POLICY },
        RotationPolicy { publish_lead_secs: 0, ..POLICY },
        RotationPolicy { max_token_life_secs: -1, ..POLICY },
    ] {
        assert_eq!(bad.check(), Err(PolicyError::NotPositive));
    }
}

#[derive(Debug, Clone)]
enum Event {
    Pass(i64),
    Rotate(usize, Urgency),
    Revoke(prop::sample::Index),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0_i64..400).prop_map(Event::Pass),
        2 => (0_usize..2).prop_map(|which| Event::Rotate(which, Urgency::Graceful)),
        1 => (0_usize..2).prop_map(|which| Event::Rotate(which, Urgency::Now)),
        1 => any::<prop::sample::Index>().prop_map(Event::Revoke),
    ]
}

proptest! {
    #[test]
    fn the_promises_hold_whatever_happens(events in prop::collection::vec(event(), 1..40)) {
        let mut world = World::default();
        let mut revoked: Vec<KeyId> = Vec::new();
        world.tick(BOTH);
        for event in events {
            match event {
                Event::Pass(secs) => world.pass(secs, BOTH),
                Event::Rotate(which, urgency) => {
                    let steps = rotate(&world.keys, BOTH[which], world.now(), &POLICY, urgency);
                    world.apply(steps, urgency == Urgency::Now);
                }
                Event::Revoke(index) => {
                    let kid = world.keys[index.index(world.keys.len())].kid.clone();
                    let steps = revoke(&world.keys, &kid);
                    world.apply(steps, true);
                    revoked.push(kid);
                }
            }
            world.tick(BOTH);
            prop_assert_eq!(plan(&world.keys, BOTH, world.now(), &POLICY), vec![], "a plan that was carried out leaves nothing due");
            for &algorithm in BOTH {
                prop_assert_eq!(world.active(algorithm).len(), 1, "exactly one signer per algorithm");
            }
            for key in &world.keys {
                let kid = &key.kid;
                if key.state == KeyState::Active && !world.hurried.contains(kid) {
                    let lead = key.since.unix_secs() - world.published[kid];
                    prop_assert!(lead >= POLICY.publish_lead_secs, "{kid} signed {lead} s after it was published");
                }
                if revoked.contains(kid) {
                    prop_assert_eq!(key.state, KeyState::Retired);
                }
            }
            for (kid, last) in &world.signed {
                let shown = world.keys.iter().any(|key| key.kid == *kid && key.state < KeyState::Retired);
                let tokens_live = world.now < last + POLICY.max_token_life_secs;
                prop_assert!(shown || !tokens_live || revoked.contains(kid), "{kid} left the key set while its tokens lived");
            }
        }
    }
}
