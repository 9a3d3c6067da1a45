//! Tokens of external issuers: exact matching, and what near misses get.

use keyless_model::entity::{AssertionAlgorithm, FederatedCredential, FederatedOwner, SubjectMatch};
use keyless_model::{CredentialId, ObjectId};
use keyless_token::federated::{FederatedError, FederatedRules, Mismatch, check, stated_issuer};
use keyless_token::jwks::ExternalKeys;
use keyless_token::{TimeError, TokenError, Unverified};
use serde_json::{Value, json};

use crate::forge::{Ec, LEEWAY, NOW, Rsa, join, now};

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const SUBJECT: &str = "repo:my-org/my-repo:ref:refs/heads/main";
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// An issuer like GitHub Actions, with an RSA and a P-256 key.
struct Issuer {
    rsa: Rsa,
    ec: Ec,
    keys: ExternalKeys,
}

impl Issuer {
    fn new() -> Self {
        let (rsa, ec) = (Rsa::new(), Ec::new());
        let document = format!(r#"{{"keys":[{},{}]}}"#, rsa.jwk("r1", r#","use":"sig""#), ec.jwk("e1", ""));
        let keys = ExternalKeys::parse(document.as_bytes()).unwrap();
        Self { rsa, ec, keys }
    }

    fn token(&self, alg: &str, kid: &str, payload: &Value) -> String {
        let header = json!({"alg": alg, "kid": kid, "typ": "JWT", "x5t": "ykNaY4qM_ta4k2TgZOCEYLkcYlA"}).to_string();
        join(header, payload.to_string(), |message| match alg {
            "ES256" => self.ec.es256(message),
            "PS256" => self.rsa.ps256(message),
            _ => self.rsa.rs256(message),
        })
    }

    fn check(
        &self,
        text: &str,
        credentials: &[FederatedCredential],
        algorithms: &[AssertionAlgorithm],
    ) -> Result<CredentialId, FederatedError> {
        let rules = FederatedRules { now: now(), leeway_secs: LEEWAY, max_lifetime_secs: 86_400 };
        let token = Unverified::parse(text)?;
        let credentials: Vec<_> =
            credentials.iter().map(|one| FederatedCredential { algorithms: algorithms.to_vec(), ..one.clone() }).collect();
        check(&token, &self.keys, &credentials, &rules).map(|proven| proven.credential.id)
    }

    /// The honest token with one claim changed (or removed, by null).
    fn with(&self, name: &str, value: Value) -> Result<CredentialId, FederatedError> {
        let mut payload = payload();
        match value {
            Value::Null => drop(payload.as_object_mut().unwrap().remove(name)),
            value => payload[name] = value,
        }
        self.check(&self.token("RS256", "r1", &payload), &[credential()], &[AssertionAlgorithm::RS256])
    }
}

fn payload() -> Value {
    json!({
        "jti": "j1", "iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "nbf": NOW - 300, "iat": NOW, "exp": NOW + 300,
        "repository": "my-org/my-repo", "job_workflow_ref": "my-org/ci/.github/workflows/deploy.yml@refs/heads/main",
    })
}

fn credential() -> FederatedCredential {
    FederatedCredential {
        id: CredentialId::from_u128(1),
        owner: FederatedOwner::Application(ObjectId::from_u128(2)),
        name: "gh".into(),
        issuer: ISSUER.into(),
        subject: SubjectMatch::Exact(SUBJECT.into()),
        audience: AUDIENCE.into(),
        description: None,
        created: now(),
        algorithms: AssertionAlgorithm::of_issuers(),
    }
}

#[track_caller]
fn assert_mismatch(found: Result<CredentialId, FederatedError>, expected: Mismatch) {
    match found {
        Err(FederatedError::NoMatch { mismatch, .. }) => assert_eq!(mismatch, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn exact_token_is_accepted() {
    let issuer = Issuer::new();
    let text = issuer.token("RS256", "r1", &payload());
    assert_eq!(issuer.check(&text, &[credential()], &[AssertionAlgorithm::RS256]), Ok(CredentialId::from_u128(1)));
    assert_eq!(stated_issuer(&Unverified::parse(&text).unwrap()).unwrap(), ISSUER);
    let in_list = issuer.with("aud", json!([AUDIENCE]));
    assert!(in_list.is_ok(), "Kubernetes sends a list of one");
}

#[test]
fn unregistered_issuer_is_refused_n47() {
    assert_mismatch(Issuer::new().with("iss", json!("https://issuer.test")), Mismatch::Issuer);
    let issuer = Issuer::new();
    assert_mismatch(issuer.check(&issuer.token("RS256", "r1", &payload()), &[], &[AssertionAlgorithm::RS256]), Mismatch::Issuer);
}

#[test]
fn issuer_that_differs_in_one_character_is_refused_n48() {
    let issuer = Issuer::new();
    for near in [format!("{ISSUER}/"), ISSUER.to_uppercase(), format!(" {ISSUER}"), format!("{ISSUER}\t"), ISSUER.replace("https", "http")]
    {
        assert_mismatch(issuer.with("iss", json!(near)), Mismatch::Issuer);
    }
}

#[test]
fn subject_that_is_nearly_right_is_refused_n49() {
    let issuer = Issuer::new();
    for near in [
        format!("{SUBJECT}-2"),
        SUBJECT[..SUBJECT.len() - 1].to_owned(),
        format!("x{SUBJECT}"),
        SUBJECT.replace(':', "%3A"),
        format!("{SUBJECT} "),
        format!("{SUBJECT}\n"),
        "*".to_owned(),
    ] {
        assert_mismatch(issuer.with("sub", json!(near)), Mismatch::Subject);
    }
    assert_mismatch(issuer.with("sub", json!(SUBJECT.replace("my-org", "My-Org"))), Mismatch::SubjectCase);
    assert_eq!(issuer.with("sub", Value::Null), Err(TokenError::Claim("sub").into()));
}

#[test]
fn wrong_or_several_audiences_are_refused_n50() {
    let issuer = Issuer::new();
    for value in [json!("https://github.com/my-org"), json!([AUDIENCE, "other"]), json!(AUDIENCE.to_uppercase())] {
        assert_mismatch(issuer.with("aud", value), Mismatch::Audience);
    }
    assert_eq!(issuer.with("aud", json!([])), Err(TokenError::Claim("aud").into()));
}

#[test]
fn same_subject_of_another_cluster_is_refused_n51() {
    let (ours, theirs) = (Issuer::new(), Issuer::new());
    let text = theirs.token("RS256", "r1", &payload());
    assert_eq!(
        ours.check(&text, &[credential()], &[AssertionAlgorithm::RS256]),
        Err(TokenError::Signature.into()),
        "their key, our issuer's name"
    );
}

#[test]
fn algorithm_beyond_the_credentials_list_is_refused_n52() {
    let issuer = Issuer::new();
    let es256 = issuer.token("ES256", "e1", &payload());
    assert_eq!(issuer.check(&es256, &[credential()], &[AssertionAlgorithm::RS256]), Err(TokenError::Algorithm.into()));
    assert!(issuer.check(&es256, &[credential()], &[AssertionAlgorithm::ES256]).is_ok());
    let ps256 = issuer.token("PS256", "r1", &payload());
    assert_eq!(issuer.check(&ps256, &[credential()], &[AssertionAlgorithm::RS256]), Err(TokenError::Algorithm.into()));
    assert!(issuer.check(&ps256, &[credential()], &[AssertionAlgorithm::RS256, AssertionAlgorithm::PS256]).is_ok());
    let hs256 = issuer.token("HS256", "r1", &payload());
    assert_eq!(issuer.check(&hs256, &[credential()], &[AssertionAlgorithm::RS256]), Err(TokenError::Algorithm.into()));
    let confused = issuer.token("ES256", "r1", &payload());
    assert_eq!(issuer.check(&confused, &[credential()], &[AssertionAlgorithm::ES256]), Err(TokenError::Algorithm.into()));
}

#[test]
fn unknown_key_is_told_apart_from_a_bad_signature_so_that_one_refetch_can_follow_n60() {
    let issuer = Issuer::new();
    let text = issuer.token("RS256", "r2", &payload());
    assert_eq!(issuer.check(&text, &[credential()], &[AssertionAlgorithm::RS256]), Err(FederatedError::UnknownKey));
}

#[test]
fn near_misses_are_told_to_the_issuers_own_tokens_only() {
    let issuer = Issuer::new();
    let mut other = payload();
    other["sub"] = json!("repo:other/repo:ref:refs/heads/main");
    let mut forged = issuer.token("RS256", "r1", &other);
    forged.truncate(forged.rfind('.').unwrap() + 1);
    forged.push_str(&crate::forge::b64([1; 256]));
    assert_eq!(issuer.check(&forged, &[credential()], &[AssertionAlgorithm::RS256]), Err(TokenError::Signature.into()));
}

#[test]
fn times_are_kept() {
    let issuer = Issuer::new();
    assert!(matches!(issuer.with("exp", json!(NOW - LEEWAY)), Err(FederatedError::Time(TimeError::OutOfTime { .. }))));
    assert!(matches!(issuer.with("nbf", json!(NOW + LEEWAY + 1)), Err(FederatedError::Time(TimeError::OutOfTime { .. }))));
    assert_eq!(issuer.with("exp", json!(NOW + 86_401)), Err(TimeError::LivesTooLong.into()));
    assert_eq!(issuer.with("exp", Value::Null), Err(TokenError::Claim("exp").into()));
}

#[test]
fn the_closest_mismatch_of_several_credentials_is_told() {
    let issuer = Issuer::new();
    let other_audience = FederatedCredential { audience: "else".into(), ..credential() };
    let other_subject = FederatedCredential { subject: SubjectMatch::Exact("x".into()), ..credential() };
    let text = issuer.token("RS256", "r1", &payload());
    assert_mismatch(issuer.check(&text, std::slice::from_ref(&other_audience), &[AssertionAlgorithm::RS256]), Mismatch::Audience);
    assert_mismatch(issuer.check(&text, &[other_subject.clone(), other_audience.clone()], &[AssertionAlgorithm::RS256]), Mismatch::Subject);
    assert!(issuer.check(&text, &[other_subject, other_audience, credential()], &[AssertionAlgorithm::RS256]).is_ok());
}

#[test]
fn claims_matching_expression_is_obeyed() {
    let issuer = Issuer::new();
    let flexible = |text: &str| FederatedCredential { subject: SubjectMatch::Expression(text.into()), ..credential() };
    let text = issuer.token("RS256", "r1", &payload());
    let good = "claims['sub'] matches 'repo:my-org/my-repo:*' and claims['job_workflow_ref'] matches 'my-org/ci/*@refs/heads/main'";
    assert!(issuer.check(&text, &[flexible(good)], &[AssertionAlgorithm::RS256]).is_ok());
    let bad = "claims['sub'] matches 'repo:my-org/my-repo:*' and claims['job_workflow_ref'] matches 'my-org/ci/*@refs/heads/dev'";
    assert_mismatch(issuer.check(&text, &[flexible(bad)], &[AssertionAlgorithm::RS256]), Mismatch::Subject);
    for unusable in ["claims['sub'] matches '*'", "nonsense", ""] {
        assert_mismatch(issuer.check(&text, &[flexible(unusable)], &[AssertionAlgorithm::RS256]), Mismatch::Subject);
    }
}
