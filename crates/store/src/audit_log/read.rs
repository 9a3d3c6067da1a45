//! Reads a log, also while another process writes it: `keyless audit tail`, `query` and `verify`.

use std::fs::File;
use std::path::{Path, PathBuf};

use keyless_audit::verify::{Report, Verifier, Why};
use keyless_audit::{Anchor, AuditEvent, Hash, Line, LineError, LineKind, readable};

use super::error::AuditLogError;
use super::filter::Filter;
use super::lines::{Backwards, Forwards, RawLine};
use super::segment::Folder;
use super::start::{Start, StartKey};

/// One event of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub sequence: u64,
    pub hash: Hash,
    pub event: AuditEvent,
    /// The whole line as it stands in the file, without its newline: one JSON object.
    pub line: String,
}

/// In which order to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    OldestFirst,
    NewestFirst,
}

/// A log as its readers see it. Takes no lock and needs no running system.
#[derive(Debug, Clone)]
pub struct AuditReader {
    folder: Folder,
}

impl AuditReader {
    /// # Errors
    /// When there is no such folder.
    pub fn open(folder: &Path) -> Result<Self, AuditLogError> {
        let folder = Folder::new(folder);
        folder.all_segments()?;
        Ok(Self { folder })
    }

    pub(super) const fn of(folder: Folder) -> Self {
        Self { folder }
    }

    /// Checks who made the record of a log that does not begin at its first event.
    #[must_use]
    pub fn with_key(self, key: StartKey) -> Self {
        Self { folder: self.folder.with_key(&key) }
    }

    pub(super) const fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The events that pass the filter. A line that was changed is an error in its place; the lines after it follow. Whether lines
    /// are missing is not asked here: see [`AuditReader::verify`].
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn events(
        &self,
        order: Order,
        filter: Filter,
    ) -> Result<impl Iterator<Item = Result<Entry, AuditLogError>> + use<>, AuditLogError> {
        let mut segments = self.folder.segments()?;
        if order == Order::OldestFirst {
            // Taken from the end.
            segments.reverse();
        }
        let lines = Lines { folder: self.folder.clone(), order, segments, current: None };
        Ok(lines.filter_map(move |line| match line.and_then(|(path, line)| entry(&path, &line)) {
            Ok(Some(entry)) => filter.matches(&entry.event).then_some(Ok(entry)),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }))
    }

    /// Verifies every line of every segment. `anchors` are events known to have been written (the store keeps one).
    ///
    /// # Errors
    /// [`AuditLogError::Broken`] where the log is not the one that was written.
    pub fn verify(&self, anchors: impl IntoIterator<Item = Anchor>) -> Result<Report, AuditLogError> {
        let mut verifier = self.verifier(anchors)?;
        let broken = || AuditLogError::broken(self.folder.path());
        let mut line = RawLine::new();
        let mut end = 0;
        let segments = self.folder.segments()?;
        for &number in &segments {
            verifier.segment(number).map_err(broken())?;
            let path = self.folder.segment(number);
            let io = || AuditLogError::io(&path);
            let mut lines = Forwards::from(File::open(&path).map_err(io())?, 0).map_err(io())?;
            end = 0;
            while lines.read(&mut line).map_err(io())? {
                if !line.ended {
                    // A writer may be in the middle of this very line; a torn line in a log that nobody writes is a torn line.
                    let being_written = Some(&number) == segments.last() && self.folder.is_being_written();
                    if !being_written {
                        return Err(broken()(verifier.refuse(line.offset, Why::Torn)));
                    }
                    break;
                }
                verifier.line(line.offset, &line.text).map_err(broken())?;
                end = line.offset + line.text.len() as u64 + 1;
            }
        }
        verifier.finish(end).map_err(broken())
    }

    /// A verifier at the beginning of the log, be it the first event or where a start record says.
    pub(super) fn verifier(&self, anchors: impl IntoIterator<Item = Anchor>) -> Result<Verifier, AuditLogError> {
        Ok(match self.start()? {
            Some(start) => Verifier::from_start(start.segment, start.after, anchors),
            None => Verifier::new(anchors),
        })
    }

    /// Where the log begins, when that is not its first event.
    ///
    /// # Errors
    /// When that cannot be read, or was not made by the owner of the key that this reader was given.
    pub fn start(&self) -> Result<Option<Start>, AuditLogError> {
        self.folder.start()
    }

    /// Starts at the end, for [`Follower::poll`].
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn follow(&self) -> Result<Follower, AuditLogError> {
        let segment = self.folder.segments()?.last().copied().unwrap_or(1);
        let offset = match File::open(self.folder.segment(segment)).map(Backwards::new) {
            Ok(lines) => lines.and_then(|mut lines| lines.read()).map_err(AuditLogError::io(self.folder.path()))?,
            Err(_) => None,
        };
        let offset = offset.map_or(0, |line| line.offset + line.text.len() as u64 + 1);
        Ok(Follower { folder: self.folder.clone(), segment, offset })
    }

