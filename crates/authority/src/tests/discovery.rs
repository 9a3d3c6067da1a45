//! What the authority publishes.

use http::StatusCode;
use keyless_testkit::TENANT;
use serde_json::json;

use super::harness::Harness;

#[tokio::test]
async fn discovery_names_the_tenant_by_id_whichever_name_was_used() {
    let harness = Harness::new().await;
    for name in [TENANT.to_string(), "keyless.test".to_owned()] {
        let answer = harness.get(&format!("/{name}/v2.0/.well-known/openid-configuration")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.body["issuer"], format!("https://localhost:8443/{TENANT}/v2.0"));
        assert_eq!(answer.body["token_endpoint"], format!("https://localhost:8443/{TENANT}/oauth2/v2.0/token"));
        assert_eq!(answer.body["jwks_uri"], format!("https://localhost:8443/{TENANT}/discovery/v2.0/keys"));
    }
}

#[tokio::test]
async fn discovery_without_a_tenant_gives_a_template_as_entra_does() {
    let harness = Harness::new().await;
    for name in ["common", "organizations"] {
        let answer = harness.get(&format!("/{name}/v2.0/.well-known/openid-configuration")).await;
        assert_eq!(answer.body["issuer"], "https://localhost:8443/{tenantid}/v2.0");
        assert_eq!(answer.body["token_endpoint"], format!("https://localhost:8443/{name}/oauth2/v2.0/token"));
    }
}

#[tokio::test]
async fn the_name_for_an_authority_of_ones_own_means_nobody_where_there_are_several_tenants() {
    let harness = Harness::new().await;
    for path in ["/adfs/.well-known/openid-configuration", "/ADFS/v2.0/.well-known/openid-configuration", "/adfs/discovery/keys"] {
        let answer = harness.get(path).await;
        assert_eq!((answer.code(), answer.status.as_u16()), (90_002, 400), "{path}");
    }
}

#[tokio::test]
async fn v1_discovery_has_the_v1_issuer_and_endpoint() {
    let harness = Harness::new().await;
    let answer = harness.get(&format!("/{TENANT}/.well-known/openid-configuration")).await;
    assert_eq!(answer.body["issuer"], format!("https://localhost:8443/{TENANT}/"));
    assert_eq!(answer.body["token_endpoint"], format!("https://localhost:8443/{TENANT}/oauth2/token"));
    assert_eq!(answer.body["jwks_uri"], format!("https://localhost:8443/{TENANT}/discovery/keys"));
}

#[tokio::test]
async fn discovery_never_advertises_none_or_shared_keys_n131() {
    let harness = Harness::new().await;
    for path in ["v2.0/.well-known/openid-configuration", ".well-known/openid-configuration"] {
        let answer = harness.get(&format!("/{TENANT}/{path}")).await;
        assert_eq!(answer.body["id_token_signing_alg_values_supported"], json!(["RS256"]));
        assert!(!answer.text.contains("none") && !answer.text.contains("HS256"), "{}", answer.text);
        let words = ["implicit", "id_token\"]", "\"password\"", "\"token\""];
        assert!(!words.iter().any(|word| answer.text.contains(word)), "{}", answer.text);
    }
}

#[tokio::test]
async fn the_key_set_is_public_cacheable_and_holds_no_private_number_n129() {
    let harness = Harness::new().await;
    for path in [format!("/{TENANT}/discovery/v2.0/keys"), "/common/discovery/v2.0/keys".into(), format!("/{TENANT}/discovery/keys")] {
        let answer = harness.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.headers["cache-control"], "public, max-age=3600");
        let keys = answer.body["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 1);
        for key in keys {
            for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
                assert!(key.get(private).is_none(), "{private}");
            }
            assert_eq!((&key["kty"], &key["use"], &key["alg"]), (&json!("RSA"), &json!("sig"), &json!("RS256")));
        }
    }
}

#[tokio::test]
async fn unknown_tenants_have_no_documents_n68() {
    let harness = Harness::new().await;
    for path in ["/nope/v2.0/.well-known/openid-configuration", "/nope/.well-known/openid-configuration", "/nope/discovery/v2.0/keys"] {
        let answer = harness.get(path).await;
        assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (90_002, 400, "invalid_tenant"), "{path}");
    }
}

#[tokio::test]
async fn documents_are_read_and_a_wrong_method_is_told_so_n78() {
    let harness = Harness::new().await;
    for path in ["v2.0/.well-known/openid-configuration", ".well-known/openid-configuration", "discovery/v2.0/keys"] {
        for method in ["POST", "PUT", "DELETE"] {
            let request = http::Request::builder().method(method).uri(format!("/{TENANT}/{path}"));
            let answer = harness.send(request.body(axum::body::Body::empty()).unwrap()).await;
            assert_eq!((answer.code(), answer.status.as_u16()), (900_561, 405), "{method} {path}");
            assert!(answer.headers["allow"].to_str().unwrap().contains("GET"), "{answer:?}");
            let told = format!("only accepts GET requests. Received a {method} request");
            assert!(answer.body["error_description"].as_str().unwrap().contains(&told), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn instance_discovery_vouches_for_this_host_only() {
    let harness = Harness::new().await;
    let ask = |host: &str, version: &str| {
        format!("/common/discovery/instance?api-version={version}&authorization_endpoint={host}/x/oauth2/v2.0/authorize")
    };
    for version in ["1.0", "1.1"] {
        let answer = harness.get(&ask("https://LOCALHOST:8443", version)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.body["tenant_discovery_endpoint"], "https://localhost:8443/x/v2.0/.well-known/openid-configuration");
        let metadata = json!([{"preferred_network": "localhost:8443", "preferred_cache": "localhost:8443", "aliases": ["localhost:8443"]}]);
        assert_eq!((&answer.body["metadata"], &answer.body["api-version"]), (&metadata, &json!(version)));
    }
    for other in
        ["https://login.microsoftonline.com", "http://localhost:8443", "https://localhost", "https://localhost:8443@evil.example", ""]
    {
        let answer = harness.get(&ask(other, "1.1")).await;
        assert_eq!((answer.code(), answer.status.as_u16(), answer.error()), (50_049, 400, "invalid_instance"), "{other}");
    }
    assert_eq!(harness.get("/common/discovery/instance?api-version=1.1").await.code(), 900_144);
    assert_eq!(harness.get(&ask("https://localhost:8443", "2.0")).await.code(), 9_002_313);
}
