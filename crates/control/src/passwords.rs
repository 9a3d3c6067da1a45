//! Passwords of users, as the control plane sees them: something that turns one into what may be kept.

use std::fmt::Debug;

use keyless_model::{Entropy, Secret};

/// Why a password is not taken. Never quotes it.
#[derive(Debug, thiserror::Error)]
#[error("the password is not accepted: {0}")]
pub struct PasswordRefused(pub &'static str);

/// Hashes passwords. The server provides it, with the same parameters as the authority that checks them.
pub trait PasswordHasher: Debug + Send + Sync {
    /// The Argon2id hash in PHC string form.
    ///
    /// # Errors
    /// When the password breaks the rules.
    fn hash(&self, password: &Secret<String>, entropy: &dyn Entropy) -> Result<String, PasswordRefused>;
}
