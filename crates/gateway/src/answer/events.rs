//! Server-sent events (WHATWG HTML, section 9.2), passed on as whole events the moment they are complete.
//!
//! It looks into an event for two things only: the usage, and whether this is the last event. When the gateway asked for the
//! usage and the caller did not, the usage is taken out again, so that the caller sees the stream it asked for.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use memchr::memmem;

use super::usage;
use crate::record::Usage;
use crate::route::Shape;

/// The longest event; pictures come as one.
const MAX_EVENT: usize = 16 * 1024 * 1024;

/// Splits a stream into events.
#[derive(Debug)]
pub(crate) struct Events {
    /// An event that has begun and not ended.
    begun: BytesMut,
    /// The depth of `usage` in an event's JSON.
    depth: u32,
    /// Take the usage out.
    strip: bool,
}

/// What an event was, besides bytes to pass on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Noticed {
    pub(crate) usage: Option<Usage>,
    /// Events that carried a piece of the answer.
    pub(crate) pieces: u64,
    /// How many of the pieces of output come before the last event, when it is among them.
    pub(crate) last_at: Option<usize>,
}

/// The model server sent an event that no memory should hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Events {
    pub(crate) fn new(shape: Shape, strip: bool) -> Self {
        Self { begun: BytesMut::new(), depth: if shape == Shape::Responses { 2 } else { 1 }, strip }
    }

    /// Takes bytes as they come; complete events go to `out`.
    pub(crate) fn push(&mut self, chunk: Bytes, out: &mut VecDeque<Bytes>) -> Result<Noticed, TooLong> {
        let mut noticed = Noticed::default();
        let whole = if self.begun.is_empty() {
            let end = last_end(&chunk, 0);
            self.begun.extend_from_slice(chunk.get(end..).unwrap_or_default());
            chunk.slice(..end)
        } else {
            // No event ended in what was there before, but a blank line may have begun.
            let known = self.begun.len().saturating_sub(3);
            self.begun.extend_from_slice(&chunk);
            let end = last_end(&self.begun, known);
            self.begun.split_to(end).freeze()
        };
        if self.begun.len() > MAX_EVENT {
            return Err(TooLong);
        }
        let mut rest = whole;
        while !rest.is_empty() {
            let end = first_end(&rest).unwrap_or(rest.len());
            self.event(rest.split_to(end), out, &mut noticed);
        }
        Ok(noticed)
    }

    /// The stream is over: what has begun and never ended. It is passed on as it is, since clients ignore it.
    pub(crate) fn finish(&mut self) -> Bytes {
        self.begun.split().freeze()
    }

    fn event(&self, event: Bytes, out: &mut VecDeque<Bytes>, noticed: &mut Noticed) {
        let Some(data) = data_of(&event) else {
            out.push_back(event);
            return;
        };
        let payload = event.get(data..).unwrap_or_default().trim_ascii();
        if payload.starts_with(b"[DONE]") || is_terminal(&event) {
            noticed.last_at.get_or_insert(out.len());
        } else {
            noticed.pieces += 1;
        }
        let Some(member) = usage::find(payload, self.depth) else {
            out.push_back(event);
            return;
        };
        let counts = payload.get(member.value.clone()).and_then(usage::counts);
        if counts.is_some() {
            noticed.usage = counts;
        }
        if !self.strip {
            out.push_back(event);
            return;
        }
        // The event that exists only for the usage goes as a whole.
        if counts.is_some() && memmem::find(payload, b"\"choices\":[]").is_some() {
            noticed.pieces = noticed.pieces.saturating_sub(1);
            return;
        }
        let start = data + event.get(data..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let (from, to) = with_its_comma(payload, member.at);
        out.push_back(event.slice(..start + from));
        out.push_back(event.slice(start + to..));
    }
}

/// The place of a member together with one comma beside it.
fn with_its_comma(payload: &[u8], at: std::ops::Range<usize>) -> (usize, usize) {
    let before = payload.get(..at.start).unwrap_or_default();
    let kept = before.trim_ascii_end().len();
    if before.get(kept.wrapping_sub(1)) == Some(&b',') {
        return (kept - 1, at.end);
    }
    let after = payload.get(at.end..).unwrap_or_default();
    let spaces = after.len() - after.trim_ascii_start().len();
    (at.start, at.end + if after.get(spaces) == Some(&b',') { spaces + 1 } else { 0 })
}

/// The events by which a response's stream ends; it has no `[DONE]`.
fn is_terminal(event: &[u8]) -> bool {
    let Some(name) = event.strip_prefix(b"event:") else { return false };
    let name = name.trim_ascii_start();
    [&b"response.completed"[..], b"response.incomplete", b"response.failed"].iter().any(|last| name.starts_with(last))
}

/// Where the value of the first `data` field begins.
fn data_of(event: &[u8]) -> Option<usize> {
    if event.starts_with(b"data:") {
        return Some(5);
    }
    [&b"\ndata:"[..], b"\rdata:"].iter().filter_map(|field| memmem::find(event, field)).min().map(|at| at + 6)
}

/// The end of the first whole event: after the blank line. Line ends are LF, CR LF or CR.
fn first_end(text: &[u8]) -> Option<usize> {
    memchr::memchr2_iter(b'\n', b'\r', text).find_map(|at| blank_line(text, at))
}

/// The end of the last whole event whose blank line begins at `from` or later; 0 when there is none.
fn last_end(text: &[u8], from: usize) -> usize {
    let mut end = text.len();
    while let Some(at) = memchr::memrchr2(b'\n', b'\r', text.get(from..end).unwrap_or_default()) {
        let at = from + at;
        if let Some(found) = blank_line(text, at) {
            return found;
        }
        end = at;
    }
    0
}

/// Whether the line end at `at` is followed at once by another one; the offset after both.
fn blank_line(text: &[u8], at: usize) -> Option<usize> {
    let next = match (text.get(at)?, text.get(at + 1)) {
        // The second byte of CR LF was judged with the first.
        (b'\n', _) if at > 0 && text.get(at - 1) == Some(&b'\r') => return None,
        (b'\r', Some(b'\n')) => at + 2,
        _ => at + 1,
    };
    match (text.get(next)?, text.get(next + 1)) {
        (b'\r', Some(b'\n')) => Some(next + 2),
        // Half of a CR LF whose other half is still on its way; a stream of lone CRs has one before it too.
        (b'\r', None) if text.get(at..next) != Some(b"\r") => None,
        (b'\n' | b'\r', _) => Some(next + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
