//! The exact JSON of every shape. A change here is a change of the wire, which official clients will notice.

use keyless_wire::ai::{AiError, AiLimit, RateLimited};
use keyless_wire::arm::{ArmError, ArmErrorBody, ArmErrorInfo, ArmList};
use keyless_wire::graph::{GraphError, GraphList};
use keyless_wire::metadata::{AppServiceError, AppServiceToken, ImdsError, ImdsToken, ImdsVersionError};
use keyless_wire::monitor::{KeyAccess, KeyAccessProperties, RequestResponse};
use keyless_wire::oauth::{ClientInfo, DeviceCodeResponse, OAuthError, TokenResponse, TokenResponseV1};
use keyless_wire::oidc::{InstanceDiscovery, OpenIdConfiguration};
use keyless_wire::{Jwk, Jwks};
use serde::Serialize;
use serde::de::DeserializeOwned;

const TENANT: &str = "11111111-1111-1111-1111-111111111111";

/// The value writes as exactly this text, and the text reads back as the same value.
#[track_caller]
fn golden<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T, text: &str) {
    assert_eq!(serde_json::to_string(value).expect("plain structs always serialise"), text);
    assert_eq!(&serde_json::from_str::<T>(text).expect("the golden text reads back"), value);
}

#[test]
fn program_token_answer() {
    golden(
        &TokenResponse::bearer("T".into(), 3599),
        r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"T"}"#,
    );
}

#[test]
fn user_token_answer() {
    let answer = TokenResponse {
        scope: Some("https://localhost:8443//.default".into()),
        refresh_in: Some(43_200),
        refresh_token: Some("R".into()),
        id_token: Some("I".into()),
        client_info: Some("C".into()),
        ..TokenResponse::bearer("T".into(), 86_399)
    };
    golden(
        &answer,
        r#"{"token_type":"Bearer","scope":"https://localhost:8443//.default","expires_in":86399,"ext_expires_in":86399,"refresh_in":43200,"access_token":"T","refresh_token":"R","id_token":"I","client_info":"C"}"#,
    );
}

#[test]
fn v1_token_answer_is_all_strings() {
    let answer = TokenResponseV1 {
        token_type: "Bearer".into(),
        scope: None,
        expires_in: "3599".into(),
        ext_expires_in: "3599".into(),
        expires_on: "1795227711".into(),
        not_before: "1795224111".into(),
        resource: "https://cognitiveservices.azure.com".into(),
        access_token: "T".into(),
        refresh_token: None,
        id_token: None,
    };
    golden(
        &answer,
        r#"{"token_type":"Bearer","expires_in":"3599","ext_expires_in":"3599","expires_on":"1795227711","not_before":"1795224111","resource":"https://cognitiveservices.azure.com","access_token":"T"}"#,
    );
}

