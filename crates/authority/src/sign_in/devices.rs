//! Device codes that wait for a person (RFC 8628), by the hash of the device code and by the user code.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keyless_model::{ClientId, Entropy, Secret, Timestamp};
use keyless_token::code::{DeviceAnswer, DeviceCode, DevicePoll, SignedIn, code_hash, new_code, new_user_code};
use keyless_web::Place;

/// Sign-ins that may wait at once, and from one place: anybody can begin one. At either bound the oldest one of the place that has
/// the most makes room, so that nobody closes the flow for others.
const MAX_WAITING: usize = 10_000;
const MAX_PER_PLACE: usize = 100;
/// How long a device code waits, in seconds, and how long between polls.
pub(crate) const LIFETIME_SECS: i64 = 900;
pub(crate) const INTERVAL_SECS: i64 = 5;

/// All waiting device sign-ins.
#[derive(Debug)]
pub(crate) struct Devices {
    state: Mutex<State>,
    most: usize,
    most_per_place: usize,
}

impl Default for Devices {
    fn default() -> Self {
        Self { state: Mutex::default(), most: MAX_WAITING, most_per_place: MAX_PER_PLACE }
    }
}

#[derive(Debug, Default)]
struct State {
    codes: HashMap<[u8; 32], Waiting>,
    by_user_code: HashMap<String, [u8; 32]>,
}

#[derive(Debug)]
struct Waiting {
    code: DeviceCode,
    tenant: String,
    place: Place,
    source: Option<IpAddr>,
    begun: Timestamp,
}

/// What a person is asked about.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) client_id: ClientId,
    /// The path segment under which the program began.
    pub(crate) tenant: String,
    /// Where and when the program began: what a person needs to tell their own device from somebody else's.
    pub(crate) source: Option<IpAddr>,
    pub(crate) begun: Timestamp,
}

impl Asked {
    /// What tells one's own device from somebody else's (RFC 8628 section 5.4).
    pub(crate) fn origin(&self, now: Timestamp) -> String {
        let age = match now.millis_since(self.begun) / 60_000 {
            ..=0 => "less than a minute ago".to_owned(),
            1 => "a minute ago".to_owned(),
            minutes => format!("{minutes} minutes ago"),
        };
        match self.source {
            Some(address) if address.is_loopback() => format!("from this system's own machine, {age}"),
            Some(address) => format!("from the address {address}, {age}"),
            None => format!("from an unknown address, {age}"),
        }
    }
}

impl Devices {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a sign-in: the device code for the program and the user code for the person; none in the rare case that the user code
    /// is taken.
    pub(crate) fn begin(
        &self,
        client_id: ClientId,
        scope: &str,
        tenant: &str,
        (place, source): (Place, Option<IpAddr>),
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Option<(Secret<String>, String)> {
        let mut state = self.state();
        state.forget_expired(now);
        state.make_room(place, self.most, self.most_per_place);
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
        state.codes.insert(hash, Waiting { code, tenant: tenant.to_owned(), place, source, begun: now });
        Some((device_code, user_code))
    }

    /// What waits under a user code.
    pub(crate) fn asked(&self, user_code: &str, now: Timestamp) -> Option<Asked> {
        let state = self.state();
        let waiting = state.codes.get(state.by_user_code.get(user_code)?)?;
        let open = waiting.code.answer == DeviceAnswer::Pending && waiting.code.expires > now;
        open.then(|| Asked {
            client_id: waiting.code.client_id,
            tenant: waiting.tenant.clone(),
            source: waiting.source,
            begun: waiting.begun,
        })
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
    /// Drops one where the next one would be too many.
    fn make_room(&mut self, place: Place, most: usize, most_per_place: usize) {
        let mut counts: HashMap<Place, usize> = HashMap::new();
        for waiting in self.codes.values() {
            *counts.entry(waiting.place).or_default() += 1;
        }
        let crowded = if counts.get(&place).is_some_and(|count| *count >= most_per_place) {
            Some(place)
        } else if self.codes.len() >= most {
            counts.into_iter().max_by_key(|(_, count)| *count).map(|(place, _)| place)
        } else {
            None
        };
        let Some(crowded) = crowded else { return };
        let oldest = self.codes.iter().filter(|(_, waiting)| waiting.place == crowded).min_by_key(|(_, waiting)| waiting.begun);
        if let Some((hash, user_code)) = oldest.map(|(hash, waiting)| (*hash, waiting.code.user_code.clone())) {
            self.codes.remove(&hash);
            self.by_user_code.remove(&user_code);
        }
    }

    fn forget_expired(&mut self, now: Timestamp) {
        // A minute longer than they count, so that a late poll still hears why.
        self.codes.retain(|_, waiting| waiting.code.expires.plus_secs(60) > now);
        let codes = &self.codes;
        self.by_user_code.retain(|_, hash| codes.contains_key(hash));
    }
}

#[cfg(test)]
mod tests {
    use keyless_testkit::SeededEntropy;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_secs(1_700_000_000);

    fn begin(devices: &Devices, place: Place, entropy: &SeededEntropy) -> String {
        let now = NOW.plus_millis(i64::try_from(devices.state().codes.len()).unwrap());
        let begun = devices.begin(ClientId::from_u128(1), "openid", "common", (place, None), entropy, now);
        begun.expect("nobody else has the code").1
    }

    #[test]
    fn a_place_at_its_bound_loses_its_own_oldest_code_i6() {
        let (devices, entropy) = (Devices::default(), SeededEntropy::default());
        let others = begin(&devices, Place::User(1), &entropy);
        let first = begin(&devices, Place::User(2), &entropy);
        for _ in 0..MAX_PER_PLACE {
            begin(&devices, Place::User(2), &entropy);
        }
        assert_eq!(devices.state().codes.len(), 1 + MAX_PER_PLACE);
        assert!(devices.asked(&others, NOW).is_some());
        assert!(devices.asked(&first, NOW).is_none());
    }

    #[test]
    fn a_hundred_places_do_not_close_the_flow_for_others_i6() {
        let (devices, entropy) = (Devices { most: 200, ..Devices::default() }, SeededEntropy::default());
        for n in 0..200 {
            begin(&devices, Place::User(n / 10), &entropy);
        }
        let late = begin(&devices, Place::User(9_999), &entropy);
        assert!(devices.asked(&late, NOW).is_some());
        let state = devices.state();
        assert_eq!((state.codes.len(), state.by_user_code.len()), (200, 200));
    }
}
