use std::borrow::Cow;

use keyless_model::{Actor, AssignmentId, ClientId, ObjectId, OpContext, RequestId, RoleId, TenantId};
use serde_json::json;

use super::*;
use crate::{ControlDetail, DecisionRecord, TokenDetail};

const ACCOUNT: &str =
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/demo/providers/Microsoft.CognitiveServices/accounts/demo-ai";

fn event(category: Category, operation: &'static str, outcome: Outcome, status: u16, target: &str) -> AuditEvent {
    let actor =
        Actor::Principal { id: ObjectId::from_u128(0xA), tenant: TenantId::from_u128(0xB), client_id: Some(ClientId::from_u128(0xC)) };
    let mut ctx = OpContext::new(RequestId::from_u128(0xD), Timestamp::from_unix_millis(1_712_578_979_485), actor);
    ctx.source = Some([81, 2, 69, 144].into());
    let mut event = AuditEvent::new(&ctx, category, Cow::Borrowed(operation), outcome);
    (event.status, event.target, event.location) = (Some(status), Some(target.parse().unwrap()), Some("eastus".into()));
    event.decision = Some(DecisionRecord {
        assignment: Some(AssignmentId::from_u128(0xE)),
        role: Some(RoleId::from_u128(0xF)),
        ..DecisionRecord::allowed("assignment")
    });
    event
}

fn call() -> AuditEvent {
    let mut event = event(Category::Data, "ChatCompletions_Create", Outcome::Allowed, 200, &format!("{ACCOUNT}/deployments/chat"));
    event.data = Some(DataDetail {
        api: "ChatCompletions_Create".into(),
        api_version: Some("2024-10-21".to_owned()),
        deployment: Some("chat".into()),
        model: Some("gpt-35-turbo".into()),
        model_version: Some("0301".into()),
        streamed: true,
        request_bytes: 128,
        response_bytes: 1411,
        latency_micros: 1_021_237,
        ..DataDetail::default()
    });
    event
}

/// The lines of an event, as they are exported.
fn lines(event: &AuditEvent) -> String {
    records(event).iter().map(|record| serde_json::to_string(record).unwrap() + "\n").collect()
}

