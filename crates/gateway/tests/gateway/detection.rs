//! Which model servers are found on this machine.

use keyless_gateway::detect::{Candidate, among};

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
    let found =
        among(&[closed, at("empty", &empty), at("other", &other), at("missing", &missing), at("silent", &silent), at("good", &good)]).await;
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
    let found = among(&[at("two", &two), at("one", &one)]).await;
    assert_eq!(found.iter().map(|found| found.name).collect::<Vec<_>>(), ["two", "one"]);
}
