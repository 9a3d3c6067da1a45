//! Random walks over every writing line of the tables, from each built-in role at each kind of scope. Wherever a walk leads, the
//! walker must not end with a right that a naive model of the directory at its start does not grant: by itself, through a principal
//! that it made, or through one that it took control of.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use keyless_audit::{AuditEvent, Category, Outcome};
use keyless_model::entity::{
    Account, DenyAssignment, DenyPrincipal, Deployment, Entity, Group, ManagementGroup, Mutation, Permissions, Principal, PrincipalKind,
    ResourceGroup, Subscription,
};
use keyless_model::{DenyAssignmentId, ObjectId, RoleId, Scope, ScopeKind, SubscriptionId, Timestamp};
use keyless_rbac::builtin;
use keyless_store::{Commit, Store as _};
use keyless_testkit::{SUBSCRIPTION, TENANT, TestPlatform, Who};
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};
use tower::ServiceExt as _;

use super::super::{arm, graph};
use crate::route::Route;
use crate::{Config, router};

mod naive;
pub(super) mod steps;

use naive::Naive;

/// Changes tried in one walk. From a management group there is more to try: what moves takes its inheritance along.
const fn steps_from(kind: ScopeKind) -> usize {
    if matches!(kind, ScopeKind::ManagementGroup) { 160 } else { 30 }
}

const SECOND: SubscriptionId = SubscriptionId::from_u128(0x5c);

/// What the walks start from: a group `victim` that holds a subscription in which nobody is Owner, the walker's own group `home`,
/// and the fixture's subscription, in which an identity named `operator` is.
pub(super) struct World {
    pub(super) test: TestPlatform,
    router: axum::Router,
    start: Vec<Entity>,
    places: Vec<Scope>,
    walker: Who,
    /// For ARM and for Graph.
    tokens: [String; 2],
}

impl World {
    pub(super) async fn new() -> Self {
        let test = TestPlatform::new().await;
        let router = router(Arc::clone(&test.platform), Config::default());
        let group = |name: &str, parent: Option<&str>| ManagementGroup {
            name: name.into(),
            tenant: TENANT,
            display_name: name.into(),
            parent: parent.map(str::to_owned),
        };
        let second = Scope::subscription(SECOND);
        let lab = second.join("resourceGroups/lab").unwrap();
        let account = lab.join("providers/Microsoft.CognitiveServices/accounts/lab-ai").unwrap();
        let known = test.snapshot();
        let ours: &Account = known.account(&test.account).unwrap();
        let deployed: &Deployment = known.deployment(&test.account, "chat").unwrap();
        let team = ObjectId::from_u128(0x7ea);
        let now = Timestamp::from_unix_secs(0);
        let mutations = vec![
            Mutation::put(group("home", None)),
            Mutation::put(group("victim", None)),
            Mutation::put(group("inner", Some("victim"))),
            Mutation::put(Subscription {
                id: SECOND,
                tenant: TENANT,
                display_name: "Second".into(),
                management_group: Some("inner".into()),
            }),
            Mutation::put(ResourceGroup { scope: lab.clone(), location: "local".into(), tags: [].into(), created: now }),
            Mutation::put(Account { scope: account.clone(), custom_subdomain: "lab-ai".into(), ..ours.clone() }),
            Mutation::put(Deployment { scope: account.join("deployments/chat").unwrap(), ..deployed.clone() }),
            Mutation::put(Principal {
                id: team,
                tenant: TENANT,
                kind: PrincipalKind::Group,
                display_name: "team".into(),
                client_id: None,
                enabled: true,
                home: None,
                tokens_valid_from: None,
                created: now,
            }),
            Mutation::put(Group { id: team, mail_nickname: "team".into(), description: None, members: [].into() }),
            Mutation::put(DenyAssignment {
                id: DenyAssignmentId::from_u128(0xd),
                name: "keep".into(),
                description: String::new(),
                scope: Scope::management_group("victim").unwrap(),
                do_not_apply_to_child_scopes: false,
                permissions: vec![Permissions {
                    actions: vec!["Microsoft.CognitiveServices/accounts/delete".into()],
                    ..Permissions::default()
                }],
                principals: [DenyPrincipal::Everyone].into(),
                exclude_principals: [].into(),
                created: now,
            }),
        ];
        test.apply(mutations).await;
        test.assign(builtin::OWNER, test.app.object_id, &Scope::management_group("home").unwrap()).await;
        // Someone else administers the second subscription, through a group, so that walks may take the walker's own rights away.
        test.assign(builtin::OWNER, team, &Scope::management_group("victim").unwrap()).await;
        let start = test.store.load(&test.platform.begin(keyless_model::Actor::System("test"))).await.unwrap().entities;
        let mg = |name| Scope::management_group(name).unwrap();
        let places = vec![
            Scope::root(),
            mg("victim"),
            mg("inner"),
            mg("home"),
            second,
            lab,
            account.clone(),
            account.join("deployments/chat").unwrap(),
            Scope::subscription(SUBSCRIPTION),
            test.group.clone(),
            test.account.clone(),
        ];
        let walker = test.app;
        let tokens = ["https://management.azure.com", "https://graph.microsoft.com"].map(|audience| test.token(walker, audience));
        Self { test, router, start, places, walker, tokens }
    }

