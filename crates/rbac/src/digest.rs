//! A fast, unkeyed digest of short texts, for table keys and mix-up guards.
//!
//! SECURITY: collisions can be made on purpose. Whoever uses a digest as a key compares the text itself before believing it.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::FixedState;

/// Continues the digest `state` over `bytes`.
#[inline]
pub(crate) fn absorb(state: u64, bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(state).build_hasher();
    hasher.write(bytes);
    hasher.finish()
}
