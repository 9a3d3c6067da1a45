//! What a validly signed token must say.

use keyless_model::{ClientId, ObjectId, Timestamp};
use keyless_token::{AppCredential, Grant, IdGrant, TokenError, TokenHeader, TokenKind, TokenSubject, Verified, Version};
use serde_json::{Map, Value, json};

use crate::forge::{AUDIENCE, Authority, BASE, CLIENT, LEEWAY, NOW, OBJECT, OTHER_TENANT, TENANT, grant, payload_with};

fn signed_with(edit: impl FnOnce(&mut Map<String, Value>)) -> Result<Verified, TokenError> {
    let authority = Authority::shared();
    authority.verify(&authority.sign(payload_with(edit)))
}

fn with(name: &str, value: Value) -> Result<Verified, TokenError> {
    signed_with(|claims| drop(claims.insert(name.to_owned(), value)))
}

fn without(name: &str) -> Result<Verified, TokenError> {
    signed_with(|claims| drop(claims.remove(name)))
}

#[test]
fn token_without_expiry_is_refused_n29() {
    assert_eq!(without("exp"), Err(TokenError::Claim("exp")));
}

#[test]
fn expired_token_is_refused_n30() {
    let issued_before = |exp: i64| {
        signed_with(|claims| {
            for (name, secs) in [("iat", NOW - 9000), ("nbf", NOW - 9000), ("exp", exp)] {
                claims.insert(name.into(), secs.into());
            }
        })
    };
    assert_eq!(issued_before(NOW - LEEWAY - 1), Err(TokenError::Expired));
    assert_eq!(issued_before(NOW - LEEWAY), Err(TokenError::Expired));
    assert!(issued_before(NOW - LEEWAY + 1).is_ok());
}

#[test]
fn expiry_that_is_no_whole_number_is_refused_n31() {
    for value in [json!(1.5e9 + 0.5), json!("1795230000"), json!(null), json!([NOW]), json!(true), json!({})] {
        assert_eq!(with("exp", value.clone()), Err(TokenError::Claim("exp")), "{value}");
    }
    let authority = Authority::shared();
    let written = |text: &str| {
        let payload = payload_with(|claims| drop(claims.insert("exp".into(), json!("EXP")))).replace("\"EXP\"", text);
        authority.verify(&authority.sign(payload))
    };
    for text in ["1e400", "NaN", "0x7fffffff", "01795230000", "-"] {
        assert!(matches!(written(text), Err(TokenError::Malformed(_))), "{text}");
    }
    for text in ["99999999999999999999", "18446744073709551615", "1795230000.0", "1e300"] {
        assert_eq!(written(text), Err(TokenError::Claim("exp")), "{text}");
    }
    for secs in [i64::MIN, -1, 0] {
        assert_eq!(with("exp", json!(secs)), Err(TokenError::Expired), "{secs}");
    }
}

#[test]
fn token_from_the_future_is_refused_n32_n33() {
    assert_eq!(with("nbf", json!(NOW + LEEWAY + 1)), Err(TokenError::NotYetValid));
    assert_eq!(with("iat", json!(NOW + LEEWAY + 1)), Err(TokenError::NotYetValid));
    assert_eq!(with("iat", json!(i64::MAX)), Err(TokenError::NotYetValid));
    assert!(with("iat", json!(NOW + LEEWAY)).is_ok());
    assert_eq!(without("iat"), Err(TokenError::Claim("iat")));
}

#[test]
fn missing_or_empty_audience_is_refused_n35() {
    assert_eq!(without("aud"), Err(TokenError::Claim("aud")));
    for value in [json!([]), json!(""), json!(null), json!({})] {
        assert_eq!(with("aud", value), Err(TokenError::Claim("aud")));
    }
}

#[test]
fn audience_list_is_refused_n36() {
    assert_eq!(with("aud", json!([AUDIENCE, "https://graph.microsoft.com"])), Err(TokenError::Claim("aud")));
    assert_eq!(with("aud", json!([AUDIENCE])), Err(TokenError::Claim("aud")));
}

#[test]
fn audience_that_only_resembles_ours_is_refused() {
    for audience in [
        "https://cognitiveservices.azure.com/",
        "https://cognitiveservices.azure.com.evil.example",
        "https://COGNITIVESERVICES.azure.com",
        "https://management.azure.com",
        "cognitiveservices.azure.com",
    ] {
        assert_eq!(with("aud", json!(audience)), Err(TokenError::Audience), "{audience}");
    }
}

