//! Client assertions: the spellings that honest clients send, and what forgers make of them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use keyless_model::{CredentialId, Timestamp};
use keyless_token::assertion::{AssertionError, AssertionRules, ProvenAssertion, check, is_own};
use keyless_token::{Algorithm, Certificate, TimeError, TokenError, Unverified};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use crate::forge::{Authority, BASE, CLIENT, LEEWAY, NOW, OTHER_TENANT, Rsa, TENANT, join, now};

const CREDENTIAL: CredentialId = CredentialId::from_u128(7);

fn endpoint() -> String {
    format!("{BASE}/{TENANT}/oauth2/v2.0/token")
}

/// An application's key with its self-signed certificate.
struct Client {
    rsa: Rsa,
    certificate: Certificate,
}

impl Client {
    fn new() -> Self {
        Self::valid(NOW - 86_400, NOW + 86_400)
    }

    fn valid(from: i64, until: i64) -> Self {
        let rsa = Rsa::new();
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&rsa.pkcs8.clone().into(), &PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::new(vec!["app.local.test".to_owned()]).unwrap();
        params.not_before = time::OffsetDateTime::from_unix_timestamp(from).unwrap();
        params.not_after = time::OffsetDateTime::from_unix_timestamp(until).unwrap();
        let der = params.self_signed(&pair).unwrap();
        let certificate = Certificate::from_der(der.der()).unwrap();
        assert_eq!(certificate.not_after(), Timestamp::from_unix_secs(until));
        assert_eq!(certificate.not_before(), Timestamp::from_unix_secs(from));
        Self { rsa, certificate }
    }

