//! The request body: read as far as needed, changed in as few bytes as possible, passed on without being kept.
//!
//! Three things in it concern the gateway: `model` must be the name the model server knows, whatever the caller wrote; a stream
//! must end with its usage, or nobody could account for it; and a few members are refused. Bytes that have passed the scanner are
//! forwarded as they came, with those places cut out and replaced. A body is a JSON object, or a form where files are sent.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use http::HeaderValue;

mod facts;
mod fault;
mod form;
mod gather;
mod outgoing;
mod scan;

pub(crate) use fault::PromptFault;
pub(crate) use gather::{Until, gather};
pub(crate) use outgoing::Outgoing;

use facts::Facts;
use form::Form;
use scan::{Member, Scanner};

/// What the body must say when it reaches the model server.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) model: String,
    /// A stream must report its usage.
    pub(crate) usage: bool,
}

#[derive(Debug)]
struct Edit {
    at: Range<u64>,
    with: Bytes,
}

/// How the body is written.
#[derive(Debug)]
enum Reader {
    Object(Scanner),
    Form(Form),
}

/// Pieces below this size are put together.
const SMALL: usize = 4096;

/// A request body on its way.
#[derive(Debug)]
pub(crate) struct Prompt {
    reader: Reader,
    facts: Facts,
    wanted: Option<Wanted>,
    frames: VecDeque<Bytes>,
    /// Small pieces that came after the last of `frames`, as one.
    tail: BytesMut,
    /// The offset of the first byte in `frames`.
    base: u64,
    /// In ascending order.
    edits: VecDeque<Edit>,
    /// The gateway asked for the usage, the caller did not.
    asked_usage: bool,
    received: u64,
}

impl Prompt {
    /// A JSON object.
    pub(crate) fn object() -> Self {
        Self::read_by(Reader::Object(Scanner::new()))
    }

    /// A multipart form.
    ///
    /// # Errors
    /// When the content type announces none.
    pub(crate) fn form(content_type: Option<&HeaderValue>) -> Result<Self, PromptFault> {
        Ok(Self::read_by(Reader::Form(Form::announced_by(content_type)?)))
    }

    fn read_by(reader: Reader) -> Self {
        Self {
            reader,
            facts: Facts::default(),
            wanted: None,
            frames: VecDeque::new(),
            tail: BytesMut::new(),
            base: 0,
            edits: VecDeque::new(),
            asked_usage: false,
            received: 0,
        }
    }

    /// What the body is, for the model server.
    pub(crate) fn content_type(&self) -> HeaderValue {
        match &self.reader {
            Reader::Object(_) => HeaderValue::from_static("application/json"),
            Reader::Form(form) => form.content_type(),
        }
    }

    /// Whether most of it may be a file, which says nothing about tokens.
    pub(crate) const fn is_form(&self) -> bool {
        matches!(self.reader, Reader::Form(_))
    }

    pub(crate) const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The deployment that the body names.
    pub(crate) fn model(&self) -> Option<&str> {
        self.facts.model.as_ref().and_then(|model| model.name.as_deref())
    }

    /// Whether the usage at the end of a stream is ours, not the caller's.
    pub(crate) const fn asked_usage(&self) -> bool {
        self.asked_usage
    }

    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    /// Takes the next piece of the body.
    ///
    /// # Errors
    /// When the body must not be forwarded.
    pub(crate) fn push(&mut self, chunk: Bytes) -> Result<(), PromptFault> {
        let mut members = Vec::new();
        self.reader.feed(&chunk, &mut members)?;
        for member in members {
            self.facts.note(member)?;
            self.edit_members();
        }
        self.received += chunk.len() as u64;
        self.keep(chunk);
        if self.reader.close().is_some() {
            self.edit_end();
        }
        Ok(())
    }

    /// A body may come byte by byte: every piece for itself would take many times its size. The usual body comes as one and is not copied.
    fn keep(&mut self, chunk: Bytes) {
        if chunk.len() < SMALL && !self.frames.is_empty() {
            self.tail.extend_from_slice(&chunk);
            if self.tail.len() >= SMALL {
                self.seal();
            }
        } else {
            self.seal();
            self.frames.push_back(chunk);
        }
    }

    fn seal(&mut self) {
        if !self.tail.is_empty() {
            self.frames.push_back(self.tail.split().freeze());
        }
    }

    /// The body has ended.
    ///
    /// # Errors
    /// When it is not whole.
    pub(crate) fn finish(&self) -> Result<(), PromptFault> {
        self.reader.finish()
    }

    /// Says what the body must become. Called once, before anything is released.
    pub(crate) fn want(&mut self, wanted: Wanted) {
        self.wanted = Some(wanted);
        self.edit_members();
        if self.reader.close().is_some() {
            self.edit_end();
        }
    }

