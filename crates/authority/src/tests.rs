//! Handler tests on the real router, over a directory in memory and a clock moved by hand.

mod assertions;
mod client_credentials;
mod discovery;
mod federation;
pub(crate) mod forge;
mod harness;
mod issuing;
mod people;
mod probes;
mod rotation;
mod token_endpoint;
