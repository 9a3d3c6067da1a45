//! The thread that owns the connection.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use keyless_store::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::schema::unavailable;

type Job = Box<dyn FnOnce(&mut Connection, u64) + Send>;

/// Runs jobs one after another on a thread of their own. Dropping it finishes what was asked for and closes the database.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(mut connection: Connection, changes_kept: u64) -> Self {
        let (jobs, queue) = mpsc::channel::<Job>();
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || {
            for job in queue {
                job(&mut connection, changes_kept);
            }
        });
        // Without its thread the queue is closed, and every call answers that the store is unavailable.
        Self { jobs: Some(jobs), thread: thread.ok() }
    }

    /// Runs `work` on the connection. It runs to its end even when the caller goes away.
    pub(crate) async fn call<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection, u64) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection, changes_kept| _ = answer.send(work(connection, changes_kept)));
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if !sent {
            return Err(unavailable("the store's thread has ended"));
        }
        answered.await.map_err(unavailable)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}
