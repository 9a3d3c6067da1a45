//! The pieces that a body comes in, whichever way it goes.

use std::collections::VecDeque;

use bytes::Bytes;

/// What a body may fail with; the connection is then closed without the end of the answer.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Total bytes of a list of pieces.
pub(crate) fn length_of(pieces: &VecDeque<Bytes>) -> u64 {
    pieces.iter().map(|piece| piece.len() as u64).sum()
}