#[test]
fn a_call_is_a_request_response_record() {
    insta::assert_snapshot!(lines(&call()), @r#"{"Tenant":"eastus","callerIpAddress":"81.2.69.***","category":"RequestResponse","correlationId":"00000000-0000-0000-0000-00000000000d","durationMs":1021,"event":"ShoeboxCallResult","location":"eastus","operationName":"ChatCompletions_Create","properties":"{\"apiName\":\"Azure OpenAI API version 2024-10-21\",\"requestTime\":638481757794850000,\"requestLength\":128,\"responseTime\":638481757805062370,\"responseLength\":1411,\"objectId\":\"00000000-0000-0000-0000-00000000000a\",\"streamType\":\"Streaming\",\"modelDeploymentName\":\"chat\",\"modelName\":\"gpt-35-turbo\",\"modelVersion\":\"0301\"}","resourceId":"/SUBSCRIPTIONS/00000000-0000-0000-0000-000000000001/RESOURCEGROUPS/DEMO/PROVIDERS/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/DEMO-AI","resultSignature":"200","time":"2024-04-08T12:23:00.5062370Z"}"#);
}

#[test]
fn a_call_with_a_key_has_no_object_id_and_one_that_reached_nothing_no_deployment() {
    let mut event = call();
    event.actor = ActorRecord::AccountKey { fingerprint: "1f".to_owned() };
    event.source = Some("2001:db8:1:2::3".parse().unwrap());
    (event.outcome, event.status) = (Outcome::Denied, Some(404));
    event.data = Some(DataDetail { api_version: Some("v1".to_owned()), ..DataDetail::default() });
    insta::assert_snapshot!(lines(&event), @r#"{"Tenant":"eastus","callerIpAddress":"2001:db8:1:***","category":"RequestResponse","correlationId":"00000000-0000-0000-0000-00000000000d","durationMs":0,"event":"ShoeboxCallResult","location":"eastus","operationName":"ChatCompletions_Create","properties":"{\"apiName\":\"Azure OpenAI API version v1\",\"requestTime\":638481757794850000,\"requestLength\":0,\"responseTime\":638481757794850000,\"responseLength\":0,\"objectId\":\"\"}","resourceId":"/SUBSCRIPTIONS/00000000-0000-0000-0000-000000000001/RESOURCEGROUPS/DEMO/PROVIDERS/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/DEMO-AI","resultSignature":"404","time":"2024-04-08T12:22:59.4850000Z"}"#);
}

#[test]
fn a_change_is_an_administrative_record() {
    let target = format!("{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-000000000099");
    let mut event = event(Category::Control, "Microsoft.Authorization/roleAssignments/write", Outcome::Allowed, 201, &target);
    event.control = Some(ControlDetail { before: None, after: Some(json!({ "id": "x" })) });
    insta::assert_snapshot!(lines(&event), @r#"{"callerIpAddress":"81.2.69.144","category":"Administrative","correlationId":"00000000-0000-0000-0000-00000000000d","durationMs":0,"identity":{"authorization":{"action":"Microsoft.Authorization/roleAssignments/write","evidence":{"principalId":"0000000000000000000000000000000a","roleAssignmentId":"0000000000000000000000000000000e","roleDefinitionId":"0000000000000000000000000000000f"},"scope":"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/demo/providers/Microsoft.CognitiveServices/accounts/demo-ai/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-000000000099"},"claims":{"appid":"00000000-0000-0000-0000-00000000000c","http://schemas.microsoft.com/identity/claims/objectidentifier":"00000000-0000-0000-0000-00000000000a","http://schemas.microsoft.com/identity/claims/tenantid":"00000000-0000-0000-0000-00000000000b"}},"level":"Information","location":"global","operationName":"MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE","properties":{"entity":"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/demo/providers/Microsoft.CognitiveServices/accounts/demo-ai/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-000000000099","eventCategory":"Administrative","hierarchy":"00000000-0000-0000-0000-00000000000b/00000000-0000-0000-0000-000000000001","message":"Microsoft.Authorization/roleAssignments/write","responseBody":"{\"id\":\"x\"}","serviceRequestId":"00000000-0000-0000-0000-00000000000d","statusCode":"Created"},"resourceId":"/SUBSCRIPTIONS/00000000-0000-0000-0000-000000000001/RESOURCEGROUPS/DEMO/PROVIDERS/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/DEMO-AI/PROVIDERS/MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/00000000-0000-0000-0000-000000000099","resultSignature":"Succeeded.Created","resultType":"Success","time":"2024-04-08T12:22:59.4850000Z"}"#);
}

#[test]
fn handing_out_keys_is_told_in_both_logs_and_a_refusal_in_one() {
    let keys = |outcome, status| event(Category::Control, "Microsoft.CognitiveServices/accounts/listKeys/action", outcome, status, ACCOUNT);
    let text = lines(&keys(Outcome::Allowed, 200));
    let (access, change) = text.split_once('\n').unwrap();
    insta::assert_snapshot!(access, @r#"{"Tenant":"eastus","category":"Audit","operationName":"ListKey","properties":{"objectId":"00000000-0000-0000-0000-00000000000a"},"resourceId":"/SUBSCRIPTIONS/00000000-0000-0000-0000-000000000001/RESOURCEGROUPS/DEMO/PROVIDERS/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/DEMO-AI","time":"2024-04-08T12:22:59.4850000Z"}"#);
    assert!(change.contains(r#""resultSignature":"Succeeded.OK""#), "{change}");

    let mut refused = keys(Outcome::Denied, 403);
    refused.decision = Some(DecisionRecord::refused("no role assignment covers the scope"));
    let text = lines(&refused);
    assert_eq!(text.lines().count(), 1);
    assert!(text.contains(r#""resultSignature":"Failed.Forbidden","resultType":"Failure""#), "{text}");
    assert!(text.contains(r#""level":"Warning""#) && !text.contains("evidence"), "{text}");
}

#[test]
fn what_azure_monitor_has_no_shape_for_is_left_out() {
    let graph = event(Category::Control, "Microsoft.Graph/groups/write", Outcome::Allowed, 201, "/");
    let mut token = event(Category::Token, "Token_Issue", Outcome::Allowed, 200, ACCOUNT);
    token.token = Some(TokenDetail::default());
    let mut stranger = event(Category::Control, "GET with a refused token", Outcome::Denied, 401, ACCOUNT);
    stranger.target = None;
    for event in [graph, token, stranger, event(Category::System, "System_Start", Outcome::Allowed, 200, ACCOUNT)] {
        assert_eq!(records(&event), []);
    }
}

#[test]
fn a_moment_before_1970_still_has_seven_decimals() {
    assert_eq!(moment(ticks(Timestamp::from_unix_millis(-1))), "1969-12-31T23:59:59.9990000Z");
}
