//! No input panics, whatever it is. The fuzz targets go on from here.

use keyless_model::Secret;
use keyless_token::code::read_user_code;
use keyless_token::expression::Expression;
use keyless_token::jwks::ExternalKeys;
use keyless_token::opaque::RefreshSealer;
use keyless_token::pkce::PkceChallenge;
use keyless_token::{Certificate, Claims};
use proptest::prelude::*;

use crate::forge::{Authority, b64, join};

/// JSON-like text: mostly well-formed, so that it gets past the first check.
fn jsonish() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| n.to_string()),
        "[ -~]{0,12}".prop_map(|text| format!("{text:?}")),
        Just(r#""RS256""#.to_owned()),
        Just(r#""own-rsa""#.to_owned()),
        Just(r#""JWT""#.to_owned()),
    ];
    let value = scalar.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(("[a-z]{0,4}", inner), 0..6).prop_map(object),
        ]
    });
    let name = prop_oneof![
        Just("alg"),
        Just("kid"),
        Just("typ"),
        Just("x5t"),
        Just("crit"),
        Just("iss"),
        Just("aud"),
        Just("exp"),
        Just("iat"),
        Just("oid"),
        Just("tid"),
        Just("ver"),
        Just("appid"),
        Just("xms_cc"),
        Just("keys"),
        Just("kty"),
        Just("n"),
        Just("e"),
        Just("x"),
        Just("y"),
    ];
    prop::collection::vec((name.prop_map(str::to_owned), value), 0..12).prop_map(object)
}

fn object(members: Vec<(String, String)>) -> String {
    let members: Vec<String> = members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_refused_as_a_token(text in ".{0,300}") {
        prop_assert!(Authority::shared().verify(&text).is_err());
    }

    #[test]
    fn any_segments_are_refused_as_a_token(header in jsonish(), payload in jsonish(), signature in prop::collection::vec(any::<u8>(), 0..300)) {
        let token = format!("{}.{}.{}", b64(header), b64(payload), b64(signature));
        prop_assert!(Authority::shared().verify(&token).is_err());
    }

    #[test]
    fn any_signed_payload_is_judged(payload in jsonish()) {
        let authority = Authority::shared();
        let refused = authority.verify(&join(crate::forge::header(), &payload, |message| authority.rsa.rs256(message)));
        prop_assert!(refused.is_err());
    }

    #[test]
    fn any_one_byte_of_a_token_counts(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let authority = Authority::shared();
        let mut token = authority.token().into_bytes();
        let at = at.index(token.len());
        prop_assume!(token[at] != byte);
        token[at] = byte;
        if let Ok(text) = String::from_utf8(token) {
            prop_assert!(authority.verify(&text).is_err());
        }
    }

    #[test]
    fn any_bytes_are_judged_as_claims(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(Claims::parse(&bytes));
    }

    #[test]
    fn any_key_set_is_judged(document in jsonish(), keys in prop::collection::vec(jsonish(), 0..5)) {
        drop(ExternalKeys::parse(document.as_bytes()));
        drop(ExternalKeys::parse(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()));
    }

    #[test]
    fn any_expression_is_judged(text in "(claims|\\[|\\]|'|sub|eq|matches|and|\\*|:|/| |a|é){0,40}") {
        if let Ok(expression) = Expression::parse(&text) {
            // What is accepted can be written and read again.
            prop_assert_eq!(Expression::parse(&expression.to_string()), Ok(expression));
        }
    }

    #[test]
    fn any_bytes_are_judged_as_a_certificate(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        drop(Certificate::read(&bytes));
    }

    #[test]
    fn any_text_is_judged_as_a_code(text in ".{0,200}") {
        let sealer = RefreshSealer::new(&Secret::new([7; 32]));
        prop_assert!(sealer.open(&text).is_err());
        drop(read_user_code(&text));
        drop(PkceChallenge::parse(&text, Some("S256")));
    }
}
