//! To the model server: which one, over which connection, with what of the request.

mod client;
mod connect;
mod fault;
mod list;
mod send;
mod upstreams;

pub(crate) use fault::UpstreamFault;
pub use list::{ListFault, Lister};
pub(crate) use send::{Onward, Received, Source, send};
pub use upstreams::BUILT_IN_MODEL;
pub(crate) use upstreams::{Served, Upstreams};
