//! The model server's answer, on its way to the caller.

mod errors;
mod events;
mod head;
mod relay;
mod reply;
mod tail;
mod usage;
mod vectors;
mod watchdog;
mod whole;

pub(crate) use events::Events;
pub(crate) use head::{Head, refusal};
pub(crate) use relay::Limits;
pub(crate) use reply::{Asks, Reply};
pub(crate) use watchdog::Watched;
