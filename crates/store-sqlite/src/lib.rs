//! Durable state in SQLite (WAL), passing the conformance suite of keyless-store.
//!
//! Reason to be a crate: an adapter. Only `keyless-server` names it; everything else sees the port.

mod assertions;
mod commit;
mod database;
mod error;
mod read;
mod schema;
mod store;

pub use error::OpenError;
pub use store::SqliteStore;