#[test]
fn client_info() {
    golden(&ClientInfo { uid: "oid".into(), utid: "tid".into() }, r#"{"uid":"oid","utid":"tid"}"#);
}

#[test]
fn token_error() {
    let error = OAuthError::aadsts(
        "invalid_client",
        7_000_215,
        "Invalid client secret provided.",
        "2026-01-01 00:00:00Z",
        "t1",
        "c1",
        "https://localhost:8443",
    );
    golden(
        &error,
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Trace ID: t1 Correlation ID: c1 Timestamp: 2026-01-01 00:00:00Z","error_codes":[7000215],"timestamp":"2026-01-01 00:00:00Z","trace_id":"t1","correlation_id":"c1","error_uri":"https://localhost:8443/error?code=7000215"}"#,
    );
    let challenge = OAuthError { suberror: Some("basic_action".into()), claims: Some(r#"{"access_token":{}}"#.into()), ..error };
    assert!(serde_json::to_string(&challenge).unwrap().ends_with(r#","suberror":"basic_action","claims":"{\"access_token\":{}}"}"#));
}

#[test]
fn device_code_answer() {
    let answer = DeviceCodeResponse {
        user_code: "ABCD1234".into(),
        device_code: "D".into(),
        verification_uri: "https://localhost:8443/device".into(),
        expires_in: 900,
        interval: 5,
        message: "To sign in".into(),
    };
    golden(
        &answer,
        r#"{"user_code":"ABCD1234","device_code":"D","verification_uri":"https://localhost:8443/device","expires_in":900,"interval":5,"message":"To sign in"}"#,
    );
}

#[test]
fn openid_configuration() {
    let issuer = format!("https://localhost:8443/{TENANT}/v2.0");
    let document = OpenIdConfiguration::of_tenant("https://localhost:8443", TENANT, issuer, &["RS256"]);
    golden(
        &document,
        concat!(
            r#"{"token_endpoint":"https://localhost:8443/11111111-1111-1111-1111-111111111111/oauth2/v2.0/token","#,
            r#""token_endpoint_auth_methods_supported":["client_secret_post","private_key_jwt","client_secret_basic"],"#,
            r#""jwks_uri":"https://localhost:8443/11111111-1111-1111-1111-111111111111/discovery/v2.0/keys","#,
            r#""response_modes_supported":["query","fragment","form_post"],"subject_types_supported":["pairwise"],"#,
            r#""id_token_signing_alg_values_supported":["RS256"],"response_types_supported":["code"],"#,
            r#""scopes_supported":["openid","profile","email","offline_access"],"#,
            r#""issuer":"https://localhost:8443/11111111-1111-1111-1111-111111111111/v2.0","request_uri_parameter_supported":false,"#,
            r#""authorization_endpoint":"https://localhost:8443/11111111-1111-1111-1111-111111111111/oauth2/v2.0/authorize","#,
            r#""device_authorization_endpoint":"https://localhost:8443/11111111-1111-1111-1111-111111111111/oauth2/v2.0/devicecode","#,
            r#""end_session_endpoint":"https://localhost:8443/11111111-1111-1111-1111-111111111111/oauth2/v2.0/logout","#,
            r#""claims_supported":["sub","iss","aud","exp","iat","nbf","acr","amr","nonce","preferred_username","name","tid","ver","oid","sid"],"#,
            r#""code_challenge_methods_supported":["S256"],"grant_types_supported":["authorization_code","client_credentials","refresh_token","#,
            r#""urn:ietf:params:oauth:grant-type:device_code","urn:ietf:params:oauth:grant-type:jwt-bearer"],"#,
            r#""tenant_region_scope":null,"cloud_instance_name":"localhost:8443"}"#,
        ),
    );
}

#[test]
fn discovery_never_advertises_none_or_hmac_n131() {
    let document = OpenIdConfiguration::of_tenant("https://localhost", TENANT, "i".into(), &["RS256", "ES256"]);
    let text = serde_json::to_string(&document).unwrap().to_ascii_lowercase();
    assert!(!text.contains("none") && !text.contains("hs256") && !text.contains("hs384") && !text.contains("hs512"), "{text}");
    assert!(!text.contains("implicit") && !text.contains(r#""password""#) && !text.contains(r#""plain""#), "{text}");
}

#[test]
fn instance_discovery() {
    golden(
        &InstanceDiscovery::single("localhost:8443", "https://localhost:8443/t/v2.0/.well-known/openid-configuration".into(), "1.1"),
        r#"{"tenant_discovery_endpoint":"https://localhost:8443/t/v2.0/.well-known/openid-configuration","api-version":"1.1","metadata":[{"preferred_network":"localhost:8443","preferred_cache":"localhost:8443","aliases":["localhost:8443"]}]}"#,
    );
}

#[test]
fn jwks_has_the_public_members_only() {
    let keys = Jwks { keys: vec![Jwk::rsa("k1", "RS256", "N".into(), "AQAB".into()), Jwk::p256("k2", "ES256", "X".into(), "Y".into())] };
    golden(
        &keys,
        r#"{"keys":[{"kty":"RSA","use":"sig","kid":"k1","alg":"RS256","n":"N","e":"AQAB"},{"kty":"EC","use":"sig","kid":"k2","alg":"ES256","crv":"P-256","x":"X","y":"Y"}]}"#,
    );
}

#[test]
fn imds_token_is_all_strings() {
    let resource = "https://cognitiveservices.azure.com".to_owned();
    golden(
        &ImdsToken::new("T".into(), "C".into(), resource, 1_795_224_111, 1_795_310_811, 1_795_224_412),
        r#"{"access_token":"T","client_id":"C","expires_in":"86399","expires_on":"1795310811","ext_expires_in":"86399","not_before":"1795224111","resource":"https://cognitiveservices.azure.com","token_type":"Bearer"}"#,
    );
}

#[test]
fn imds_errors() {
    golden(
        &ImdsError::metadata_header_missing(),
        r#"{"error":"bad_request_102","error_description":"Required metadata header not specified"}"#,
    );
    golden(&ImdsError::identity_not_found(), r#"{"error":"invalid_request","error_description":"Identity not found"}"#);
    golden(
        &ImdsError::several_identities(),
        r#"{"error":"invalid_request","error_description":"Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request"}"#,
    );
    golden(
        &ImdsVersionError::new(&["2021-02-01", "2018-02-01"]),
        r#"{"error":"Bad request. api-version is invalid or was not specified in the request. For more information refer to aka.ms/azureimds","newest-versions":["2021-02-01","2018-02-01"]}"#,
    );
}

#[test]
fn app_service() {
    golden(
        &AppServiceToken::new("T".into(), "C".into(), "R".into(), 1_795_310_811),
        r#"{"access_token":"T","client_id":"C","expires_on":"1795310811","resource":"R","token_type":"Bearer"}"#,
    );
    golden(&AppServiceError::new(401, "bad header", None), r#"{"statusCode":401,"message":"bad header"}"#);
    golden(
        &AppServiceError::identity_not_found("c1"),
        r#"{"statusCode":400,"message":"No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.","correlationId":"c1"}"#,
    );
}

#[test]
fn arm() {
    golden(
        &ArmError::new("ResourceGroupNotFound", "Resource group 'x' could not be found."),
        r#"{"error":{"code":"ResourceGroupNotFound","message":"Resource group 'x' could not be found."}}"#,
    );
    let mut full = ArmError::new("InvalidRequest", "m").target("properties.capacity").detail(ArmErrorBody::new("Inner", "n"));
    full.error.additional_info.push(ArmErrorInfo { kind: "PolicyViolation".into(), info: serde_json::json!({"a": 1}) });
    golden(
        &full,
        r#"{"error":{"code":"InvalidRequest","message":"m","target":"properties.capacity","details":[{"code":"Inner","message":"n"}],"additionalInfo":[{"type":"PolicyViolation","info":{"a":1}}]}}"#,
    );
    golden(&ArmList::whole(vec![1, 2]), r#"{"value":[1,2]}"#);
    golden(&ArmList { value: vec![1], next_link: Some("https://x/?p=2".into()) }, r#"{"value":[1],"nextLink":"https://x/?p=2"}"#);
}

#[test]
fn graph() {
    golden(
        &GraphError::not_found("g").of_request("2026-11-21T03:04:05", "r", "c"),
        r#"{"error":{"code":"Request_ResourceNotFound","message":"Resource 'g' does not exist or one of its queried reference-property objects are not present.","innerError":{"date":"2026-11-21T03:04:05","request-id":"r","client-request-id":"c"}}}"#,
    );
    golden(
        &GraphError::denied(),
        r#"{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}}"#,
    );
    golden(&GraphList::whole(vec!["a".to_owned()]), r#"{"value":["a"]}"#);
    golden(
        &GraphList { context: Some("https://x/$metadata#users".into()), next_link: Some("https://x/n".into()), value: vec![1] },
        r#"{"@odata.context":"https://x/$metadata#users","@odata.nextLink":"https://x/n","value":[1]}"#,
    );
}

#[test]
fn ai_refusals_are_azures_word_for_word() {
    let check = |error: &AiError, status: u16, body: &str| {
        assert_eq!((error.status, error.body.as_str()), (status, body));
        serde_json::from_str::<serde_json::Value>(&error.body).unwrap();
    };
    check(
        &AiError::wrong_key(),
        401,
        r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource."}}"#,
    );
    check(
        &AiError::unauthorized(),
        401,
        r#"{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired."}"#,
    );
    check(
        &AiError::wrong_tenant(TENANT),
        400,
        r#"{"error":{"code":"Tenant provided in token does not match resource token","message":"Token tenant 11111111-1111-1111-1111-111111111111 does not match resource tenant."}}"#,
    );
    check(
        &AiError::permission_denied(
            "oid",
            "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action",
            "POST /openai/deployments/{deployment-id}/chat/completions",
        ),
        401,
        r#"{"error":{"code":"PermissionDenied","message":"The principal `oid` lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to perform `POST /openai/deployments/{deployment-id}/chat/completions` operation."}}"#,
    );
    check(
        &AiError::local_auth_disabled(),
        403,
        r#"{"error":{"code":"AuthenticationTypeDisabled","message":"Key based authentication is disabled for this resource."}}"#,
    );
    check(&AiError::network_rules(), 403, r#"{"error":{"code":"403","message":"Access denied due to Virtual Network/Firewall rules."}}"#);
    check(
        &AiError::public_access_disabled(),
        403,
        r#"{"error":{"code":"403","message":"Public access is disabled. Please configure private endpoint."}}"#,
    );
    check(
        &AiError::deployment_not_found(),
        404,
        r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."}}"#,
    );
    check(&AiError::not_found(), 404, r#"{"error":{"code":"404","message":"Resource not found"}}"#);
    check(&AiError::api_version(), 400, r#"{"error":{"code":"BadRequest","message":"API version not supported"}}"#);
    let refused = RateLimited {
        deployment: "gpt-4.1",
        model: "gpt-4.1",
        region: "East US",
        tier: "S0",
        operation: "ChatCompletions_Create",
        api_version: "2024-08-01-preview",
        retry_after_secs: 7,
    };
    check(
        &AiError::rate_limit(AiLimit::Tokens, &refused),
        429,
        r#"{"error":{"code":"RateLimitReached","message":"Your requests to gpt-4.1 for gpt-4.1 in East US have exceeded the token rate limit for your current OpenAI S0 pricing tier. This request was for ChatCompletions_Create under Azure OpenAI API version 2024-08-01-preview. Please retry after 7 seconds. To increase your default rate limit, visit: https://aka.ms/oai/quotaincrease."}}"#,
    );
    assert!(AiError::rate_limit(AiLimit::Calls, &refused).body.contains("exceeded the call rate limit"));
    check(
        &AiError::content_filter(&["hate"]),
        400,
        r#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry. To learn more about our content filtering policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":true,"severity":"medium"},"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}}}}"#,
    );
}

#[test]
fn a_hostile_name_cannot_break_out_of_a_message() {
    let error = AiError::permission_denied("x\"}}{\"a\":\"\r\n", "d", "o");
    let parsed: serde_json::Value = serde_json::from_str(&error.body).unwrap();
    assert_eq!(parsed["error"]["code"], "PermissionDenied");
    assert!(parsed["error"]["message"].as_str().unwrap().contains("x\"}}{\"a\":\"\r\n"));
}

#[test]
fn debug_of_an_answer_with_a_secret_is_a_label() {
    let secret = "eyJ-secret";
    let shown = format!(
        "{:?} {:?} {:?}",
        TokenResponse::bearer(secret.into(), 1),
        ImdsToken::new(secret.into(), "c".into(), "r".into(), 1, 2, 1),
        AppServiceToken::new(secret.into(), "c".into(), "r".into(), 1),
    );
    assert_eq!(shown, "TokenResponse(***) ImdsToken(***) AppServiceToken(***)");
}

/// In the form in which the service writes it: the properties are text.
#[test]
fn request_response_record() {
    let text = r#"{"Tenant":"eastus","callerIpAddress":"192.0.2.***","category":"RequestResponse","correlationId":"11111111-1111-1111-1111-111111111111","durationMs":1021,"event":"ShoeboxCallResult","location":"eastus","operationName":"ChatCompletions_Create","properties":"{\"apiName\":\"Azure OpenAI API version 2024-10-21\",\"requestTime\":638515262815394150,\"requestLength\":128,\"responseTime\":638515262825606520,\"responseLength\":1411,\"objectId\":\"\",\"streamType\":\"Non-Streaming\",\"modelDeploymentName\":\"chat\",\"modelName\":\"gpt-4o\",\"modelVersion\":\"2024-08-06\"}","resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/A","resultSignature":"200","time":"2024-05-24T12:23:02.4350000Z"}"#;
    let record: RequestResponse = serde_json::from_str(text).expect("the record reads");
    assert_eq!(
        (record.properties.request_time, record.properties.stream_type.as_deref()),
        (638_515_262_815_394_150, Some("Non-Streaming"))
    );
    golden(&record, text);
}

#[test]
fn key_access_record() {
    let record = KeyAccess {
        tenant: "eastus".into(),
        category: "Audit".into(),
        operation_name: "ListKey".into(),
        properties: KeyAccessProperties { object_id: TENANT.into() },
        resource_id: "/SUBSCRIPTIONS/S".into(),
        time: "2024-04-17T06:03:30.0000000Z".into(),
    };
    golden(
        &record,
        r#"{"Tenant":"eastus","category":"Audit","operationName":"ListKey","properties":{"objectId":"11111111-1111-1111-1111-111111111111"},"resourceId":"/SUBSCRIPTIONS/S","time":"2024-04-17T06:03:30.0000000Z"}"#,
    );
}
