//! A control plane to talk to.

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use keyless_control::{Config, router};
use keyless_model::{RoleId, Scope};
use keyless_testkit::{TestPlatform, Who};
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub(crate) const ARM: &str = "https://management.azure.com/";
pub(crate) const GRAPH: &str = "https://graph.microsoft.com/";
pub(crate) const VERSION: &str = "api-version=2024-11-01";

pub(crate) struct Plane {
    pub(crate) test: TestPlatform,
    router: axum::Router,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Plane {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let test = TestPlatform::new().await;
        let router = router(Arc::clone(&test.platform), config);
        Self { test, router }
    }

    /// Sends a request exactly as given.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        self.check_recorded(&parts);
        let bytes = body.collect().await.expect("the body is whole").to_bytes();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("bodies are JSON") };
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// What an event says of an answer is what was answered; it was written before there was one.
    fn check_recorded(&self, answer: &http::response::Parts) {
        let id = ["x-ms-request-id", "request-id"].into_iter().find_map(|name| answer.headers.get(name)?.to_str().ok());
        for event in self.test.audit.events().iter().filter(|event| id.is_some_and(|id| event.request_id.to_string() == id)) {
            assert_eq!(event.status, Some(answer.status.as_u16()), "{event:?}");
            assert!(event.decision.is_some(), "{event:?}");
        }
    }

    /// Sends a request as `who`, with a token for the API that the path belongs to.
    pub(crate) async fn ask(&self, who: Who, method: &str, path: &str, body: Value) -> Answer {
        self.ask_with(who, method, path, body, &[]).await
    }

    pub(crate) async fn ask_with(&self, who: Who, method: &str, path: &str, body: Value, headers: &[(&str, &str)]) -> Answer {
        let graph = path.starts_with("/v1.0") || path.starts_with("/beta");
        let token = self.test.token(who, if graph { GRAPH } else { ARM });
        let uri = match (graph, path.contains("api-version=")) {
            (true, _) | (_, true) => path.to_owned(),
            (false, false) => format!("{path}{}{VERSION}", if path.contains('?') { "&" } else { "?" }),
        };
        let uri = uri.replace(' ', "%20").replace('\'', "%27");
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(uri);
        request = request.header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, who: Who, path: &str) -> Answer {
        self.ask(who, "GET", path, Value::Null).await
    }

    pub(crate) async fn put(&self, who: Who, path: &str, body: Value) -> Answer {
        self.ask(who, "PUT", path, body).await
    }

    pub(crate) async fn delete(&self, who: Who, path: &str) -> Answer {
        self.ask(who, "DELETE", path, Value::Null).await
    }

    pub(crate) async fn post(&self, who: Who, path: &str, body: Value) -> Answer {
        self.ask(who, "POST", path, body).await
    }

    /// Assigns a role through the API.
    pub(crate) async fn assign(&self, by: Who, scope: &Scope, role: RoleId, to: Who) -> Answer {
        let name = self.test.platform.entropy.uuid();
        self.put(by, &assignment_path(scope, &name.to_string()), assignment(scope, role, to)).await
    }

    /// A new user-assigned identity, made by the operator; known by its ids.
    pub(crate) async fn identity(&self, name: &str) -> (Scope, Who) {
        let path = format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}", self.test.group);
        let made = self.put(self.test.operator, &path, json!({ "location": "local" })).await.expect(201);
        let id = |property: &str| made["properties"][property].as_str().unwrap().to_owned();
        (path.parse().unwrap(), Who { object_id: id("principalId").parse().unwrap(), client_id: id("clientId").parse().unwrap() })
    }

    /// An identity with one role.
    pub(crate) async fn holder(&self, name: &str, role: RoleId, scope: &Scope) -> Who {
        let (_, who) = self.identity(name).await;
        self.test.assign(role, who.object_id, scope).await;
        who
    }

    pub(crate) fn subscription(&self) -> Scope {
        Scope::subscription(keyless_testkit::SUBSCRIPTION)
    }
}

pub(crate) fn assignment_path(scope: &Scope, name: &str) -> String {
    format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", scope.as_str().trim_end_matches('/'))
}

pub(crate) fn assignment(scope: &Scope, role: RoleId, to: Who) -> Value {
    json!({ "properties": { "roleDefinitionId": scope.role_definition_id(role), "principalId": to.object_id, "principalType": "ServicePrincipal" } })
}

impl Answer {
    /// The body, when the status is as expected.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// Status and error code.
    pub(crate) fn error(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["error"]["code"].as_str().unwrap_or_default())
    }

    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }
}
