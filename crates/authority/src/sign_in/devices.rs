//! Device codes that wait for a person (RFC 8628), by the hash of the device code and by the user code.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keyless_model::{ClientId, Entropy, Secret, Timestamp};
use keyless_token::code::{DeviceAnswer, DeviceCode, DevicePoll, SignedIn, code_hash, new_code, new_user_code};

/// Sign-ins that may wait at once, and from one address: anybody can begin one.
const MAX_WAITING: usize = 10_000;
const MAX_PER_ADDRESS: usize = 100;
/// How long a device code waits, in seconds, and how long between polls.
pub(crate) const LIFETIME_SECS: i64 = 900;
pub(crate) const INTERVAL_SECS: i64 = 5;

/// All waiting device sign-ins.
#[derive(Debug, Default)]
pub(crate) struct Devices(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    codes: HashMap<[u8; 32], Waiting>,
    by_user_code: HashMap<String, [u8; 32]>,
}

#[derive(Debug)]
struct Waiting {
    code: DeviceCode,
    tenant: String,
    source: Option<IpAddr>,
}

/// What a person is asked about.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) client_id: ClientId,
    /// The path segment under which the program began.
    pub(crate) tenant: String,
}

impl Devices {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a sign-in: the device code for the program and the user code for the person; none when too many wait.
    pub(crate) fn begin(
        &self,
        client_id: ClientId,
        scope: &str,
        tenant: &str,
        source: Option<IpAddr>,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Option<(Secret<String>, String)> {
        let mut state = self.state();
        state.forget_expired(now);
        let of_address = state.codes.values().filter(|waiting| waiting.source == source).count();
        if state.codes.len() >= MAX_WAITING || of_address >= MAX_PER_ADDRESS {
            return None;
        }
        let device_code = new_code(entropy);
        let user_code = new_user_code(entropy);
        let hash = code_hash(device_code.expose());
        // One chance in millions: two people must never answer for each other.
        if state.by_user_code.contains_key(&user_code) {
            return None;
        }
        let code = DeviceCode {
            client_id,
            scope: scope.to_owned(),
            user_code: user_code.clone(),
            answer: DeviceAnswer::Pending,
            expires: now.plus_secs(LIFETIME_SECS),
            interval_secs: INTERVAL_SECS,
            last_poll: None,
        };
        state.by_user_code.insert(user_code.clone(), hash);
        state.codes.insert(hash, Waiting { code, tenant: tenant.to_owned(), source });
        Some((device_code, user_code))
    }

    /// What waits under a user code.
    pub(crate) fn asked(&self, user_code: &str, now: Timestamp) -> Option<Asked> {
        let state = self.state();
        let waiting = state.codes.get(state.by_user_code.get(user_code)?)?;
        let open = waiting.code.answer == DeviceAnswer::Pending && waiting.code.expires > now;
        open.then(|| Asked { client_id: waiting.code.client_id, tenant: waiting.tenant.clone() })
    }

    /// Files the person's answer; false when nothing waits for one any more.
    pub(crate) fn answer(&self, user_code: &str, signed_in: Option<SignedIn>, now: Timestamp) -> bool {
        let mut state = self.state();
        let Some(hash) = state.by_user_code.get(user_code).copied() else { return false };
        let Some(waiting) = state.codes.get_mut(&hash) else { return false };
        if waiting.code.answer != DeviceAnswer::Pending || waiting.code.expires <= now {
            return false;
        }
        waiting.code.answer = signed_in.map_or(DeviceAnswer::Declined, DeviceAnswer::Approved);
        true
    }

    /// One poll, with the scope that was asked for at the beginning. What is decided or expired is forgotten.
    pub(crate) fn poll(&self, device_code: &str, client_id: ClientId, now: Timestamp) -> (DevicePoll, String) {
        let mut state = self.state();
        let hash = code_hash(device_code);
        let Some(waiting) = state.codes.get_mut(&hash) else { return (DevicePoll::BadVerificationCode, String::new()) };
        let scope = waiting.code.scope.clone();
        let poll = waiting.code.poll(client_id, now);
        if matches!(poll, DevicePoll::Approved(_) | DevicePoll::AuthorizationDeclined | DevicePoll::ExpiredToken) {
            let user_code = waiting.code.user_code.clone();
            state.codes.remove(&hash);
            state.by_user_code.remove(&user_code);
        }
        (poll, scope)
    }
}

impl State {
    fn forget_expired(&mut self, now: Timestamp) {
        // A minute longer than they count, so that a late poll still hears why.
        self.codes.retain(|_, waiting| waiting.code.expires.plus_secs(60) > now);
        let codes = &self.codes;
        self.by_user_code.retain(|_, hash| codes.contains_key(hash));
    }
}
