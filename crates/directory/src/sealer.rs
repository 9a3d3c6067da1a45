//! Encryption at rest: what a copy of the database must not give away.
//!
//! From one 32-byte master key HKDF derives one key per use, so that no ciphertext or hash of one use means anything in another.
//! Where the master key is kept is not known here.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use keyless_model::entity::Sealed;
use keyless_model::{Entropy, KeyId, Scope, Secret};
use zeroize::Zeroizing;

/// First byte of every ciphertext, so that a later scheme can live beside this one.
const VERSION: u8 = 1;

/// A sealed secret does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a secret of {what} does not open; the master key does not belong to this data folder")]
pub struct SealError {
    pub what: String,
}

/// The purpose under which a signing key is sealed; binds the ciphertext to its key id.
#[must_use]
pub fn signing_key_purpose(kid: &KeyId) -> String {
    format!("signing-key/{kid}")
}

/// The purpose under which API key `slot` (1 or 2) of an account is sealed; binds the ciphertext to its account and slot.
#[must_use]
pub fn account_key_purpose(account: &Scope, slot: u8) -> String {
    format!("account-key/{}/{slot}", account.folded())
}

/// Seals secrets, opens them, and hashes client secrets.
pub struct Sealer {
    sealing: LessSafeKey,
    client_secrets: hmac::Key,
    /// The master key, extracted: further keys come from here.
    extracted: Prk,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// Derives the working keys from the master key.
    #[must_use]
    pub fn new(master: &Secret<[u8; 32]>) -> Self {
        let extracted = Salt::new(HKDF_SHA256, b"keyless").extract(master.expose());
        let sealing = derive(&extracted, &[b"keyless/v1/sealing"]);
        let client_secrets = derive(&extracted, &[b"keyless/v1/client-secrets"]);
        let unbound = UnboundKey::new(&AES_256_GCM, sealing.expose()).expect("AES-256 takes 32 bytes");
        Self { sealing: LessSafeKey::new(unbound), client_secrets: hmac::Key::new(hmac::HMAC_SHA256, client_secrets.expose()), extracted }
    }

    /// A key of its own for another use (`refresh-tokens`), the same on every node and after every restart.
    #[must_use]
    pub fn key_for(&self, purpose: &'static str) -> Secret<[u8; 32]> {
        derive(&self.extracted, &[b"keyless/v1/key-for/", purpose.as_bytes()])
    }

    /// Encrypts a secret. `purpose` says what it is and whose (`signing-key/{kid}`): a ciphertext opens for its purpose only, so
    /// rows of the database cannot be swapped.
    #[must_use]
    pub fn seal(&self, purpose: &str, secret: &[u8], entropy: &dyn Entropy) -> Sealed {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = secret.to_vec();
        self.sealing
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(purpose.as_bytes()), &mut sealed)
            .expect("a secret is far below the limit of AES-GCM");
        let mut bytes = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Sealed::from_ciphertext(bytes)
    }

    /// Decrypts a secret.
    ///
    /// # Errors
    /// When it was sealed under another master key or for another purpose, or was changed.
    pub fn open(&self, purpose: &str, sealed: &Sealed) -> Result<Secret<Vec<u8>>, SealError> {
        let refused = || SealError { what: purpose.to_owned() };
        let (&version, rest) = sealed.ciphertext().split_first().ok_or_else(refused)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN).filter(|_| version == VERSION).ok_or_else(refused)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| refused())?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let plain = self.sealing.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut buffer).map_err(|_| refused())?;
        Ok(Secret::new(plain.to_vec()))
    }

    /// The hash under which a client secret is kept: lower-case hex of HMAC-SHA256 over all of it.
    #[must_use]
    pub fn secret_hash(&self, client_secret: &str) -> String {
        hmac::sign(&self.client_secrets, client_secret.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether `hash` is of this client secret, in time that does not depend on where they differ.
    #[must_use]
    pub fn secret_matches(&self, client_secret: &str, hash: &str) -> bool {
        Secret::new(self.secret_hash(client_secret)).matches(hash.as_bytes())
    }
}

struct ThirtyTwo;

impl KeyType for ThirtyTwo {
    fn len(&self) -> usize {
        32
    }
}

fn derive(extracted: &Prk, info: &[&[u8]]) -> Secret<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    extracted.expand(info, ThirtyTwo).and_then(|okm| okm.fill(&mut *key)).expect("HKDF-SHA256 gives 32 bytes");
    Secret::new(*key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Counter(std::sync::atomic::AtomicU8);

    impl Entropy for Counter {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&Secret::new([byte; 32]))
    }

    #[test]
    fn a_secret_opens_for_its_purpose_under_its_key_and_nowhere_else() {
        let entropy = Counter(0.into());
        let sealed = sealer(1).seal("account-key/a/1", b"secret", &entropy);
        assert_eq!(sealer(1).open("account-key/a/1", &sealed).unwrap().expose(), b"secret");
        assert!(sealer(1).open("account-key/a/2", &sealed).is_err());
        assert!(sealer(2).open("account-key/a/1", &sealed).is_err());
        let mut changed = sealed.ciphertext().to_vec();
        *changed.last_mut().unwrap() ^= 1;
        assert!(sealer(1).open("account-key/a/1", &Sealed::from_ciphertext(changed)).is_err());
        assert!(sealer(1).open("account-key/a/1", &Sealed::from_ciphertext(vec![1, 2])).is_err());
        assert_ne!(sealer(1).seal("p", b"x", &entropy), sealer(1).seal("p", b"x", &entropy), "nonces differ");
    }

    #[test]
    fn every_purpose_has_a_key_of_its_own() {
        let key = |byte, purpose| sealer(byte).key_for(purpose).expose().to_vec();
        assert_eq!(key(1, "a"), key(1, "a"));
        assert_ne!(key(1, "a"), key(1, "b"));
        assert_ne!(key(1, "a"), key(2, "a"));
    }

    #[test]
    fn a_prefix_of_a_client_secret_does_not_match_n71() {
        let sealer = sealer(1);
        let long = "x".repeat(100);
        let hash = sealer.secret_hash(&long);
        assert!(sealer.secret_matches(&long, &hash));
        assert!(!sealer.secret_matches(&long[..72], &hash));
        assert!(!sealer.secret_matches("", &hash) && !sealer.secret_matches(&long, ""));
    }
}
