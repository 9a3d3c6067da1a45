//! What the Graph subset has in common: who may, how objects are found and shown.

pub(crate) mod find;
pub(crate) mod permission;
pub(crate) mod shape;
