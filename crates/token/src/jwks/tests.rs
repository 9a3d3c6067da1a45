//! Key sets that strangers publish.

use keyless_model::entity::SigningAlgorithm;

use super::*;
use crate::signer::Signer;

fn rsa_numbers() -> (String, String) {
    let new = Signer::generate(SigningAlgorithm::RS256).unwrap();
    match VerifyingKey::from_spki(Algorithm::RS256, &new.public_spki).unwrap().numbers().unwrap() {
        PublicNumbers::Rsa { n, e } => (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e)),
        PublicNumbers::P256 { .. } => panic!("an RSA key was asked for"),
    }
}

fn ec_numbers() -> (String, String) {
    let new = Signer::generate(SigningAlgorithm::ES256).unwrap();
    match VerifyingKey::from_spki(Algorithm::ES256, &new.public_spki).unwrap().numbers().unwrap() {
        PublicNumbers::P256 { x, y } => (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y)),
        PublicNumbers::Rsa { .. } => panic!("a P-256 key was asked for"),
    }
}

fn set(keys: &[String]) -> Result<ExternalKeys, JwksError> {
    ExternalKeys::parse(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes())
}

#[track_caller]
fn left_out(key: &str) {
    let found = set(&[key.to_owned()]).unwrap();
    assert!(found.is_empty() && found.left_out() == 1, "{key}");
}

