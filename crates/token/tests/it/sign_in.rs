//! Id tokens of a provider that people sign in with: what it must say, and every near miss.

use keyless_model::Secret;
use keyless_token::jwks::ExternalKeys;
use keyless_token::sign_in::{ProvenPerson, SignInError, SignInRules, check};
use keyless_token::{Algorithm, TimeError, TokenError, Unverified};
use serde_json::{Value, json};

use crate::forge::{LEEWAY, NOW, Rsa, join, now};

const ISSUER: &str = "https://login.example/tenant";
const CLIENT: &str = "keyless";
const NONCE: &str = "n-0S6_WzA2Mj";

struct Provider {
    rsa: Rsa,
    keys: ExternalKeys,
}

impl Provider {
    fn new() -> Self {
        let rsa = Rsa::new();
        let keys = ExternalKeys::parse(format!(r#"{{"keys":[{}]}}"#, rsa.jwk("r1", "")).as_bytes()).unwrap();
        Self { rsa, keys }
    }

    fn signed(&self, header: &Value, payload: &Value) -> Result<ProvenPerson, SignInError> {
        let text = join(header.to_string(), payload.to_string(), |message| self.rsa.rs256(message));
        self.check(&text, &[Algorithm::RS256])
    }

    fn check(&self, text: &str, algorithms: &[Algorithm]) -> Result<ProvenPerson, SignInError> {
        let nonce = Secret::new(NONCE.to_owned());
        let rules = SignInRules {
            issuer: ISSUER,
            client_id: CLIENT,
            nonce: &nonce,
            algorithms,
            now: now(),
            leeway_secs: LEEWAY,
            max_lifetime_secs: 86_400,
        };
        check(&Unverified::parse(text)?, &self.keys, &rules)
    }

    /// The honest id token with these claims changed (or removed, by null).
    fn with(&self, changes: &Value) -> Result<ProvenPerson, SignInError> {
        let mut payload = payload();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(payload.as_object_mut().unwrap().remove(name)),
                value => payload[name] = value.clone(),
            }
        }
        self.signed(&header(), &payload)
    }
}

fn header() -> Value {
    json!({"alg": "RS256", "kid": "r1", "typ": "JWT"})
}

fn payload() -> Value {
    json!({"iss": ISSUER, "sub": "248289761001", "aud": CLIENT, "nonce": NONCE, "iat": NOW, "exp": NOW + 300})
}

#[test]
fn an_honest_id_token_names_its_subject() {
    let provider = Provider::new();
    let person = provider.with(&json!({})).unwrap();
    assert_eq!(person, ProvenPerson { subject: "248289761001".into(), verified_email: None });
    for audience in [json!({"aud": [CLIENT]}), json!({"aud": [CLIENT, "x"], "azp": CLIENT}), json!({"azp": CLIENT})] {
        assert!(provider.with(&audience).is_ok(), "{audience}");
    }
    let untyped = json!({"alg": "RS256", "kid": "r1"});
    assert!(provider.signed(&untyped, &payload()).is_ok());
}

#[test]
fn an_e_mail_address_counts_only_when_it_is_verified() {
    let provider = Provider::new();
    let mail = "ada@corp.example";
    let proven = |changes| provider.with(&changes).unwrap().verified_email;
    assert_eq!(proven(json!({"email": mail, "email_verified": true})).as_deref(), Some(mail));
    for verified in [json!(false), json!(null), json!("true"), json!(1), json!(["true"])] {
        assert_eq!(proven(json!({"email": mail, "email_verified": verified})), None, "{verified}");
    }
}

#[test]
fn a_wrong_nonce_is_refused() {
    let provider = Provider::new();
    for nonce in [json!(null), json!(""), json!("n-0S6_WzA2Mk"), json!(NONCE.to_lowercase()), json!(format!("{NONCE}1"))] {
        assert_eq!(provider.with(&json!({"nonce": nonce})), Err(SignInError::Nonce), "{nonce}");
    }
    assert_eq!(provider.with(&json!({"nonce": 1})), Err(TokenError::Claim("nonce").into()));
}

#[test]
fn another_issuers_token_is_refused() {
    let provider = Provider::new();
    for issuer in [format!("{ISSUER}/"), ISSUER.to_uppercase(), "https://login.example/other".into(), ISSUER.replace("https", "http")] {
        assert_eq!(provider.with(&json!({"iss": issuer})), Err(SignInError::Issuer), "{issuer}");
    }
    assert_eq!(provider.with(&json!({"iss": null})), Err(TokenError::Claim("iss").into()));
}

#[test]
fn a_token_for_another_program_is_refused() {
    let provider = Provider::new();
    for changes in [
        json!({"aud": "other"}),
        json!({"aud": ["other"]}),
        json!({"aud": [CLIENT, "other"]}),
        json!({"aud": [CLIENT, "other"], "azp": "other"}),
        json!({"azp": "other"}),
        json!({"aud": "KEYLESS"}),
    ] {
        assert_eq!(provider.with(&changes), Err(SignInError::Audience), "{changes}");
    }
}

#[test]
fn forged_and_repurposed_tokens_are_refused() {
    let (provider, forger) = (Provider::new(), Rsa::new());
    let forged = join(header().to_string(), payload().to_string(), |message| forger.rs256(message));
    assert_eq!(provider.check(&forged, &[Algorithm::RS256]), Err(TokenError::Signature.into()));
    let unknown = json!({"alg": "RS256", "kid": "r2"});
    assert_eq!(provider.signed(&unknown, &payload()), Err(SignInError::UnknownKey));
    assert_eq!(provider.signed(&json!({"alg": "RS256"}), &payload()), Err(TokenError::Malformed("no kid").into()));
    for alg in ["none", "HS256", "ES256", "PS256"] {
        let refused = provider.signed(&json!({"alg": alg, "kid": "r1"}), &payload());
        assert_eq!(refused, Err(TokenError::Algorithm.into()), "{alg}");
    }
    for typ in ["at+jwt", "logout+jwt"] {
        let refused = provider.signed(&json!({"alg": "RS256", "kid": "r1", "typ": typ}), &payload());
        assert_eq!(refused, Err(TokenError::Type.into()), "{typ}");
    }
}

#[test]
fn tokens_out_of_time_are_refused() {
    let provider = Provider::new();
    for changes in [json!({"exp": NOW - LEEWAY}), json!({"iat": NOW + LEEWAY + 1}), json!({"nbf": NOW + LEEWAY + 1})] {
        assert!(matches!(provider.with(&changes), Err(SignInError::Time(TimeError::OutOfTime { .. }))), "{changes}");
    }
    assert_eq!(provider.with(&json!({"exp": NOW + 90_000})), Err(TimeError::LivesTooLong.into()));
    assert_eq!(provider.with(&json!({"iat": null})), Err(TokenError::Claim("iat").into()));
    assert_eq!(provider.with(&json!({"exp": null})), Err(TokenError::Claim("exp").into()));
}

#[test]
fn subjects_are_short_ascii_text() {
    let provider = Provider::new();
    for subject in [json!(null), json!(""), json!(1), json!("ä"), json!("a\nb"), json!("a".repeat(256))] {
        assert_eq!(provider.with(&json!({"sub": subject})), Err(TokenError::Claim("sub").into()), "{subject}");
    }
}
