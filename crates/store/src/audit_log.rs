//! The audit log on disk: one line per event, chained, in a folder of segments.
//!
//! An event is handed to the operating system before [`AuditLog::record`] returns, so a killed process loses none. It reaches the disk
//! within a tenth of a second ([`AuditLog::run`]), or before `record` returns with [`Durability::Strict`]. When lines cannot be
//! written, `record` and `ready` refuse, and so does everything that depends on them, until writing works again.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyless_audit::{Anchor, AuditEvent, AuditSink, AuditUnavailable, Category, DecisionRecord, Outcome, Prepared, Space, Unwritable};
use keyless_model::{Actor, Clock, Entropy, OpContext, RequestId};
use tokio::sync::Notify;

use crate::ProcessLock;

mod alarm;
mod behind;
mod confirm;
mod error;
mod filter;
mod flush;
mod kept;
mod lines;
mod medium;
mod outbox;
mod prune;
mod read;
mod recent;
mod recover;
mod segment;
mod space;
mod start;
mod walk;
mod writer;

pub use confirm::confirmed;
pub use error::AuditLogError;
pub use filter::Filter;
pub use outbox::ReplayError;
pub use prune::{Pruned, Retention};
pub use read::{AuditReader, Entry, Follower, Order};
pub use recent::Recent;
pub use start::{Start, StartKey, StartReason};
pub use walk::Walk;

use alarm::Alarm;
use flush::Flushed;
use segment::Folder;
use writer::{Health, Wrap, Writer};

/// When an event counts as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Once the operating system has it. A power failure may lose the last tenth of a second; a crash of the process loses nothing.
    #[default]
    Written,
    /// Once it is on the disk. Events that arrive together share a flush.
    Strict,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditLogOptions {
    pub durability: Durability,
    /// A segment that has this many bytes is followed by the next.
    pub segment_bytes: u64,
}

impl Default for AuditLogOptions {
    /// Segments of 64 MiB: about 100,000 events, small enough to copy and large enough to be few.
    fn default() -> Self {
        Self { durability: Durability::Written, segment_bytes: 64 << 20 }
    }
}

/// The log of this process. There is one writer per folder.
#[derive(Debug)]
pub struct AuditLog {
    folder: Folder,
    key: StartKey,
    durability: Durability,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    writer: Mutex<Writer>,
    /// What [`Writer::health`] says, readable without the lock. Changed under the lock only.
    good: AtomicBool,
    /// Events refused since writing stopped working.
    refused: AtomicU64,
    alarm: Alarm,
    flushed: Flushed,
    space: Mutex<Space>,
    /// Something was written that is not flushed, or writing does not work: [`AuditLog::run`] has something to do.
    work: Notify,
    _lock: ProcessLock,
}

