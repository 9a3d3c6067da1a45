//! Port to durable state: the store trait, sealing at rest, and the in-memory directory that follows its revisions.
