//! Reads the top level of a JSON object as its bytes pass, in any number of pieces, and reports the members it watches for.
//!
//! It does not build a document and does not judge values of other members; the model server does. It refuses what two parsers
//! could read differently - a watched name twice, in another case, or spelled with escapes or in letters that fold to ASCII - because the server behind us would
//! then act on another `model` than the one that was authorised.

use std::ops::Range;

use memchr::{memchr2, memchr2_iter};

use super::fault::PromptFault;

/// The deepest nesting passed on (case 27); no interface needs a tenth of it.
const MAX_DEPTH: u32 = 256;
/// The longest value of a watched member; the longest deployment name is 64 bytes.
const MAX_VALUE: usize = 4096;
/// Longer names are none of ours.
const MAX_NAME: usize = 64;

macro_rules! members {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// A top-level member that means something to the gateway.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Name { $($variant),* }

        impl Name {
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            pub(super) fn of(name: &[u8]) -> Result<Option<Self>, PromptFault> {
                $(if name.eq_ignore_ascii_case($name.as_bytes()) {
                    // SECURITY: some servers (Go's standard JSON) match names without case, and take the last.
                    return if name == $name.as_bytes() { Ok(Some(Self::$variant)) } else { Err(PromptFault::Spelling($name)) };
                })*
                Ok(None)
            }
        }
    };
}

members! {
    Model "model",
    Stream "stream",
    StreamOptions "stream_options",
    MaxTokens "max_tokens",
    MaxCompletionTokens "max_completion_tokens",
    MaxOutputTokens "max_output_tokens",
    Choices "n",
    BestOf "best_of",
    EncodingFormat "encoding_format",
    PreviousResponse "previous_response_id",
    Conversation "conversation",
    Background "background",
    DataSources "data_sources",
}

impl Name {
    /// Members that would reach what other callers stored, or need a right that was not asked for: only `null` and `false` pass.
    const fn is_refused(self) -> bool {
        matches!(self, Self::PreviousResponse | Self::Conversation | Self::Background | Self::DataSources)
    }
}

/// A watched member: the bytes of its value and where they are in the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: Name,
    pub(crate) at: Range<u64>,
    pub(crate) value: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    NameOrEnd,
    NextName,
    InName,
    Colon,
    Value,
    Text { escaped: bool },
    Deep,
    DeepText { escaped: bool },
    Bare,
    CommaOrEnd,
    After,
}

/// Where in the object the bytes have got to.
#[derive(Debug)]
pub(crate) struct Scanner {
    at: u64,
    place: Place,
    depth: u32,
    seen: u32,
    name: Vec<u8>,
    watched: Option<Name>,
    value_at: u64,
    value: Vec<u8>,
    empty: bool,
    close: Option<u64>,
}

impl Scanner {
    pub(crate) fn new() -> Self {
        Self {
            at: 0,
            place: Place::Before,
            depth: 0,
            seen: 0,
            name: Vec::new(),
            watched: None,
            value_at: 0,
            value: Vec::new(),
            empty: true,
            close: None,
        }
    }

    /// The offset of the brace that ends the object, once it was seen.
    pub(crate) const fn close(&self) -> Option<u64> {
        self.close
    }

    /// Whether the object has no member at all.
    pub(crate) const fn is_empty(&self) -> bool {
        self.empty
    }

    /// Bytes before this offset can no longer be affected by what comes.
    pub(crate) const fn settled(&self) -> u64 {
        match (self.watched, self.place) {
            (Some(_), Place::Text { .. } | Place::Deep | Place::DeepText { .. } | Place::Bare) => self.value_at,
            _ => self.at,
        }
    }

    /// Reads on. Complete watched members are appended to `members`.
    ///
    /// # Errors
    /// When the bytes are no JSON object, or a watched member is ambiguous or refused.
    pub(crate) fn feed(&mut self, chunk: &[u8], members: &mut Vec<Member>) -> Result<(), PromptFault> {
        let base = self.at;
        let mut i = 0;
        // Where in this chunk the watched value under way begins or goes on.
        let mut capture = 0;
        while let Some(&byte) = chunk.get(i) {
            self.at = base + i as u64;
            let malformed = PromptFault::NotJson { at: self.at };
            match self.place {
                Place::InName => {
                    let rest = chunk.get(i..).unwrap_or_default();
                    let end = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                    let part = rest.get(..end).unwrap_or_default();
                    // SECURITY: Go folds by Unicode - the long s is an `s` there, the Kelvin sign a `k` - and would take for a watched
                    // member what is none to us.
                    if !part.iter().all(|byte| (0x20..0x80).contains(byte)) {
                        return Err(PromptFault::NameBytes);
                    }
                    self.grow_name(part);
                    i += end;
                    match rest.get(end) {
                        Some(b'"') => self.end_name()?,
                        Some(_) => return Err(PromptFault::NameBytes),
                        None => continue,
                    }
                }
                Place::Text { escaped } => match skip_text(chunk, &mut i, escaped) {
                    Some(true) => self.end_value(chunk, capture, i + 1, base, members)?,
                    Some(false) => self.place = Place::Text { escaped: true },
                    None => self.place = Place::Text { escaped: false },
                },
                Place::DeepText { escaped } => match skip_text(chunk, &mut i, escaped) {
                    Some(true) => self.place = Place::Deep,
                    Some(false) => self.place = Place::DeepText { escaped: true },
                    None => self.place = Place::DeepText { escaped: false },
                },
                Place::Deep => match byte {
                    b'"' => self.place = Place::DeepText { escaped: false },
                    b'{' | b'[' if self.depth >= MAX_DEPTH => return Err(PromptFault::TooDeep),
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => {
                        self.depth -= 1;
                        if self.depth == 0 {
                            self.end_value(chunk, capture, i + 1, base, members)?;
                        }
                    }
                    byte if is_space(byte) || is_bare(byte) || matches!(byte, b',' | b':') => {}
                    _ => return Err(malformed),
                },
                Place::Bare if is_bare(byte) => {}
                Place::Bare => {
                    self.end_value(chunk, capture, i, base, members)?;
                    continue;
                }
                _ if is_space(byte) => {}
                Place::Value => {
                    capture = i;
                    self.begin_value(byte)?;
                }
                place => self.punctuate(place, byte)?,
            }
            i += 1;
        }
        self.at = base + chunk.len() as u64;
        if self.settled() < self.at {
            let from = if self.value_at >= base { capture } else { 0 };
            self.capture(chunk.get(from..).unwrap_or_default())?;
        }
        Ok(())
    }

