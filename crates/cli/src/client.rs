//! How commands talk to a system: over the owner's Unix socket, and over HTTPS as any client would.

mod arm;
mod chat;
mod exchange;
mod local;
mod meant;
mod named;
mod place;
mod system;
mod web;

pub(crate) use arm::{Arm, Precondition};
pub(crate) use chat::{API_VERSION, Chat, Credential};
pub(crate) use exchange::Reply;
pub(crate) use local::{Lease, Local, LocalFailure};
pub(crate) use meant::meant;
pub(crate) use place::{FORMS, Place, short};
pub(crate) use system::{AI_RESOURCE, OPERATOR, System};
pub(crate) use web::Web;
