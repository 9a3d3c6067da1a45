//! Runs the evaluator and its judge side by side.

use std::collections::BTreeMap;

use keyless_rbac::Policy;

use super::naive::{Naive, Verdict};
use super::universe::{mutation, question};

/// Changes that make a world, changes between rounds of questions, questions a round, rounds a world.
const START: usize = 150;
const STEP: usize = 4;
const QUESTIONS: usize = 50;
const ROUNDS: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) questions: usize,
    /// How often each verdict came up.
    pub(crate) verdicts: BTreeMap<&'static str, usize>,
    pub(crate) differences: Vec<String>,
}

/// Asks at least `questions` of random worlds that keep changing.
pub(crate) fn run(seed: u64, questions: usize) -> Tally {
    let mut numbers = Numbers(seed);
    let mut tally = Tally::default();
    while tally.questions < questions {
        let (mut policy, mut naive) = (Policy::default(), Naive::default());
        for round in 0..ROUNDS {
            for number in numbers.by_ref().take(if round == 0 { START } else { STEP }) {
                let change = mutation(number);
                policy.apply(&change);
                naive.apply(&change);
            }
            for number in numbers.by_ref().take(QUESTIONS) {
                compare(&policy, &naive, number, &mut tally);
            }
        }
    }
    tally
}

fn compare(policy: &Policy, naive: &Naive, number: u64, tally: &mut Tally) {
    let question = question(number);
    let (decision, verdict) = (policy.decide(&question.request()), naive.decide(&question));
    tally.questions += 1;
    *tally.verdicts.entry(name(&verdict)).or_default() += 1;
    if !verdict.agrees(&decision) {
        tally.differences.push(format!("{question:?}: decided {decision:?}, should be {verdict:?}"));
    }
}

const fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::InvalidAction => "invalid action",
        Verdict::PrincipalUnknown => "principal unknown",
        Verdict::PrincipalDisabled => "principal disabled",
        Verdict::OtherTenant => "other tenant",
        Verdict::Denied(_) => "denied",
        Verdict::Allowed(_) => "allowed",
        Verdict::ConditionNotMet(_) => "condition not met",
        Verdict::ActionNotGranted(_) => "action not granted",
        Verdict::NoAssignment => "no assignment",
    }
}

/// A seeded generator of numbers (SplitMix64, Steele et al. 2014).
struct Numbers(u64);

impl Iterator for Numbers {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(word ^ (word >> 31))
    }
}
