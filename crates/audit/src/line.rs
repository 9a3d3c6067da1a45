//! Reads one line of the log back, byte by byte: what is hashed must be exactly what was written.

use serde::Deserialize;

use crate::AuditEvent;
use crate::chain::FORMAT;
use crate::hash::{Anchor, HEX_BYTES, Hash};

/// What a line says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// The first line of segment `number`; the next event will be `next`.
    Header { number: u64, next: u64 },
    /// Event `sequence`.
    Event { sequence: u64 },
}

/// A line whose own hash is right. Whether it stands where it belongs is the verifier's question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    text: &'a [u8],
    pub kind: LineKind,
    /// The hash of the line before.
    pub prev: Hash,
    pub hash: Hash,
}

/// Why a line is not accepted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("the line is not an audit line: {0}")]
    Malformed(&'static str),
    #[error("the line was changed: its hash does not match its bytes")]
    Changed,
}

const TAIL: usize = br#","hash":""#.len() + HEX_BYTES + br#""}"#.len();
const LINK: usize = br#","prev":""#.len() + HEX_BYTES + br#"""#.len();

impl<'a> Line<'a> {
    /// Reads a line, given without its newline.
    ///
    /// # Errors
    /// When it does not have the form of a line, or when its hash is not of its bytes.
    pub fn parse(text: &'a [u8]) -> Result<Self, LineError> {
        let malformed = LineError::Malformed;
        let (hashed, tail) = text.split_last_chunk::<TAIL>().ok_or(malformed("it is too short"))?;
        let hash = quoted(tail, br#","hash":""#, br#""}"#).ok_or(malformed("it does not end with its hash"))?;
        let (body, link) = hashed.split_last_chunk::<LINK>().ok_or(malformed("it is too short"))?;
        let prev = quoted(link, br#","prev":""#, br#"""#).ok_or(malformed("it has no link to the line before"))?;
        if Hash::of(hashed) != hash {
            return Err(LineError::Changed);
        }
        let kind = if body.starts_with(br#"{"segment":"#) { header(body) } else { event(body) };
        Ok(Self { text, kind: kind.ok_or(malformed("its number is missing"))?, prev, hash })
    }

    /// The event's place; none for a header.
    #[must_use]
    pub const fn anchor(&self) -> Option<Anchor> {
        match self.kind {
            LineKind::Event { sequence } => Some(Anchor { sequence, hash: self.hash }),
            LineKind::Header { .. } => None,
        }
    }

    /// The whole line, without its newline.
    #[must_use]
    pub const fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The event on this line.
    ///
    /// # Errors
    /// When this is a header, or when the event was written by a newer program whose words this one does not know.
    pub fn event(&self) -> Result<AuditEvent, serde_json::Error> {
        serde_json::from_slice(self.text)
    }
}

fn quoted(part: &[u8], before: &[u8], after: &[u8]) -> Option<Hash> {
    Hash::from_hex(part.strip_prefix(before)?.strip_suffix(after)?)
}

/// `…,"seq":N`. No text inside the event can imitate it: JSON escapes the quotes.
fn event(body: &[u8]) -> Option<LineKind> {
    let digits = body.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (rest, number) = body.split_at_checked(body.len().checked_sub(digits)?)?;
    rest.strip_suffix(br#","seq":"#)?;
    Some(LineKind::Event { sequence: std::str::from_utf8(number).ok()?.parse().ok()? })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    segment: u64,
    format: u32,
    next: u64,
}

fn header(body: &[u8]) -> Option<LineKind> {
    let mut text = body.to_vec();
    text.push(b'}');
    let header: Header = serde_json::from_slice(&text).ok()?;
    (header.format == FORMAT).then_some(LineKind::Header { number: header.segment, next: header.next })
}
