//! A fast, unkeyed digest of short texts, for table keys and mix-up guards.
//!
//! SECURITY: collisions can be made on purpose. Whoever uses a digest as a key compares the text itself before believing it.

/// Continues the digest `state` over `bytes`.
#[inline]
pub(crate) fn absorb(state: u64, bytes: &[u8]) -> u64 {
    let mut state = state ^ (bytes.len() as u64).wrapping_mul(0xa076_1d64_78bd_642f);
    let (pairs, rest) = bytes.as_chunks::<16>();
    for pair in pairs {
        let (first, second) = pair.split_at(8);
        state = mix(state ^ word(first), word(second));
    }
    let (first, second) = rest.split_at(rest.len().min(8));
    mix(state ^ word(first), word(second))
}

/// Up to eight bytes as a number, little-endian.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    if let Some(whole) = bytes.first_chunk::<8>() {
        return u64::from_le_bytes(*whole);
    }
    bytes.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte))
}

/// One round: multiply to 128 bits and fold the halves.
#[inline]
const fn mix(left: u64, right: u64) -> u64 {
    let product = ((left ^ 0xe703_7ed1_a0b4_28db) as u128).wrapping_mul((right ^ 0x8ebc_6af0_9c88_c6e3) as u128);
    (product as u64) ^ ((product >> 64) as u64)
}
