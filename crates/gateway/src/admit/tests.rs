use std::thread;

use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits::per_minute(1000, 5);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_795_224_000_000 + millis)
}

fn reserve(budgets: &Budgets, estimate: u64, now: Timestamp) -> Result<Reservation, OverBudget> {
    admit(&[budgets.budget("d", None, LIMITS, now)], estimate, now)
}

#[test]
fn tokens_are_reserved_and_settled() {
    let budgets = Budgets::default();
    let first = reserve(&budgets, 600, at(0)).unwrap();
    assert_eq!(first.remaining().unwrap().tokens, 400);
    assert_eq!(reserve(&budgets, 600, at(1)).unwrap_err(), OverBudget { spent: Spent::Tokens, retry_after_millis: 59_999 });
    first.settle(100);
    assert_eq!(reserve(&budgets, 600, at(2)).unwrap().remaining().unwrap().tokens, 300);
}

#[test]
fn a_refused_call_takes_nothing_from_any_budget() {
    let budgets = Budgets::default();
    let id = ObjectId::from_u128(1);
    let both = [budgets.budget("d", None, LIMITS, at(0)), budgets.budget("d", Some(id), Limits::per_minute(100, 5), at(0))];
    let both = |estimate| admit(&both, estimate, at(0));
    for _ in 0..9 {
        assert_eq!(both(101).unwrap_err().spent, Spent::Tokens);
    }
    let left = *both(100).unwrap().remaining().unwrap();
    assert_eq!((left.tokens, left.calls), (900, 4), "the deployment's figures are shown, and the refused calls are not in them");
}

#[test]
fn calls_are_counted_in_their_own_period() {
    let budgets = Budgets::default();
    for _ in 0..5 {
        reserve(&budgets, 0, at(0)).unwrap();
    }
    assert_eq!(reserve(&budgets, 0, at(59_000)).unwrap_err(), OverBudget { spent: Spent::Calls, retry_after_millis: 1000 });
    reserve(&budgets, 0, at(60_000)).unwrap();
}

#[test]
fn an_answer_that_runs_across_the_minute_owes_its_excess_to_the_next() {
    let budgets = Budgets::default();
    let long = reserve(&budgets, 900, at(59_000)).unwrap();
    reserve(&budgets, 0, at(60_000)).unwrap();
    long.settle(1500);
    assert_eq!(reserve(&budgets, 0, at(60_001)).unwrap().remaining().unwrap().tokens, 400);
}

#[test]
fn a_clock_that_goes_back_does_not_give_the_minute_twice() {
    let budgets = Budgets::default();
    reserve(&budgets, 1000, at(60_000)).unwrap();
    assert!(reserve(&budgets, 1, at(0)).is_err());
}

#[test]
fn concurrent_calls_never_reserve_more_than_the_limit() {
    let budgets = Budgets::default();
    let limits = Limits::per_minute(10_000, u64::MAX);
    let admitted: u64 = thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| (0..1000).filter(|_| admit(&[budgets.budget("d", None, limits, at(5))], 7, at(5)).is_ok()).count() as u64)
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(admitted, 10_000 / 7);
}

#[test]
fn capacity_is_worth_what_the_model_says() {
    let mut deployment: keyless_model::entity::Deployment = serde_json::from_value(serde_json::json!({
        "scope": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/deployments/d",
        "model": {"format": "OpenAI", "name": "gpt-4o"}, "sku": {"name": "Standard", "capacity": 80}, "created": 0, "version": 1,
    }))
    .unwrap();
    assert_eq!(limits_of(&deployment), Some(Limits { tokens: 80_000, calls: 80, call_period_millis: 10_000 }));
    for (model, calls) in [("gpt-5-mini", 80), ("o1", 13), ("o1-mini", 8), ("o4-mini", 80)] {
        deployment.model.name = model.to_owned();
        assert_eq!(limits_of(&deployment), Some(Limits::per_minute(80_000, calls)), "{model}");
    }
    deployment.sku.capacity = None;
    assert_eq!(limits_of(&deployment), None);
}

#[test]
fn a_hostile_max_tokens_does_not_wrap_around() {
    assert_eq!(estimate(400, Some(50), 2), 200);
    assert_eq!(estimate(u64::MAX, Some(u64::MAX), u64::MAX), u64::MAX);
    let budgets = Budgets::default();
    assert!(reserve(&budgets, u64::MAX, at(0)).is_err());
    reserve(&budgets, 10, at(0)).unwrap().settle(u64::MAX);
    assert!(reserve(&budgets, 1, at(1)).is_err());
}

proptest! {
    /// Whatever is reserved and settled in a minute with honest estimates, the sum of real use stays within the limit.
    #[test]
    fn honest_estimates_keep_the_limit(calls in proptest::collection::vec((1u64..400, 0u64..400), 1..40)) {
        let budgets = Budgets::default();
        let limits = Limits::per_minute(1000, u64::MAX);
        let mut used = 0;
        for (estimate, real) in calls {
            if let Ok(reservation) = admit(&[budgets.budget("d", None, limits, at(0))], estimate, at(0)) {
                let real = real.min(estimate);
                reservation.settle(real);
                used += real;
            }
        }
        prop_assert!(used <= 1000);
    }
}