impl AuditLog {
    /// Opens the log in `folder`, making it if it is not there, and goes on after its last line. An unfinished last line is cut, and
    /// an event says so. A record of a later beginning counts when `key` made it.
    ///
    /// # Errors
    /// When another process writes it, when its end is not what was written, or when the disk refuses.
    pub fn open(
        folder: &Path,
        options: AuditLogOptions,
        key: &StartKey,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, AuditLogError> {
        Self::open_on(folder, options, key, clock, entropy, Box::new(|file| Arc::new(file)))
    }

    fn open_on(
        folder: &Path,
        options: AuditLogOptions,
        key: &StartKey,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        wrap: Wrap,
    ) -> Result<Self, AuditLogError> {
        let folder = Folder::new(folder).with_key(key);
        folder.create()?;
        let lock = folder.lock()?;
        let tail = recover::recover(&folder)?;
        let (cut, segment, offset) = (tail.cut, tail.segment, tail.offset);
        let writer = Writer::start(folder.clone(), tail, options.segment_bytes, wrap).map_err(AuditLogError::io(folder.path()))?;
        let log = Self {
            flushed: Flushed::at(writer.chain().last()),
            writer: Mutex::new(writer),
            durability: options.durability,
            clock,
            entropy,
            good: AtomicBool::new(true),
            refused: AtomicU64::new(0),
            alarm: Alarm::default(),
            space: Mutex::default(),
            work: Notify::new(),
            folder,
            key: key.clone(),
            _lock: lock,
        };
        if cut > 0 {
            let because =
                format!("an unfinished line of {cut} bytes was cut at byte {offset} of segment {segment}; it was never acknowledged");
            tracing::warn!(cut, offset, segment, "an unfinished line at the end of the audit log was cut");
            let event = log.system_event("System_AuditRecover", Outcome::Failed, because);
            log.tell(&event)?;
        }
        // Told where it is found, not where it was done: whoever did it may have died in between.
        if let Some(start) = log.folder.start()?.filter(|start| start.why == StartReason::Lost && start.after == log.head()) {
            log.tell(&log.system_event("System_AuditLost", Outcome::Allowed, start.told))?;
        }
        Ok(log)
    }

    /// Writes an event of the log's own to the disk.
    fn tell(&self, event: &AuditEvent) -> Result<(), AuditLogError> {
        let written = self.record(event).and_then(|()| self.flush());
        written.map_err(|error| AuditLogError::io(self.folder.path())(std::io::Error::other(error)))
    }

    /// The last event written, on disk or not yet.
    #[must_use]
    pub fn head(&self) -> Anchor {
        self.lock().chain().last()
    }

    /// The log still holds the event that the anchor names, or its owner removed that knowingly. Call it at start with the anchor that the store kept.
    ///
    /// # Errors
    /// [`AuditLogError::Broken`] when the log was cut, replaced or removed since.
    pub fn check(&self, anchor: Anchor) -> Result<(), AuditLogError> {
        self.reader().check(anchor)
    }

    /// What readers see of it.
    #[must_use]
    pub fn reader(&self) -> AuditReader {
        AuditReader::of(self.folder.clone())
    }

    /// A reader found a line that is not as it was written. Alarms once; what it means is for people to find out.
    ///
    /// # Errors
    /// When the event cannot be written.
    pub fn note_changed(&self, found: &AuditLogError) -> Result<(), AuditLogError> {
        if std::mem::replace(&mut self.space.lock().unwrap_or_else(PoisonError::into_inner).changed, true) {
            return Ok(());
        }
        tracing::error!(%found, "the audit log was changed; keep a copy, and run `keyless audit verify`");
        self.tell(&self.system_event("System_AuditChanged", Outcome::Failed, found.to_string()))
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        // A panic while writing cannot leave a half-changed chain: the writer assigns it last.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, writer: &mut Writer, events: &mut [Prepared]) -> Result<(), AuditUnavailable> {
        if !self.good.load(Ordering::Relaxed) {
            self.resume(writer)?;
        }
        let result = writer.append(events);
        if result.is_err() {
            self.notice(writer);
        }
        result
    }

    /// Writing did not work: tries whether it does now, with the event that says so and those that were kept.
    fn resume(&self, writer: &mut Writer) -> Result<(), AuditUnavailable> {
        let (refused, kept) = (self.refused.load(Ordering::Relaxed), writer.kept());
        let mut because = format!("the audit log can be written again; {refused} events were refused until now");
        if kept > 0 {
            because += &format!("; those of {kept} answers that ended meanwhile follow");
        }
        let event = Prepared::new(&self.system_event("System_AuditResume", Outcome::Allowed, because)).map_err(unwritable)?;
        writer.resume(event)?;
        self.good.store(true, Ordering::Relaxed);
        self.refused.store(0, Ordering::Relaxed);
        self.alarm.over();
        tracing::info!(refused, kept, "the audit log can be written again; calls are answered again");
        Ok(())
    }

    /// A write failed: from now on new calls are refused, and somebody looks when writing works again.
    fn notice(&self, writer: &Writer) {
        if *writer.health() != Health::Good && self.good.swap(false, Ordering::Relaxed) {
            self.work.notify_one();
        }
    }

    /// `events` could not be written, and what they tell of is refused.
    fn refuse(&self, events: usize, error: &AuditUnavailable) {
        self.refused.fetch_add(events as u64, Ordering::Relaxed);
        self.alarm.failed(self.clock.now(), events as u64, error);
    }

    fn system_event(&self, operation: &'static str, outcome: Outcome, because: String) -> AuditEvent {
        let ctx = OpContext::new(RequestId::new(self.entropy.uuid()), self.clock.now(), Actor::System("audit log"));
        let decision = DecisionRecord::allowed(because);
        AuditEvent { decision: Some(decision), ..AuditEvent::new(&ctx, Category::System, operation, outcome) }
    }
}

impl AuditSink for AuditLog {
    fn record(&self, event: &AuditEvent) -> Result<(), AuditUnavailable> {
        self.record_all(std::slice::from_ref(event))
    }

    /// All of them or, on an error, none.
    fn record_all(&self, events: &[AuditEvent]) -> Result<(), AuditUnavailable> {
        // All that can be done before the events' places are known is done before the lock: every call of every thread passes here.
        let prepared = events.iter().map(Prepared::new).collect::<Result<Vec<_>, _>>().map_err(unwritable);
        let mut prepared = prepared.inspect_err(|error| self.refuse(events.len(), error))?;
        let mut writer = self.lock();
        let written = self.append(&mut writer, &mut prepared).map(|()| writer.chain().last().sequence);
        drop(writer);
        match written {
            Err(error) => {
                self.refuse(events.len(), &error);
                Err(error)
            }
            Ok(sequence) if self.durability == Durability::Written || confirm::is_left_to_the_work(sequence) => {
                self.flush_soon();
                Ok(())
            }
            Ok(sequence) => self.wait_for(sequence),
        }
    }

    fn keep(&self, event: &AuditEvent) -> Result<(), AuditUnavailable> {
        self.keep_event(event)
    }

    fn confirm(&self, sequence: u64) -> Result<(), AuditUnavailable> {
        self.wait_for(sequence)
    }

    fn waits(&self) -> bool {
        self.durability == Durability::Strict
    }

    fn ready(&self) -> Result<(), AuditUnavailable> {
        if self.good.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut writer = self.lock();
        if self.good.load(Ordering::Relaxed) { Ok(()) } else { self.resume(&mut writer) }
    }

    fn position(&self) -> u64 {
        self.head().sequence
    }

    fn space(&self) -> Option<Space> {
        Some(self.known_space())
    }

    fn anchor(&self) -> Option<Anchor> {
        let anchor = self.flushed.anchor();
        (anchor.sequence > 0).then_some(anchor)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is the shape that `map_err` takes")]
fn unwritable(error: Unwritable) -> AuditUnavailable {
    AuditUnavailable { reason: error.to_string() }
}

/// How often what was written is flushed, at the latest. Half of the promised 100 ms: the flush itself takes time too.
const FLUSH_EVERY: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests;
