//! Client secrets: compared as keyed hashes, in constant time, with the same work whether or not the client exists.

use keyless_model::entity::ClientSecret;
use keyless_model::{CredentialId, Secret};
use keyless_web::RequestFacts;

use super::Registered;
use crate::codes;
use crate::refusal::Refusal;
use crate::state::Authority;

/// What an unknown client's secret is compared with: hex of no HMAC, so nothing matches it.
const NO_HASH: &str = "----------------------------------------------------------------";

#[cfg(test)]
std::thread_local! {
    /// How many secrets were hashed, and how many hashes compared.
    pub(crate) static WORK: std::cell::Cell<(usize, usize)> = const { std::cell::Cell::new((0, 0)) };
}

/// Which secret of the client this is, if it holds now.
pub(super) fn check(
    authority: &Authority,
    facts: &RequestFacts,
    registered: Option<&Registered>,
    presented: &str,
) -> Result<CredentialId, Refusal> {
    let application = registered.and_then(Registered::application);
    let secrets = application.map(|app| app.secrets.as_slice()).unwrap_or_default();
    let hash = |text: &str| {
        #[cfg(test)]
        WORK.with(|work| work.set((work.get().0 + 1, work.get().1)));
        authority.platform.sealer.secret_hash(text)
    };
    let equal = |hash: &Secret<String>, known: &str| {
        #[cfg(test)]
        WORK.with(|work| work.set((work.get().0, work.get().1 + 1)));
        hash.matches(known.as_bytes())
    };
    let matched = find(secrets, presented, hash, equal);
    let Some(registered) = registered else {
        return Err(Refusal::new(&codes::WRONG_SECRET).because("unknown client"));
    };
    if application.is_some_and(|app| app.public_client && app.secrets.is_empty() && app.certificates.is_empty()) {
        return Err(Refusal::new(&codes::PUBLIC_CLIENT).with(registered.client_id));
    }
    let now = facts.ctx.now;
    match matched {
        Some(secret) if secret.starts <= now && now < secret.expires => Ok(secret.id),
        Some(secret) if secret.expires <= now => Err(Refusal::new(&codes::EXPIRED_SECRET)
            .with(registered.client_id)
            .because(format!("application {} presented secret {}, which has expired", registered.client_id, secret.id))),
        _ => Err(wrong(authority, facts, registered)),
    }
}

/// The secret that was presented. SECURITY: one hash whoever asks; one comparison with each secret, whatever the others gave, and one
/// where there are none, so that an unknown client and one without secrets cost what a wrong secret does.
fn find<'s>(
    secrets: &'s [ClientSecret],
    presented: &str,
    hash: impl Fn(&str) -> String,
    equal: impl Fn(&Secret<String>, &str) -> bool,
) -> Option<&'s ClientSecret> {
    let presented = Secret::new(hash(presented));
    if secrets.is_empty() {
        _ = equal(&presented, NO_HASH);
    }
    let mut matched = None;
    for secret in secrets {
        if equal(&presented, &secret.hash) {
            matched = Some(secret);
        }
    }
    matched
}

fn wrong(authority: &Authority, facts: &RequestFacts, registered: &Registered) -> Refusal {
    let client_id = registered.client_id;
    match authority.throttle.failure(client_id, facts.ctx.now) {
        Some(wait) => Refusal::new(&codes::TOO_MANY_FAILURES).with(client_id).retry_after(wait),
        None => Refusal::new(&codes::WRONG_SECRET).with(client_id),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use keyless_model::Timestamp;

    use super::*;

    /// Stands for the keyed hash: as long, and equal for equal texts only.
    fn hash(text: &str) -> String {
        format!("{text:-<64}")
    }

    /// How often it was hashed, how many bytes were compared, and what was found.
    fn work(secrets: &[ClientSecret], presented: &str) -> (usize, Vec<usize>, Option<CredentialId>) {
        let (hashed, compared) = (Cell::new(0), std::cell::RefCell::new(Vec::new()));
        let counted = |text: &str| {
            hashed.set(hashed.get() + 1);
            hash(text)
        };
        let equal = |hash: &Secret<String>, known: &str| {
            compared.borrow_mut().push(known.len());
            hash.matches(known.as_bytes())
        };
        let found = find(secrets, presented, counted, equal).map(|secret| secret.id);
        (hashed.get(), compared.into_inner(), found)
    }

    fn secret(n: u128, text: &str) -> ClientSecret {
        ClientSecret {
            id: CredentialId::from_u128(n),
            display_name: None,
            hint: String::new(),
            hash: hash(text),
            starts: Timestamp::from_unix_secs(0),
            expires: Timestamp::from_unix_secs(1),
        }
    }

    #[test]
    fn an_unknown_client_is_hashed_and_compared_as_a_wrong_secret_is_n69() {
        let one = [secret(1, "the-right-secret")];
        // No such client, or one that has no secrets.
        assert_eq!(work(&[], "the-right-secret"), (1, vec![64], None));
        assert_eq!(work(&one, "wrong"), (1, vec![64], None));
        assert_eq!(work(&one, "the-right-secret"), (1, vec![64], Some(one[0].id)));
    }

    #[test]
    fn a_secret_costs_the_same_whatever_it_shares_with_the_right_one_n70() {
        let two = [secret(1, "the-right-secret"), secret(2, "another-right-secret")];
        for (presented, found) in [
            ("the-right-secret", Some(0)),
            ("another-right-secret", Some(1)),
            ("the-right-secreT", None),
            ("the-right", None),
            ("The-right-secret", None),
            ("", None),
        ] {
            // Whole hashes of one length, each of them: nothing ends at the first difference, or at the first match.
            assert_eq!(work(&two, presented), (1, vec![64, 64], found.map(|n: usize| two[n].id)), "{presented}");
        }
    }
}
