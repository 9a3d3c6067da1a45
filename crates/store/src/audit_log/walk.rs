//! Reads a log oldest first and follows its chain on the way, also while it grows: for copies that must be worth as much as the log.

use std::fs::File;

use keyless_audit::verify::{Report, Verifier, Why};
use keyless_audit::{Anchor, Line, LineKind};

use super::error::AuditLogError;
use super::lines::{Forwards, RawLine};
use super::read::{AuditReader, Entry, entry};
use super::segment::Folder;
use super::start::StartReason;

/// Gives the events of a log in order. What it gave is proved to follow from where it began. Holds one line at a time.
#[derive(Debug)]
pub struct Walk {
    folder: Folder,
    verifier: Verifier,
    /// Events up to here are not given again.
    after: u64,
    segment: u64,
    /// None before a segment was opened, and whenever the end was reached.
    lines: Option<Forwards>,
    /// The verifier was told of the segment.
    begun: bool,
    /// Where the next line of the segment starts.
    offset: u64,
    line: RawLine,
}

impl AuditReader {
    /// Starts at the beginning of the log, or after an event that an earlier walk gave; that event must still be there as it was, and
    /// so must the `anchors`, where the walk comes by them.
    ///
    /// # Errors
    /// When the folder cannot be read, or the log begins after that event.
    pub fn walk(&self, after: Option<Anchor>, anchors: impl IntoIterator<Item = Anchor>) -> Result<Walk, AuditLogError> {
        let folder = self.folder().clone();
        // What is older than the start is not read, so nothing can be said of it.
        let anchors = anchors.into_iter().filter(|anchor| after.is_none_or(|after| anchor.sequence >= after.sequence)).chain(after);
        let (segment, verifier) = match after {
            None => (self.start()?.map_or(1, |start| start.segment), self.verifier(anchors)?),
            Some(after) => {
                if let Some(start) = self.start()?.filter(|start| start.after.sequence > after.sequence) {
                    let how = if start.why == StartReason::Pruned { "removed by its owner" } else { "lost" };
                    let folder = folder.path().to_owned();
                    return Err(AuditLogError::Pruned { folder, start: start.after.sequence, after: after.sequence, how });
                }
                let segment = segment_of(&folder, after.sequence)?;
                (segment, Verifier::from_segment(segment, anchors))
            }
        };
        Ok(Walk {
            folder,
            verifier,
            after: after.map_or(0, |after| after.sequence),
            segment,
            lines: None,
            begun: false,
            offset: 0,
            line: RawLine::new(),
        })
    }
}

impl Walk {
    /// The next event; none where the log ends for now. Ask again later for what is written then.
    ///
    /// # Errors
    /// [`AuditLogError::Broken`] where the log is not the one that was written; what was given before is sound.
    pub fn step(&mut self) -> Result<Option<Entry>, AuditLogError> {
        loop {
            let path = self.folder.segment(self.segment);
            // Looked for before reading: what is written to this segment afterwards is not the last of it.
            let has_next = self.folder.segment(self.segment + 1).exists();
            if self.lines.is_none() && !self.open()? {
                return Ok(None);
            }
            let lines = self.lines.as_mut().expect("it was opened above");
            let some = lines.read(&mut self.line).map_err(AuditLogError::io(&path))?;
            if some && self.line.ended {
                let checked = self.verifier.line(self.line.offset, &self.line.text);
                let kind = checked.map_err(AuditLogError::broken(self.folder.path()))?;
                self.offset = self.line.offset + self.line.text.len() as u64 + 1;
                match kind {
                    LineKind::Event { sequence } if sequence > self.after => return entry(&path, &self.line),
                    _ => continue,
                }
            }
            // An unfinished line is read again from its start.
            self.lines = None;
            if !has_next {
                return Ok(None);
            }
            if some {
                return Err(self.broken(Why::Torn));
            }
            (self.segment, self.offset, self.begun) = (self.segment + 1, 0, false);
        }
    }

    /// The log ends where the walk is, and nothing is missing that is known to have been written. To be asked when
    /// [`Walk::step`] gave none.
    ///
    /// # Errors
    /// [`AuditLogError::Broken`] when its end was cut off, or a file is missing.
    pub fn finish(&self) -> Result<Report, AuditLogError> {
        if let Some(found) = self.folder.segments()?.into_iter().find(|number| *number > self.segment + 1) {
            return Err(self.broken(Why::Segment { expected: self.segment + 1, found }));
        }
        self.verifier.clone().finish(self.offset).map_err(AuditLogError::broken(self.folder.path()))
    }

    /// Opens the current segment where the last whole line ended; false when there is none yet.
    fn open(&mut self) -> Result<bool, AuditLogError> {
        let path = self.folder.segment(self.segment);
        let file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return match self.folder.segments()?.into_iter().find(|number| *number > self.segment) {
                    Some(found) => Err(self.broken(Why::Segment { expected: self.segment, found })),
                    None => Ok(false),
                };
            }
            file => file.map_err(AuditLogError::io(&path))?,
        };
        // A file whose header was not written yet at the last look was begun then.
        if !self.begun {
            self.verifier.segment(self.segment).map_err(AuditLogError::broken(self.folder.path()))?;
            self.begun = true;
        }
        self.lines = Some(Forwards::from(file, self.offset).map_err(AuditLogError::io(&path))?);
        Ok(true)
    }

    fn broken(&self, why: Why) -> AuditLogError {
        AuditLogError::broken(self.folder.path())(self.verifier.refuse(self.offset, why))
    }
}

/// The segment in which event `sequence` stands: the last one whose header promises it or an earlier event.
fn segment_of(folder: &Folder, sequence: u64) -> Result<u64, AuditLogError> {
    let mut earliest = None;
    for number in folder.segments()?.into_iter().rev() {
        let path = folder.segment(number);
        let io = || AuditLogError::io(&path);
        let mut line = RawLine::new();
        Forwards::from(File::open(&path).map_err(io())?, 0).and_then(|mut lines| lines.read(&mut line)).map_err(io())?;
        // A last file without its header has no event yet.
        let Ok(LineKind::Header { next, .. }) = Line::parse(&line.text).map(|line| line.kind) else { continue };
        if next <= sequence {
            return Ok(number);
        }
        earliest = Some((number, next));
    }
    match earliest {
        // The files before were moved away, and the event was the last of them.
        Some((number, next)) if next == sequence + 1 => Ok(number),
        Some((number, next)) => {
            let why = Why::Removed { expected: sequence + 1, found: next };
            Err(AuditLogError::broken(folder.path())(Verifier::from_segment(number, []).refuse(0, why)))
        }
        None => Ok(1),
    }
}
