//! The negative cases of `docs/security` by name, through the public interface only: what an attacker can send.

#![allow(clippy::unwrap_used, reason = "test code outside #[test] functions, where the lint's exception does not reach")]

mod access;
mod assertions;
mod claims;
mod federation;
mod foreign;
mod forge;
mod panics;
mod published;
mod sign_in;
