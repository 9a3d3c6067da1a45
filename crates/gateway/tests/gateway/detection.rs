//! Which model servers are found on this machine.

use keyless_gateway::UpstreamConfig;
use keyless_gateway::detect::{Candidate, ListFault, Lister, among, knows, stand_in};
use keyless_web::PeerOwner;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::*;

fn at(name: &'static str, server: &ModelServer) -> Candidate {
    Candidate { name, port: server.port() }
}

#[tokio::test]
async fn a_server_with_models_is_found_and_others_are_not() {
    let list = r#"{"object":"list","data":[{"id":"llama3"},{"id":"nomic-embed"},{"id":"bad\nname"}]}"#;
    let (good, empty, other, missing, silent) = (
        ModelServer::start().await,
        ModelServer::start().await,
        ModelServer::start().await,
        ModelServer::start().await,
        ModelServer::start().await,
    );
    good.next(Script::json(200, list));
    empty.next(Script::json(200, r#"{"object":"list","data":[]}"#));
    other.next(Script::json(200, r#"{"hello":"world"}"#));
    missing.next(Script::json(404, list));
    silent.next(Script::Silence);
    let closed = Candidate { name: "closed", port: 9 };
    let found = among(
        &[closed, at("empty", &empty), at("other", &other), at("missing", &missing), at("silent", &silent), at("good", &good)],
        |_, _| true,
    )
    .await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].name, &found[0].base_url, found[0].models.as_slice()),
        ("good", &good.base_url(), &["llama3".to_owned(), "nomic-embed".to_owned()][..])
    );
    assert_eq!(good.last().path, "/v1/models");
}

#[tokio::test]
async fn the_order_of_the_candidates_is_kept() {
    let (one, two) = (ModelServer::start().await, ModelServer::start().await);
    for server in [&one, &two] {
        server.next(Script::json(200, r#"{"data":[{"id":"m"}]}"#));
    }
    let found = among(&[at("two", &two), at("one", &one)], |_, _| true).await;
    assert_eq!(found.iter().map(|found| found.name).collect::<Vec<_>>(), ["two", "one"]);
}

/// Which is ready first, the answer or the end of the connection, is chance: once would not show it.
#[tokio::test]
async fn a_server_that_hangs_up_after_its_answer_is_found_every_time_d16() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let candidate = Candidate { name: "closing", port: listener.local_addr().unwrap().port() };
    let mut server = tokio::task::JoinSet::new();
    server.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"data\":[{\"id\":\"m\"}]}").await.unwrap();
        }
    });
    for _ in 0..20 {
        assert_eq!(among(&[candidate], |_, _| true).await.len(), 1);
    }
}

#[tokio::test]
async fn whose_server_it_is_is_asked_while_the_connection_is_open_d16() {
    let server = ModelServer::start().await;
    server.next(Script::json(200, r#"{"data":[{"id":"m"}]}"#));
    let found = among(&[at("other", &server)], |theirs, own| theirs.ip().is_loopback() && theirs.port() == own.port()).await;
    assert!(!found[0].trusted, "{found:?}");
}

fn lister(url: &str) -> Lister {
    Lister::new(&UpstreamConfig::open_ai("default", url.parse().unwrap()), &[]).unwrap()
}

#[tokio::test]
async fn a_named_server_says_which_models_it_has() {
    let server = ModelServer::start().await;
    let lister = lister(&server.base_url().to_string());
    for (script, expected) in [
        (
            Script::json(200, r#"{"data":[{"id":"llama3.2:3b"},{"id":"nomic-embed-text"}]}"#),
            Ok(vec!["llama3.2:3b".into(), "nomic-embed-text".into()]),
        ),
        (Script::json(200, r#"{"data":[]}"#), Err(ListFault::NoList(200))),
        (Script::json(404, "{}"), Err(ListFault::NoList(404))),
        (Script::json(401, "{}"), Err(ListFault::Credential(401))),
    ] {
        server.next(script);
        assert_eq!(lister.models().await, expected);
    }
    assert_eq!(server.last().path, "/v1/models");
}

/// Port 9 is discard: nothing listens there.
#[tokio::test]
async fn a_named_server_that_is_not_there_is_told_from_one_that_lists_nothing() {
    let fault = lister("http://127.0.0.1:9/v1").models().await.unwrap_err();
    assert!(fault.is_down() && fault.to_string().contains("refused"), "{fault}");
    assert!(!ListFault::NoList(404).is_down());
}

#[test]
fn a_model_stands_in_for_its_own_kind() {
    let models: Vec<String> = ["whisper-1", "nomic-embed-text", "llama3.2:3b", "gpt-4o:latest"].map(str::to_owned).into();
    assert_eq!(stand_in(&models, false).unwrap(), "llama3.2:3b");
    assert_eq!(stand_in(&models, true).unwrap(), "nomic-embed-text");
    assert_eq!(stand_in(&models[2..], true).unwrap(), "llama3.2:3b", "better than nothing");
    assert_eq!(stand_in(&[], true), None);
    assert!(knows(&models, "gpt-4o") && knows(&models, "llama3.2:3b") && !knows(&models, "llama3.2"));
}

#[tokio::test]
async fn the_owner_of_a_server_that_nobody_named_is_asked_of_each_new_connection() {
    let trusted = |trusts| World::with(move |config| config.upstreams[0].trusts = Some(trusts));
    let mut ours = trusted(|owner| matches!(owner, PeerOwner::Uid(_))).await;
    assert_eq!(ours.chat().await.status, 200, "the kernel says whose it is");
    let mut another = trusted(|_| false).await;
    let refused = another.chat().await;
    assert_eq!((refused.status.as_u16(), another.server.seen().len()), (503, 0), "nothing was sent");
    let because = another.test.audit.last().decision.unwrap().because;
    assert!(because.contains("another user of this machine has taken the port"), "{because}");
}
