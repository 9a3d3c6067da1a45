//! Arbitrary JSON, names, scopes and conditions through every writing line of the tables. Whatever was accepted: the store can be
//! opened again with all of it, every list and every document is shown as before, and every change is in an export of the audit log.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use keyless_audit::{AuditEvent, AuditSink as _, Category, Outcome};
use keyless_model::Scope;
use keyless_model::entity::Entity;
use keyless_rbac::builtin;
use keyless_store::Store as _;
use keyless_store::audit_log::{AuditLog, AuditLogOptions, Filter, StartKey};
use keyless_web::Platform;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use super::super::{arm, graph};
use super::walk::steps::{Draw, request};
use super::walk::{World, writing};
use crate::route::{ANYWHERE, Route};
use crate::{ActivityQuery, ActivityReader, ActivityUnavailable, Config, router};

/// Requests to each line.
const EACH: u64 = 14;
/// Resources of a type that has no meaning here.
const FILES: &str = "/storageAccounts/files";
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
        // Of few digits: the last bit of others may change as they are read.
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
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

/// The audit log on disk, as the server reads it.
#[derive(Debug)]
struct OnDisk(AuditLog);

#[async_trait]
impl ActivityReader for OnDisk {
    async fn control_events(&self, query: &ActivityQuery) -> Result<Vec<AuditEvent>, ActivityUnavailable> {
        let filter = Filter { scope: Some(query.scope.clone()), category: Some(Category::Control), ..Filter::default() };
        let found = self.0.reader().recent(&filter, query.limit, &|| false).map_err(|error| ActivityUnavailable(error.into()))?;
        assert!(found.changed.is_none(), "{found:?}");
        Ok(found.events)
    }
}

/// Writes the events to a log on disk, and exports them from there: none is missing, each can be read, in both shapes.
fn export(world: &World, folder: &Path, events: &[AuditEvent]) -> AuditLog {
    let Platform { sealer, clock, entropy, .. } = &*world.test.platform;
    let (key, options) = (StartKey::of(sealer), AuditLogOptions { segment_bytes: 1 << 20, ..AuditLogOptions::default() });
    let log = AuditLog::open(folder, options, &key, Arc::clone(clock), Arc::clone(entropy)).unwrap();
    events.iter().for_each(|event| log.record(event).unwrap());
    let mut walk = log.reader().walk(None, []).unwrap();
    for event in events {
        let entry = walk.step().unwrap().expect("no event is missing");
        let same = |event: &AuditEvent| (event.request_id, event.operation.clone(), event.outcome, event.status, event.target.clone());
        assert_eq!(same(&entry.event), same(event), "{}", entry.line);
        assert!(entry.line.len() < 1 << 20, "{} bytes of {}", entry.line.len(), event.operation);
        for record in keyless_audit::monitor::records(&entry.event) {
            let read: Value = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
            assert_eq!(read["correlationId"], json!(event.request_id), "{read}");
        }
    }
    walk.finish().unwrap();
    assert_eq!(log.reader().verify([log.head()]).unwrap().events, events.len() as u64);
    log
}

