//! The model server's answer, on its way to the caller.

mod events;
mod head;
mod relay;
mod reply;
mod tail;
mod usage;
mod vectors;
mod whole;

pub(crate) use head::{Head, refusal};
pub(crate) use relay::Relay;
pub(crate) use reply::Reply;
