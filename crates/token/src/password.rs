//! People's passwords at rest: Argon2id (RFC 9106) in PHC string form.
//!
//! Slow and memory-hungry on purpose: call it off the executor's threads, and bound how many run at once.

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use keyless_model::{Entropy, Secret};

/// The shortest password, in characters: long beats complicated (NIST SP 800-63B section 3.1.1.2).
pub const MIN_CHARACTERS: usize = 12;
/// The longest, in bytes: generous for people, bounded for the hash.
pub const MAX_BYTES: usize = 512;
/// OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const SALT_BYTES: usize = 16;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    #[error("a password needs 12 characters or more")]
    TooShort,
    #[error("a password has 512 bytes at most")]
    TooLong,
    #[error("the password could not be hashed; check that memory is free")]
    Hash,
}

/// Whether the text may become somebody's password.
///
/// # Errors
/// [`PasswordError::TooShort`] or [`PasswordError::TooLong`].
pub fn acceptable(password: &Secret<String>) -> Result<(), PasswordError> {
    if password.expose().len() > MAX_BYTES {
        return Err(PasswordError::TooLong);
    }
    if password.expose().chars().count() < MIN_CHARACTERS { Err(PasswordError::TooShort) } else { Ok(()) }
}

/// Hashes an acceptable password into `UserPassword::hash`. Takes some 20 ms and 19 MiB.
///
/// # Errors
/// As [`acceptable`], and [`PasswordError::Hash`].
pub fn hash(password: &Secret<String>, entropy: &dyn Entropy) -> Result<String, PasswordError> {
    acceptable(password)?;
    let mut salt = [0; SALT_BYTES];
    entropy.fill(&mut salt);
    let hashed = argon2()?.hash_password_with_salt(password.expose().as_bytes(), &salt).map_err(|_| PasswordError::Hash)?;
    Ok(hashed.to_string())
}

/// Whether this is the password behind `hash`. Takes as long as hashing; an unreadable hash matches nothing, at once.
#[must_use]
pub fn verify(password: &Secret<String>, hash: &str) -> bool {
    // A longer text is nobody's password; hashing it would be work that a stranger ordered.
    password.expose().len() <= MAX_BYTES && argon2().is_ok_and(|argon2| argon2.verify_password(password.expose().as_bytes(), hash).is_ok())
}

/// The hash of no password, for the same work when there is nobody to check.
pub const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|_| PasswordError::Hash)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the functions themselves are under test")]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Counter(std::sync::atomic::AtomicU8);

    impl Entropy for Counter {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn only_the_whole_password_matches_its_hash() {
        let entropy = Counter(0.into());
        let long = "correct horse battery staple ".repeat(4);
        let hashed = hash(&secret(&long), &entropy).unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify(&secret(&long), &hashed));
        for wrong in [&long[..72], &long[1..], "", "Correct horse battery staple "] {
            assert!(!verify(&secret(wrong), &hashed), "{wrong}");
        }
        assert_ne!(hashed, hash(&secret(&long), &entropy).unwrap(), "salts differ");
        assert!(!verify(&secret(&long), "") && !verify(&secret(&long), "plain text"));
    }

    #[test]
    fn nobody_has_a_hash_that_costs_work_and_matches_nothing() {
        for text in ["", "password", "correct horse battery staple"] {
            assert!(!verify(&secret(text), NOBODY));
        }
        assert!(argon2().unwrap().verify_password(b"x", NOBODY).is_err());
        assert!(argon2::password_hash::phc::PasswordHash::new(NOBODY).is_ok(), "it must be a real hash, or it would cost nothing");
    }

    #[test]
    fn short_and_endless_passwords_are_not_taken() {
        assert_eq!(acceptable(&secret("hunter2")), Err(PasswordError::TooShort));
        assert_eq!(acceptable(&secret(&"ü".repeat(11))), Err(PasswordError::TooShort));
        assert_eq!(acceptable(&secret(&"ü".repeat(12))), Ok(()));
        assert_eq!(acceptable(&secret(&"x".repeat(513))), Err(PasswordError::TooLong));
    }
}
