//! An answer under way ends when the right to it ends.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use keyless_audit::Outcome;
use keyless_model::entity::{Deployment, Principal};
use keyless_testkit::ACCOUNT_KEYS;
use tokio::sync::mpsc::Sender;

use crate::support::*;

const STREAM: &str = r#"{"messages":[],"stream":true,"stream_options":{"include_usage":true}}"#;
const PIECE: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
const UNAUTHORIZED: &str = "data: {\"error\":{\"code\":\"401\",\"message\":\"Unauthorized. Access token is missing, invalid, audience is \
                            incorrect (https://cognitiveservices.azure.com), or have expired.\"}}\n\n";

/// A stream of which one piece has passed.
struct Running {
    world: World,
    feed: Sender<Result<Bytes, &'static str>>,
    body: Incoming,
}

impl Running {
    async fn new() -> Self {
        let world = World::new().await;
        let request = world.post(CHAT, STREAM);
        Self::of(world, request).await
    }

    async fn of(mut world: World, request: Request<Full<Bytes>>) -> Self {
        let (feed, script) = Script::stream(1);
        world.server.next(script);
        let body = world.open(request).await.into_body();
        let mut running = Self { world, feed, body };
        running.passes().await;
        running
    }

    async fn next(&mut self) -> String {
        let frame = tokio::time::timeout(Duration::from_secs(5), self.body.frame()).await.expect("the stream hangs");
        String::from_utf8(frame.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap()
    }

    async fn passes(&mut self) {
        self.feed.send(Ok(PIECE.into())).await.unwrap();
        assert_eq!(self.next().await, PIECE);
    }

    /// The model server says nothing more: only the change can end the stream.
    async fn ends_with(mut self, last: &str, because: &str) {
        assert_eq!(self.next().await, last);
        assert!(self.body.frame().await.unwrap().is_err(), "it does not look like a whole answer");
        tokio::time::timeout(Duration::from_secs(5), self.feed.closed()).await.expect("the model server works on");
        let event = self.world.test.audit.last();
        assert_eq!((event.outcome, event.status), (Outcome::Denied, Some(200)));
        let decision = event.decision.unwrap();
        assert!(!decision.allowed && decision.because.starts_with("the answer was cut off: "), "{}", decision.because);
        assert!(decision.because.contains(because), "{}", decision.because);
        assert!(event.data.unwrap().response_bytes >= PIECE.len() as u64);
        assert_eq!(self.world.test.audit.events().iter().filter(|event| event.data.is_some()).count(), 1, "recorded once");
    }

    fn principal(&self) -> Principal {
        Principal::clone(self.world.test.snapshot().principal(self.world.test.demo_app.object_id).unwrap())
    }
}

#[tokio::test]
async fn a_removed_assignment_ends_a_running_stream() {
    let running = Running::new().await;
    let assignment = running.world.test.snapshot().policy().assignment(running.world.test.assignments[0]).unwrap();
    running.world.test.delete(assignment).await;
    let last = format!(
        "data: {{\"error\":{{\"code\":\"PermissionDenied\",\"message\":\"The principal `{}` lacks the required data action \
         `Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to perform `POST \
         /openai/deployments/{{deployment-id}}/chat/completions` operation.\"}}}}\n\n",
        running.world.test.demo_app.object_id
    );
    running.ends_with(&last, "").await;
}

#[tokio::test]
async fn a_disabled_principal_ends_its_running_stream() {
    let running = Running::new().await;
    let principal = running.principal();
    running.world.test.put(Principal { enabled: false, ..principal }).await;
    running.ends_with(UNAUTHORIZED, "disabled").await;
}

#[tokio::test]
async fn a_deleted_principal_ends_its_running_stream() {
    let running = Running::new().await;
    running.world.test.delete(running.principal()).await;
    running.ends_with(UNAUTHORIZED, "does not exist").await;
}

#[tokio::test]
async fn revoked_sessions_end_a_running_stream() {
    let running = Running::new().await;
    let from = Some(running.world.test.platform.clock.now().plus_secs(1));
    let principal = running.principal();
    running.world.test.put(Principal { tokens_valid_from: from, ..principal }).await;
    running.ends_with(UNAUTHORIZED, "revoked").await;
}

#[tokio::test]
async fn a_deleted_deployment_ends_its_running_streams() {
    let running = Running::new().await;
    let test = &running.world.test;
    test.delete(Deployment::clone(test.snapshot().deployment(&test.account, "chat").unwrap())).await;
    let last = "data: {\"error\":{\"code\":\"DeploymentNotFound\",\"message\":\"The API deployment for this resource does not exist. If you \
                created the deployment within the last 5 minutes, please wait a moment and try again.\"}}\n\n";
    running.ends_with(last, "the deployment does not exist").await;
}

#[tokio::test]
async fn streams_under_a_key_end_when_keys_are_taken_no_more() {
    let world = World::new().await;
    world.change_account(|account| account.disable_local_auth = false).await;
    let running = Running::of(world, post(CHAT, &[("api-key", ACCOUNT_KEYS[0])], STREAM)).await;
    running.world.change_account(|account| account.disable_local_auth = true).await;
    let last = "data: {\"error\":{\"code\":\"AuthenticationTypeDisabled\",\"message\":\"Key based authentication is disabled for this \
                resource.\"}}\n\n";
    running.ends_with(last, "takes no API keys").await;
}

#[tokio::test]
async fn a_change_that_leaves_the_right_alone_leaves_the_stream_alone() {
    let mut running = Running::new().await;
    running.world.change_deployment("embed", |_| {}).await;
    running.passes().await;
    // The token's own end is no revocation: what began in time may end.
    running.world.test.clock.advance_secs(2 * 3600);
    running.world.change_deployment("embed", |_| {}).await;
    running.passes().await;
}

/// The assignment goes while the model server is at work on an answer that is no stream.
#[tokio::test]
async fn a_right_that_ends_while_the_model_server_works_gets_no_answer() {
    let mut world = World::new().await;
    let (feed, pieces) = tokio::sync::mpsc::channel(1);
    world.server.next(Script::Pieces { content_type: "application/json", pieces });
    let request = world.post(CHAT, HELLO);
    let mut sender = world.connect().await;
    let server = async {
        // The first half of the answer has left the model server, so the call was forwarded.
        let (first, second) = ANSWER.split_at(20);
        feed.send(Ok(first.into())).await.unwrap();
        let assignment = world.test.snapshot().policy().assignment(world.test.assignments[0]).unwrap();
        while world.server.seen().is_empty() {
            tokio::task::yield_now().await;
        }
        world.test.delete(assignment).await;
        feed.send(Ok(second.into())).await.unwrap();
        drop(feed);
    };
    let (response, ()) = tokio::join!(sender.send_request(request), server);
    let answer = Answer::of(response.unwrap()).await.unwrap();
    assert!(answer.line().starts_with(r#"401 {"error":{"code":"PermissionDenied""#), "{}", answer.line());
    assert_eq!(world.test.audit.last().outcome, Outcome::Denied);
}
