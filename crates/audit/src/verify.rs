//! Follows a chain line by line and says where it breaks.

use keyless_model::Timestamp;
use serde::Deserialize;

use crate::chain::Chain;
use crate::hash::{Anchor, Hash};
use crate::line::{Line, LineError, LineKind};

/// What an unbroken log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub segments: u64,
    pub events: u64,
    /// The time on the first and on the last event.
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// The last event: keep it elsewhere, and a later verification can compare.
    pub head: Anchor,
}

/// Why a log is not the one that was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    #[error(transparent)]
    Line(#[from] LineError),
    #[error("event {expected} is missing: it was removed or moved, and event {found} stands here")]
    Removed { expected: u64, found: u64 },
    #[error("event {found} stands here again or too late, where {expected} belongs: it was inserted or moved")]
    Inserted { expected: u64, found: u64 },
    #[error("the line does not link to the one before it: one of them was replaced")]
    Unlinked,
    #[error("segment {expected} should start here, and segment {found} does: a file was removed or renamed")]
    Segment { expected: u64, found: u64 },
    #[error("the file does not start with a segment header")]
    NoHeader,
    #[error("a segment header stands inside a file: files were joined")]
    Header,
    #[error("the file ends inside a line")]
    Torn,
    #[error("the log ends at event {}, and event {} is known to have been written: its end was cut off", .head.sequence, .anchor.sequence)]
    Truncated { head: Anchor, anchor: Anchor },
    #[error("event {} is not the one that was written: the log was replaced or rebuilt", .anchor.sequence)]
    Replaced { anchor: Anchor },
}

/// Where a log breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit log is broken in segment {segment} at byte {offset} (event {sequence}): {why}")]
pub struct Broken {
    pub segment: u64,
    /// Of the offending line, in its file.
    pub offset: u64,
    /// The event that belongs there.
    pub sequence: u64,
    pub why: Why,
}

/// Verifies a log that is given line by line, oldest first.
#[derive(Debug, Clone)]
pub struct Verifier {
    chain: Chain,
    /// Of the file that is being read.
    segment: u64,
    expect_header: bool,
    /// The first header counts without what is before it.
    trusts_first: bool,
    anchors: Vec<Anchor>,
    report: Report,
}

#[derive(Deserialize)]
struct Stamp {
    time: Timestamp,
}

impl Verifier {
    /// Starts at the beginning of a log. `anchors` are events known to have been written.
    #[must_use]
    pub fn new(anchors: impl IntoIterator<Item = Anchor>) -> Self {
        let chain = Chain::new();
        Self {
            chain,
            segment: 0,
            expect_header: false,
            trusts_first: false,
            anchors: anchors.into_iter().collect(),
            report: Report { segments: 0, events: 0, first: None, last: None, head: chain.last() },
        }
    }

    /// Starts at a segment in the middle, on the word of its header: what is before it is not verified.
    #[must_use]
    pub fn from_segment(number: u64, anchors: impl IntoIterator<Item = Anchor>) -> Self {
        Self { segment: number.saturating_sub(1), trusts_first: number > 1, ..Self::new(anchors) }
    }

    /// Starts at segment `number`, which must go on right after event `last`: what was before it was removed knowingly.
    #[must_use]
    pub fn from_start(number: u64, last: Anchor, anchors: impl IntoIterator<Item = Anchor>) -> Self {
        let chain = Chain::after(last);
        let fresh = Self::new(anchors);
        let report = Report { head: last, ..fresh.report };
        Self { segment: number.saturating_sub(1), chain, report, ..fresh }
    }

    /// Starts after a line in the middle of segment `number`, on that line's word.
    #[must_use]
    pub fn after(number: u64, chain: Chain) -> Self {
        Self { segment: number, chain, ..Self::new([]) }
    }

    /// The next file begins; it is named after segment `number`.
    ///
    /// # Errors
    /// When it is not the next one.
    pub fn segment(&mut self, number: u64) -> Result<(), Broken> {
        let expected = self.segment.saturating_add(1);
        if number != expected {
            return Err(self.refuse(0, Why::Segment { expected, found: number }));
        }
        self.segment = number;
        self.expect_header = true;
        Ok(())
    }