/// What is shown at every list, and at every place that was written. Lists have no order.
async fn shown(world: &World, written: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let mut shown = BTreeMap::new();
    // Only people have a `/me`, and the first is no route of ours but an explanation.
    let others =
        |route: &&Route| route.method == Method::GET && !["/metadata/endpoints", "/v1.0/me", "/v1.0/me/ownedObjects"].contains(&route.tail);
    for route in arm().iter().chain(&graph()).filter(others) {
        let mut answered = false;
        for number in 0..4 {
            let (method, path, _) = request(world, route, &mut Draw(number));
            let (status, _, mut body) = world.ask(&method, &path, &Value::Null).await;
            assert!(status == 200 || (status == 404 && body["error"].is_object()), "{status} for {path}: {body}");
            answered |= status == 200;
            if let Some(rows) = body["value"].as_array_mut() {
                rows.sort_by_key(Value::to_string);
            }
            // An error says which request it answers.
            shown.insert(path, if status == 200 { body } else { Value::Null });
        }
        // What is named may not be there; a list always is.
        let names_one = format!("{}{}", route.at, route.tail).ends_with('}') || route.tail.ends_with("/default");
        assert!(answered || names_one, "{}{}", route.at, route.tail);
    }
    for path in written.keys() {
        let (status, _, body) = world.ask(&Method::GET, path, &Value::Null).await;
        // A membership is shown with its group only, and a role where it can be assigned.
        let elsewhere = (status == 405 && path.contains("/managementGroups/")) || (status == 404 && path.contains("/roleDefinitions/"));
        assert!(status == 200 || elsewhere, "{status} for {path}: {body}");
        let body = if status == 200 { body } else { Value::Null };
        shown.insert(path.clone(), body);
    }
    shown
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
        // What was answered for each place last, and every event.
        let (mut written, mut events) = (BTreeMap::new(), world.test.audit.take());
        for route in writing().iter().filter(|route| route.method != Method::DELETE) {
            // Resources of any type keep most of what they are given.
            for _ in 0..(if route.at == ANYWHERE { 8 * EACH } else { EACH }) {
                number += 1;
                let (method, path, body) = request(&world, route, &mut Draw(number));
                let body = spoil(body, strategy.new_tree(&mut runner).unwrap().current());
                let revision = world.test.snapshot().revision();
                let (status, id, said) = world.ask(&method, &path, &body).await;
                assert!(status < 500, "{status} for {method} {path}: {}", body.to_string().chars().take(400).collect::<String>());
                let told = world.test.audit.take();
                accepted += usize::from(status < 300);
                if status < 300 && world.test.snapshot().revision() > revision {
                    let is = |event: &&AuditEvent| event.request_id.to_string() == id && event.status == Some(status);
                    let event = told.iter().find(is).unwrap_or_else(|| panic!("no event of {method} {path}: {told:?}"));
                    assert_eq!((event.category, event.outcome), (Category::Control, Outcome::Allowed), "{method} {path}");
                    assert!(said.is_object() || method != Method::PUT, "{path}: {said}");
                    // What is kept as it comes is answered as it came.
                    if method == Method::PUT && path.ends_with(FILES) {
                        assert_eq!(said["properties"], body["properties"], "{path}");
                    }
                    if [Method::PUT, Method::PATCH].contains(&method) && said.is_object() {
                        written.insert(path, said);
                    }
                }
                events.extend(told);
            }
        }
        assert!(accepted > 120, "{accepted} of {number} accepted");
        let folder = tempfile::tempdir().unwrap();
        let log = Arc::new(OnDisk(export(&world, &folder.path().join("audit"), &events)));
        let config = || Config { activity: Some(Arc::clone(&log) as _), ..Config::default() };

        let reading = router(Arc::clone(&world.test.platform), config());
        let world = world.on(reading);
        let before = shown(&world, &written).await;
        let files: Vec<_> = written.iter().filter(|(path, _)| path.ends_with(FILES)).collect();
        for (path, answered) in &files {
            assert_eq!(before[*path], **answered, "{path}");
        }
        assert!(files.len() > 2, "{:?}", files.iter().map(|(path, _)| path).collect::<Vec<_>>());
        // A restart: everything that was committed is read again.
        let ctx = world.test.platform.begin(keyless_model::Actor::System("test"));
        let loaded = world.test.store.load(&ctx).await.unwrap();
        assert!(loaded.unreadable.is_empty());
        // As a store on disk keeps them, which the one in memory does not.
        for entity in loaded.entities {
            let text = serde_json::to_string(&entity).unwrap();
            assert_eq!(serde_json::from_str::<Entity>(&text).unwrap(), entity);
        }
        let again = world.test.another_node().await;
        let fresh = world.on(router(Arc::clone(&again.platform), config()));
        let after = shown(&fresh, &written).await;
        assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
        for (path, body) in before {
            assert_eq!(after[&path], body, "{path}");
        }
    });
}
