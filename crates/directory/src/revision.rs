//! The number of a commit.

use serde::{Deserialize, Serialize};

/// Counts commits. A snapshot of revision `n` has seen every commit up to `n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);
