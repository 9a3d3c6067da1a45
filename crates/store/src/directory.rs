//! The live directory: the current snapshot, and the one way to change it.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwap, Guard};
use keyless_audit::{Anchor, AuditEvent, AuditSink, AuditUnavailable, redact};
use keyless_directory::invariant::{self, Violation};
use keyless_model::OpContext;
use keyless_model::entity::{Entity, EntityKind, Mutation};
use keyless_rbac::Permit;
use tokio::sync::{Mutex, watch};

use crate::audit_log::confirmed;
use crate::{Admission, Commit, PendingAudit, Presented, Revision, Snapshot, Store, StoreError, decision, set_aside};

/// How often a change is planned anew when others commit first.
const ATTEMPTS: usize = 8;

/// A planned change: what to do to the directory, what to say about it, and what the planner tells its caller.
#[derive(Debug, Clone)]
pub struct Change<T = ()> {
    pub mutations: Vec<Mutation>,
    /// Its target and operation are what locks are asked about.
    pub event: AuditEvent,
    pub value: T,
}

impl Change {
    #[must_use]
    pub const fn new(mutations: Vec<Mutation>, event: AuditEvent) -> Self {
        Self { mutations, event, value: () }
    }

    /// The same change, from which the caller learns `value`.
    #[must_use]
    pub fn telling<T>(self, value: T) -> Change<T> {
        Change { mutations: self.mutations, event: self.event, value }
    }
}

/// A change that is durable, audited and visible to every reader of this process.
#[derive(Debug, Clone)]
pub struct Committed {
    pub revision: Revision,
    /// The snapshot in which the change is first visible.
    pub snapshot: Arc<Snapshot>,
}

/// Why a change did not happen; `E` is the planner's own refusal.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError<E: Debug> {
    #[error("the change was refused")]
    Refused(E),
    /// Something would not hold afterwards that must, or the permit does not reach so far.
    #[error(transparent)]
    Violation(#[from] Violation),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Audit(#[from] AuditUnavailable),
}

/// The directory of this process. Readers take a [`Snapshot`]; writers go one after another through [`Directory::update`].
#[derive(Debug)]
pub struct Directory {
    inner: Arc<Inner>,
}

/// Committed events on their way to the audit log's disk, oldest first.
#[derive(Debug, Default)]
struct Backlog {
    /// The log could not take these yet.
    waiting: VecDeque<PendingAudit>,
    /// The log has these, perhaps not on disk yet: outbox sequence, and the log's number by then.
    written: VecDeque<(u64, u64)>,
    /// What the store was told last.
    noted: (u64, Option<Anchor>),
}

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    audit: Arc<dyn AuditSink>,
    /// Documents that the owner goes on without.
    without: Vec<String>,
    current: ArcSwap<Snapshot>,
    /// INVARIANT: whoever replaces `current` holds this, so revisions only grow.
    writer: Arc<Mutex<Backlog>>,
    /// Outbox entries up to here are on the audit log's disk.
    audited: AtomicU64,
    revisions: watch::Sender<Revision>,
}

