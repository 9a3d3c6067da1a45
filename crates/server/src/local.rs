//! The owner's door: HTTP over a Unix socket in the data folder. The kernel says which user is at the other end, so no operator
//! secret exists on disk or anywhere else.

mod administration;
pub mod api;
mod attachments;
mod connection;
mod decisions;
mod deny_assignments;
mod door;
mod guests;
mod known;
mod names;
mod spelling;
mod status;

pub use crate::data::socket_path;
pub use administration::Invited;
pub(crate) use administration::first_administrator;
pub(crate) use attachments::recall;
pub(crate) use connection::{Door, Facts};
pub use spelling::nearest;
pub(crate) use status::status;
