//! The store: a thread that owns the database, and the handle that sends it work.
//!
//! SQLite has one writer at a time anyway; one thread makes that plain, keeps blocking calls off the executor, and lets a
//! transaction run to its end when the caller goes away.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use keyless_audit::Anchor;
use keyless_model::OpContext;
use keyless_model::entity::Mutation;
use keyless_store::{Commit, Loaded, PendingAudit, Revision, Store, StoreError};
use tokio::sync::oneshot;

use crate::database::{self, Database};
use crate::error::unavailable;
use crate::lock::DataLock;
use crate::{OpenError, read};

type Job = Box<dyn FnOnce(&mut Database) + Send>;

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

impl SqliteStore {
    /// Opens the database at `path`, making it if it is not there, and keeps other processes out until it is closed. The folder must
    /// exist. Checks that every page is sound.
    ///
    /// # Errors
    /// When another process holds it, when it is damaged, when a newer program wrote it, or when the disk refuses.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let lock = DataLock::acquire(path)?;
        Self::start(Database::open(path)?, Some(lock))
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

    fn start(database: Database, lock: Option<DataLock>) -> Result<Self, OpenError> {
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
        let job: Job = Box::new(move |database| {
            // Nobody waits when the caller went away; the work is done all the same.
            _ = reply.send(work(database));
        });
        {
            let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
            let jobs = &worker.as_ref().ok_or_else(|| unavailable(Closed))?.jobs;
            jobs.send(job).map_err(|_| unavailable(Closed))?;
        }
        answer.await.map_err(|_| unavailable(Closed))?
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.close();
    }
}

fn serve(mut database: Database, lock: Option<DataLock>, queue: &Receiver<Job>) {
    while let Ok(job) = queue.recv() {
        job(&mut database);
    }
    // The file first, then the right to open it.
    drop(database);
    drop(lock);
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
}
