//! A fast, unkeyed digest of short texts, for table keys and mix-up guards.
//!
//! SECURITY: collisions can be made on purpose. Whoever uses a digest as a key compares the text itself before believing it.

/// Continues the digest `state` over `bytes`.
pub(crate) fn absorb(state: u64, bytes: &[u8]) -> u64 {
    let mut state = state ^ (bytes.len() as u64).wrapping_mul(0xa076_1d64_78bd_642f);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        state = mix(state, u64::from_le_bytes(word));
    }
    let mut word = [0; 8];
    for (to, from) in word.iter_mut().zip(chunks.remainder()) {
        *to = *from;
    }
    mix(state, u64::from_le_bytes(word))
}

/// One round: multiply to 128 bits and fold the halves.
fn mix(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ word ^ 0xe703_7ed1_a0b4_28db).wrapping_mul(0x8ebc_6af0_9c88_c6e3_589f_a93c_6c62_272d);
    (product as u64) ^ ((product >> 64) as u64)
}
