use serde_json::json;

use super::*;
use crate::fake;

const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

fn acquired(variables: &[(&str, &str)], only: Option<CredentialName>) -> Result<Acquired, Failure> {
    let environment = variables.iter().copied().collect();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(acquire(&environment, SCOPE, only))
}

fn token() -> (u16, String) {
    (200, json!({ "access_token": "a.b.c", "expires_on": "1795310811", "resource": "r", "token_type": "Bearer" }).to_string())
}

#[test]
fn a_run_is_found_by_its_endpoint_and_header() {
    let (url, requests) = fake::http(|_| token());
    let got = acquired(&[("IDENTITY_ENDPOINT", &format!("{url}/msi/token")), ("IDENTITY_HEADER", "h-1"), ("AZURE_CLIENT_ID", "c 1")], None)
        .unwrap();
    assert_eq!((got.token.expose().as_str(), got.expires), ("a.b.c", Some(Timestamp::from_unix_secs(1_795_310_811))));
    let request = requests.recv().unwrap();
    assert_eq!(request.line, "GET /msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=c+1");
    assert!(request.head.to_ascii_lowercase().contains("x-identity-header: h-1"), "{}", request.head);
}

#[test]
fn imds_is_asked_where_the_environment_says() {
    let (url, requests) = fake::http(|_| token());
    acquired(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &url)], Some(CredentialName::ManagedIdentity)).unwrap();
    let request = requests.recv().unwrap();
    assert!(request.line.starts_with("GET /metadata/identity/oauth2/token?api-version=2018-02-01&"), "{}", request.line);
    assert!(request.head.to_ascii_lowercase().contains("metadata: true"));
}

#[test]
fn a_refusal_is_told_in_the_endpoints_words_and_ends_the_search() {
    let (url, _requests) = fake::http(|_| (401, json!({ "statusCode": 401, "message": "the identity header is wrong" }).to_string()));
    let failure = acquired(&[("IDENTITY_ENDPOINT", &url), ("IDENTITY_HEADER", "wrong-secret")], None).err().unwrap();
    assert!(failure.what.ends_with("401 the identity header is wrong"), "{}", failure.what);
    assert!(!failure.what.contains("wrong-secret"));
}

#[test]
fn what_is_no_token_is_not_quoted() {
    let (url, _requests) = fake::http(|_| (200, json!({ "acces_token": "a.b.c" }).to_string()));
    let failure = acquired(&[("IDENTITY_ENDPOINT", &url), ("IDENTITY_HEADER", "h")], None).err().unwrap();
    assert!(!failure.what.contains("a.b.c"), "{}", failure.what);
}

#[test]
fn nothing_configured_says_what_each_credential_needs() {
    let failure = acquired(&[], None).err().unwrap();
    for name in ["AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT"] {
        assert!(failure.what.contains(name), "{}", failure.what);
    }
    let failure = acquired(&[], Some(CredentialName::WorkloadIdentity)).err().unwrap();
    assert!(!failure.what.contains("AZURE_CLIENT_SECRET"), "{}", failure.what);
}

#[test]
fn a_secret_is_never_sent_in_the_clear() {
    let (url, requests) = fake::http(|_| token());
    let variables =
        [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_CLIENT_SECRET", "s"), ("AZURE_AUTHORITY_HOST", url.as_str())];
    assert!(acquired(&variables, None).err().unwrap().what.contains("https"));
    assert!(requests.try_recv().is_err());
}

#[test]
fn a_choice_of_credentials_is_honoured() {
    let (url, _requests) = fake::http(|_| token());
    let variables = |choice| [("AZURE_TOKEN_CREDENTIALS", choice), ("AZURE_POD_IDENTITY_AUTHORITY_HOST", url.as_str())];
    assert!(acquired(&variables("ManagedIdentityCredential"), None).is_ok());
    assert!(acquired(&variables("EnvironmentCredential"), None).is_err());
    assert!(acquired(&variables("dev"), None).err().unwrap().what.contains("dev"));
    assert!(acquired(&variables("EnvironmentCredential"), Some(CredentialName::ManagedIdentity)).is_ok());
}

#[test]
fn only_the_first_sentence_of_entras_answer_is_told() {
    let text = "AADSTS7000215: Invalid client secret provided. Trace ID: t Correlation ID: c Timestamp: x";
    let body = json!({ "error": "invalid_client", "error_description": text }).to_string();
    let reply = Reply { status: http::StatusCode::UNAUTHORIZED, headers: http::HeaderMap::new(), body: body.into() };
    assert_eq!(refusal(&reply), "401 AADSTS7000215: Invalid client secret provided.");
}
