//! Authorization codes that were handed out and not brought back yet, filed under their hash.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use keyless_model::{Entropy, Secret, Timestamp};
use keyless_token::code::{AuthorizationCode, code_hash, new_code};

/// Codes that may wait at once. Only a person who signed in gets one, so only people can fill this.
const MAX_CODES: usize = 10_000;

/// Codes by the hash of their text: whoever reads our memory finds nothing to redeem.
#[derive(Debug)]
pub(crate) struct Codes {
    filed: Mutex<HashMap<[u8; 32], Filed>>,
    most: usize,
}

impl Default for Codes {
    fn default() -> Self {
        Self { filed: Mutex::default(), most: MAX_CODES }
    }
}

#[derive(Debug)]
struct Filed {
    record: AuthorizationCode,
    /// Brought once already; remembered until it would have expired.
    taken: bool,
}

/// What a code turns out to be.
#[derive(Debug)]
pub(crate) enum Taken {
    First(AuthorizationCode),
    /// Somebody brought it before: what it began must end (RFC 6749 section 4.1.2).
    Again(AuthorizationCode),
    Unknown,
}

impl Codes {
    /// Files what a code stands for; none when too many wait.
    pub(crate) fn put(&self, record: AuthorizationCode, entropy: &dyn Entropy, now: Timestamp) -> Option<Secret<String>> {
        let mut codes = self.filed.lock().unwrap_or_else(PoisonError::into_inner);
        if codes.len() >= self.most {
            codes.retain(|_, filed| filed.record.expires > now);
        }
        if codes.len() >= self.most {
            return None;
        }
        let code = new_code(entropy);
        codes.insert(code_hash(code.expose()), Filed { record, taken: false });
        Some(code)
    }

    /// Takes what a code stands for. It works no second time, whatever the caller makes of it.
    pub(crate) fn take(&self, code: &str, now: Timestamp) -> Taken {
        let mut codes = self.filed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(filed) = codes.get_mut(&code_hash(code)).filter(|filed| filed.record.expires > now) else { return Taken::Unknown };
        let record = filed.record.clone();
        if std::mem::replace(&mut filed.taken, true) { Taken::Again(record) } else { Taken::First(record) }
    }
}

#[cfg(test)]
mod tests {
    use keyless_model::{ClientId, ObjectId, TenantId};
    use keyless_testkit::SeededEntropy;
    use keyless_token::code::SignedIn;
    use keyless_token::pkce::PkceChallenge;

    use super::*;

    #[test]
    fn codes_beyond_the_bound_are_not_made_and_room_comes_with_time_i6() {
        let (codes, entropy) = (Codes { most: 3, ..Codes::default() }, SeededEntropy::default());
        let now = Timestamp::from_unix_secs(1_700_000_000);
        let signed_in =
            SignedIn { tenant: TenantId::from_u128(1), user: ObjectId::from_u128(2), methods: Vec::new(), at: now, session: "s".into() };
        let record = |expires| AuthorizationCode {
            client_id: ClientId::from_u128(3),
            redirect_uri: "http://localhost".into(),
            scope: "openid".into(),
            nonce: None,
            challenge: PkceChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Some("S256")).unwrap(),
            signed_in: signed_in.clone(),
            expires,
        };
        let put = |now: Timestamp| codes.put(record(now.plus_secs(300)), &entropy, now);
        let first = put(now).unwrap();
        assert!(put(now).is_some() && put(now).is_some() && put(now).is_none());
        assert!(matches!(codes.take(first.expose(), now), Taken::First(_)));
        assert!(matches!(codes.take(first.expose(), now), Taken::Again(record) if record.signed_in.session == "s"));
        assert!(put(now).is_none(), "what was taken is remembered for as long");
        assert!(put(now.plus_secs(300)).is_some());
        assert!(matches!(codes.take(first.expose(), now.plus_secs(300)), Taken::Unknown));
    }
}
