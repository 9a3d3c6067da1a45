//! Roles, down to the single deployment.

use keyless_model::ObjectId;
use keyless_model::entity::Mutation;
use keyless_rbac::builtin;

use crate::support::*;

/// A token of the application that has no role, and its object id.
fn nobody(world: &World) -> (String, ObjectId) {
    (format!("Bearer {}", world.test.token(world.test.app, AUDIENCE)), world.test.app.object_id)
}

#[tokio::test]
async fn a_role_at_one_deployment_opens_that_one_only() {
    let mut world = World::new().await;
    let (token, id) = nobody(&world);
    let scope = world.test.account.join("deployments/chat").unwrap();
    world.test.assign(builtin::COGNITIVE_SERVICES_OPENAI_USER, id, &scope).await;
    let headers = [("authorization", token.as_str())];
    assert_eq!(world.send(post(CHAT, &headers, HELLO)).await.status, 200);
    assert_eq!(world.send(post(CHAT_V1, &headers, HELLO)).await.status, 200);
    for (path, body) in [
        (EMBED.to_owned(), r#"{"input":"x"}"#),
        (CHAT.replace("/chat/chat", "/chatter/chat"), HELLO),
        (CHAT_V1.to_owned(), r#"{"model":"embed","messages":[]}"#),
        (CHAT_V1.to_owned(), r#"{"model":"chat2","messages":[]}"#),
    ] {
        let answer = world.send(post(&path, &headers, body)).await;
        assert!(answer.body.contains("PermissionDenied"), "{path} {answer:?}");
    }
    assert_eq!(world.server.seen().len(), 2);
}

#[tokio::test]
async fn the_deployments_name_has_no_case_n109() {
    let mut world = World::new().await;
    let (token, id) = nobody(&world);
    let scope = world.test.account.join("Deployments/CHAT").unwrap();
    world.test.assign(builtin::COGNITIVE_SERVICES_OPENAI_USER, id, &scope).await;
    let headers = [("authorization", token.as_str())];
    assert_eq!(world.send(post(&CHAT.replace("/chat/chat", "/Chat/chat"), &headers, HELLO)).await.status, 200);
    assert_eq!(world.send(post(CHAT_V1, &headers, &HELLO.replace(r#"model":"chat"#, r#"model":"cHAT"#))).await.status, 200);
}

#[tokio::test]
async fn a_role_in_a_namesake_group_does_not_reach_the_account_n108() {
    let mut world = World::new().await;
    let (token, id) = nobody(&world);
    let namesake = format!("{}1", world.test.group).parse().unwrap();
    world.test.assign(builtin::COGNITIVE_SERVICES_OPENAI_USER, id, &namesake).await;
    assert_eq!(world.send(post(CHAT, &[("authorization", &token)], HELLO)).await.status, 401);
}

#[tokio::test]
async fn managing_roles_do_not_infer_n110_n111() {
    let mut world = World::new().await;
    let (token, id) = nobody(&world);
    for role in [
        builtin::OWNER,
        builtin::CONTRIBUTOR,
        builtin::READER,
        builtin::COGNITIVE_SERVICES_CONTRIBUTOR,
        builtin::COGNITIVE_SERVICES_DATA_READER,
    ] {
        let assignment = world.test.assign(role, id, &world.test.account.clone()).await;
        let answer = world.send(post(CHAT, &[("authorization", &token)], HELLO)).await;
        assert!(answer.status == 401 && answer.body.contains("PermissionDenied"), "{role} {answer:?}");
        world.test.apply([Mutation::Delete(keyless_model::entity::Entity::from(assignment).key())]).await;
    }
}

#[tokio::test]
async fn an_openai_user_infers_and_does_no_more_n112() {
    let mut world = World::new().await;
    let allowed = |status: u16| matches!(status, 200 | 501);
    for (method, path, may) in [
        ("POST", "v1/responses", true),
        ("GET", "v1/models", true),
        ("GET", "v1/files", true),
        ("POST", "v1/files", false),
        ("DELETE", "v1/files/f", false),
        ("POST", "v1/fine_tuning/jobs", false),
        ("GET", "v1/chat/completions", false),
    ] {
        let mut request = world.post(&format!("/ai/demo-ai/openai/{path}"), r#"{"model":"chat","input":"x"}"#);
        *request.method_mut() = method.parse().unwrap();
        let answer = world.send(request).await;
        assert_eq!(allowed(answer.status.as_u16()), may, "{method} {path} {answer:?}");
        assert!(may || answer.body.contains("PermissionDenied"));
    }
}

#[tokio::test]
async fn the_deciding_assignment_is_in_the_audit() {
    let mut world = World::new().await;
    world.chat().await;
    let event = world.test.audit.last();
    let decision = event.decision.unwrap();
    assert_eq!((decision.allowed, decision.assignment), (true, Some(world.test.assignments[0])));
    assert_eq!(decision.role, Some(builtin::COGNITIVE_SERVICES_OPENAI_USER));
    assert!(event.target.unwrap().as_str().ends_with("/accounts/demo-ai/deployments/chat"));
    let (token, _) = nobody(&world);
    world.send(post(CHAT, &[("authorization", &token)], HELLO)).await;
    let decision = world.test.audit.last().decision.unwrap();
    assert_eq!((decision.allowed, &*decision.because), (false, "no role assignment covers the scope"));
}

/// Every route of the gateway's table, from the text that the table's own test holds it against: a new one is probed by being there.
fn routes() -> impl Iterator<Item = (&'static str, String)> {
    let table = include_str!("../../src/route/snapshots/keyless_gateway__route__tests__routes.snap");
    let lines = table.lines().filter(|line| line.contains("/openai/"));
    lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        let (method, template) = (words.next()?, words.next()?);
        let path: Vec<&str> = template
            .split('/')
            .map(|part| {
                if part == "{deployment-id}" {
                    "chat"
                } else if part.starts_with('{') {
                    "x"
                } else {
                    part
                }
            })
            .collect();
        let version = if template.starts_with("/openai/v1") { "" } else { "?api-version=2024-10-21" };
        Some((method, format!("/ai/demo-ai{}{version}", path.join("/"))))
    })
}

/// Routes that take a form.
const UPLOADS: [&str; 3] = ["/audio/transcriptions", "/audio/translations", "/images/edits"];

#[tokio::test]
async fn no_route_answers_a_caller_without_rights() {
    let mut world = World::new().await;
    let (token, _) = nobody(&world);
    let mut probed = 0;
    for (method, path) in routes() {
        for headers in [&[("authorization", token.as_str())][..], &[]] {
            let mut request = post(&path, headers, r#"{"model":"chat","input":"x","messages":[]}"#);
            if UPLOADS.iter().any(|upload| path.contains(upload)) {
                // The name of the model is in the body here: only a form that can be read has one to decide about.
                request = post(&path, headers, "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nchat\r\n--b--\r\n");
                request.headers_mut().insert("content-type", "multipart/form-data; boundary=b".parse().unwrap());
            }
            *request.method_mut() = method.parse().unwrap();
            let answer = world.send(request).await;
            assert_eq!(answer.status, 401, "{method} {path} {answer:?}");
            assert!(headers.is_empty() || answer.body.contains("PermissionDenied"), "{method} {path} {answer:?}");
        }
        probed += 1;
    }
    assert!(probed > 50, "the table was read: {probed}");
    assert_eq!(world.server.seen().len(), 0, "nothing was forwarded");
}
