//! Adapter: durable state in SQLite (WAL), passing the conformance suite of keyless-store.
