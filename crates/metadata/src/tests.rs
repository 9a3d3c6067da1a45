use std::sync::atomic::{AtomicU32, Ordering};

use http::StatusCode;
use http_body_util::BodyExt as _;
use keyless_audit::Outcome;
use keyless_model::entity::{Host, Principal};
use keyless_model::{Clock as _, OpContext, Secret};
use keyless_testkit::{TestPlatform, Who};
use keyless_web::PeerOwner;
use serde_json::Value;

use super::*;

mod app_service;
mod imds;

const UID: u32 = 4242;
const RESOURCE: &str = "https://cognitiveservices.azure.com";
const PATH: &str = "/metadata/identity/oauth2/token";

/// Stands in for the authority: says what it was asked for, and how often.
#[derive(Debug, Default)]
struct Counting {
    issued: AtomicU32,
    kid: std::sync::OnceLock<keyless_model::KeyId>,
}

impl TokenSource for Counting {
    fn issue(&self, ctx: &OpContext, request: &TokenRequest<'_>) -> Result<IssuedToken, TokenSourceError> {
        if request.resource == "https://unknown.test" {
            return Err(TokenSourceError::UnknownResource(request.resource.to_owned()));
        }
        let number = self.issued.fetch_add(1, Ordering::Relaxed);
        let token = format!("token-{number}-of-{}-for-{}", request.identity.client_id, request.resource);
        let kid = self.kid.get().expect("set by the fixture").clone();
        Ok(IssuedToken {
            token: Secret::new(token),
            token_id: format!("uti-{number}"),
            issued: ctx.now,
            expires: ctx.now.plus_secs(86_700),
            kid,
        })
    }
}

struct System {
    test: TestPlatform,
    source: Arc<Counting>,
    metadata: Metadata,
}

impl System {
    async fn new() -> Self {
        let test = TestPlatform::new().await;
        let source = Arc::new(Counting::default());
        let kid = test.snapshot().signing_keys().next().expect("the fixture has a key").kid.clone();
        source.kid.set(kid).expect("set once");
        let config = Config {
            host: test.host.clone(),
            location: "local".to_owned(),
            allowed_uids: vec![UID],
            allowed_hosts: vec!["127.0.0.1:8440".to_owned(), "169.254.169.254".to_owned()],
            issues_per_second: 20,
        };
        let metadata = Metadata::new(Arc::clone(&test.platform), config, Arc::clone(&source) as Arc<dyn TokenSource>);
        Self { test, source, metadata }
    }

    /// Attaches user-assigned identities to the host, and takes away its own when asked.
    async fn carry(&self, names: &[&str], system: bool) {
        let host = self.test.snapshot().host(&self.test.host).expect("the fixture has a host").as_ref().clone();
        let mut identity = host.identity.clone();
        identity.user = names
            .iter()
            .map(|name| {
                self.test.group.join(&format!("providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}")).expect("a scope")
            })
            .collect();
        if !system {
            identity.system = None;
        }
        self.test.put(Host { identity, ..host }).await;
    }

    async fn disable(&self, who: Who) {
        let principal = self.test.snapshot().principal(who.object_id).expect("it exists").as_ref().clone();
        self.test.put(Principal { enabled: false, ..principal }).await;
    }

    async fn ask(&self, request: Request<()>, owner: PeerOwner) -> (StatusCode, Value) {
        let connection = Connection { peer: "127.0.0.1:5000".parse().expect("an address"), owner };
        self.ask_over(request, connection).await
    }

    async fn ask_over(&self, request: Request<()>, connection: Connection) -> (StatusCode, Value) {
        let response = self.metadata.handle(&request, &connection);
        assert_eq!(response.headers()["cache-control"], "no-store");
        let status = response.status();
        let bytes = response.into_body().collect().await.expect("the body is at hand").to_bytes();
        (status, serde_json::from_slice(&bytes).expect("every answer is JSON"))
    }

    async fn imds(&self, query: &str) -> (StatusCode, Value) {
        self.ask(imds_request(query), PeerOwner::Uid(UID)).await
    }
}

fn imds_request(query: &str) -> Request<()> {
    Request::get(format!("{PATH}?{query}")).header("host", "127.0.0.1:8440").header("metadata", "true").body(()).expect("a request")
}

fn good() -> String {
    format!("api-version=2018-02-01&resource={RESOURCE}")
}

fn with(request: Request<()>, name: &'static str, value: &'static str) -> Request<()> {
    let (mut parts, body) = request.into_parts();
    parts.headers.append(name, value.parse().expect("a header value"));
    Request::from_parts(parts, body)
}
