//! Appends lines to the current segment. One at a time: the owner holds a lock.

use std::fmt;
use std::fs::File;
use std::io;
use std::sync::Arc;

use keyless_audit::{AuditUnavailable, Chain, MOST_KEPT, Prepared};

use super::medium::Medium;
use super::recover::Tail;
use super::segment::Folder;

/// Makes the medium of a freshly opened file.
pub(super) type Wrap = Box<dyn Fn(File) -> Arc<dyn Medium> + Send + Sync>;

/// Whether lines can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    Good,
    /// A write failed and was undone; the next one may succeed.
    Full(String),
    /// The disk did not confirm a write. What it holds is not known, so nothing more is written until a restart has looked.
    Lost(String),
}

/// Kept events that are written with one write.
const KEPT_AT_ONCE: usize = 256;

pub(super) struct Writer {
    folder: Folder,
    wrap: Wrap,
    medium: Arc<dyn Medium>,
    segment: u64,
    /// The length of the good part of the segment.
    offset: u64,
    segment_bytes: u64,
    chain: Chain,
    buffer: Vec<u8>,
    health: Health,
    /// What has happened and could not be written yet. INVARIANT: empty while lines can be written.
    kept: Vec<Prepared>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("segment", &self.segment)
            .field("offset", &self.offset)
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// Goes on where the log ends; writes the header of a segment that has none.
    pub(super) fn start(folder: Folder, tail: Tail, segment_bytes: u64, wrap: Wrap) -> io::Result<Self> {
        let Tail { file, segment, offset, chain, cut: _ } = tail;
        let medium = wrap(file);
        let (buffer, health, kept) = (Vec::with_capacity(2048), Health::Good, Vec::new());
        let mut writer = Self { folder, wrap, medium, segment, offset, segment_bytes, chain, buffer, health, kept };
        if offset == 0 {
            let medium = Arc::clone(&writer.medium);
            writer.chain = writer.write_header(&*medium, segment)?;
            writer.offset = writer.buffer.len() as u64;
        }
        // What an earlier process wrote may not be on disk yet.
        writer.medium.sync()?;
        Ok(writer)
    }

    pub(super) const fn chain(&self) -> &Chain {
        &self.chain
    }

    pub(super) const fn health(&self) -> &Health {
        &self.health
    }

    pub(super) const fn medium(&self) -> &Arc<dyn Medium> {
        &self.medium
    }

    /// Nothing is written from here on.
    pub(super) fn lose(&mut self, why: &io::Error) {
        self.health = Health::Lost(why.to_string());
    }

    /// Writes events, with one write for all. On an error the log is as before, and [`Writer::health`] says what to expect.
    pub(super) fn append(&mut self, events: &mut [Prepared]) -> Result<(), AuditUnavailable> {
        let result = self.make_room().and_then(|()| self.write(events));
        result.map_err(|failed| match failed {
            Failed::Lost(reason) => AuditUnavailable { reason },
            Failed::Write(error) => {
                // Half a line must not stay. When even this fails, it is tried again before the next write.
                _ = self.medium.set_length(self.offset);
                let reason = error.to_string();
                self.health = Health::Full(reason.clone());
                AuditUnavailable { reason }
            }
        })
    }

    /// How many events are kept.
    pub(super) const fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Why nothing can be written, when that is so.
    pub(super) fn unwritable(&self) -> Result<(), AuditUnavailable> {
        match &self.health {
            Health::Good => Ok(()),
            Health::Full(reason) | Health::Lost(reason) => Err(AuditUnavailable { reason: reason.clone() }),
        }
    }

    /// Keeps an event until [`Writer::resume`]. False when it cannot be: there are too many, or nothing is written before a restart.
    pub(super) fn keep(&mut self, event: Prepared) -> bool {
        let keeps = self.kept.len() < MOST_KEPT && !matches!(self.health, Health::Lost(_));
        if keeps {
            self.kept.push(event);
        }
        keeps
    }

    /// Writes `first` and everything that was kept. An attempt that fails costs little, however much is kept.
    pub(super) fn resume(&mut self, first: Prepared) -> Result<(), AuditUnavailable> {
        self.append(&mut [first])?;
        while !self.kept.is_empty() {
            let rest = self.kept.split_off(self.kept.len().min(KEPT_AT_ONCE));
            let mut events = std::mem::replace(&mut self.kept, rest);
            if let Err(error) = self.append(&mut events) {
                events.append(&mut self.kept);
                self.kept = events;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Undoes what a failed write left, and starts the next segment when this one is full.
    fn make_room(&mut self) -> Result<(), Failed> {
        match &self.health {
            Health::Good => {}
            Health::Full(_) => self.medium.set_length(self.offset)?,
            Health::Lost(reason) => return Err(Failed::Lost(reason.clone())),
        }
        if self.offset < self.segment_bytes {
            return Ok(());
        }
        // What is in the old file must be on disk before anything links to it.
        if let Err(error) = self.medium.sync() {
            self.lose(&error);
            return Err(Failed::Lost(error.to_string()));
        }
        let next = (self.wrap)(self.folder.open(self.segment + 1)?);
        // An earlier attempt may have left a part of a header.
        next.set_length(0)?;
        let chain = self.write_header(&*next, self.segment + 1)?;
        (self.medium, self.segment, self.offset, self.chain) = (next, self.segment + 1, self.buffer.len() as u64, chain);
        Ok(())
    }

    fn write(&mut self, events: &mut [Prepared]) -> Result<(), Failed> {
        let mut chain = self.chain;
        self.buffer.clear();
        for event in events {
            chain.bind(event);
            self.buffer.extend_from_slice(event.line());
        }
        self.medium.write_at(&self.buffer, self.offset)?;
        self.offset += self.buffer.len() as u64;
        self.chain = chain;
        self.health = Health::Good;
        Ok(())
    }

    fn write_header(&mut self, medium: &dyn Medium, segment: u64) -> io::Result<Chain> {
        let mut chain = self.chain;
        self.buffer.clear();
        chain.header(segment, &mut self.buffer);
        medium.write_at(&self.buffer, 0)?;
        Ok(chain)
    }
}

enum Failed {
    /// The disk refused; it may accept later.
    Write(io::Error),
    Lost(String),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}
