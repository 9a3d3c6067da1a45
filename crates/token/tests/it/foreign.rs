//! Access tokens of another authority that the operator trusts: a real Entra tenant, played by a key of ours.

use keyless_model::KeyId;
use keyless_token::jwks::ExternalKeys;
use keyless_token::{Expect, Signed, TokenError, TokenKind, Unverified, Verified};
use serde_json::{Value, json};

use crate::forge::{AUDIENCE, CLIENT, Ec, LEEWAY, NOW, OBJECT, OTHER_TENANT, Rsa, TENANT, join, now};

struct Entra {
    rsa: Rsa,
    ec: Ec,
    keys: ExternalKeys,
}

impl Entra {
    fn new() -> Self {
        let (rsa, ec) = (Rsa::new(), Ec::new());
        let shared = r#","use":"sig","x5c":["MIIC"],"issuer":"https://login.microsoftonline.com/{tenantid}/v2.0""#;
        let document = format!(r#"{{"keys":[{},{}]}}"#, rsa.jwk("kid1", shared), ec.jwk("kid2", ""));
        let keys = ExternalKeys::parse(document.as_bytes()).unwrap();
        Self { rsa, ec, keys }
    }

    fn verify(&self, header: &Value, payload: &Value) -> Result<Verified, TokenError> {
        let text = join(header.to_string(), payload.to_string(), |message| match header["alg"].as_str() {
            Some("ES256") => self.ec.es256(message),
            Some("PS256") => self.rsa.ps256(message),
            _ => self.rsa.rs256(message),
        });
        let issuers = [format!("https://sts.windows.net/{TENANT}/"), format!("https://login.microsoftonline.com/{TENANT}/v2.0")];
        let audiences = [AUDIENCE.to_owned()];
        let expect = Expect { issuers: &issuers, tenant: TENANT, audiences: &audiences, now: now(), leeway_secs: LEEWAY };
        Signed::check_external(&self.keys, &Unverified::parse(&text)?)?.accept(&expect)
    }
}

fn header(kid: &str, alg: &str) -> Value {
    json!({"typ": "JWT", "alg": alg, "x5t": kid, "kid": kid})
}

/// As `az account get-access-token` returns for a person, all the private notes included.
fn payload() -> Value {
    json!({
        "aud": AUDIENCE, "iss": format!("https://sts.windows.net/{TENANT}/"), "iat": NOW, "nbf": NOW, "exp": NOW + 4800, "acr": "1",
        "aio": "AVQAq/8", "amr": ["pwd", "mfa"], "appid": CLIENT.to_string(), "appidacr": "0", "family_name": "A", "given_name": "B",
        "groups": ["00000000-0000-0000-0000-000000000009"], "ipaddr": "192.0.2.1", "name": "B A", "oid": OBJECT.to_string(),
        "puid": "1003", "rh": "0.A", "scp": "user_impersonation", "sub": "pairwise", "tid": TENANT.to_string(),
        "unique_name": "b@contoso.test", "upn": "b@contoso.test", "uti": "u", "ver": "1.0", "wids": [], "xms_idrel": "1 2",
        "xms_tcdt": 1_500_000_000,
    })
}

#[test]
fn token_of_a_trusted_tenant_is_accepted_in_both_versions() {
    let entra = Entra::new();
    let verified = entra.verify(&header("kid1", "RS256"), &payload()).unwrap();
    assert_eq!((verified.kind, verified.object_id, verified.upn.as_deref()), (TokenKind::User, OBJECT, Some("b@contoso.test")));
    let mut v2 = payload();
    v2["iss"] = json!(format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
    v2["ver"] = json!("2.0");
    v2["azp"] = v2["appid"].take();
    assert!(entra.verify(&header("kid1", "RS256"), &v2).is_ok());
}

#[test]
fn untrusted_tenant_signed_by_the_same_keys_is_refused_n82() {
    let entra = Entra::new();
    let mut other = payload();
    other["iss"] = json!(format!("https://sts.windows.net/{OTHER_TENANT}/"));
    other["tid"] = json!(OTHER_TENANT.to_string());
    assert_eq!(entra.verify(&header("kid1", "RS256"), &other), Err(TokenError::Issuer));
    let mut lie = payload();
    lie["tid"] = json!(OTHER_TENANT.to_string());
    assert_eq!(entra.verify(&header("kid1", "RS256"), &lie), Err(TokenError::Issuer));
}

#[test]
fn other_algorithms_and_keys_are_refused_n52() {
    let entra = Entra::new();
    assert_eq!(entra.verify(&header("kid1", "PS256"), &payload()), Err(TokenError::Algorithm));
    let unknown = |kid| Err(TokenError::UnknownKey(KeyId::new(kid).unwrap()));
    assert_eq!(entra.verify(&header("kid2", "ES256"), &payload()), unknown("kid2"));
    assert_eq!(entra.verify(&header("kid3", "RS256"), &payload()), unknown("kid3"));
}
