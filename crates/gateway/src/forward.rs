//! To the model server: which one, over which connection, with what of the request.

mod client;
mod fault;
mod send;
mod upstreams;

pub(crate) use fault::UpstreamFault;
pub(crate) use send::{Onward, Received, Source, send};
pub(crate) use upstreams::{Served, Upstreams};