    /// Everything as it was at the start, and the walker with its role.
    pub(super) async fn reset(&self, role: RoleId, at: &Scope) {
        let ctx = self.test.platform.begin(keyless_model::Actor::System("test"));
        let now = self.test.store.load(&ctx).await.unwrap().entities;
        let known: BTreeSet<_> = self.start.iter().map(Entity::key).collect();
        let gone = now.iter().map(Entity::key).filter(|key| !known.contains(key)).map(Mutation::Delete);
        let back = self.start.iter().filter(|entity| !now.contains(entity)).map(|entity| Mutation::put(entity.clone()));
        // Past the directory, which would keep a walker who became the last administrator of something.
        let event = AuditEvent::new(&ctx, Category::System, "Test", Outcome::Allowed);
        let (expected, mutations) = (self.test.snapshot().revision(), gone.chain(back).collect());
        let commit = Commit { expected, mutations, event, audited_up_to: 0, anchor: None };
        self.test.store.commit(&ctx, commit).await.unwrap();
        self.test.platform.directory.catch_up(&ctx).await.unwrap();
        self.test.assign(role, self.walker.object_id, at).await;
    }

    /// The same, answered by another router.
    pub(super) fn on(self, router: axum::Router) -> Self {
        Self { router, ..self }
    }

    async fn send(&self, method: &Method, path: &str, body: &serde_json::Value) -> u16 {
        self.ask(method, path, body).await.0
    }

    /// The status, the request's id, and what was said.
    pub(super) async fn ask(&self, method: &Method, path: &str, body: &serde_json::Value) -> (u16, String, serde_json::Value) {
        let graph = path.starts_with("/v1.0") || path.starts_with("/beta");
        let request = Request::builder().method(method.clone()).uri(format!("{path}?api-version=2024-11-01"));
        let request = request.header("authorization", format!("Bearer {}", self.tokens[usize::from(graph)]));
        let answer = self.router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let id = ["x-ms-request-id", "request-id"].into_iter().find_map(|name| parts.headers.get(name)?.to_str().ok());
        let said = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap_or_default();
        (parts.status.as_u16(), id.unwrap_or_default().to_owned(), said)
    }

    /// Walks, and names the first right gained that the start does not explain.
    async fn walk(&self, routes: &[Route], role: RoleId, at: &Scope, steps: &[u64], done: &mut usize) -> Result<(), String> {
        self.reset(role, at).await;
        let before = Naive::of(&self.test.snapshot());
        let explained = naive::explained(&before, self.walker.object_id, &self.places);
        let mut trail = Vec::new();
        for step in steps {
            let (method, path, body) = steps::step(self, routes, *step);
            let status = self.send(&method, &path, &body).await;
            if status < 300 {
                *done += 1;
                trail.push(format!("{method} {path} {body} -> {status}"));
                let after = Naive::of(&self.test.snapshot());
                if let Some(gained) = naive::gained(&before, &explained, &after, self.walker.object_id, &self.places) {
                    return Err(format!("{gained}, from {role} at {at}, by\n{}", trail.join("\n")));
                }
            }
        }
        Ok(())
    }
}

pub(super) fn writing() -> Vec<Route> {
    arm().into_iter().chain(graph()).filter(|route| !matches!(route.method, Method::GET | Method::HEAD)).collect()
}

#[test]
fn no_walk_over_the_writing_routes_ends_with_more_rights_than_the_start_explains_d3() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    let (routes, mut done, mut walks) = (writing(), 0, 0);
    for role in builtin::roles() {
        for at in world.places.iter().take(8).filter(|place| place.name() != "home") {
            let seed = format!("{:032x}", role.id.uuid().as_u128() ^ (at.as_str().len() as u128));
            let rng = TestRng::from_seed(RngAlgorithm::ChaCha, seed.as_bytes());
            let config = Runs { cases: 1, failure_persistence: None, max_shrink_iters: 200, ..Runs::default() };
            let steps = proptest::collection::vec(proptest::num::u64::ANY, steps_from(at.kind()));
            let outcome = TestRunner::new_with_rng(config, rng).run(&steps, |steps| {
                let walked = runtime.block_on(world.walk(&routes, role.id, at, &steps, &mut 0));
                walked.map_err(proptest::test_runner::TestCaseError::fail)
            });
            if let Err(error) = outcome {
                panic!("{}: {error}", role.role_name);
            }
            walks += 1;
        }
    }
    // That the walks get anywhere: an Owner of the root can do most of what is tried.
    let steps: Vec<u64> = (1..=400_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    runtime.block_on(world.walk(&routes, builtin::OWNER, &Scope::root(), &steps, &mut done)).unwrap();
    assert!(walks > 100 && done > 40, "{walks} walks, {done} steps of an Owner succeeded");
}
