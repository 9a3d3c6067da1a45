//! Composes the roles into one process: configuration, data folder, listeners, telemetry, shutdown.
//!
//! Reason to be a crate: a process role. Only this crate names a concrete store, and only this crate and the command line read the
//! environment and files at start-up.

mod adapter;
mod app;
mod bodies;
mod bootstrap;
mod capacity;
mod certificate;
mod clock;
mod connection;
mod crew;
mod data;
mod faults;
mod host;
mod landing;
mod linger;
mod listen;
pub mod local;
mod model;
mod operations;
mod options;
mod process;
mod progress;
mod restored;
mod roles;
mod signals;
mod start;
mod stop;
mod system;
mod telemetry;
mod tls;
mod trust;
mod upkeep;
mod upstreams;
mod worker;

pub use data::{DataFolder, kept_audit_anchor};
pub use faults::faults;
pub use options::Options;
pub use start::run;
pub use system::{SystemClock, SystemEntropy};
pub use telemetry::start_log;