impl Directory {
    /// Loads everything from the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(store: Arc<dyn Store>, audit: Arc<dyn AuditSink>, ctx: &OpContext) -> Result<Self, StoreError> {
        Self::open_without(store, audit, ctx, Vec::new()).await
    }

    /// As [`Directory::open`], going on without the documents named as `KIND/ID` when they cannot be read. Each document that is set
    /// aside is told to the log; decision 9 says which kinds may be.
    ///
    /// # Errors
    /// As [`Directory::open`]; when a document that may not be missed cannot be read; when the log cannot be written.
    pub async fn open_without(
        store: Arc<dyn Store>,
        audit: Arc<dyn AuditSink>,
        ctx: &OpContext,
        without: Vec<String>,
    ) -> Result<Self, StoreError> {
        let loaded = store.load(ctx).await?;
        for found in set_aside::judge(loaded.unreadable, &without)? {
            tracing::warn!(key = ?found.key, error = %found.source, "a document cannot be read; it stays in the database and counts for nothing");
            audit.record(&set_aside::event(ctx, &found)).map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        }
        let snapshot = Snapshot::build(loaded.revision, loaded.entities);
        let inner = Inner {
            store,
            audit,
            without,
            revisions: watch::Sender::new(snapshot.revision()),
            current: ArcSwap::from_pointee(snapshot),
            writer: Arc::default(),
            audited: AtomicU64::new(0),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The current snapshot, for the length of a decision. Cheap: no lock, no reference count.
    #[must_use]
    pub fn load(&self) -> Guard<Arc<Snapshot>> {
        self.inner.current.load()
    }

    /// The current snapshot, to keep across an await.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.current.load_full()
    }

    /// Tells each revision after which somebody may have another right, or find something else: not that a sign-in began or went on.
    #[must_use]
    pub fn revisions(&self) -> watch::Receiver<Revision> {
        self.inner.revisions.subscribe()
    }

    /// Changes the directory. `plan` sees the current snapshot and returns the change or refuses; it runs again when another
    /// node committed first, so it must decide from the snapshot it is given. When this returns, the change is durable, in the
    /// audit log, and in every snapshot that this process takes from now on.
    ///
    /// The permit is proof that `rbac` allowed this operation; its reason goes into the event. What it does not cover, and what must
    /// not come to pass whoever wishes it, is refused here for every planner ([`keyless_directory::invariant`]).
    ///
    /// ```compile_fail,E0061
    /// # async fn f(directory: &keyless_store::Directory, ctx: &keyless_model::OpContext) {
    /// directory.update(ctx, |_: &keyless_store::Snapshot| Err::<keyless_store::Change, ()>(())).await;
    /// # }
    /// ```
    ///
    /// A caller that goes away does not stop a change halfway: once planned, it runs to its end.
    ///
    /// # Errors
    /// The planner's refusal, a violation, a store that cannot commit, an audit log that cannot be written (then nothing was changed).
    pub async fn update<T, E, P>(&self, ctx: &OpContext, permit: &Permit, mut plan: P) -> Result<(Committed, T), UpdateError<E>>
    where
        E: Debug,
        P: FnMut(&Snapshot) -> Result<Change<T>, E>,
    {
        for _ in 0..ATTEMPTS {
            let mut writer = Arc::clone(&self.inner.writer).lock_owned().await;
            self.inner.audit.ready()?;
            self.inner.write_backlog(&mut writer)?;
            let base = self.snapshot();
            let Change { mutations, mut event, value } = plan(&base).map_err(UpdateError::Refused)?;
            invariant::check(permit, &base, &mutations, event.target.as_ref().map(|scope| (scope, &*event.operation)))?;
            set_aside::check(&mutations)?;
            // The outbox is read at a start, so it gets what the log would.
            event.control = event.control.as_ref().map(redact::detail);
            event.decision.get_or_insert_with(|| decision::of_permit(permit));
            let change = Change::new(mutations, event);
            let (inner, ctx) = (Arc::clone(&self.inner), ctx.clone());
            // SECURITY: a client that disconnects drops its handler; a revocation it asked for must still reach every reader. The
            // task owns the writer lock, and `close` waits for that lock, so the task is waited for at shutdown.
            #[expect(clippy::disallowed_methods, reason = "owned through the writer lock, see above")]
            let task = tokio::spawn(async move {
                let mut committed = None;
                let commit = async {
                    committed = Some(inner.commit(&ctx, &base, change, &mut writer).await);
                    drop(writer);
                };
                if let Err(error) = confirmed(&inner.audit, commit).await {
                    tracing::error!(%error, "the audit log's disk did not confirm a committed change; its event is in the outbox");
                }
                committed.expect("the work came to its end")
            });
            match task.await.map_err(|panic| StoreError::Unavailable(Box::new(panic)))? {
                Err(UpdateError::Store(StoreError::Conflict { .. })) => {}
                Err(UpdateError::Store(error)) => return Err(UpdateError::Store(error)),
                Err(UpdateError::Audit(error)) => return Err(UpdateError::Audit(error)),
                Err(UpdateError::Violation(error)) => return Err(UpdateError::Violation(error)),
                Err(UpdateError::Refused(never)) => match never {},
                Ok(committed) => return Ok((committed, value)),
            }
        }
        Err(UpdateError::Store(StoreError::Conflict { current: self.load().revision() }))
    }

    /// Remembers a used assertion: [`Store::admit_assertion`]. Changes no document, so no snapshot follows.
    ///
    /// # Errors
    /// When the store cannot be written; whether the assertion was used is not known then.
    pub async fn admit_assertion(&self, ctx: &OpContext, presented: Presented) -> Result<Admission, StoreError> {
        self.inner.store.admit_assertion(ctx, presented).await
    }

    /// Catches up with commits of other processes. Called on their notice, and now and then as a safety net.
    ///
    /// # Errors
    /// When the store cannot be read; readers then keep the last snapshot.
    pub async fn catch_up(&self, ctx: &OpContext) -> Result<Revision, StoreError> {
        let mut writer = self.inner.writer.lock().await;
        // The log has logged that it cannot write; the events stay where they are.
        _ = self.inner.write_backlog(&mut writer);
        self.inner.catch_up(ctx).await
    }

    /// Notes that outbox entries up to `sequence` are in the audit log (after a start replayed them).
    pub fn audited_up_to(&self, sequence: u64) {
        self.inner.audited.fetch_max(sequence, Ordering::Relaxed);
    }

    /// Writes events that wait for the audit log, and tells the store how far the log is on disk. Call it every second or so, and
    /// last before closing: the next start then has little to compare, and a log that was cut since is found out.
    ///
    /// # Errors
    /// When the log or the store cannot be written.
    pub async fn settle_audit(&self, ctx: &OpContext) -> Result<(), UpdateError<std::convert::Infallible>> {
        let mut writer = self.inner.writer.lock().await;
        self.inner.write_backlog(&mut writer)?;
        self.inner.note_synced(&mut writer);
        let noted = (self.inner.audited.load(Ordering::Relaxed), self.inner.audit.anchor());
        if writer.noted != noted {
            self.inner.store.note_audited(ctx, noted.0, noted.1).await?;
            writer.noted = noted;
        }
        Ok(())
    }

    /// Waits until no change is under way; later ones are still possible, so stop the listeners first.
    pub async fn close(&self) {
        let _writer = self.inner.writer.lock().await;
    }
}

