//! Forged, bent and foreign access tokens.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use keyless_model::KeyId;
use keyless_model::entity::{KeyState, SigningAlgorithm};
use keyless_token::{PublicKeys, Signed, TokenError, Unverified};

use crate::forge::{
    AUDIENCE, Authority, EC_KID, OTHER_TENANT, RSA_KID, Rsa, TENANT, b64, header, header_with, join, payload, payload_with,
};

fn nothing(_: &[u8]) -> Vec<u8> {
    Vec::new()
}

#[test]
fn a_genuine_token_is_accepted() {
    let authority = Authority::shared();
    let verified = authority.verify(&authority.token()).unwrap();
    assert_eq!((verified.tenant, verified.audience.as_str(), verified.kid.as_str()), (TENANT, AUDIENCE, RSA_KID));
    // The workshop itself forges well: only what a test changes makes the difference.
    assert_eq!(authority.verify(&authority.sign(payload())).unwrap().object_id, verified.object_id);
}

#[test]
fn unsigned_token_is_refused_n1() {
    let authority = Authority::shared();
    let unsigned = join(format!(r#"{{"typ":"JWT","alg":"none","kid":"{RSA_KID}"}}"#), payload(), nothing);
    assert_eq!(authority.verify(&unsigned), Err(TokenError::Algorithm));
    let stripped = join(header(), payload(), nothing);
    assert_eq!(authority.verify(&stripped), Err(TokenError::Signature));
}

#[test]
fn every_spelling_of_none_is_refused_n2() {
    for alg in ["None", "NONE", "nOnE", "none ", "", "rs256", "RS256\\u0020", "RS512", "HS256"] {
        let token = join(format!(r#"{{"typ":"JWT","alg":"{alg}","kid":"{RSA_KID}"}}"#), payload(), nothing);
        assert_eq!(Authority::shared().verify(&token), Err(TokenError::Algorithm), "{alg}");
    }
}

#[test]
fn missing_or_mistyped_algorithm_is_refused_n3() {
    let authority = Authority::shared();
    for member in ["", r#","alg":null"#, r#","alg":256"#, r#","alg":["RS256"]"#, r#","alg":{"RS256":1}"#, r#","alg":true"#] {
        let header = format!(r#"{{"typ":"JWT","kid":"{RSA_KID}"{member}}}"#);
        let token = join(header, payload(), |message| authority.rsa.rs256(message));
        assert_eq!(authority.verify(&token), Err(TokenError::Algorithm), "{member}");
    }
}

/// Every byte form in which a public key travels, as the HMAC secret of an RS/HS confusion.
fn public_key_texts(rsa: &Rsa) -> Vec<Vec<u8>> {
    let body = STANDARD.encode(&rsa.spki);
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
    vec![
        pem.clone().into_bytes(),
        pem.trim_end().as_bytes().to_vec(),
        pem.replace('\n', "\r\n").into_bytes(),
        rsa.spki.clone(),
        rsa.jwk(RSA_KID, "").into_bytes(),
        body.into_bytes(),
    ]
}

#[test]
fn hmac_keyed_with_the_public_key_is_refused_n4_n5() {
    use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
    let authority = Authority::shared();
    for secret in public_key_texts(&authority.rsa) {
        let mac = |message: &[u8]| sign(&Key::new(HMAC_SHA256, &secret), message).as_ref().to_vec();
        let declared = join(format!(r#"{{"typ":"JWT","alg":"HS256","kid":"{RSA_KID}"}}"#), payload(), mac);
        assert_eq!(authority.verify(&declared), Err(TokenError::Algorithm));
        let disguised = join(header(), payload(), mac);
        assert_eq!(authority.verify(&disguised), Err(TokenError::Signature));
    }
}

#[test]
fn algorithm_of_another_key_type_is_refused_n6() {
    let authority = Authority::shared();
    let sign = |message: &[u8]| authority.rsa.rs256(message);
    let rs_with_ec_key = join(format!(r#"{{"typ":"JWT","alg":"RS256","kid":"{EC_KID}"}}"#), payload(), sign);
    assert_eq!(authority.verify(&rs_with_ec_key), Err(TokenError::Algorithm));
    let es_with_rsa_key =
        join(format!(r#"{{"typ":"JWT","alg":"ES256","kid":"{RSA_KID}"}}"#), payload(), |message| authority.ec.es256(message));
    assert_eq!(authority.verify(&es_with_rsa_key), Err(TokenError::Algorithm));
}

#[test]
fn pss_with_a_key_registered_for_pkcs1_is_refused_n7() {
    let authority = Authority::shared();
    let token = join(format!(r#"{{"typ":"JWT","alg":"PS256","kid":"{RSA_KID}"}}"#), payload(), |message| authority.rsa.ps256(message));
    assert_eq!(authority.verify(&token), Err(TokenError::Algorithm));
    let disguised = join(header(), payload(), |message| authority.rsa.ps256(message));
    assert_eq!(authority.verify(&disguised), Err(TokenError::Signature));
}

fn es256(sign: impl Fn(&[u8]) -> Vec<u8>) -> Result<(), TokenError> {
    let token = join(format!(r#"{{"typ":"JWT","alg":"ES256","kid":"{EC_KID}"}}"#), payload(), sign);
    Authority::shared().verify(&token).map(drop)
}

#[test]
fn psychic_signature_is_refused_n8() {
    assert_eq!(es256(|message| Authority::shared().ec.es256(message)), Ok(()));
    assert_eq!(es256(|_| vec![0; 64]), Err(TokenError::Signature));
}

#[test]
fn der_encoded_ecdsa_signature_is_refused_n9() {
    assert_eq!(es256(|message| Authority::shared().ec.es256_der(message)), Err(TokenError::Signature));
}

#[test]
fn ecdsa_numbers_out_of_range_are_refused_n10() {
    let order: [u8; 32] = [
        0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84,
        0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
    ];
    let genuine = |message: &[u8]| Authority::shared().ec.es256(message);
    type Forge<'a> = Box<dyn Fn(&[u8]) -> Vec<u8> + 'a>;
    let forgeries: [(&str, Forge<'_>); 9] = [
        ("r = n", Box::new(|m| [order.to_vec(), genuine(m)[32..].to_vec()].concat())),
        ("s = n", Box::new(|m| [genuine(m)[..32].to_vec(), order.to_vec()].concat())),
        ("r = 0", Box::new(|m| [vec![0; 32], genuine(m)[32..].to_vec()].concat())),
        ("s = 0", Box::new(|m| [genuine(m)[..32].to_vec(), vec![0; 32]].concat())),
        ("all ones", Box::new(|_| vec![0xFF; 64])),
        ("one byte more", Box::new(|m| [genuine(m), vec![0]].concat())),
        ("one byte less", Box::new(|m| genuine(m)[..63].to_vec())),
        ("leading zeros", Box::new(|m| [vec![0], genuine(m)[..32].to_vec(), vec![0], genuine(m)[32..].to_vec()].concat())),
        (
            "r and s swapped",
            Box::new(|m| {
                let s = genuine(m);
                [s[32..].to_vec(), s[..32].to_vec()].concat()
            }),
        ),
    ];
    for (name, forge) in forgeries {
        assert_eq!(es256(forge), Err(TokenError::Signature), "{name}");
    }
}

#[test]
fn rsa_signature_of_another_length_is_refused_n11() {
    let authority = Authority::shared();
    let longer = join(header(), payload(), |message| [vec![0], authority.rsa.rs256(message)].concat());
    let shorter = join(header(), payload(), |message| authority.rsa.rs256(message)[1..].to_vec());
    let trailing = join(header(), payload(), |message| [authority.rsa.rs256(message), vec![0]].concat());
    for token in [longer, shorter, trailing] {
        assert_eq!(authority.verify(&token), Err(TokenError::Signature));
    }
}

#[test]
fn every_flipped_signature_byte_is_refused() {
    let authority = Authority::shared();
    for at in (0..256).step_by(17).chain([255]) {
        let token = join(header(), payload(), |message| {
            let mut signature = authority.rsa.rs256(message);
            signature[at] ^= 1;
            signature
        });
        assert_eq!(authority.verify(&token), Err(TokenError::Signature), "byte {at}");
    }
}

#[test]
fn payload_that_was_changed_after_signing_is_refused() {
    let authority = Authority::shared();
    let token = authority.token();
    let (_, signature) = token.rsplit_once('.').unwrap();
    let other = payload_with(|claims| drop(claims.insert("oid".into(), "00000000-0000-0000-0000-00000000dead".into())));
    let spliced = format!("{}.{}.{signature}", token.split('.').next().unwrap(), b64(other));
    assert_eq!(authority.verify(&spliced), Err(TokenError::Signature));
}

#[test]
fn key_in_the_header_is_ignored_n14_n15_n16() {
    let (authority, attacker) = (Authority::shared(), Rsa::new());
    for extra in [
        format!(r#","jwk":{}"#, attacker.jwk(RSA_KID, "")),
        r#","jku":"http://127.0.0.1:1/keys""#.to_owned(),
        r#","x5u":"http://169.254.169.254/cert""#.to_owned(),
        format!(r#","x5c":["{}"]"#, STANDARD.encode(&attacker.spki)),
    ] {
        // Nothing in this crate can reach a network, so that no request was made needs no proof beyond its dependencies.
        let forged = join(header_with(&extra), payload(), |message| attacker.rs256(message));
        assert_eq!(authority.verify(&forged), Err(TokenError::Signature), "{extra}");
        let own = join(header_with(&extra), payload(), |message| authority.rsa.rs256(message));
        assert!(authority.verify(&own).is_ok(), "the member is ignored, not fatal: {extra}");
    }
}

fn with_kid(kid: &str) -> Result<(), TokenError> {
    let authority = Authority::shared();
    let header = serde_json::json!({"typ": "JWT", "alg": "RS256", "kid": kid}).to_string();
    authority.verify(&join(header, payload(), |message| authority.rsa.rs256(message))).map(drop)
}

#[test]
fn key_id_that_is_a_path_or_a_query_is_refused_n17_n18() {
    for kid in ["../../dev/null", "/etc/passwd", "x' UNION SELECT 1 --", "own-rsa\u{0}", "", "own rsa"] {
        assert!(matches!(with_kid(kid), Err(TokenError::Malformed(_))), "{kid}");
    }
    assert_eq!(with_kid("unknown"), Err(TokenError::UnknownKey(KeyId::new("unknown").unwrap())));
}

#[test]
fn huge_key_id_is_refused_before_any_work_n19() {
    assert!(matches!(with_kid(&"k".repeat(64 * 1024)), Err(TokenError::Malformed(_))));
    assert!(matches!(with_kid(&"k".repeat(300)), Err(TokenError::Malformed(_))));
}

#[test]
fn header_that_demands_other_processing_is_refused_n20_n21_n28() {
    let authority = Authority::shared();
    for extra in [
        r#","crit":["exp"]"#,
        r#","crit":[]"#,
        r#","b64":false,"crit":["b64"]"#,
        r#","b64":false"#,
        r#","zip":"DEF""#,
        r#","enc":"A256GCM""#,
        r#","p2c":1000000000,"p2s":"AAAA""#,
    ] {
        let token = join(header_with(extra), payload(), |message| authority.rsa.rs256(message));
        assert!(matches!(authority.verify(&token), Err(TokenError::Malformed(_))), "{extra}");
    }
    let jwe = format!("{}.AA.AA.AA.AA", b64(r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":1000000000}"#));
    assert!(matches!(authority.verify(&jwe), Err(TokenError::Malformed(_))));
    let nested = authority.sign(authority.token());
    assert!(matches!(authority.verify(&nested), Err(TokenError::Malformed(_))));
}

#[test]
fn duplicate_header_members_are_refused_n22() {
    let authority = Authority::shared();
    for header in [
        format!(r#"{{"typ":"JWT","alg":"none","alg":"RS256","kid":"{RSA_KID}"}}"#),
        format!(r#"{{"typ":"JWT","alg":"RS256","alg":"RS256","kid":"{RSA_KID}"}}"#),
        format!(r#"{{"typ":"JWT","alg":"RS256","\u0061lg":"none","kid":"{RSA_KID}"}}"#),
        format!(r#"{{"typ":"JWT","alg":"RS256","kid":"{RSA_KID}","kid":"{EC_KID}"}}"#),
    ] {
        let token = join(header, payload(), |message| authority.rsa.rs256(message));
        assert!(matches!(authority.verify(&token), Err(TokenError::Malformed(_))));
    }
}

#[test]
fn duplicate_claims_are_refused_n23() {
    let authority = Authority::shared();
    let (good, other) = (payload(), r#","oid":"00000000-0000-0000-0000-00000000dead"}"#);
    for payload in [
        good.replacen('}', other, 1),
        good.replacen('{', r#"{"s\u0075b":"x","#, 1),
        good.replacen('{', r#"{"extra":{"a":1,"a":2},"#, 1),
        good.replacen('{', r#"{"extra":[{"a":1,"a":2}],"#, 1),
    ] {
        let refused = authority.verify(&authority.sign(&payload));
        assert!(matches!(refused, Err(TokenError::Malformed(_))), "{payload}");
    }
}

#[test]
fn other_serialisations_are_refused_n24() {
    let authority = Authority::shared();
    let token = authority.token();
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts[..] else { panic!("three segments") };
    for text in [
        format!(r#"{{"protected":"{head}","payload":"{body}","signature":"{signature}"}}"#),
        format!(r#"{{"payload":"{body}","signatures":[{{"protected":"{head}","signature":"{signature}"}}]}}"#),
        format!("{head}.{body}"),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!(".{token}"),
        format!("{head}..{signature}"),
        format!(" {token}"),
        format!("{token}\n"),
        format!("Bearer {token}"),
        String::new(),
        "..".to_owned(),
    ] {
        assert!(matches!(authority.verify(&text), Err(TokenError::Malformed(_))), "{text}");
    }
}

#[test]
fn every_second_spelling_of_base64url_is_refused_n25() {
    let authority = Authority::shared();
    let token = authority.token();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    // 256 bytes leave two spare bits in the last letter: three more letters decode to the same bytes in a lenient decoder.
    let (rest, last) = signature.split_at(signature.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let index = alphabet.find(last).unwrap();
    for spare in 1..4 {
        let bent = format!("{signed}.{rest}{}", &alphabet[index | spare..=(index | spare)]);
        assert!(matches!(authority.verify(&bent), Err(TokenError::Malformed(_))), "spare bits {spare}");
    }
    let padded = format!("{signed}.{}", URL_SAFE.encode(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(signature).unwrap()));
    assert!(matches!(authority.verify(&padded), Err(TokenError::Malformed(_))));
    for (from, to) in [("-", "+"), ("_", "/")] {
        if signature.contains(from) {
            let bent = format!("{signed}.{}", signature.replacen(from, to, 1));
            assert!(matches!(authority.verify(&bent), Err(TokenError::Malformed(_))));
        }
    }
    let spaced = format!("{signed}.{} {}", &signature[..10], &signature[10..]);
    assert!(matches!(authority.verify(&spaced), Err(TokenError::Malformed(_))));
}

#[test]
fn claims_that_are_no_clean_text_are_refused_n26() {
    let authority = Authority::shared();
    let good = payload();
    let with_bytes = |bytes: &[u8]| [br#"{"name":""#, bytes, br#"","#, &good.as_bytes()[1..]].concat();
    for bytes in [&b"\xff\xfe"[..], b"\xc3\x28", b"\xed\xa0\x80", br"\ud800", br"\udc00\ud800", br"\u0000", b"\0", b"\n"] {
        let refused = authority.verify(&authority.sign(with_bytes(bytes)));
        assert!(matches!(refused, Err(TokenError::Malformed(_))), "{bytes:?}");
    }
    assert!(authority.verify(&authority.sign(with_bytes("J\u{f6}rg \u{1f600}".as_bytes()))).is_ok());
    for payload in [&b"[]"[..], b"null", b"7", b"\"x\"", b"", b"{", b"{}{}", b"{} x"] {
        assert!(matches!(authority.verify(&authority.sign(payload)), Err(TokenError::Malformed(_))));
    }
}

#[test]
fn deep_wide_or_huge_json_is_refused_n27() {
    let authority = Authority::shared();
    let good = payload();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let nine = format!("{}1{}", "[".repeat(9), "]".repeat(9));
    let wide: String = (0..300).map(|index| format!(r#""c{index}":1,"#)).collect();
    let long_list = format!("[{}1]", "1,".repeat(300));
    for extra in [format!(r#""x":{deep},"#), format!(r#""x":{nine},"#), wide, format!(r#""x":{long_list},"#)] {
        let payload = good.replacen('{', &format!("{{{extra}"), 1);
        assert!(matches!(authority.verify(&authority.sign(payload)), Err(TokenError::Malformed(_))));
    }
    let huge = good.replacen('{', &format!(r#"{{"x":"{}","#, "x".repeat(1 << 20)), 1);
    assert!(matches!(authority.verify(&authority.sign(huge)), Err(TokenError::Malformed("too long"))));
    let deep_header = join(header_with(&format!(r#","x":{nine}"#)), payload_with(|_| {}), |message| authority.rsa.rs256(message));
    assert!(matches!(authority.verify(&deep_header), Err(TokenError::Malformed(_))));
}

#[test]
fn token_of_an_unpublished_key_is_refused() {
    let authority = Authority::shared();
    let kid = KeyId::new(RSA_KID).unwrap();
    let token = authority.token();
    for state in [KeyState::Prepared, KeyState::Retired] {
        let keys = PublicKeys::new([(kid.clone(), SigningAlgorithm::RS256, &authority.rsa.spki, state)]).unwrap();
        let refused = Signed::check(&keys, &Unverified::parse(&token).unwrap()).map(drop);
        assert_eq!(refused, Err(TokenError::UnknownKey(kid.clone())));
        assert!(!keys.holds(&kid) && keys.jwks().keys.is_empty());
    }
    for state in [KeyState::Published, KeyState::Active, KeyState::Retiring] {
        let keys = PublicKeys::new([(kid.clone(), SigningAlgorithm::RS256, &authority.rsa.spki, state)]).unwrap();
        assert!(Signed::check(&keys, &Unverified::parse(&token).unwrap()).is_ok());
    }
}

#[test]
fn token_of_another_tenant_is_refused_by_its_own_error_n82() {
    let authority = Authority::shared();
    let token = authority.token();
    assert_eq!(authority.verify_for(&token, OTHER_TENANT), Err(TokenError::Tenant(TENANT)));
}

#[test]
fn issuer_that_speaks_for_another_tenant_is_refused_n82() {
    let authority = Authority::shared();
    let lie = payload_with(|claims| drop(claims.insert("tid".into(), OTHER_TENANT.to_string().into())));
    assert_eq!(authority.verify_for(&authority.sign(lie), OTHER_TENANT), Err(TokenError::Issuer));
}

#[test]
fn no_error_repeats_the_token_n130() {
    let authority = Authority::shared();
    let good = authority.token();
    let secret = good.rsplit_once('.').unwrap().1;
    let attempts = [good.clone() + "x", good.clone() + ".x", authority.sign("{"), good.replace(secret, &secret[1..]), secret.to_owned()];
    for attempt in attempts {
        let error = authority.verify(&attempt).unwrap_err();
        for part in attempt.split('.').filter(|part| part.len() > 8) {
            assert!(!error.to_string().contains(part) && !format!("{error:?}").contains(part));
        }
    }
    let unverified = Unverified::parse(&good).unwrap();
    assert_eq!(format!("{unverified:?}"), "Unverified { algorithm: RS256, .. }");
    assert_eq!(format!("{:?}", authority.signer), format!("Signer {{ kid: KeyId({RSA_KID}), .. }}"));
}
