//! Reads a multipart form (RFC 7578) as its bytes pass, in any number of pieces, and reports the fields it watches for: `model`, `stream`, `n`.
//!
//! Files pass unread. SECURITY: whatever two parsers could read differently - line ends without CR, a delimiter inside a line, escapes or
//! a bare word in a part's name, a watched field twice or as a file - is refused, because the server behind us would then act on another
//! `model` than the one that was authorised.

use bytes::Bytes;
use http::HeaderValue;
use memchr::memmem;

use super::fault::PromptFault;
use super::scan::{Member, Name};

/// The longest head of a part: a name, a file name, a type.
const MAX_HEAD: usize = 8 * 1024;
/// The longest value of a watched field.
const MAX_VALUE: usize = 4096;

/// Where in the form the bytes have got to.
#[derive(Debug)]
pub(crate) struct Form {
    boundary: String,
    /// `--` and the boundary.
    delimiter: Vec<u8>,
    /// Read and not passed yet: at most a head, a watched value or what may be the beginning of a delimiter.
    held: Vec<u8>,
    /// The offset of the first byte of `held`.
    at: u64,
    place: Place,
    seen: Vec<Name>,
    close: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Head,
    Value(Option<Name>),
    End,
}

impl Form {
    /// The form that a `Content-Type` announces.
    ///
    /// # Errors
    /// When it announces none, or not in a way that everybody reads alike.
    pub(crate) fn announced_by(content_type: Option<&HeaderValue>) -> Result<Self, PromptFault> {
        let text = content_type.and_then(|value| value.to_str().ok()).ok_or(PromptFault::NotForm)?;
        let mut parameters = text.split(';').map(str::trim);
        if !parameters.next().is_some_and(|media| media.eq_ignore_ascii_case("multipart/form-data")) {
            return Err(PromptFault::NotForm);
        }
        let mut boundaries = parameters.filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.eq_ignore_ascii_case("boundary").then_some(value)
        });
        let (Some(boundary), None) = (boundaries.next(), boundaries.next()) else { return Err(PromptFault::NotForm) };
        let boundary = boundary.strip_prefix('"').and_then(|quoted| quoted.strip_suffix('"')).unwrap_or(boundary);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte);
        if boundary.is_empty() || boundary.len() > 70 || !boundary.bytes().all(plain) {
            return Err(PromptFault::NotForm);
        }
        Ok(Self {
            boundary: boundary.to_owned(),
            delimiter: format!("--{boundary}").into_bytes(),
            held: Vec::new(),
            at: 0,
            place: Place::Start,
            seen: Vec::new(),
            close: None,
        })
    }

    /// How the form is announced to the model server.
    pub(crate) fn content_type(&self) -> HeaderValue {
        let text = format!("multipart/form-data; boundary=\"{}\"", self.boundary);
        HeaderValue::from_str(&text).expect("a boundary is made of plain characters")
    }

    /// A field, to be put where a delimiter begins.
    pub(crate) fn field(&self, name: &str, value: &str) -> Bytes {
        format!("--{}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n", self.boundary).into()
    }

    /// The offset of the delimiter that ends the form, once it was seen.
    pub(crate) const fn close(&self) -> Option<u64> {
        self.close
    }

    /// Bytes before this offset can no longer be affected by what comes.
    pub(crate) const fn settled(&self) -> u64 {
        match self.place {
            Place::End => self.at + self.held.len() as u64,
            _ => self.at,
        }
    }

    /// Reads on. Complete watched fields are appended to `members`, their values as JSON.
    ///
    /// # Errors
    /// When the bytes are no form, or a field is ambiguous.
    pub(crate) fn feed(&mut self, chunk: &[u8], members: &mut Vec<Member>) -> Result<(), PromptFault> {
        self.held.extend_from_slice(chunk);
        let mut from = 0;
        while let Some(passed) = self.step(from, members)? {
            from += passed;
        }
        self.held.drain(..from);
        Ok(())
    }

    /// The form has ended.
    ///
    /// # Errors
    /// When it is not whole.
    pub(crate) fn finish(&self) -> Result<(), PromptFault> {
        if self.place == Place::End { Ok(()) } else { Err(self.malformed()) }
    }

    /// Reads one thing from `held`, beginning at `from`; how many bytes it was, or none when more must come first.
    fn step(&mut self, from: usize, members: &mut Vec<Member>) -> Result<Option<usize>, PromptFault> {
        let held = self.held.get(from..).unwrap_or_default();
        let passed = match self.place {
            Place::Start => {
                let begins = held.len().min(self.delimiter.len());
                if held.get(..begins) != self.delimiter.get(..begins) {
                    return Err(self.malformed());
                }
                self.delimited(from, 0)?
            }
            Place::Head => match memmem::find(held, b"\r\n\r\n") {
                Some(end) => {
                    let part = part_of(held.get(..end).unwrap_or_default()).ok_or_else(|| self.malformed())?;
                    let watched = watched(&part, &self.seen)?;
                    self.seen.extend(watched);
                    self.place = Place::Value(watched);
                    Some(end + 4)
                }
                None if held.len() > MAX_HEAD => return Err(self.malformed()),
                None => None,
            },
            Place::Value(watched) => match memmem::find(held, &self.delimiter) {
                Some(end) => {
                    let Some(value) = held.get(..end).and_then(|value| value.strip_suffix(b"\r\n")) else { return Err(self.malformed()) };
                    let member = watched.map(|name| member(name, self.at, value)).transpose()?;
                    let passed = self.delimited(from, end)?;
                    if passed.is_some() {
                        members.extend(member);
                    }
                    passed
                }
                None if watched.is_some() && held.len() > MAX_VALUE => return Err(PromptFault::TooLong("a form field")),
                None if watched.is_some() => None,
                // What may be the beginning of a line end and a delimiter stays.
                None => held.len().checked_sub(self.delimiter.len() + 1).filter(|passed| *passed > 0),
            },
            Place::End if matches!(held, b"" | b"\r" | b"\r\n") => None,
            Place::End => return Err(self.malformed()),
        };
        self.at += passed.unwrap_or(0) as u64;
        Ok(passed)
    }

    /// Passes the delimiter at `end`, counted from `from`, once it is known whether it is the last.
    fn delimited(&mut self, from: usize, end: usize) -> Result<Option<usize>, PromptFault> {
        let after = end + self.delimiter.len();
        match self.held.get(from + after..from + after + 2) {
            None => Ok(None),
            Some(b"\r\n") => {
                self.place = Place::Head;
                Ok(Some(after + 2))
            }
            Some(b"--") => {
                self.close = Some(self.at + end as u64);
                self.place = Place::End;
                Ok(Some(after + 2))
            }
            Some(_) => Err(self.malformed()),
        }
    }

    const fn malformed(&self) -> PromptFault {
        PromptFault::BrokenForm { at: self.at }
    }
}