impl Inner {
    async fn commit(
        &self,
        ctx: &OpContext,
        base: &Snapshot,
        mut change: Change,
        backlog: &mut Backlog,
    ) -> Result<Committed, UpdateError<std::convert::Infallible>> {
        // A commit succeeds only as the successor of `base`, so the revision is known before. It tells a later start whether the log
        // has the event.
        change.event.revision = Some(base.revision().0 + 1);
        self.note_synced(backlog);
        let commit = Commit {
            expected: base.revision(),
            mutations: change.mutations.clone(),
            event: change.event.clone(),
            audited_up_to: self.audited.load(Ordering::Relaxed),
            anchor: self.audit.anchor(),
        };
        let (revision, sequence) = match self.store.commit(ctx, commit).await {
            Err(StoreError::Conflict { current }) => {
                self.catch_up(ctx).await?;
                return Err(UpdateError::Store(StoreError::Conflict { current }));
            }
            other => other?,
        };
        // Readers first: the change is durable, and a revocation must not wait for a slow audit disk.
        let snapshot = self.publish(base.with(revision, &change.mutations), concerns(&change.mutations));
        // A failure here leaves the event in the outbox, and here: the next change, or the next start, writes it first. Until then
        // the log refuses new calls.
        backlog.waiting.push_back(PendingAudit { sequence, event: change.event });
        if let Err(error) = self.write_backlog(backlog) {
            tracing::error!(%error, sequence, "a committed change waits in the outbox for the audit log");
        }
        Ok(Committed { revision, snapshot })
    }

    /// Writes waiting events in order.
    fn write_backlog(&self, backlog: &mut Backlog) -> Result<(), AuditUnavailable> {
        while let Some(waiting) = backlog.waiting.front() {
            self.audit.record(&waiting.event)?;
            backlog.written.push_back((waiting.sequence, self.audit.position()));
            backlog.waiting.pop_front();
        }
        Ok(())
    }

    /// Moves `audited` on to what is on disk. A line that is written but not yet flushed can be lost with the machine's power; the
    /// outbox keeps its event until then.
    fn note_synced(&self, backlog: &mut Backlog) {
        let on_disk = match self.audit.anchor() {
            Some(anchor) => anchor.sequence,
            // A sink that numbers its events and has flushed none.
            None if self.audit.position() > 0 => 0,
            // A sink without a chain has no disk to wait for.
            None => u64::MAX,
        };
        while let Some((sequence, position)) = backlog.written.front()
            && *position <= on_disk
        {
            self.audited.fetch_max(*sequence, Ordering::Relaxed);
            backlog.written.pop_front();
        }
    }

    async fn catch_up(&self, ctx: &OpContext) -> Result<Revision, StoreError> {
        let current = self.current.load_full();
        match self.store.changes_since(ctx, current.revision()).await? {
            Some((revision, _)) if revision == current.revision() => {}
            Some((revision, mutations)) => _ = self.publish(current.with(revision, &mutations), concerns(&mutations)),
            None => {
                let loaded = self.store.load(ctx).await?;
                set_aside::judge(loaded.unreadable, &self.without)?;
                self.publish(Snapshot::build(loaded.revision, loaded.entities), true);
            }
        }
        Ok(self.current.load().revision())
    }

    fn publish(&self, snapshot: Snapshot, concerns: bool) -> Arc<Snapshot> {
        let snapshot = Arc::new(snapshot);
        self.current.store(Arc::clone(&snapshot));
        if concerns {
            self.revisions.send_replace(snapshot.revision());
        }
        snapshot
    }
}

/// Whether what is under way must be judged again. People renew their sign-ins all the time, and every running stream would be asked
/// for each; of a sign-in only its end takes something away.
fn concerns(mutations: &[Mutation]) -> bool {
    mutations.iter().any(|mutation| match mutation {
        Mutation::Put(entity) => !matches!(&**entity, Entity::RefreshFamily(row) if !row.revoked),
        Mutation::Delete(key) => key.kind != EntityKind::RefreshFamily,
    })
}
