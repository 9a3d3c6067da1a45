//! Calls under way at a time: bounded for all, and for each caller.

use bytes::Bytes;
use http::Response;
use hyper::body::Incoming;
use keyless_rbac::builtin::COGNITIVE_SERVICES_OPENAI_USER;
use tokio::sync::mpsc::Sender;

use crate::support::*;

/// A stream that goes on until both are dropped.
async fn stream(world: &mut World) -> (Response<Incoming>, Sender<Result<Bytes, &'static str>>) {
    let (feed, script) = Script::stream(1);
    world.server.next(script);
    feed.send(Ok("data: {\"choices\":[]}\n\n".into())).await.unwrap();
    let request = world.post(CHAT, r#"{"messages":[],"stream":true}"#);
    let response = world.open(request).await;
    assert_eq!(response.status(), 200);
    (response, feed)
}

async fn falls_to(world: &World, calls: usize) {
    let fallen = async {
        while world.gateway.calls_under_way() != calls {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), fallen).await.expect("the calls end");
}

#[tokio::test]
async fn a_caller_with_its_share_of_calls_is_told_to_wait_and_others_go_on() {
    let mut world = World::with(|config| config.max_calls_of_one = 2).await;
    world.test.assign(COGNITIVE_SERVICES_OPENAI_USER, world.test.app.object_id, &world.test.account.clone()).await;
    let (first, _second) = (stream(&mut world).await, stream(&mut world).await);
    let refused = world.chat().await;
    assert_eq!(
        refused.line(),
        r#"429 {"error":{"code":"429","message":"Too many of your calls are under way. Please retry after 1 second."}}"#
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    let other = format!("Bearer {}", world.test.token(world.test.app, AUDIENCE));
    assert_eq!(world.send(post(CHAT, &[("authorization", &other)], HELLO)).await.status, 200);
    drop(first);
    falls_to(&world, 1).await;
    assert_eq!(world.chat().await.status, 200);
}

#[tokio::test]
async fn all_calls_together_have_a_bound() {
    let mut world = World::with(|config| config.max_calls = 1).await;
    let only = stream(&mut world).await;
    let refused = world.chat().await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, Some("1")));
    drop(only);
    falls_to(&world, 0).await;
    assert_eq!(world.chat().await.status, 200);
}
