//! Hashing of people's passwords, bounded for the whole process: whoever asks, 2 hashes at once of 19 MiB each.
//!
//! It does not know whose password it is; counting wrong ones is the authority's business.

use std::sync::Arc;

use keyless_model::{Entropy, Secret};
use keyless_store::{Blocking, BlockingError};
use keyless_token::password::{self, PasswordError};

/// Hashes at once: each takes 19 MiB and a core for some 20 ms.
const AT_ONCE: usize = 2;
/// Hashes that may wait in each line.
const WAITING: usize = 32;

/// The process' hashing, with a line for each kind of caller: strangers at their bound turn nobody else away.
#[derive(Debug, Clone)]
pub struct Passwords {
    /// Sign-ins of people who have proved nothing yet.
    pub strangers: Hashing,
    /// Those who hold a right already: the owner, callers of Graph, people who choose a new password.
    pub known: Hashing,
}

/// One line before the hashing.
#[derive(Debug, Clone)]
pub struct Hashing {
    blocking: Blocking,
    entropy: Arc<dyn Entropy>,
}

/// Why a password was not hashed or checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFailure {
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Blocking(#[from] BlockingError),
}

impl Passwords {
    #[must_use]
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        let blocking = Blocking::new(AT_ONCE, WAITING);
        let known = Hashing { blocking: blocking.line(WAITING), entropy: Arc::clone(&entropy) };
        Self { strangers: Hashing { blocking, entropy }, known }
    }

    /// Hashes that run at the moment, whoever waits for them.
    #[must_use]
    pub fn running(&self) -> usize {
        self.strangers.blocking.running()
    }
}

impl Hashing {
    /// The Argon2id hash of an acceptable password, in PHC string form.
    ///
    /// # Errors
    /// [`PasswordFailure`].
    #[expect(clippy::disallowed_methods, reason = "within the bound")]
    pub async fn hash(&self, new: Secret<String>) -> Result<String, PasswordFailure> {
        // What would be refused takes no place.
        password::acceptable(&new)?;
        let entropy = Arc::clone(&self.entropy);
        Ok(self.blocking.run(move || password::hash(&new, &*entropy)).await??)
    }

    /// Whether `given` is the password behind `hash`.
    ///
    /// # Errors
    /// [`PasswordFailure::Blocking`].
    #[expect(clippy::disallowed_methods, reason = "within the bound")]
    pub async fn verify(&self, given: Secret<String>, hash: String) -> Result<bool, PasswordFailure> {
        Ok(self.blocking.run(move || password::verify(&given, &hash)).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    #[derive(Debug)]
    struct Zero;

    impl Entropy for Zero {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_is_hashed_while_the_thread_answers_others() {
        let passwords = Passwords::new(Arc::new(Zero));
        let mut hashing = pin!(passwords.known.hash(secret("correct horse battery staple")));
        // The only thread of this runtime comes back at once, and the hash is not there yet.
        assert!(poll_fn(|context| Poll::Ready(hashing.as_mut().poll(context))).await.is_pending());
        let hash = hashing.await.unwrap();
        assert!(passwords.strangers.verify(secret("correct horse battery staple"), hash.clone()).await.unwrap());
        assert!(!passwords.strangers.verify(secret("correct horse battery stapler"), hash).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_password_is_said() {
        let refused = Passwords::new(Arc::new(Zero)).known.hash(secret("short")).await;
        assert_eq!(refused, Err(PasswordFailure::Password(PasswordError::TooShort)));
    }

    #[tokio::test]
    async fn sign_ins_and_new_passwords_share_two_places_i1() {
        let passwords = Passwords::new(Arc::new(Zero));
        let password = || secret("correct horse battery staple");
        let mut calls: Vec<_> = (0..4).map(|_| Box::pin(passwords.known.hash(password()))).collect();
        let mut others: Vec<_> = (0..4).map(|_| Box::pin(passwords.strangers.verify(password(), password::NOBODY.into()))).collect();
        for call in &mut calls {
            assert!(poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_pending())).await);
        }
        for other in &mut others {
            assert!(poll_fn(|context| Poll::Ready(other.as_mut().poll(context).is_pending())).await);
        }
        assert_eq!(passwords.running(), AT_ONCE);
    }
}
