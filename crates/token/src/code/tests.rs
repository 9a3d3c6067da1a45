//! Codes and the rules for redeeming them.

use super::*;
use crate::opaque::tests::Counter;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CLIENT: ClientId = ClientId::from_u128(1);
const OTHER: ClientId = ClientId::from_u128(2);

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(secs)
}

fn signed_in() -> SignedIn {
    SignedIn { tenant: TenantId::from_u128(3), user: ObjectId::from_u128(4), methods: vec!["pwd".into()], at: at(0), session: "s".into() }
}

fn code() -> AuthorizationCode {
    AuthorizationCode {
        client_id: CLIENT,
        redirect_uri: "http://localhost:8400".into(),
        scope: "openid".into(),
        nonce: None,
        challenge: PkceChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Some("S256")).unwrap(),
        signed_in: signed_in(),
        expires: at(60),
    }
}

#[test]
fn code_is_redeemed_by_the_client_that_asked() {
    assert_eq!(code().redeem(CLIENT, "http://localhost:8400", VERIFIER, at(59)), Ok(signed_in()));
}

#[test]
fn code_in_other_hands_is_refused() {
    let uri = "http://localhost:8400";
    assert_eq!(code().redeem(OTHER, uri, VERIFIER, at(0)), Err(CodeError::Client));
    assert_eq!(code().redeem(CLIENT, uri, VERIFIER, at(60)), Err(CodeError::Expired));
    for other in ["http://localhost:8400/", "http://localhost:8401", "http://LOCALHOST:8400", ""] {
        assert_eq!(code().redeem(CLIENT, other, VERIFIER, at(0)), Err(CodeError::RedirectUri), "{other}");
    }
    assert_eq!(code().redeem(CLIENT, uri, &VERIFIER.replace('d', "e"), at(0)), Err(CodeError::Pkce(PkceError::Mismatch)));
    assert_eq!(code().redeem(CLIENT, uri, "", at(0)), Err(CodeError::Pkce(PkceError::Verifier)));
}

#[test]
fn codes_are_long_and_filed_by_hash() {
    let entropy = Counter::default();
    let (first, second) = (new_code(&entropy), new_code(&entropy));
    assert_eq!(first.expose().len(), 43);
    assert_ne!(code_hash(first.expose()), code_hash(second.expose()));
}

#[test]
fn user_code_is_read_however_it_is_typed() {
    let code = new_user_code(&Counter::default());
    assert_eq!(code.len(), 9);
    let lower = code.to_lowercase();
    for typed in [code.clone(), lower.clone(), code.replace('-', ""), format!(" {} ", lower.replace('-', " "))] {
        assert_eq!(read_user_code(&typed).as_deref(), Some(code.as_str()), "{typed}");
    }
    for typed in ["", "BCDF-GHJ", "BCDF-GHJKL", "ACDF-GHJK", "BCDF_GHJK", "1CDF-GHJK", &"-".repeat(100)] {
        assert_eq!(read_user_code(typed), None, "{typed}");
    }
}

#[test]
fn every_letter_of_a_user_code_is_equally_likely() {
    let entropy = Counter::default();
    let mut counts = std::collections::BTreeMap::new();
    // 240 bytes of 256 count, so 2,400 letters are ten rounds of the counter.
    for _ in 0..300 {
        for letter in new_user_code(&entropy).bytes().filter(|byte| *byte != b'-') {
            *counts.entry(letter).or_insert(0) += 1;
        }
    }
    assert_eq!(counts.len(), 20);
    assert!(counts.values().all(|&count| count == 120), "{counts:?}");
}

fn device() -> DeviceCode {
    DeviceCode {
        client_id: CLIENT,
        scope: "s".into(),
        user_code: "BCDF-GHJK".into(),
        answer: DeviceAnswer::Pending,
        expires: at(900),
        interval_secs: 5,
        last_poll: None,
    }
}

#[test]
fn device_polls_get_the_answers_of_the_rfc() {
    let mut code = device();
    assert_eq!(code.poll(CLIENT, at(0)), DevicePoll::AuthorizationPending);
    assert_eq!(code.poll(CLIENT, at(5)), DevicePoll::AuthorizationPending);
    assert_eq!(code.poll(CLIENT, at(9)), DevicePoll::SlowDown);
    assert_eq!(code.poll(CLIENT, at(18)), DevicePoll::SlowDown, "the interval is 10 now");
    assert_eq!(code.poll(CLIENT, at(33)), DevicePoll::AuthorizationPending);
    assert_eq!(code.poll(OTHER, at(50)), DevicePoll::BadVerificationCode);
    code.answer = DeviceAnswer::Approved(signed_in());
    assert_eq!(code.poll(CLIENT, at(34)), DevicePoll::Approved(signed_in()), "nobody who has an answer is kept waiting");
    assert_eq!(code.poll(CLIENT, at(900)), DevicePoll::ExpiredToken);
    let mut declined = DeviceCode { answer: DeviceAnswer::Declined, ..device() };
    assert_eq!(declined.poll(CLIENT, at(1)), DevicePoll::AuthorizationDeclined);
}
