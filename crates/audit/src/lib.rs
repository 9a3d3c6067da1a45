//! Audit events: schema, redaction, canonical form, hash chain and its verifier. Pure.
