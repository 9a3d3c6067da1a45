//! Refresh tokens.

use keyless_model::ObjectId;
use proptest::prelude::*;

use super::*;

/// Counts up, so that no two fills are alike.
#[derive(Debug, Default)]
pub(crate) struct Counter(std::sync::atomic::AtomicU8);

impl Entropy for Counter {
    fn fill(&self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

fn sealer(seed: u8) -> RefreshSealer {
    RefreshSealer::new(&Secret::new([seed; 32]))
}

fn token() -> RefreshToken {
    RefreshToken { family: CredentialId::from_u128(0x1234), generation: 7 }
}

#[test]
fn what_was_sealed_is_read_back() {
    let entropy = Counter::default();
    let (first, second) = (sealer(1).seal(token(), &entropy), sealer(1).seal(token(), &entropy));
    assert_eq!(sealer(1).open(first.expose()), Ok(token()));
    assert_eq!(sealer(1).open(second.expose()), Ok(token()));
    assert_ne!(first.expose(), second.expose());
    assert!(first.expose().starts_with("k1.") && first.expose().len() == 3 + 96);
}

#[test]
fn token_of_another_system_is_refused() {
    let text = sealer(1).seal(token(), &Counter::default());
    assert_eq!(sealer(2).open(text.expose()), Err(NotOurs));
}

#[test]
fn other_shapes_are_refused() {
    let text = sealer(1).seal(token(), &Counter::default());
    let good = text.expose();
    for bent in [
        good.replacen("k1.", "k2.", 1),
        good.replacen("k1.", "", 1),
        format!("{good}A"),
        format!("{good}="),
        good[..good.len() - 1].to_owned(),
        format!(" {good}"),
        ObjectId::from_u128(1).to_string(),
        "k1.".to_owned(),
        String::new(),
        "k1.".to_owned() + &"A".repeat(96),
        "k1.".to_owned() + &"\u{e9}".repeat(48),
    ] {
        assert_eq!(sealer(1).open(&bent), Err(NotOurs), "{bent}");
    }
}

#[test]
fn debug_hides_the_key() {
    assert_eq!(format!("{:?}", sealer(9)), "RefreshSealer(***)");
}

proptest! {
    #[test]
    fn any_changed_letter_is_refused(at in 3_usize..99, letter in "[A-Za-z0-9_-]") {
        let text = sealer(1).seal(token(), &Counter::default());
        let mut bent = text.expose().clone();
        prop_assume!(bent[at..=at] != letter);
        bent.replace_range(at..=at, &letter);
        prop_assert_eq!(sealer(1).open(&bent), Err(NotOurs));
    }

    #[test]
    fn any_family_and_generation_survive(family in any::<u128>(), generation in any::<u64>()) {
        let token = RefreshToken { family: CredentialId::from_u128(family), generation };
        prop_assert_eq!(sealer(3).open(sealer(3).seal(token, &Counter::default()).expose()), Ok(token));
    }
}