#[test]
fn issuer_that_only_resembles_ours_is_refused() {
    let own = Version::V1.issuer(BASE, TENANT);
    for issuer in [
        own.trim_end_matches('/').to_owned(),
        own.to_uppercase(),
        own.replace("https", "http"),
        format!("{own}x"),
        format!(" {own}"),
        format!("https://sts.windows.net/{TENANT}/"),
        format!("{BASE}/{OTHER_TENANT}/v2.0"),
    ] {
        assert_eq!(with("iss", json!(issuer)), Err(TokenError::Issuer), "{issuer}");
    }
    assert_eq!(without("iss"), Err(TokenError::Claim("iss")));
}

#[test]
fn ids_that_are_no_ids_are_refused() {
    for (name, value) in [
        ("oid", json!("me")),
        ("oid", json!("")),
        ("oid", json!(7)),
        ("tid", json!("../x")),
        ("uti", json!(null)),
        ("ver", json!("3.0")),
        ("ver", json!(1.0)),
        ("idtyp", json!("device")),
        ("scp", json!(["a"])),
        ("xms_cc", json!([1])),
        ("name", json!(1)),
    ] {
        assert!(matches!(with(name, value.clone()), Err(TokenError::Claim(found)) if found == name), "{name} {value}");
    }
    assert_eq!(with("appid", json!("me")), Err(TokenError::Claim("appid")));
}

#[test]
fn id_token_is_no_access_token_n45() {
    let authority = Authority::shared();
    let id = |client_id: ClientId| {
        let grant = IdGrant {
            issuer_base: BASE,
            tenant: TENANT,
            client_id,
            object_id: OBJECT,
            upn: "alice@local.test",
            name: "Alice",
            nonce: Some("n"),
            session: Some("s"),
            issued: Timestamp::from_unix_secs(NOW),
            lifetime_secs: 3600,
            token_id: "uti-2",
        };
        serde_json::to_value(grant.claims()).unwrap()
    };
    let token = authority.signer.sign(&id(CLIENT), TokenHeader::V2).unwrap();
    assert_eq!(authority.verify(token.expose()), Err(TokenError::Issuer), "v2 issuers are not accepted where v1 is expected");
    // Even where issuer and audience would fit.
    let mut claims = id(CLIENT);
    claims["aud"] = json!(AUDIENCE);
    claims["iss"] = json!(Version::V1.issuer(BASE, TENANT));
    assert_eq!(authority.verify(&authority.sign(claims.to_string())), Err(TokenError::Type));
    claims["ver"] = json!("1.0");
    assert_eq!(authority.verify(&authority.sign(claims.to_string())), Err(TokenError::Type));
}

