//! Composes the roles into one process: configuration, data folder, listeners, telemetry, shutdown.
//!
//! Reason to be a crate: a process role. Only this crate names a concrete store, and only this crate and the command line read the
//! environment and files at start-up.

pub mod local;
mod options;

pub use options::{Options, UpstreamChoice};