    fn header(&self, alg: &str) -> Value {
        json!({"alg": alg, "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(self.certificate.sha256())})
    }

    fn sign(&self, header: &Value, payload: &Value) -> String {
        join(header.to_string(), payload.to_string(), |message| match header["alg"].as_str() {
            Some("PS256") => self.rsa.ps256(message),
            _ => self.rsa.rs256(message),
        })
    }

    fn send(&self, header: &Value, payload: &Value) -> Result<ProvenAssertion, AssertionError> {
        self.check(&self.sign(header, payload), &[Algorithm::RS256, Algorithm::PS256])
    }

    fn check(&self, text: &str, algorithms: &[Algorithm]) -> Result<ProvenAssertion, AssertionError> {
        let audiences = [endpoint(), format!("{BASE}/{TENANT}/v2.0")];
        let rules = AssertionRules {
            client_id: CLIENT,
            audiences: &audiences,
            algorithms,
            now: now(),
            leeway_secs: LEEWAY,
            max_lifetime_secs: 3600,
        };
        check(&Unverified::parse_assertion(text)?, &[(CREDENTIAL, self.certificate.clone())], &rules)
    }

    /// The honest assertion with one claim changed (or removed, by null).
    fn with(&self, name: &str, value: Value) -> Result<ProvenAssertion, AssertionError> {
        let mut payload = payload();
        match value {
            Value::Null => drop(payload.as_object_mut().unwrap().remove(name)),
            value => payload[name] = value,
        }
        self.send(&self.header("PS256"), &payload)
    }
}

fn payload() -> Value {
    let client = CLIENT.to_string();
    json!({"aud": endpoint(), "iss": client, "sub": client, "jti": "jti-1", "nbf": NOW, "iat": NOW, "exp": NOW + 600})
}

#[test]
fn every_official_clients_assertion_is_accepted() {
    let client = Client::new();
    let (sha1, sha256) = (client.certificate.sha1(), client.certificate.sha256());
    let who = CLIENT.to_string();
    let msal_python = (
        json!({"typ": "JWT", "alg": "RS256", "x5t": URL_SAFE.encode(sha1)}),
        json!({"aud": endpoint(), "iss": who, "sub": who, "exp": NOW as f64 + 600.03, "iat": NOW as f64 + 0.03, "jti": "a"}),
    );
    let python_async = (
        json!({"typ": "JWT", "alg": "PS256", "x5t#S256": URL_SAFE.encode(sha256)}),
        json!({"aud": endpoint(), "iss": who, "sub": who, "exp": NOW + 1800, "nbf": NOW, "jti": "b"}),
    );
    let javascript = (
        json!({"typ": "JWT", "alg": "PS256", "x5t#S256": URL_SAFE_NO_PAD.encode(sha256), "x5c": [STANDARD.encode(client.certificate.der())]}),
        payload(),
    );
    let rust = (
        json!({"typ": "JWT", "alg": "RS256", "x5t": STANDARD.encode(sha1)}),
        json!({"aud": endpoint(), "iss": who, "sub": who, "exp": NOW + 300, "nbf": NOW, "jti": "c"}),
    );
    for (header, payload) in [msal_python, python_async, javascript, rust] {
        let proven = client.send(&header, &payload).unwrap();
        assert_eq!((proven.credential, proven.jti.as_str()), (CREDENTIAL, payload["jti"].as_str().unwrap()), "{header}");
    }
}

/// `azure.identity.aio` leaves the padding on, which RFC 7515 takes off.
#[test]
fn segments_with_their_padding_are_accepted_and_any_other_spelling_is_not() {
    let client = Client::new();
    let mut payload = payload().to_string();
    while payload.len() % 3 != 1 {
        payload.push(' ');
    }
    let signed = format!("{}.{}", URL_SAFE.encode(client.header("PS256").to_string()), URL_SAFE.encode(payload));
    assert!(signed.ends_with("=="));
    let signature = client.rsa.ps256(signed.as_bytes());
    let check = |signature: String| client.check(&format!("{signed}.{signature}"), &[Algorithm::PS256]);
    assert_eq!(check(URL_SAFE.encode(&signature)).unwrap().jti, "jti-1");
    assert_eq!(check(URL_SAFE_NO_PAD.encode(&signature)).unwrap().jti, "jti-1");
    for other in [URL_SAFE.encode(&signature) + "=", format!("\n{}", URL_SAFE.encode(&signature))] {
        assert!(matches!(check(other), Err(AssertionError::Token(TokenError::Malformed(_)))));
    }
}

#[test]
fn unsigned_or_hmac_assertion_is_refused_n1_n4() {
    let client = Client::new();
    for alg in ["none", "HS256", "None"] {
        let token = join(client.header(alg).to_string(), payload().to_string(), |_| vec![]);
        assert_eq!(client.check(&token, &[Algorithm::PS256]), Err(TokenError::Algorithm.into()));
    }
    let stripped = join(client.header("PS256").to_string(), payload().to_string(), |_| vec![]);
    assert_eq!(client.check(&stripped, &[Algorithm::PS256]), Err(TokenError::Signature.into()));
}

#[test]
fn algorithm_that_the_client_did_not_register_is_refused_n7() {
    let client = Client::new();
    let token = client.sign(&client.header("PS256"), &payload());
    assert_eq!(client.check(&token, &[Algorithm::RS256]), Err(TokenError::Algorithm.into()));
    let es256 = client.sign(&client.header("ES256"), &payload());
    assert_eq!(client.check(&es256, &[Algorithm::ES256]), Err(TokenError::Algorithm.into()), "an RSA certificate makes no ES256");
}

#[test]
fn certificate_from_the_header_is_not_trusted_n16() {
    let (client, attacker) = (Client::new(), Client::new());
    let mut header = attacker.header("PS256");
    header["x5c"] = json!([STANDARD.encode(attacker.certificate.der())]);
    assert_eq!(client.check(&attacker.sign(&header, &payload()), &[Algorithm::PS256]), Err(AssertionError::UnknownCertificate));
    header["x5t#S256"] = client.header("PS256")["x5t#S256"].clone();
    assert_eq!(client.check(&attacker.sign(&header, &payload()), &[Algorithm::PS256]), Err(TokenError::Signature.into()));
}

#[test]
fn assertion_that_names_no_certificate_or_two_is_refused() {
    let (client, other) = (Client::new(), Client::new());
    let unnamed = json!({"alg": "PS256", "typ": "JWT"});
    assert_eq!(client.send(&unnamed, &payload()), Err(AssertionError::UnknownCertificate));
    let mut two = client.header("PS256");
    two["x5t"] = json!(URL_SAFE_NO_PAD.encode(other.certificate.sha1()));
    assert_eq!(client.send(&two, &payload()), Err(AssertionError::UnknownCertificate));
    two["x5t"] = json!("%%%");
    assert_eq!(client.send(&two, &payload()), Err(AssertionError::UnknownCertificate));
}

#[test]
fn assertion_without_expiry_is_refused_n29() {
    assert_eq!(Client::new().with("exp", Value::Null), Err(TokenError::Claim("exp").into()));
}

#[test]
fn expired_assertion_is_refused_n30() {
    let client = Client::new();
    let found = client.with("exp", json!(NOW - LEEWAY - 1));
    let expected =
        TimeError::OutOfTime { starts: Some(Timestamp::from_unix_secs(NOW)), expires: Timestamp::from_unix_secs(NOW - LEEWAY - 1) };
    assert_eq!(found, Err(expected.into()));
}

#[test]
fn expiry_that_is_no_moment_is_refused_n31() {
    let client = Client::new();
    for value in [json!("soon"), json!([NOW]), json!(1e300), json!(-1.5), json!(true)] {
        assert_eq!(client.with("exp", value.clone()), Err(TokenError::Claim("exp").into()), "{value}");
    }
}

#[test]
fn assertion_from_the_future_is_refused_n32_n33() {
    let client = Client::new();
    for name in ["nbf", "iat"] {
        assert!(matches!(client.with(name, json!(NOW + LEEWAY + 1)), Err(AssertionError::Time(TimeError::OutOfTime { .. }))), "{name}");
        assert!(client.with(name, json!(NOW + LEEWAY)).is_ok());
    }
}

#[test]
fn assertion_that_lives_too_long_is_refused_n34() {
    let client = Client::new();
    assert_eq!(client.with("exp", json!(NOW + 3601)), Err(TimeError::LivesTooLong.into()));
    let mut timeless = payload();
    for name in ["iat", "nbf"] {
        timeless.as_object_mut().unwrap().remove(name);
    }
    timeless["exp"] = json!(NOW + 3601);
    assert_eq!(client.send(&client.header("PS256"), &timeless), Err(TimeError::LivesTooLong.into()));
}

#[test]
fn missing_empty_or_double_audience_is_refused_n35_n36() {
    let client = Client::new();
    assert!(client.with("aud", json!([endpoint()])).is_ok(), "a list of one is one audience");
    for value in [Value::Null, json!([]), json!("")] {
        assert_eq!(client.with("aud", value), Err(TokenError::Claim("aud").into()));
    }
    assert_eq!(client.with("aud", json!([endpoint(), "https://else.test"])), Err(AssertionError::Audience));
}

#[test]
fn audience_is_the_callers_choice_between_strict_and_compatible_n37() {
    let client = Client::new();
    let token = client.sign(&client.header("PS256"), &payload());
    let strict = [format!("{BASE}/{TENANT}/v2.0")];
    let rules = AssertionRules {
        client_id: CLIENT,
        audiences: &strict,
        algorithms: &[Algorithm::PS256],
        now: now(),
        leeway_secs: LEEWAY,
        max_lifetime_secs: 3600,
    };
    let found = check(&Unverified::parse(&token).unwrap(), &[(CREDENTIAL, client.certificate.clone())], &rules);
    assert_eq!(found, Err(AssertionError::Audience));
    assert_eq!(client.send(&client.header("PS256"), &payload()).unwrap().audience, endpoint(), "for the audit");
}

#[test]
fn assertion_for_another_tenant_is_refused_n38() {
    let client = Client::new();
    assert_eq!(client.with("aud", json!(format!("{BASE}/{OTHER_TENANT}/oauth2/v2.0/token"))), Err(AssertionError::Audience));
    assert_eq!(client.with("aud", json!(format!("{BASE}/{OTHER_TENANT}/v2.0"))), Err(AssertionError::Audience));
    assert_eq!(client.with("aud", json!(format!("{}/", endpoint()))), Err(AssertionError::Audience));
}

#[test]
fn assertion_that_speaks_for_another_is_never_own_n39() {
    let client = Client::new();
    for name in ["iss", "sub"] {
        for value in [json!("00000000-0000-0000-0000-00000000dead"), json!("https://issuer.test"), json!(7), Value::Null] {
            assert_eq!(client.with(name, value), Err(AssertionError::NotOwn), "{name}");
        }
    }
    let mut foreign = payload();
    foreign["iss"] = json!("https://issuer.test");
    let text = client.sign(&client.header("PS256"), &foreign);
    assert_eq!(is_own(&Unverified::parse(&text).unwrap(), CLIENT), Ok(false));
    let text = client.sign(&client.header("PS256"), &payload());
    assert_eq!(is_own(&Unverified::parse(&text).unwrap(), CLIENT), Ok(true));
}

#[test]
fn assertion_without_jti_is_refused_n40() {
    let client = Client::new();
    assert_eq!(client.with("jti", Value::Null), Err(TokenError::Claim("jti").into()));
    assert_eq!(client.with("jti", json!("j".repeat(257))), Err(TokenError::Claim("jti").into()));
    let proven = client.send(&client.header("PS256"), &payload()).unwrap();
    assert_eq!(proven.replayable_until.unix_secs(), NOW + 600 + LEEWAY);
}

#[test]
fn own_access_token_is_no_assertion_n45() {
    let client = Client::new();
    let token = Authority::shared().token();
    assert_eq!(client.check(&token, &[Algorithm::RS256]), Err(AssertionError::UnknownCertificate));
    assert_eq!(is_own(&Unverified::parse(&token).unwrap(), CLIENT), Ok(false));
    let mut header = client.header("PS256");
    header["typ"] = json!("at+jwt");
    assert_eq!(client.send(&header, &payload()), Err(TokenError::Type.into()));
}

#[test]
fn assertion_of_a_removed_or_expired_certificate_is_refused_n46() {
    let client = Client::new();
    let text = client.sign(&client.header("PS256"), &payload());
    let remaining = Client::new();
    assert_eq!(remaining.check(&text, &[Algorithm::PS256]), Err(AssertionError::UnknownCertificate));
    for old in [Client::valid(NOW - 1000, NOW), Client::valid(NOW + 1, NOW + 1000)] {
        assert_eq!(old.send(&old.header("PS256"), &payload()), Err(AssertionError::CertificateOutOfTime));
    }
}
