//! Removes whole segments from the front of the log, and goes on knowingly after a log that was lost.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use keyless_audit::{Anchor, Chain, Line, LineKind, Outcome, readable};
use keyless_model::{Clock, Entropy, Timestamp};

use super::error::AuditLogError;
use super::lines::{Backwards, Forwards, RawLine};
use super::segment::Folder;
use super::start::{Start, StartKey, StartReason};
use super::{AuditLog, AuditLogOptions};

/// What is kept. With nothing set, everything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Segments whose last event is older than this may go.
    pub before: Option<Timestamp>,
    /// The oldest segments go until the log has at most this many bytes.
    pub max_bytes: Option<u64>,
    /// SECURITY: no segment goes for the log's size whose last event is this young. Whoever can write events could otherwise push out
    /// the older ones that speak against them.
    pub spare: Option<Timestamp>,
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    pub segments: u64,
    pub bytes: u64,
    /// The last event that is gone.
    pub up_to: Anchor,
}

impl AuditLog {
    /// Removes the oldest segments that need not be kept; never the one that is written. An event and a start record say so before
    /// anything is removed. Copies that others take of the log (an export's cursor) are theirs: whatever they did not fetch is gone.
    ///
    /// # Errors
    /// When the log cannot be written or read; nothing was removed then, or what was is named by the start record.
    pub fn prune(&self, keep: Retention) -> Result<Option<Pruned>, AuditLogError> {
        let segments = self.folder.segments()?;
        let sizes = segments.iter().map(|number| size(&self.folder, *number)).collect::<Result<Vec<_>, _>>()?;
        let mut total: u64 = sizes.iter().sum();
        let (mut going, mut spared) = (0, false);
        for (&number, &bytes) in segments.iter().zip(&sizes).take(segments.len().saturating_sub(1)) {
            let too_large = keep.max_bytes.is_some_and(|most| total > most);
            let last = if keep.before.or(keep.spare).is_some() { last_time(&self.folder, number)? } else { None };
            // One whose time is not known is neither old nor to be removed for its size.
            let older = |than: Timestamp| last.is_some_and(|last| last < than);
            let may_go = keep.spare.is_none_or(older);
            if !(too_large && may_go || keep.before.is_some_and(older)) {
                spared = too_large;
                break;
            }
            total -= bytes;
            going += 1;
        }
        if let (Some(since), Some(most)) = (keep.spare, keep.max_bytes) {
            self.note_size(spared, total, most, since)?;
        }
        let (Some(&first), true) = (segments.get(going), going > 0) else { return Ok(None) };
        let up_to = before(&self.folder, first)?;
        let pruned = Pruned { segments: going as u64, bytes: sizes.iter().take(going).sum(), up_to };
        let because = format!(
            "{} files of the audit log with {} bytes were removed; the log goes on after event {}:{}",
            pruned.segments, pruned.bytes, up_to.sequence, up_to.hash
        );
        let event = self.system_event("System_AuditPrune", Outcome::Allowed, because);
        self.tell(&event)?;
        Start::new(first, up_to, self.clock.now(), (StartReason::Pruned, String::new()), &self.key).write(self.folder.path())?;
        for number in segments.iter().take(going) {
            let path = self.folder.segment(*number);
            fs::remove_file(&path).map_err(AuditLogError::io(&path))?;
        }
        tracing::info!(files = pruned.segments, bytes = pruned.bytes, up_to = up_to.sequence, "old files of the audit log were removed");
        Ok(Some(pruned))
    }

    /// Begins a log after one that is lost or broken, because the owner said so. What is still there is moved into a folder beside it,
    /// as evidence. Numbers go on after `lost`, the last event known, so that none is given twice.
    ///
    /// # Errors
    /// When another process writes the log, or the disk refuses.
    pub fn begin_after_loss(
        folder: &Path,
        options: AuditLogOptions,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        lost: Option<Anchor>,
        why: &str,
        key: &StartKey,
    ) -> Result<Self, AuditLogError> {
        let files = Folder::new(folder);
        files.create()?;
        let lock = files.lock()?;
        let now = clock.now();
        let aside = folder.join(format!("lost-{}", now.unix_millis()));
        let io = || AuditLogError::io(folder);
        let there = files.all_segments()?;
        fs::create_dir(&aside).map_err(io())?;
        for number in &there {
            let path = files.segment(*number);
            fs::rename(&path, aside.join(path.file_name().unwrap_or_default())).map_err(io())?;
        }
        _ = fs::rename(folder.join(Start::name()), aside.join(Start::name()));
        let last =
            lost.map_or_else(|| "no event is known".to_owned(), |lost| format!("the last event known is {}:{}", lost.sequence, lost.hash));
        let because = format!(
            "the owner goes on without the earlier audit log ({why}); {last}; {} files were kept in {}",
            there.len(),
            aside.display()
        );
        tracing::warn!(reason = why, kept = %aside.display(), "the audit log begins anew after a loss");
        let first = there.last().copied().unwrap_or(1) + 1;
        let after = lost.unwrap_or_else(|| Chain::new().last());
        Start::new(first, after, now, (StartReason::Lost, because), key).write(folder)?;
        drop(lock);
        Self::open(folder, options, key, clock, entropy)
    }
}

fn size(folder: &Folder, number: u64) -> Result<u64, AuditLogError> {
    let path = folder.segment(number);
    Ok(fs::metadata(&path).map_err(AuditLogError::io(&path))?.len())
}

/// The time of a segment's last line.
fn last_time(folder: &Folder, number: u64) -> Result<Option<Timestamp>, AuditLogError> {
    let path = folder.segment(number);
    let io = || AuditLogError::io(&path);
    let line = Backwards::new(File::open(&path).map_err(io())?).and_then(|mut lines| lines.read()).map_err(io())?;
    Ok(line.and_then(|line| readable::time_of(&line.text)))
}

/// The event right before a segment, by its header.
fn before(folder: &Folder, number: u64) -> Result<Anchor, AuditLogError> {
    let path = folder.segment(number);
    let io = || AuditLogError::io(&path);
    let mut line = RawLine::new();
    Forwards::from(File::open(&path).map_err(io())?, 0).and_then(|mut lines| lines.read(&mut line)).map_err(io())?;
    match Line::parse(&line.text) {
        Ok(Line { kind: LineKind::Header { next, .. }, prev, .. }) => Ok(Anchor { sequence: next.saturating_sub(1), hash: prev }),
        _ => Err(io()(std::io::Error::other("the file does not start with a segment header"))),
    }
}
