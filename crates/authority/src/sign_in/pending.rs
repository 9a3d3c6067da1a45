//! Authorization codes that were handed out and not brought back yet, filed under their hash.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use keyless_model::{Entropy, Secret, Timestamp};
use keyless_token::code::{AuthorizationCode, code_hash, new_code};

/// Codes that may wait at once. Only a person who signed in gets one, so only people can fill this.
const MAX_CODES: usize = 10_000;

/// Codes by the hash of their text: whoever reads our memory finds nothing to redeem.
#[derive(Debug, Default)]
pub(crate) struct Codes(Mutex<HashMap<[u8; 32], AuthorizationCode>>);

impl Codes {
    /// Files what a code stands for; none when too many wait.
    pub(crate) fn put(&self, record: AuthorizationCode, entropy: &dyn Entropy, now: Timestamp) -> Option<Secret<String>> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if codes.len() >= MAX_CODES {
            codes.retain(|_, record| record.expires > now);
        }
        if codes.len() >= MAX_CODES {
            return None;
        }
        let code = new_code(entropy);
        codes.insert(code_hash(code.expose()), record);
        Some(code)
    }

    /// Takes what a code stands for. It is gone then, whatever the caller makes of it.
    pub(crate) fn take(&self, code: &str, now: Timestamp) -> Option<AuthorizationCode> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.remove(&code_hash(code)).filter(|record| record.expires > now)
    }
}
