//! Audit events: their schema, the hash chain that binds them, and the verifier of that chain.
//!
//! Reason to be a crate: a pure core. It does not know where lines are kept; `keyless-store` writes them.

mod chain;
mod event;
mod hash;
mod line;
pub mod monitor;
pub mod readable;
pub mod redact;
mod scrub;
pub mod verify;

pub use chain::{Chain, Prepared, Unwritable};
pub use event::{
    ActorRecord, AuditEvent, AuditSink, AuditUnavailable, Category, ControlDetail, DataDetail, DecisionRecord, MOST_KEPT, Outcome,
    Repeated, Space, TokenDetail,
};
pub use hash::{Anchor, Hash, InvalidHash};
pub use line::{Line, LineError, LineKind};
