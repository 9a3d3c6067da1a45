//! Passwords of users, as the control plane sees them: something that turns one into what may be kept.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use keyless_model::{Entropy, Secret};

/// Why a password is not taken. Never quotes it.
#[derive(Debug, thiserror::Error)]
#[error("the password is not accepted: {0}")]
pub struct PasswordRefused(pub &'static str);

/// Hashes passwords. The server provides it, with the same parameters as the authority that checks them.
#[async_trait]
pub trait PasswordHasher: Debug + Send + Sync {
    /// The Argon2id hash in PHC string form. Takes tens of milliseconds of a core, so never on a thread that answers calls.
    ///
    /// # Errors
    /// When the password breaks the rules.
    async fn hash(&self, password: Secret<String>, entropy: Arc<dyn Entropy>) -> Result<String, PasswordRefused>;
}