    /// Moves what is ready to be forwarded to `out`.
    pub(crate) fn release(&mut self, out: &mut VecDeque<Bytes>) {
        self.seal();
        let settled = self.reader.settled();
        while self.base < settled {
            let (cut, until) = match self.edits.front() {
                Some(edit) if edit.at.start <= self.base => (true, edit.at.end),
                Some(edit) => (false, edit.at.start.min(settled)),
                None => (false, settled),
            };
            if cut && let Some(edit) = self.edits.pop_front() {
                self.take(until - self.base, None);
                out.push_back(edit.with);
            } else {
                self.take(until - self.base, Some(out));
            }
        }
    }

    /// Removes the first `length` bytes of `frames`, into `out` or into nothing.
    fn take(&mut self, mut length: u64, mut out: Option<&mut VecDeque<Bytes>>) {
        self.base += length;
        while length > 0
            && let Some(front) = self.frames.front_mut()
        {
            let part = usize::try_from(length).unwrap_or(usize::MAX).min(front.len());
            let piece = front.split_to(part);
            if front.is_empty() {
                self.frames.pop_front();
            }
            length -= part as u64;
            if let Some(out) = out.as_deref_mut() {
                out.push_back(piece);
            }
        }
    }

    /// Plans the changes inside the object, for members that have been seen and not passed yet.
    fn edit_members(&mut self) {
        let Some(wanted) = &self.wanted else { return };
        if let Some(model) = &self.facts.model
            && model.name.as_ref() != Some(&wanted.model)
            && model.at.start >= self.base
        {
            let with = match self.reader {
                Reader::Object(_) => json(&wanted.model),
                Reader::Form(_) => Bytes::copy_from_slice(wanted.model.as_bytes()),
            };
            insert(&mut self.edits, Edit { at: model.at.clone(), with });
        }
        if let Some(options) = &self.facts.stream_options
            && wanted.usage
            && self.facts.stream
            && !self.facts.asks_usage()
            && options.at.start >= self.base
        {
            let mut members = options.members.clone().unwrap_or_default();
            members.insert("include_usage".to_owned(), true.into());
            insert(&mut self.edits, Edit { at: options.at.clone(), with: json(&members) });
            self.asked_usage = true;
        }
    }

    /// Plans what is added before the closing brace.
    fn edit_end(&mut self) {
        let (Some(wanted), Some(close)) = (&self.wanted, self.reader.close()) else { return };
        if close < self.base {
            return;
        }
        let scanner = match &self.reader {
            Reader::Object(scanner) => scanner,
            Reader::Form(form) => {
                if self.facts.model.is_none() {
                    insert(&mut self.edits, Edit { at: close..close, with: form.field("model", &wanted.model) });
                }
                return;
            }
        };
        let mut added = Vec::new();
        let mut add = |text: &[u8]| {
            if !(scanner.is_empty() && added.is_empty()) {
                added.push(b',');
            }
            added.extend_from_slice(text);
        };
        if self.facts.model.is_none() {
            add(&[b"\"model\":", json(&wanted.model).as_ref()].concat());
        }
        if wanted.usage && self.facts.stream && self.facts.stream_options.is_none() {
            add(br#""stream_options":{"include_usage":true}"#);
            self.asked_usage = true;
        }
        if !added.is_empty() {
            insert(&mut self.edits, Edit { at: close..close, with: added.into() });
        }
    }
}

impl Reader {
    fn feed(&mut self, chunk: &[u8], members: &mut Vec<Member>) -> Result<(), PromptFault> {
        match self {
            Self::Object(scanner) => scanner.feed(chunk, members),
            Self::Form(form) => form.feed(chunk, members),
        }
    }

    /// Where members can be added before the end, once that was seen.
    const fn close(&self) -> Option<u64> {
        match self {
            Self::Object(scanner) => scanner.close(),
            Self::Form(form) => form.close(),
        }
    }

    const fn settled(&self) -> u64 {
        match self {
            Self::Object(scanner) => scanner.settled(),
            Self::Form(form) => form.settled(),
        }
    }

    fn finish(&self) -> Result<(), PromptFault> {
        match self {
            Self::Object(scanner) => scanner.finish(),
            Self::Form(form) => form.finish(),
        }
    }
}

/// Inserts in order; an edit that is planned already stays as it is.
fn insert(edits: &mut VecDeque<Edit>, edit: Edit) {
    let index = edits.partition_point(|planned| planned.at.start < edit.at.start);
    if edits.get(index).is_none_or(|planned| planned.at != edit.at) {
        edits.insert(index, edit);
    }
}

fn json(value: &impl serde::Serialize) -> Bytes {
    serde_json::to_vec(value).expect("strings and maps with string keys always serialise").into()
}

#[cfg(test)]
mod tests;
