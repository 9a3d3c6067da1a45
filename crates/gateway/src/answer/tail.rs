//! The end of an answer that passes in pieces: the last piece is held back until the call is recorded, and enough of what came
//! before it is remembered to find the usage.

use std::collections::VecDeque;

use bytes::Bytes;

use super::usage::usage_of;
use crate::record::Usage;

/// How much of the end is looked at. The usage of every known server stands within the last few hundred bytes.
const WINDOW: usize = 8 * 1024;

/// The last pieces of an answer.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    held: Option<Bytes>,
    /// Slices of pieces that have passed: no copy, and at most one window's worth of them is kept alive.
    window: VecDeque<Bytes>,
    size: usize,
}

impl Tail {
    /// Takes the next piece and gives back the one before.
    pub(crate) fn push(&mut self, chunk: Bytes) -> Option<Bytes> {
        let from = chunk.len().saturating_sub(WINDOW);
        let end = Bytes::copy_from_slice(chunk.get(from..).unwrap_or_default());
        self.size += end.len();
        self.window.push_back(end);
        while self.window.front().is_some_and(|oldest| self.size - oldest.len() >= WINDOW) {
            self.size -= self.window.pop_front().map_or(0, |oldest| oldest.len());
        }
        self.held.replace(chunk)
    }

    /// The piece that was held back.
    pub(crate) fn release(&mut self) -> Option<Bytes> {
        self.held.take()
    }

    /// The usage, when the answer is a JSON object that says it near its end.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let text: Vec<u8> = self.window.iter().flat_map(|piece| piece.iter().copied()).collect();
        usage_of(&text, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usage_is_found_however_the_answer_was_cut() {
        let answer = format!(r#"{{"content":"{}","usage":{{"prompt_tokens":3,"completion_tokens":5}}}}"#, "x".repeat(20_000));
        for size in [1, 7, 1000, 9000, 50_000] {
            let mut tail = Tail::default();
            let mut passed = Vec::new();
            for chunk in answer.as_bytes().chunks(size) {
                passed.extend(tail.push(Bytes::copy_from_slice(chunk)).into_iter().flatten());
                assert!(tail.size < 2 * WINDOW);
            }
            assert!(passed.len() < answer.len(), "the end is held back");
            assert_eq!(tail.usage(), Some(Usage { prompt: 3, completion: 5 }));
            passed.extend(tail.release().into_iter().flatten());
            assert_eq!(passed, answer.as_bytes());
        }
    }
}