/// The field that a part is, if it means something to the gateway.
fn watched(part: &Part<'_>, seen: &[Name]) -> Result<Option<Name>, PromptFault> {
    let name = Name::of(part.name)?.filter(|name| matches!(name, Name::Model | Name::Stream | Name::Choices));
    let Some(name) = name else { return Ok(None) };
    if seen.contains(&name) {
        return Err(PromptFault::Twice(name.as_str()));
    }
    if part.plain { Ok(Some(name)) } else { Err(PromptFault::Type(name.as_str())) }
}

fn member(name: Name, at: u64, value: &[u8]) -> Result<Member, PromptFault> {
    let text = std::str::from_utf8(value).map_err(|_| PromptFault::Type(name.as_str()))?;
    let json = if name == Name::Model { serde_json::Value::from(text).to_string() } else { text.to_owned() };
    Ok(Member { name, at: at..at + value.len() as u64, value: json.into_bytes() })
}

/// What the head of a part says.
struct Part<'a> {
    name: &'a [u8],
    /// A field and no file, in no encoding.
    plain: bool,
}

/// The name in the single `Content-Disposition: form-data; name="…"`; none when there is no such, or it could be read in two ways.
fn part_of(head: &[u8]) -> Option<Part<'_>> {
    let head = std::str::from_utf8(head).ok()?;
    let (mut disposition, mut plain) = (None, true);
    for line in head.split("\r\n") {
        // Also a folded line and a bare CR or LF.
        if line.starts_with([' ', '\t']) || line.contains(['\r', '\n', '\0']) {
            return None;
        }
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-disposition") {
            if disposition.replace(value.trim()).is_some() {
                return None;
            }
        } else if !name.eq_ignore_ascii_case("content-type") && !name.eq_ignore_ascii_case("content-length") {
            plain = false;
        }
    }
    let mut rest = disposition?.strip_prefix("form-data")?;
    let mut name = None;
    while !rest.is_empty() {
        let (key, value) = rest.strip_prefix(';')?.trim_start().split_once('=')?;
        let value = match value.strip_prefix('"') {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"')?;
                rest = after.trim_start();
                value
            }
            None => {
                let end = value.find(';').unwrap_or(value.len());
                rest = value.get(end..)?;
                // RFC 5987's form, which has no quotes, is for file names only.
                (key.eq_ignore_ascii_case("filename*")).then(|| value.get(..end)).flatten()?
            }
        };
        if value.contains('\\') {
            return None;
        }
        if key == "name" {
            if name.replace(value).is_some() {
                return None;
            }
        } else if key == "filename" || key == "filename*" {
            plain = false;
        } else {
            return None;
        }
    }
    Some(Part { name: name?.as_bytes(), plain })
}

#[cfg(test)]
mod tests;
