//! The Azure OpenAI data plane: authenticate, decide, admit, forward, settle, audit.
//!
//! Reason to be a crate: a process role, testable alone. It is raw hyper without layers in between, because it is the one path
//! that every call of every program takes.
//!
//! The steps of a call, in order, each a file: [`route`] (what is asked, of which account), [`network`] (from an address the
//! account answers), [`authenticate`] (by whom), [`authorize`] (may they), [`prompt`] (the request body, read as far as needed),
//! [`admit`] (within which budget), [`forward`] (to which model server), [`answer`] (back, frame by frame), [`record`] (audited
//! before the answer ends). [`refuse`] holds every way this ends early.
//!
//! It does not know of listeners, TLS certificates, files or the environment; `keyless-server` does.

mod address;
mod admit;
mod answer;
mod authenticate;
mod authorize;
mod body;
mod config;
pub mod detect;
mod forward;
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod models;
mod network;
mod pieces;
mod plan;
mod prompt;
mod record;
mod refuse;
mod responder;
mod route;
mod shares;
mod standing;

pub use body::Body;
pub use config::{Config, ConfigError, IdentityLimit, Timeouts, UpstreamConfig, UpstreamKind, check};
pub use forward::BUILT_IN_MODEL;
pub use gateway::{Answering, Gateway};
pub use pieces::BoxError;