    /// # Errors
    /// When the object has not ended.
    pub(crate) fn finish(&self) -> Result<(), PromptFault> {
        if self.place == Place::After { Ok(()) } else { Err(PromptFault::NotJson { at: self.at }) }
    }

    fn punctuate(&mut self, place: Place, byte: u8) -> Result<(), PromptFault> {
        self.place = match (place, byte) {
            (Place::Before, b'{') => Place::NameOrEnd,
            (Place::NameOrEnd | Place::NextName, b'"') => Place::InName,
            (Place::Colon, b':') => Place::Value,
            (Place::CommaOrEnd, b',') => Place::NextName,
            (Place::NameOrEnd | Place::CommaOrEnd, b'}') => {
                self.close = Some(self.at);
                Place::After
            }
            _ => return Err(PromptFault::NotJson { at: self.at }),
        };
        Ok(())
    }

    fn grow_name(&mut self, part: &[u8]) {
        // One byte more than the longest, so that a longer name never looks like a watched one.
        let room = (MAX_NAME + 1).saturating_sub(self.name.len());
        self.name.extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
    }

    fn end_name(&mut self) -> Result<(), PromptFault> {
        self.watched = Name::of(&self.name)?;
        self.name.clear();
        self.empty = false;
        if let Some(name) = self.watched {
            let bit = 1 << name as u32;
            if self.seen & bit != 0 {
                return Err(PromptFault::Twice(name.as_str()));
            }
            self.seen |= bit;
        }
        self.place = Place::Colon;
        Ok(())
    }

    fn begin_value(&mut self, byte: u8) -> Result<(), PromptFault> {
        if let Some(name) = self.watched
            && name.is_refused()
            && !matches!(byte, b'n' | b'f')
        {
            return Err(PromptFault::NotServed(name.as_str()));
        }
        self.value_at = self.at;
        self.value.clear();
        self.place = match byte {
            b'"' => Place::Text { escaped: false },
            b'{' | b'[' => {
                self.depth = 1;
                Place::Deep
            }
            byte if is_bare(byte) => Place::Bare,
            _ => return Err(PromptFault::NotJson { at: self.at }),
        };
        Ok(())
    }

    /// The value ends before `end`, counted in this chunk.
    fn end_value(&mut self, chunk: &[u8], capture: usize, end: usize, base: u64, members: &mut Vec<Member>) -> Result<(), PromptFault> {
        if let Some(name) = self.watched {
            let from = if self.value_at >= base { capture } else { 0 };
            self.capture(chunk.get(from..end).unwrap_or_default())?;
            self.watched = None;
            members.push(Member { name, at: self.value_at..base + end as u64, value: std::mem::take(&mut self.value) });
        }
        self.place = Place::CommaOrEnd;
        Ok(())
    }

    fn capture(&mut self, part: &[u8]) -> Result<(), PromptFault> {
        if self.value.len() + part.len() > MAX_VALUE {
            return Err(PromptFault::TooLong(self.watched.map_or("", Name::as_str)));
        }
        self.value.extend_from_slice(part);
        Ok(())
    }
}

/// Moves `i` to the byte that ends the string (`Some(true)`), to an escape's backslash at the very end of the chunk
/// (`Some(false)`), or to the end of the chunk (`None`). `escaped`: the first byte is an escape's second.
fn skip_text(chunk: &[u8], i: &mut usize, escaped: bool) -> Option<bool> {
    let start = *i + usize::from(escaped);
    let last = chunk.len().saturating_sub(1);
    let mut skip = None;
    for found in memchr2_iter(b'"', b'\\', chunk.get(start..).unwrap_or_default()) {
        let found = start + found;
        if skip == Some(found) {
            continue;
        }
        *i = found;
        if chunk.get(found) == Some(&b'"') {
            return Some(true);
        }
        if found == last {
            return Some(false);
        }
        skip = Some(found + 1);
    }
    *i = last;
    None
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// What numbers, `true`, `false` and `null` are made of. SECURITY: nothing else may stand outside a string; a lenient parser's
/// comment would otherwise hide a member from us.
const fn is_bare(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.')
}
