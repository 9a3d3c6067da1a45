//! Durable state as the planes see it: the store port, sealing at rest, the directory that follows the store's revisions, and
//! the audit log's writer.
//!
//! Reason to be a crate: a port. Planes depend on this and never on a database; adapters depend on this and never on a plane.

mod assertion;
pub mod audit_log;
mod blocking;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod decision;
mod directory;
pub mod keyring;
mod master_key;
mod port;
mod process_lock;
mod set_aside;

pub use assertion::{Admission, Presented};
pub use blocking::{Batches, Blocking, BlockingError};
pub use directory::{Change, Committed, Directory, UpdateError};
pub use keyless_directory::{Below, Revision, Sealer, Snapshot};
pub use keyring::{KeyRing, Keys};
pub use master_key::{MasterKey, MasterKeyError};
pub use port::{Commit, Loaded, PendingAudit, Store, StoreError, Unreadable};
pub use process_lock::{Holder, LockError, ProcessLock};