    /// The next line of the current file, without its newline, from byte `offset`.
    ///
    /// # Errors
    /// When it is not what was written there.
    pub fn line(&mut self, offset: u64, text: &[u8]) -> Result<LineKind, Broken> {
        let line = Line::parse(text).map_err(|error| self.refuse(offset, error.into()))?;
        let checked = match line.kind {
            LineKind::Header { number, next } => self.header(&line, number, next),
            LineKind::Event { sequence } => self.event(&line, sequence),
        };
        checked.map_err(|why| self.refuse(offset, why))?;
        Ok(line.kind)
    }

    /// The chain as it stands after the lines given so far, to go on writing.
    #[must_use]
    pub const fn chain(&self) -> Chain {
        self.chain
    }

    /// The log ended, at byte `offset` of its last file.
    ///
    /// # Errors
    /// When an anchor says that there was more.
    pub fn finish(self, offset: u64) -> Result<Report, Broken> {
        let head = self.chain.last();
        match self.anchors.iter().find(|anchor| anchor.sequence > head.sequence) {
            Some(&anchor) => Err(self.refuse(offset, Why::Truncated { head, anchor })),
            None => Ok(Report { head, ..self.report }),
        }
    }

    fn header(&mut self, line: &Line<'_>, number: u64, next: u64) -> Result<(), Why> {
        if !self.expect_header {
            return Err(Why::Header);
        }
        if number != self.segment {
            return Err(Why::Segment { expected: self.segment, found: number });
        }
        let begun_here = self.report.segments == 0 && self.trusts_first;
        if !begun_here && line.prev != self.chain.head() {
            return Err(Why::Unlinked);
        }
        if !begun_here && next != self.chain.next_sequence() {
            return Err(Why::Removed { expected: self.chain.next_sequence(), found: next });
        }
        let last = if begun_here { Anchor { sequence: next.saturating_sub(1), hash: line.prev } } else { self.chain.last() };
        self.chain = Chain::resume(line.hash, last);
        self.expect_header = false;
        self.report.segments += 1;
        Ok(())
    }

    fn event(&mut self, line: &Line<'_>, found: u64) -> Result<(), Why> {
        if self.expect_header || self.segment == 0 {
            return Err(Why::NoHeader);
        }
        let expected = self.chain.next_sequence();
        match found {
            _ if found > expected => return Err(Why::Removed { expected, found }),
            _ if found < expected => return Err(Why::Inserted { expected, found }),
            _ if line.prev != self.chain.head() => return Err(Why::Unlinked),
            _ => {}
        }
        let last = Anchor { sequence: found, hash: line.hash };
        if let Some(&anchor) = self.anchors.iter().find(|anchor| anchor.sequence == found && anchor.hash != line.hash) {
            return Err(Why::Replaced { anchor });
        }
        let stamp: Stamp = serde_json::from_slice(line.text()).map_err(|_| LineError::Malformed("it is not JSON with a time"))?;
        self.report.first.get_or_insert(stamp.time);
        self.report.last = Some(stamp.time);
        self.report.events += 1;
        self.chain = Chain::resume(line.hash, last);
        Ok(())
    }

    /// The log is broken at `offset` of the current file, for a reason that the reader found.
    #[must_use]
    pub const fn refuse(&self, offset: u64, why: Why) -> Broken {
        Broken { segment: self.segment, offset, sequence: self.chain.next_sequence(), why }
    }
}

/// A line anywhere in a log, checked by itself: the chain that goes on after it.
#[must_use]
pub fn resume_after(line: &Line<'_>) -> Option<Chain> {
    match line.kind {
        LineKind::Event { .. } => line.anchor().map(|last| Chain::resume(line.hash, last)),
        LineKind::Header { next, .. } => {
            let sequence = next.checked_sub(1)?;
            // Only the number of the event before is known here; its hash is what the header links to.
            Some(Chain::resume(line.hash, Anchor { sequence, hash: if sequence == 0 { Hash::GENESIS } else { line.prev } }))
        }
    }
}

#[cfg(test)]
mod tests;
