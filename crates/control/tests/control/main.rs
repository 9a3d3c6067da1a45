//! The control plane on its real router, over a directory in memory and a clock moved by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;
mod activity;
mod authentication;
mod catalogue;
mod concurrency;
mod containers;
mod delegation;
mod deny_assignments;
mod deployments;
mod escalation;
mod graph;
mod guests;
mod identities;
mod limits;
mod locks;
mod management_groups;
mod paging;
mod plans;
mod quota;
mod role_assignments;
mod role_definitions;
mod shapes;
mod support;
mod tenants;
