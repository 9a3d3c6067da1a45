//! Developers only: a fixed clock, seeded randomness, an in-memory directory and an upstream that records what it saw.
