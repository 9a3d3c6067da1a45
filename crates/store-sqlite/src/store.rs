//! The store: a thread that owns the database, and the handle that sends it work.
//!
//! SQLite has one writer at a time anyway; one thread makes that plain, keeps blocking calls off the executor, and lets a
//! transaction run to its end when the caller goes away.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use keyless_audit::Anchor;
use keyless_model::OpContext;
use keyless_model::entity::Mutation;
use keyless_store::{Admission, Commit, Holder, Loaded, LockError, PendingAudit, Presented, ProcessLock, Revision, Store, StoreError};
use tokio::sync::oneshot;

use crate::assertions::Asked;
use crate::database::{self, Database};
use crate::error::unavailable;
use crate::{OpenError, read};

/// The most assertions in one transaction.
const BATCH: usize = 256;

/// What the thread is sent.
enum Job {
    Work(Box<dyn FnOnce(&mut Database) + Send>),
    /// Apart from other work, because those that wait together share a transaction: a flush of the disk costs more than all else.
    Admit(Asked, Answer<Admission>),
}

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// Durable state in one SQLite file, or in memory for tests.
#[derive(Debug)]
pub struct SqliteStore {
    worker: Mutex<Option<Worker>>,
}

#[derive(Debug)]
struct Worker {
    jobs: Sender<Job>,
    thread: JoinHandle<()>,
}

/// Asked after [`SqliteStore::close`].
#[derive(Debug, thiserror::Error)]
#[error("the state database was closed; keyless is stopping")]
struct Closed;

/// The transaction that several shared failed for all of them.
#[derive(Debug, thiserror::Error)]
#[error("used assertions could not be written ({0})")]
struct BatchFailed(String);

impl SqliteStore {
    /// Opens the database at `path`, making it if it is not there, and keeps other processes out until it is closed. The folder must
    /// exist. Checks that every page is sound.
    ///
    /// # Errors
    /// When another process holds it, when it is damaged, when a newer program wrote it, or when the disk refuses.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let lock = locked(path)?;
        Self::start(Database::open(path)?, Some(lock))
    }

    /// Whether the database at `path` could be opened now; makes nothing.
    ///
    /// # Errors
    /// When another process holds it.
    pub fn free(path: &Path) -> Result<(), OpenError> {
        ProcessLock::holder(&lock_of(path)).map_or(Ok(()), |by| Err(in_use(path, by)))
    }

    /// A database that lives and dies with this value.
    ///
    /// # Errors
    /// When SQLite has no memory.
    pub fn open_in_memory() -> Result<Self, OpenError> {
        Self::start(Database::in_memory()?, None)
    }

    /// The audit anchor kept in the database at `path`, which another process may have open.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn peek_audit_anchor(path: &Path) -> Result<Option<Anchor>, OpenError> {
        database::peek_anchor(path)
    }

    /// Whether changes are taken: not any more once the disk failed to confirm one.
    ///
    /// # Errors
    /// Says why not, and what to do.
    pub async fn writable(&self) -> Result<(), StoreError> {
        self.run(|database| database.certain()).await
    }

    /// Finishes what was begun and closes the file; dropping does the same. Blocks for as long as that takes.
    pub fn close(&self) {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Worker { jobs, thread }) = worker {
            drop(jobs);
            if thread.join().is_err() {
                tracing::error!("the state database's thread had failed before it was closed");
            }
        }
    }

    fn start(database: Database, lock: Option<ProcessLock>) -> Result<Self, OpenError> {
        let (jobs, queue) = channel();
        let thread = std::thread::Builder::new()
            .name("keyless-state".to_owned())
            .spawn(move || serve(database, lock, &queue))
            .map_err(|source| OpenError::Io { path: "the thread of the state database".into(), source })?;
        Ok(Self { worker: Mutex::new(Some(Worker { jobs, thread })) })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Work(Box::new(move |database| {
            // Nobody waits when the caller went away; the work is done all the same.
            _ = reply.send(work(database));
        }));
        self.send(job)?;
        answer.await.map_err(|_| unavailable(Closed))?
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = &worker.as_ref().ok_or_else(|| unavailable(Closed))?.jobs;
        jobs.send(job).map_err(|_| unavailable(Closed))
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.close();
    }
}

fn serve(mut database: Database, lock: Option<ProcessLock>, queue: &Receiver<Job>) {
    let mut next = None;
    while let Some(job) = next.take().or_else(|| queue.recv().ok()) {
        match job {
            Job::Work(work) => work(&mut database),
            Job::Admit(asked, answer) => {
                let mut batch = vec![(asked, answer)];
                while batch.len() < BATCH && next.is_none() {
                    match queue.try_recv() {
                        Ok(Job::Admit(asked, answer)) => batch.push((asked, answer)),
                        Ok(work @ Job::Work(_)) => next = Some(work),
                        Err(_) => break,
                    }
                }
                admit(&mut database, batch);
            }
        }
    }
    // The file first, then the right to open it.
    drop(database);
    drop(lock);
}

/// Locks the database at `path` by a file beside it: SQLite's own locks come and go with transactions.
fn locked(path: &Path) -> Result<ProcessLock, OpenError> {
    ProcessLock::acquire(&lock_of(path)).map_err(|error| match error {
        LockError::Held(by) => in_use(path, by),
        LockError::Io(source) => OpenError::Io { path: path.to_owned(), source },
    })
}

fn lock_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn in_use(path: &Path, by: Holder) -> OpenError {
    OpenError::InUse { folder: path.parent().unwrap_or(path).to_owned(), by }
}

/// Answers only once the transaction is on disk.
fn admit(database: &mut Database, batch: Vec<(Asked, Answer<Admission>)>) {
    let (asked, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    let admitted = match database.admit(&asked) {
        Ok(admissions) => admissions.into_iter().map(Ok).collect(),
        Err(error) => {
            let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            asked.iter().map(|_| Err(unavailable(BatchFailed(reason.clone())))).collect::<Vec<_>>()
        }
    };
    for (answer, admission) in answers.into_iter().zip(admitted) {
        // Whoever went away hears nothing; the assertion counts as used all the same.
        _ = answer.send(admission);
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self, _ctx: &OpContext) -> Result<Loaded, StoreError> {
        self.run(|database| read::load(database.connection())).await
    }

    async fn commit(&self, _ctx: &OpContext, commit: Commit) -> Result<(Revision, u64), StoreError> {
        self.run(move |database| database.commit(&commit)).await
    }

    async fn changes_since(&self, _ctx: &OpContext, revision: Revision) -> Result<Option<(Revision, Vec<Mutation>)>, StoreError> {
        self.run(move |database| read::changes_since(database.connection(), revision)).await
    }

    async fn pending_audit(&self, _ctx: &OpContext) -> Result<Vec<PendingAudit>, StoreError> {
        self.run(|database| read::pending_audit(database.connection())).await
    }

    async fn audit_anchor(&self, _ctx: &OpContext) -> Result<Option<Anchor>, StoreError> {
        self.run(|database| read::anchor(database.connection())).await
    }

    async fn note_audited(&self, _ctx: &OpContext, up_to: u64, anchor: Option<Anchor>) -> Result<(), StoreError> {
        self.run(move |database| database.note_audited(up_to, anchor)).await
    }

    async fn admit_assertion(&self, ctx: &OpContext, presented: Presented) -> Result<Admission, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Admit(Asked { presented, now: ctx.now }, reply))?;
        answer.await.map_err(|_| unavailable(Closed))?
    }
}
