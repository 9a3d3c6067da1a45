//! Every line of the tables, asked by someone without rights, by a stranger and by nobody. A new route is probed by being in the
//! table; one that answers without rights fails here.

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use keyless_rbac::builtin;
use keyless_testkit::{OTHER_TENANT, SUBSCRIPTION, TENANT, TestPlatform, Who};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::super::{arm, graph};
use crate::access::Access;
use crate::route::Route;
use crate::{Config, router};

const ROLE: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";

struct Prober {
    test: TestPlatform,
    router: axum::Router,
}

impl Prober {
    async fn new() -> Self {
        let test = TestPlatform::new().await;
        let router = router(Arc::clone(&test.platform), Config::default());
        Self { test, router }
    }

    /// A path of the route that names things of the fixture, so that the answer depends on rights and not on absence.
    fn path(&self, route: &Route) -> String {
        let at = if route.at == "{*}" && route.tail.is_empty() {
            format!("{}/providers/Microsoft.Storage/storageAccounts/files", self.test.group)
        } else if route.at == "{*}" {
            self.test.account.to_string()
        } else {
            route.at.to_owned()
        };
        let mut path = format!("{at}{}", route.tail);
        let subscription = SUBSCRIPTION.to_string();
        let id = self.test.demo_app.object_id.to_string();
        let values = [
            ("subscription", subscription.as_str()),
            ("group", "demo"),
            ("account", "demo-ai"),
            ("deployment", "chat"),
            ("location", "local"),
            ("credential", "github"),
            ("namespace", "Microsoft.CognitiveServices"),
            ("member", id.as_str()),
            ("id", id.as_str()),
            ("name", if route.tail.contains("role") { ROLE } else { "demo-app" }),
        ];
        for (name, value) in values {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        assert!(!path.contains('{'), "give {path} a value for the probe");
        path
    }

    async fn send(&self, route: &Route, token: Option<&str>) -> (u16, Value) {
        // A body that most handlers could use: a refusal must not be for want of one.
        let body = json!({ "location": "local", "properties": {
            "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"),
            "principalId": self.test.app.object_id,
        } });
        let mut request = Request::builder().method(route.method.clone()).uri(format!("{}?api-version=2024-11-01", self.path(route)));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    fn token(&self, who: Who, route: &Route, tenant: keyless_model::TenantId) -> String {
        let audience = if route.tail.starts_with("/v1.0") || route.tail.starts_with("/beta") {
            "https://graph.microsoft.com"
        } else {
            "https://management.azure.com"
        };
        self.test.token_with(who, audience, tenant, 3600)
    }
}

fn table() -> impl Iterator<Item = Route> {
    arm().into_iter().chain(graph()).filter(|route| !matches!(route.access, Access::Public))
}

#[tokio::test]
async fn no_route_answers_a_caller_without_rights() {
    let prober = Prober::new().await;
    for route in table() {
        let (status, body) = prober.send(&route, Some(&prober.token(prober.test.app, &route, TENANT))).await;
        match (route.tail, &route.access) {
            // The caller's own view: its tenant, and no subscription.
            ("/tenants", Access::Own) => assert_eq!((status, &body["value"][0]["tenantId"]), (200, &json!(TENANT)), "{route:?}"),
            ("/subscriptions", Access::Own) => assert_eq!((status, &body["value"]), (200, &json!([])), "{route:?}"),
            ("/v1.0/me" | "/v1.0/me/ownedObjects", Access::Own) => assert_eq!(status, 400, "{route:?}"),
            // The caller's own rights: none. What there is to ask for: the same for everyone.
            ("/providers/Microsoft.Authorization/permissions", Access::Own) => {
                assert_eq!((status, &body), (200, &json!({ "value": [] })), "{route:?}")
            }
            (tail, Access::Own) if route.at.is_empty() && tail.starts_with("/providers") => {
                assert!(status == 200 && !body.to_string().contains("demo"), "{route:?} {body}");
            }
            (_, Access::List(_)) => assert_eq!((status, &body), (200, &json!({ "value": [] })), "{route:?}"),
            _ => assert_eq!(status, 403, "{route:?} {body}"),
        }
        if route.method != Method::GET {
            let event = prober.test.audit.last();
            assert_eq!((event.outcome, event.status), (keyless_audit::Outcome::Denied, Some(403)), "the refusal of {route:?} is recorded");
        }
    }
}

#[tokio::test]
async fn no_route_answers_a_caller_of_another_tenant_n127() {
    let prober = Prober::new().await;
    let owner_elsewhere = prober.test.foreign_app;
    prober.test.assign(builtin::OWNER, owner_elsewhere.object_id, &keyless_model::Scope::root()).await;
    for route in table() {
        let (status, body) = prober.send(&route, Some(&prober.token(owner_elsewhere, &route, OTHER_TENANT))).await;
        let text = body.to_string();
        for hidden in [prober.test.demo_app.object_id.to_string(), "demo-ai".to_owned(), prober.test.app.object_id.to_string()] {
            let echoed = text.matches(&hidden).count() - prober.path(&route).matches(&hidden).count().min(text.matches(&hidden).count());
            assert_eq!(echoed, 0, "{route:?} shows {hidden}: {text}");
        }
        match route.at {
            "/subscriptions/{subscription}" if route.tail.is_empty() => assert_eq!(status, 401, "{route:?}"),
            at if at.starts_with("/subscriptions/") || at == "{*}" => {
                let expected: &[u16] = if route.method == Method::GET { &[401, 404] } else { &[404] };
                assert!(expected.contains(&status), "{route:?} {status} {text}");
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn no_route_answers_without_a_token_n132() {
    let prober = Prober::new().await;
    for route in table() {
        let (status, _) = prober.send(&route, None).await;
        assert_eq!(status, 401, "{route:?}");
    }
}

/// That the probes above fail for want of rights, and not because the paths are wrong.
#[tokio::test]
async fn an_owner_is_not_refused_by_any_route() {
    for route in table() {
        let prober = Prober::new().await;
        let owner = prober.test.operator;
        prober.test.assign(builtin::OWNER, owner.object_id, &keyless_model::Scope::root()).await;
        let (status, body) = prober.send(&route, Some(&prober.token(owner, &route, TENANT))).await;
        // The probe names a built-in role, which not even an Owner deletes.
        let built_in = body["error"]["code"] == "RoleDefinitionDeleteNotPermitted";
        assert!(!matches!(status, 401 | 403) || built_in, "{route:?} {status} {body}");
    }
}
