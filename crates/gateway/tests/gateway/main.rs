//! The gateway on a real listener, in front of a scripted model server, with the fixture's directory and a clock moved by hand.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

mod audit;
mod budgets;
mod cut_off;
mod deadlines;
mod detection;
mod forwarding;
mod guests;
mod keys;
mod memory;
mod models;
mod refusals;
mod responder;
mod revocation;
mod rights;
mod slow_disk;
mod smuggling;
mod streams;
mod support;
mod under_way;
mod uploads;
mod upstream_faults;