#[test]
fn rsa_key_without_alg_serves_both_paddings_and_with_one_only_that() {
    let (n, e) = rsa_numbers();
    let open = set(&[format!(r#"{{"kty":"RSA","kid":"a","n":"{n}","e":"{e}"}}"#)]).unwrap();
    assert!(open.find("a", Algorithm::RS256).is_some() && open.find("a", Algorithm::PS256).is_some());
    assert!(open.find("a", Algorithm::ES256).is_none() && open.find("b", Algorithm::RS256).is_none());
    let bound = set(&[format!(r#"{{"kty":"RSA","kid":"a","alg":"RS256","n":"{n}","e":"{e}"}}"#)]).unwrap();
    assert!(bound.find("a", Algorithm::RS256).is_some() && bound.find("a", Algorithm::PS256).is_none());
    assert!(bound.names("a"));
}

#[test]
fn weak_rsa_keys_are_left_out_n13() {
    let (n, e) = rsa_numbers();
    left_out(&format!(r#"{{"kty":"RSA","kid":"a","n":"{}","e":"{e}"}}"#, &n[..172]));
    for weak in ["AQ", "Ag", "AA", "", "AAEAAQ"] {
        left_out(&format!(r#"{{"kty":"RSA","kid":"a","n":"{n}","e":"{weak}"}}"#));
    }
    left_out(&format!(r#"{{"kty":"RSA","kid":"a","n":"AA{n}","e":"{e}"}}"#));
}

#[test]
fn keys_for_another_use_are_left_out() {
    let (n, e) = rsa_numbers();
    for extra in [
        r#""use":"enc""#,
        r#""use":"SIG""#,
        r#""use":["sig"]"#,
        r#""key_ops":["sign"]"#,
        r#""key_ops":"verify""#,
        r#""key_ops":[]"#,
        r#""alg":"RS512""#,
        r#""alg":"HS256""#,
        r#""alg":"none""#,
        r#""alg":"ES256""#,
        r#""alg":"RSA-OAEP""#,
        r#""alg":null"#,
    ] {
        left_out(&format!(r#"{{"kty":"RSA","kid":"a","n":"{n}","e":"{e}",{extra}}}"#));
    }
    for fine in [r#""use":"sig""#, r#""use":null"#, r#""key_ops":["verify"]"#, r#""x5c":["AAAA"],"issuer":"https://x/{tenantid}/v2.0""#] {
        assert_eq!(set(&[format!(r#"{{"kty":"RSA","kid":"a","n":"{n}","e":"{e}",{fine}}}"#)]).unwrap().left_out(), 0, "{fine}");
    }
}

#[test]
fn keys_whose_private_half_is_public_or_symmetric_are_left_out() {
    let (n, e) = rsa_numbers();
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        left_out(&format!(r#"{{"kty":"RSA","kid":"a","n":"{n}","e":"{e}","{private}":"AQAB"}}"#));
    }
    left_out(r#"{"kty":"oct","kid":"a","k":"AAAA"}"#);
    left_out(r#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#);
}

#[test]
fn curve_keys_must_be_points_of_p256() {
    let (x, y) = ec_numbers();
    assert!(
        set(&[format!(r#"{{"kty":"EC","crv":"P-256","kid":"a","x":"{x}","y":"{y}"}}"#)]).unwrap().find("a", Algorithm::ES256).is_some()
    );
    left_out(&format!(r#"{{"kty":"EC","crv":"P-384","kid":"a","x":"{x}","y":"{y}"}}"#));
    left_out(&format!(r#"{{"kty":"EC","crv":"P-256","alg":"ES384","kid":"a","x":"{x}","y":"{y}"}}"#));
    left_out(&format!(r#"{{"kty":"EC","kid":"a","x":"{x}","y":"{y}"}}"#));
    left_out(&format!(r#"{{"kty":"EC","crv":"P-256","kid":"a","x":"{x}","y":"{x}"}}"#));
    left_out(&format!(r#"{{"kty":"EC","crv":"P-256","kid":"a","x":"{x}"}}"#));
}

#[test]
fn key_without_a_usable_name_is_left_out() {
    let (n, e) = rsa_numbers();
    for kid in ["", r#""kid":7,"#, r#""kid":"","#, &format!(r#""kid":"{}","#, "k".repeat(257))] {
        left_out(&format!(r#"{{"kty":"RSA",{kid}"n":"{n}","e":"{e}"}}"#));
    }
}

#[test]
fn two_different_keys_of_one_name_refuse_the_set_and_repeated_ones_do_not() {
    let ((n, e), (m, _)) = (rsa_numbers(), rsa_numbers());
    let key = |n: &str, extra: &str| format!(r#"{{"kty":"RSA","kid":"a","n":"{n}","e":"{e}"{extra}}}"#);
    assert_eq!(set(&[key(&n, ""), key(&m, "")]).map(drop), Err(JwksError::DuplicateId));
    let same = set(&[key(&n, r#","alg":"RS256""#), key(&n, r#","alg":"PS256""#), key(&n, "")]).unwrap();
    assert!(same.find("a", Algorithm::RS256).is_some() && same.find("a", Algorithm::PS256).is_some());
    let (x, y) = ec_numbers();
    let ec = format!(r#"{{"kty":"EC","crv":"P-256","kid":"a","x":"{x}","y":"{y}"}}"#);
    assert_eq!(set(&[key(&n, ""), ec]).map(drop), Err(JwksError::DuplicateId));
}

#[test]
fn huge_or_malformed_sets_are_refused_n57() {
    let (n, e) = rsa_numbers();
    let keys: Vec<String> = (0..=MAX_JWKS_KEYS).map(|index| format!(r#"{{"kty":"RSA","kid":"k{index}","n":"{n}","e":"{e}"}}"#)).collect();
    assert_eq!(set(&keys).map(drop), Err(JwksError::TooManyKeys));
    assert!(set(&keys[1..]).is_ok());
    assert_eq!(set(&vec!["{}".to_owned(); 10_000]).map(drop), Err(JwksError::Malformed));
    assert_eq!(ExternalKeys::parse(&vec![b' '; MAX_JWKS_BYTES + 1]).map(drop), Err(JwksError::TooLarge));
    for text in ["", "{}", "[]", r#"{"keys":{}}"#, r#"{"keys":null}"#, r#"{"keys":[1]}"#, r#"{"keys":[],"keys":[]}"#, "<html>"] {
        assert_eq!(ExternalKeys::parse(text.as_bytes()).map(drop), Err(JwksError::Malformed), "{text}");
    }
}
