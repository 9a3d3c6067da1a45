//! The control plane's port to the hashing that the authority checks passwords with.

use keyless_control::{PasswordHasher, PasswordRefused};
use keyless_model::{Entropy, Secret};
use keyless_token::password::{self, PasswordError};

/// Argon2id, as `keyless-token` does it.
#[derive(Debug)]
pub(crate) struct Argon2Passwords;

impl PasswordHasher for Argon2Passwords {
    fn hash(&self, password: &Secret<String>, entropy: &dyn Entropy) -> Result<String, PasswordRefused> {
        password::hash(password, entropy).map_err(|error| {
            PasswordRefused(match error {
                PasswordError::TooShort => "it needs 12 characters or more",
                PasswordError::TooLong => "it has 512 bytes at most",
                _ => "it could not be hashed; check that memory is free",
            })
        })
    }
}
