//! Mints and verifies tokens, holds the key life cycle and the assertion rules. Pure.