#[test]
fn token_of_another_type_is_refused_n45() {
    let authority = Authority::shared();
    for typ in [r#","typ":"at+jwt""#, r#","typ":"logout+jwt""#, r#","typ":"dpop+jwt""#, ""] {
        let header = format!(r#"{{"alg":"RS256","kid":"own-rsa"{typ}}}"#);
        let token = crate::forge::join(header, payload_with(|_| {}), |message| authority.rsa.rs256(message));
        assert_eq!(authority.verify(&token), Err(TokenError::Type), "{typ}");
    }
}

/// The JSON of a grant, without what repeats in all of them.
fn claims(grant: &Grant<'_>) -> Value {
    let mut value = serde_json::to_value(grant.claims()).unwrap();
    let object = value.as_object_mut().unwrap();
    let issued = object.remove("iat").unwrap();
    assert_eq!(object.remove("nbf").unwrap(), issued, "nbf is iat");
    assert_eq!(object.remove("exp").unwrap().as_i64().unwrap() - issued.as_i64().unwrap(), grant.lifetime_secs);
    assert_eq!(object.remove("tid").unwrap(), TENANT.to_string());
    value
}

const TID: &str = "00000000-0000-0000-0000-000000001111";
const OID: &str = "00000000-0000-0000-0000-000000000b1e";
const APP: &str = "00000000-0000-0000-0000-00000000c11e";

#[test]
fn managed_identity_claims_are_those_of_entra() {
    let resource = "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/n";
    let host = "/subscriptions/s/resourcegroups/g/providers/Microsoft.Compute/virtualMachines/h";
    let subject = TokenSubject::ManagedIdentity {
        client_id: CLIENT,
        object_id: OBJECT,
        resource_id: resource.to_owned(),
        host: Some(host.to_owned()),
    };
    let found = claims(&Grant { subject, capabilities: vec![], lifetime_secs: 86_700, ..grant() });
    assert_eq!(
        found,
        json!({
            "aud": AUDIENCE, "iss": format!("{BASE}/{TID}/"), "idp": format!("{BASE}/{TID}/"), "appid": APP, "appidacr": "2",
            "idtyp": "app", "oid": OID, "sub": OID, "uti": "uti-1", "ver": "1.0", "xms_mirid": resource, "xms_az_rid": host,
        })
    );
}

#[test]
fn application_claims_are_those_of_entra() {
    for (credential, acr) in [(AppCredential::Secret, "1"), (AppCredential::Certificate, "2"), (AppCredential::Federated, "2")] {
        let subject = TokenSubject::Application { client_id: CLIENT, object_id: OBJECT, credential };
        assert_eq!(
            claims(&Grant { subject: subject.clone(), ..grant() }),
            json!({
                "aud": AUDIENCE, "iss": format!("{BASE}/{TID}/"), "idp": format!("{BASE}/{TID}/"), "appid": APP, "appidacr": acr,
                "idtyp": "app", "oid": OID, "sub": OID, "uti": "uti-1", "ver": "1.0", "xms_cc": ["CP1"],
            })
        );
        assert_eq!(
            claims(&Grant { subject, version: Version::V2, ..grant() }),
            json!({
                "aud": AUDIENCE, "iss": format!("{BASE}/{TID}/v2.0"), "azp": APP, "azpacr": acr, "idtyp": "app", "oid": OID, "sub": OID,
                "uti": "uti-1", "ver": "2.0", "xms_cc": ["CP1"],
            })
        );
    }
}

fn alice() -> TokenSubject {
    TokenSubject::User {
        object_id: OBJECT,
        client_id: CLIENT,
        credential: AppCredential::Public,
        upn: "alice@local.test".into(),
        name: "Alice".into(),
        methods: vec!["pwd".into()],
        scopes: vec!["user_impersonation".into(), "x".into()],
    }
}

#[test]
fn user_claims_are_those_of_entra() {
    let mut v1 = claims(&Grant { subject: alice(), session: Some("sid-1".into()), ..grant() });
    let subject = v1.as_object_mut().unwrap().remove("sub").unwrap();
    assert_ne!(subject, OID, "pairwise");
    assert_eq!(
        v1,
        json!({
            "aud": AUDIENCE, "iss": format!("{BASE}/{TID}/"), "acr": "1", "amr": ["pwd"], "appid": APP, "appidacr": "0", "idtyp": "user",
            "name": "Alice", "oid": OID, "scp": "user_impersonation x", "sid": "sid-1", "unique_name": "alice@local.test",
            "upn": "alice@local.test", "uti": "uti-1", "ver": "1.0", "xms_cc": ["CP1"],
        })
    );
    let mut v2 = claims(&Grant { subject: alice(), version: Version::V2, ..grant() });
    assert_eq!(v2.as_object_mut().unwrap().remove("sub").unwrap(), subject, "the same for the same application");
    assert_eq!(
        v2,
        json!({
            "aud": AUDIENCE, "iss": format!("{BASE}/{TID}/v2.0"), "amr": ["pwd"], "azp": APP, "azpacr": "0", "idtyp": "user",
            "name": "Alice", "oid": OID, "preferred_username": "alice@local.test", "scp": "user_impersonation x", "uti": "uti-1",
            "ver": "2.0", "xms_cc": ["CP1"],
        })
    );
}

#[test]
fn verified_token_tells_what_was_granted() {
    let authority = Authority::shared();
    let verified = authority.verify(&authority.issue(&Grant { subject: alice(), ..grant() })).unwrap();
    assert_eq!(verified.kind, TokenKind::User);
    assert_eq!((verified.object_id, verified.client_id), (ObjectId::from_u128(0x0B1E), Some(CLIENT)));
    assert_eq!(verified.scopes, ["user_impersonation", "x"]);
    assert_eq!((verified.upn.as_deref(), verified.name.as_deref()), (Some("alice@local.test"), Some("Alice")));
    assert_eq!((verified.issued.unix_secs(), verified.expires.unix_secs()), (NOW, NOW + 3900));
    assert_eq!((verified.token_id.as_str(), verified.version), ("uti-1", Version::V1));
    assert_eq!(verified.capabilities, ["CP1"]);
    assert_eq!(authority.verify(&authority.token()).unwrap().kind, TokenKind::Application);
}

#[test]
fn user_whose_token_does_not_say_so_is_known_by_the_scope() {
    let found = signed_with(|claims| {
        claims.remove("idtyp");
        claims.insert("scp".into(), json!("user_impersonation"));
    });
    assert_eq!(found.unwrap().kind, TokenKind::User);
    assert_eq!(without("idtyp").unwrap().kind, TokenKind::Application);
}
