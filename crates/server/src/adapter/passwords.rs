//! The control plane's port to the hashing that the authority checks passwords with.

use std::sync::Arc;

use async_trait::async_trait;
use keyless_control::{PasswordHasher, PasswordRefused};
use keyless_model::{Entropy, Secret};
use keyless_token::password::{self, PasswordError};
use tokio::sync::Semaphore;

/// Hashes that run at once: each takes 19 MiB.
const AT_ONCE: usize = 2;

/// Argon2id, as `keyless-token` does it.
#[derive(Debug)]
pub(crate) struct Argon2Passwords(Semaphore);

impl Default for Argon2Passwords {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

#[async_trait]
impl PasswordHasher for Argon2Passwords {
    async fn hash(&self, password: Secret<String>, entropy: Arc<dyn Entropy>) -> Result<String, PasswordRefused> {
        let failed = "it could not be hashed; check that memory is free";
        let _running = self.0.acquire().await.map_err(|_| PasswordRefused(failed))?;
        let hashed = tokio::task::spawn_blocking(move || password::hash(&password, &*entropy)).await;
        hashed.map_err(|_| PasswordRefused(failed))?.map_err(|error| {
            PasswordRefused(match error {
                PasswordError::TooShort => "it needs 12 characters or more",
                PasswordError::TooLong => "it has 512 bytes at most",
                _ => failed,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;
    use crate::SystemEntropy;

    #[tokio::test]
    async fn a_password_is_hashed_while_the_thread_answers_others() {
        let passwords = Argon2Passwords::default();
        let mut hashing = passwords.hash("correct horse battery staple".to_owned().into(), Arc::new(SystemEntropy));
        // The only thread of this runtime comes back at once, and the hash is not there yet.
        let first = poll_fn(|context| Poll::Ready(hashing.as_mut().poll(context))).await;
        assert!(first.is_pending());
        assert!(hashing.await.unwrap().starts_with("$argon2id$"));
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_password_is_said() {
        let refused = Argon2Passwords::default().hash("short".to_owned().into(), Arc::new(SystemEntropy)).await.unwrap_err();
        assert_eq!(refused.0, "it needs 12 characters or more");
    }
}
