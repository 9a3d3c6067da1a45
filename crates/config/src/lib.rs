//! Every setting of a system: a typed tree with one file per section.
//!
//! Reason to be a crate: a pure core, which the command line uses without the server. Text, environment and flags are arguments; files
//! that a setting names are looked at by whoever uses them.
//!
//! A setting is one field: its doc comment is the description in the schema, the reference page and `--help`; its default stands beside
//! it; its variable is derived from its place. See `docs/decisions/0012-configuration.md`.

mod catalogue;
mod check;
mod flags;
mod layers;
mod node;
mod problem;
mod reference;
mod sections;
mod toml_file;
mod value;

pub use catalogue::{Catalogue, Kind, Setting};
pub use flags::{DATA, FLAGS, Flag, Takes};
pub use layers::{File, Given, Loaded, Purpose, Shown, load};
pub use node::Origin;
pub use problem::{Fault, Problem};
pub use reference::reference;
pub use sections::*;
pub use value::{ByteSize, FilePath, ListenAddress, TimeSpan, WebAddress};
