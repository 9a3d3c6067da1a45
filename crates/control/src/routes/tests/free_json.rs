//! Arbitrary JSON, names, scopes and conditions through every writing line of the tables. Whatever was accepted: the store can be
//! opened again with all of it, every list is answered, and every audit event can be read back.

use std::sync::Arc;

use http::Method;
use keyless_audit::AuditEvent;
use keyless_model::Scope;
use keyless_rbac::builtin;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use super::super::{arm, graph};
use super::walk::steps::{Draw, request};
use super::walk::{World, writing};
use crate::{Config, router};

/// Requests to each line.
const EACH: u64 = 14;
/// Members that some route keeps as they come, or reads with a grammar of its own.
const MEMBERS: [&str; 18] = [
    "properties",
    "sku",
    "plan",
    "zones",
    "tags",
    "extendedLocation",
    "managedBy",
    "kind",
    "identity",
    "condition",
    "description",
    "displayName",
    "notes",
    "claimsMatchingExpression",
    "networkAcls",
    "permissions",
    "web",
    "keyCredentials",
];

/// Any JSON, of any depth: most shallow, some far deeper than a reader follows.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![Just(String::new()), "\\PC{0,40}", "[\u{0}-\u{1f}\"\\\\/\u{2028}\u{10ffff}]{0,12}", Just("x".repeat(70_000))];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let shallow = leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map("\\PC{0,20}", inner, 0..6).prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>())),
        ]
    });
    let levels = prop_oneof![3 => Just(0_usize), 1 => 20..40_usize, 2 => 115..128_usize];
    (shallow, levels, any::<bool>())
        .prop_map(|(inner, levels, lists)| (0..levels).fold(inner, |inner, _| if lists { json!([inner]) } else { json!({ "a": inner }) }))
}

/// The plausible body, with arbitrary JSON in one or two places.
fn spoil(mut body: Value, (at, inside, what): (usize, bool, Value)) -> Value {
    let member = MEMBERS[at % MEMBERS.len()];
    if let Some(place) = if inside { body.get_mut("properties") } else { Some(&mut body) }.and_then(Value::as_object_mut) {
        place.insert(member.to_owned(), what);
    }
    body
}

#[test]
fn whatever_the_writing_routes_accept_can_be_loaded_listed_and_exported_d1_d2() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::new().await;
        world.reset(builtin::OWNER, &Scope::root()).await;
        let mut runner =
            TestRunner::new_with_rng(Runs::default(), TestRng::from_seed(RngAlgorithm::ChaCha, b"whatever is accepted: readable!!"));
        let strategy = (any::<usize>(), any::<bool>(), any_json());
        let (mut accepted, mut number) = (0, 0);
        for route in writing().iter().filter(|route| route.method != Method::DELETE) {
            for _ in 0..EACH {
                number += 1;
                let (method, path, body) = request(&world, route, &mut Draw(number));
                let body = spoil(body, strategy.new_tree(&mut runner).unwrap().current());
                let status = world.send(&method, &path, &body).await;
                assert!(
                    status < 500 || status == 503,
                    "{status} for {method} {path}: {}",
                    body.to_string().chars().take(400).collect::<String>()
                );
                accepted += usize::from(status < 300);
            }
        }
        assert!(accepted > 150, "{accepted} of {number} accepted");
        for event in world.test.audit.events() {
            let line = serde_json::to_string(&event).unwrap();
            assert!(line.len() < 1024 * 1024, "{} bytes of {}", line.len(), event.operation);
            let read: Result<AuditEvent, _> = serde_json::from_str(&line);
            read.unwrap_or_else(|error| panic!("{error}: {}", line.chars().take(400).collect::<String>()));
        }
        // A restart: everything that was committed is read again.
        let again = world.test.another_node().await;
        assert_eq!(again.snapshot().resources_below(&Scope::root()).count(), world.test.snapshot().resources_below(&Scope::root()).count());
        let fresh = world.on(router(Arc::clone(&again.platform), Config::default()));
        for route in arm().iter().chain(&graph()).filter(|route| route.method == Method::GET) {
            let (method, path, _) = request(&fresh, route, &mut Draw(1));
            let status = fresh.send(&method, &path, &Value::Null).await;
            assert!(status < 500 || status == 503, "{status} for {path}");
        }
    });
}
