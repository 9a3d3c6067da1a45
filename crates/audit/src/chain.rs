//! Binds each event to all before it.
//!
//! A line is one JSON object. Its last members are the event's number, the hash of the line before, and the line's own hash,
//! which is SHA-256 over the line's bytes up to (not including) `,"hash":`:
//!
//! ```text
//! {"time":1795219200000,…,"seq":7,"prev":"<64 hex>","hash":"<64 hex>"}
//! ```
//!
//! A file of lines (a segment) starts with a header of the same form, `{"segment":2,"format":1,"next":8,"prev":…,"hash":…}`, which
//! is part of the chain and binds the file to the one before. Where files are and when they are cut is not known here.

use std::io::Write as _;

use crate::hash::{Anchor, Hash};
use crate::{AuditEvent, readable, redact, scrub};

/// The line format written here.
pub(crate) const FORMAT: u32 = 1;
/// Room for the line of a model call, so that it is written without growing.
const USUAL_LINE: usize = 1536;

/// The end of a chain, ready for the next line. Copy it before [`Chain::append`] to go back when the line could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    head: Hash,
    last: Anchor,
}

/// An event that cannot be written as JSON, or not be read again.
#[derive(Debug, thiserror::Error)]
#[error("the audit event cannot be written as JSON that can be read again")]
pub struct Unwritable(#[source] serde_json::Error);

impl Chain {
    /// The chain of an empty log.
    #[must_use]
    pub const fn new() -> Self {
        Self { head: Hash::GENESIS, last: Anchor { sequence: 0, hash: Hash::GENESIS } }
    }

    /// The chain after an event that is not there any more: its line was removed knowingly, with all before it.
    #[must_use]
    pub const fn after(last: Anchor) -> Self {
        Self { head: last.hash, last }
    }

    /// The chain after a line whose hash is `head`, when `last` is the last event (or the anchor of [`Chain::new`]).
    pub(crate) const fn resume(head: Hash, last: Anchor) -> Self {
        Self { head, last }
    }

    /// The last event.
    #[must_use]
    pub const fn last(&self) -> Anchor {
        self.last
    }

    /// The number that the next event gets.
    #[must_use]
    pub const fn next_sequence(&self) -> u64 {
        self.last.sequence.saturating_add(1)
    }

    pub(crate) const fn head(&self) -> Hash {
        self.head
    }

    /// Appends the event's line, with its newline, to `out`, and returns the event's place.
    ///
    /// # Errors
    /// When the event cannot be written as JSON; chain and `out` are then as before.
    pub fn append(&mut self, event: &AuditEvent, out: &mut Vec<u8>) -> Result<Anchor, Unwritable> {
        let mut prepared = Prepared::new(event)?;
        let anchor = self.bind(&mut prepared);
        out.extend_from_slice(prepared.line());
        Ok(anchor)
    }

    /// Completes a prepared line and returns the event's place. A line that was bound before is bound anew, to where the chain is now.
    pub fn bind(&mut self, prepared: &mut Prepared) -> Anchor {
        prepared.text.truncate(prepared.open);
        let sequence = self.next_sequence();
        _ = write!(prepared.text, ",\"seq\":{sequence}");
        let hash = self.close(0, &mut prepared.text);
        self.last = Anchor { sequence, hash };
        self.last
    }

    /// Appends the header line of segment `number` to `out`.
    pub fn header(&mut self, number: u64, out: &mut Vec<u8>) {
        let start = out.len();
        let next = self.next_sequence();
        _ = write!(out, "{{\"segment\":{number},\"format\":{FORMAT},\"next\":{next}");
        self.close(start, out);
    }

    fn close(&mut self, start: usize, out: &mut Vec<u8>) -> Hash {
        out.extend_from_slice(b",\"prev\":\"");
        self.head.write_hex(out);
        out.push(b'"');
        let hash = Hash::of(&out[start..]);
        out.extend_from_slice(b",\"hash\":\"");
        hash.write_hex(out);
        out.extend_from_slice(b"\"}\n");
        self.head = hash;
        hash
    }
}

/// An event written as JSON, redacted, and still open at its end: everything that can be done before its place in the chain is known.
#[derive(Debug, Clone)]
pub struct Prepared {
    text: Vec<u8>,
    /// Where the members of the chain go.
    open: usize,
}

impl Prepared {
    /// Documents of control events are redacted on the way, and text that looks like a credential is removed wherever it stands.
    ///
    /// # Errors
    /// When the event cannot be written as JSON.
    pub fn new(event: &AuditEvent) -> Result<Self, Unwritable> {
        let mut text = Vec::with_capacity(USUAL_LINE);
        let written = match &event.control {
            None => serde_json::to_writer(&mut text, event),
            Some(detail) => {
                let control = Some(redact::detail(detail));
                serde_json::to_writer(&mut text, &AuditEvent { control, ..event.clone() })
            }
        };
        written.map_err(Unwritable)?;
        let removed = scrub::from(&mut text, 0);
        // What others chose the shape of is read back before it is bound for good. Calls of models have no such part: theirs are read
        // back only when something was removed, which may have been within an id.
        if (removed || event.control.is_some()) && serde_json::from_slice::<AuditEvent>(&text).is_err() {
            text = Self::outline(event)?;
        }
        // The object stays open for the members of the chain.
        text.pop();
        let open = text.len();
        Ok(Self { text, open })
    }

    /// The event without the parts that could not be read back, each replaced by what still identifies it.
    fn outline(event: &AuditEvent) -> Result<Vec<u8>, Unwritable> {
        let mut event = event.clone();
        if let Some(detail) = &mut event.control {
            for document in [&mut detail.before, &mut detail.after].into_iter().flatten() {
                redact::redact(document);
                *document = readable::marker(document, "it could not be read back");
            }
        }
        if let Some(target) = event.target.take() {
            let decision = event.decision.get_or_insert_default();
            decision.because =
                format!("{} (the target's id could not be read back; {})", decision.because, Hash::of(target.as_str().as_bytes())).into();
        }
        let mut text = serde_json::to_vec(&event).map_err(Unwritable)?;
        _ = scrub::from(&mut text, 0);
        serde_json::from_slice::<AuditEvent>(&text).map(|_| text).map_err(Unwritable)
    }

    /// The whole line with its newline, once it was bound.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        &self.text
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}
