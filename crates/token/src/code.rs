//! Authorization codes and device codes: what is remembered while a person signs in, and the rules for handing it out once.
//!
//! It holds no storage. A code is random text; the caller files the record under [`code_hash`], so that a look into the store yields
//! nothing to redeem, and removes it when it is redeemed.

use aws_lc_rs::digest::{SHA256, digest};
use keyless_model::{ClientId, Entropy, ObjectId, Secret, TenantId, Timestamp};

use crate::pkce::{PkceChallenge, PkceError};

/// Letters of user codes: no vowels (no words), nothing that looks like something else. 20^8 is 25 billion.
const USER_CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const USER_CODE_LENGTH: usize = 8;

/// The name under which the record of a code is filed: SHA-256 of the code.
#[must_use]
pub fn code_hash(code: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, code.as_bytes()).as_ref());
    hash
}

/// A new authorization or device code: 256 random bits.
#[must_use]
pub fn new_code(entropy: &dyn Entropy) -> Secret<String> {
    Secret::new(entropy.text(32))
}

/// A new user code, such as `BCDF-GHJK`.
#[must_use]
pub fn new_user_code(entropy: &dyn Entropy) -> String {
    let mut letters = String::with_capacity(USER_CODE_LENGTH + 1);
    let mut byte = [0];
    while letters.len() < USER_CODE_LENGTH {
        entropy.fill(&mut byte);
        // 240 is a multiple of 20: dropping the rest keeps every letter equally likely.
        if byte[0] < 240 {
            letters.push(char::from(USER_CODE_LETTERS[usize::from(byte[0]) % USER_CODE_LETTERS.len()]));
        }
    }
    letters.insert(USER_CODE_LENGTH / 2, '-');
    letters
}

/// A user code as a person typed it, in the form of [`new_user_code`]; `None` when it cannot be one.
#[must_use]
pub fn read_user_code(typed: &str) -> Option<String> {
    if typed.len() > 64 {
        return None;
    }
    let mut letters: String =
        typed.chars().filter(|letter| !matches!(letter, '-' | ' ')).map(|letter| letter.to_ascii_uppercase()).collect();
    let known = letters.bytes().all(|byte| USER_CODE_LETTERS.contains(&byte));
    (known && letters.len() == USER_CODE_LENGTH).then(|| {
        letters.insert(USER_CODE_LENGTH / 2, '-');
        letters
    })
}

/// Who signed in, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub tenant: TenantId,
    pub user: ObjectId,
    /// `amr`.
    pub methods: Vec<String>,
    pub at: Timestamp,
    /// `sid`.
    pub session: String,
}

/// What an authorization code stands for (RFC 6749 section 4.1). Works once; the caller removes it before checking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationCode {
    pub client_id: ClientId,
    /// Byte for byte as in the authorization request.
    pub redirect_uri: String,
    pub scope: String,
    pub nonce: Option<String>,
    pub challenge: PkceChallenge,
    pub signed_in: SignedIn,
    pub expires: Timestamp,
}

/// Why a code is not redeemed. All of them are `invalid_grant` to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    #[error("the authorization code has expired; sign in again")]
    Expired,
    #[error("the authorization code was issued to another client")]
    Client,
    #[error("redirect_uri is not the one of the sign-in request")]
    RedirectUri,
    #[error(transparent)]
    Pkce(#[from] PkceError),
}

impl AuthorizationCode {
    /// Hands out the sign-in to the client that asked for it.
    ///
    /// # Errors
    /// [`CodeError`].
    pub fn redeem(self, client_id: ClientId, redirect_uri: &str, verifier: &str, now: Timestamp) -> Result<SignedIn, CodeError> {
        if now >= self.expires {
            return Err(CodeError::Expired);
        }
        if client_id != self.client_id {
            return Err(CodeError::Client);
        }
        if redirect_uri != self.redirect_uri {
            return Err(CodeError::RedirectUri);
        }
        self.challenge.check(verifier)?;
        Ok(self.signed_in)
    }
}

/// What a device code stands for (RFC 8628).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCode {
    pub client_id: ClientId,
    /// Remembered from the first request: `az` does not repeat it when polling.
    pub scope: String,
    pub user_code: String,
    pub answer: DeviceAnswer,
    pub expires: Timestamp,
    /// Seconds that must pass between polls; grows by 5 with each poll that comes too soon.
    pub interval_secs: i64,
    pub last_poll: Option<Timestamp>,
}

/// What the person decided so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceAnswer {
    Pending,
    Approved(SignedIn),
    Declined,
}

/// The answer to one poll, in the words of RFC 8628 section 3.5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DevicePoll {
    /// Remove the record before answering: it works once.
    Approved(SignedIn),
    AuthorizationPending,
    SlowDown,
    AuthorizationDeclined,
    ExpiredToken,
    /// Another client holds this code.
    BadVerificationCode,
}

impl DeviceCode {
    /// One poll; keeps the pace in the record, so store it back.
    pub fn poll(&mut self, client_id: ClientId, now: Timestamp) -> DevicePoll {
        if client_id != self.client_id {
            return DevicePoll::BadVerificationCode;
        }
        if now >= self.expires {
            return DevicePoll::ExpiredToken;
        }
        let too_soon = self.last_poll.is_some_and(|last| now < last.plus_secs(self.interval_secs));
        self.last_poll = Some(now);
        match &self.answer {
            DeviceAnswer::Approved(signed_in) => DevicePoll::Approved(signed_in.clone()),
            DeviceAnswer::Declined => DevicePoll::AuthorizationDeclined,
            DeviceAnswer::Pending if too_soon => {
                self.interval_secs = self.interval_secs.saturating_add(5);
                DevicePoll::SlowDown
            }
            DeviceAnswer::Pending => DevicePoll::AuthorizationPending,
        }
    }
}

#[cfg(test)]
mod tests;
