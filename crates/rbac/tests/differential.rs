//! The evaluator against a naive one, on random worlds. `cargo run -p keyless-rbac --release --example differential` asks a million.

#[path = "support/differ.rs"]
mod differ;
#[path = "support/naive.rs"]
mod naive;
#[path = "support/universe.rs"]
mod universe;

#[test]
fn twenty_thousand_random_questions_get_the_naive_answer() {
    let tally = differ::run(0x5eed, 20_000);
    assert!(tally.differences.is_empty(), "{:#?}", tally.differences);
    // A world in which everything is refused for the same reason would prove nothing.
    for (verdict, count) in &tally.verdicts {
        assert!(*count >= 100, "too few {verdict}: {tally:#?}");
    }
    assert_eq!(tally.verdicts.len(), 9, "{:#?}", tally.verdicts);
}