    /// The anchored event is in the log, as it was written. Reads backwards from the end to it.
    pub(super) fn check(&self, anchor: Anchor) -> Result<(), AuditLogError> {
        let (broken, mut head) = (AuditLogError::broken(self.folder.path()), None);
        let last = self.folder.segments()?.last().copied().unwrap_or(1);
        let at = |why| Verifier::after(last, keyless_audit::Chain::new()).refuse(0, why);
        for line in Lines::newest_first(&self.folder)? {
            let (path, line) = line?;
            let Some(found) = parse(&path, &line)?.anchor() else { continue };
            let head = *head.get_or_insert(found);
            match found.sequence.cmp(&anchor.sequence) {
                std::cmp::Ordering::Greater => {}
                std::cmp::Ordering::Equal if found.hash == anchor.hash => return Ok(()),
                std::cmp::Ordering::Equal => return Err(broken(at(Why::Replaced { anchor }))),
                std::cmp::Ordering::Less if head == found => return Err(broken(at(Why::Truncated { head, anchor }))),
                std::cmp::Ordering::Less => return Err(broken(at(Why::Removed { expected: anchor.sequence, found: found.sequence }))),
            }
        }
        // The owner removed it, or went on without it.
        if let Some(start) = self.start()?
            && (start.after.sequence > anchor.sequence || start.after == anchor)
        {
            return Ok(());
        }
        let head = head.unwrap_or(keyless_audit::Chain::new().last());
        Err(broken(at(Why::Truncated { head, anchor })))
    }
}

/// Gives events as they are written.
#[derive(Debug)]
pub struct Follower {
    folder: Folder,
    segment: u64,
    offset: u64,
}

impl Follower {
    /// The events written since the last call. Call it as often as the reader wants to see something; it never waits.
    ///
    /// # Errors
    /// When the log cannot be read, or a line was changed.
    pub fn poll(&mut self) -> Result<Vec<Entry>, AuditLogError> {
        let mut entries = Vec::new();
        loop {
            let path = self.folder.segment(self.segment);
            // Looked for before reading: what is written to this segment afterwards is not the last of it.
            let has_next = self.folder.segment(self.segment + 1).exists();
            if let Ok(file) = File::open(&path) {
                let mut lines = Forwards::from(file, self.offset).map_err(AuditLogError::io(&path))?;
                let mut line = RawLine::new();
                while lines.read(&mut line).map_err(AuditLogError::io(&path))? && line.ended {
                    self.offset = line.offset + line.text.len() as u64 + 1;
                    entries.extend(entry(&path, &line)?);
                }
            }
            if !has_next {
                return Ok(entries);
            }
            (self.segment, self.offset) = (self.segment + 1, 0);
        }
    }
}

/// Lines of all segments in one order. Unfinished lines are left out.
pub(super) struct Lines {
    folder: Folder,
    order: Order,
    /// Still to read; the next one is the last.
    segments: Vec<u64>,
    current: Option<(PathBuf, Direction)>,
}

enum Direction {
    Forwards(Forwards),
    Backwards(Backwards),
}

impl Lines {
    /// From the end of the log.
    pub(super) fn newest_first(folder: &Folder) -> Result<Self, AuditLogError> {
        Ok(Self { folder: folder.clone(), order: Order::NewestFirst, segments: folder.segments()?, current: None })
    }

    /// From the end of segment `last`.
    pub(super) fn back_from(folder: &Folder, last: u64) -> Result<Self, AuditLogError> {
        let mut lines = Self::newest_first(folder)?;
        lines.segments.retain(|number| *number <= last);
        Ok(lines)
    }

    fn advance(&mut self) -> Result<Option<(PathBuf, RawLine)>, AuditLogError> {
        loop {
            if let Some((path, direction)) = &mut self.current {
                let line = match direction {
                    Direction::Backwards(lines) => lines.read(),
                    Direction::Forwards(lines) => {
                        let mut line = RawLine::new();
                        lines.read(&mut line).map(|some| (some && line.ended).then_some(line))
                    }
                };
                if let Some(line) = line.map_err(AuditLogError::io(path))? {
                    return Ok(Some((path.clone(), line)));
                }
            }
            let Some(number) = self.segments.pop() else { return Ok(None) };
            let path = self.folder.segment(number);
            let direction = File::open(&path).and_then(|file| match self.order {
                Order::NewestFirst => Backwards::new(file).map(Direction::Backwards),
                Order::OldestFirst => Forwards::from(file, 0).map(Direction::Forwards),
            });
            let direction = direction.map_err(AuditLogError::io(&path))?;
            self.current = Some((path, direction));
        }
    }
}

impl Iterator for Lines {
    type Item = Result<(PathBuf, RawLine), AuditLogError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.advance();
        if line.is_err() {
            // A file that cannot be read ends the walk, or it would end never.
            (self.current, self.segments) = (None, Vec::new());
        }
        line.transpose()
    }
}

pub(super) fn parse<'a>(path: &Path, line: &'a RawLine) -> Result<Line<'a>, AuditLogError> {
    Line::parse(&line.text).map_err(|why| unfit(path, line, why))
}

fn unfit(path: &Path, line: &RawLine, why: LineError) -> AuditLogError {
    let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok()).unwrap_or_default();
    let verifier = Verifier::after(number, keyless_audit::Chain::new());
    AuditLogError::broken(path.parent().unwrap_or(path))(verifier.refuse(line.offset, why.into()))
}

/// The event on a line, or what can be said of one that this program cannot read; none on a header.
pub(super) fn entry(path: &Path, line: &RawLine) -> Result<Option<Entry>, AuditLogError> {
    let parsed = parse(path, line)?;
    let LineKind::Event { sequence } = parsed.kind else { return Ok(None) };
    // Number and hash are sound, so the line stays in its place; what follows it must not be lost for its sake.
    let event = parsed.event().unwrap_or_else(|_| readable::placeholder(&line.text));
    let text = String::from_utf8_lossy(&line.text).into_owned();
    Ok(Some(Entry { sequence, hash: parsed.hash, event, line: text }))
}
