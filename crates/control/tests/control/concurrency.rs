//! Eight writers at once: each one's write is there afterwards, or was refused with a conflict (case 63).

use std::sync::Arc;

use keyless_rbac::builtin;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Plane, assignment, assignment_path};

const WRITERS: usize = 8;

/// Puts the documents at the paths, all at once; the statuses, in order of the paths.
async fn at_once(plane: &Arc<Plane>, writes: impl Fn(usize) -> (String, Value)) -> Vec<u16> {
    let mut tasks = JoinSet::new();
    let start = Arc::new(tokio::sync::Barrier::new(WRITERS));
    for number in 0..WRITERS {
        let (plane, start, (path, body)) = (Arc::clone(plane), Arc::clone(&start), writes(number));
        tasks.spawn(async move {
            start.wait().await;
            (number, plane.put(plane.test.operator, &path, body).await.status.as_u16())
        });
    }
    let mut found = tasks.join_all().await;
    found.sort_unstable();
    found.into_iter().map(|(_, status)| status).collect()
}

fn count(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|found| **found == status).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn eight_that_make_one_assignment_make_it_once_n63() {
    let plane = Arc::new(Plane::new().await);
    let (scope, app) = (plane.test.account.clone(), plane.test.app);
    let name = "0f409a94-be60-4d1e-ba0a-48c48aa92a71";
    let same = at_once(&plane, |_| (assignment_path(&scope, name), assignment(&scope, builtin::READER, app))).await;
    assert_eq!((count(&same, 201), count(&same, 200)), (1, WRITERS - 1), "the same name is created once and then found: {same:?}");
    let named = |number: usize| format!("0f409a94-be60-4d1e-ba0a-{number:012}");
    let role = builtin::COGNITIVE_SERVICES_OPENAI_USER;
    let twins = at_once(&plane, |number| (assignment_path(&scope, &named(number)), assignment(&scope, role, app))).await;
    assert_eq!((count(&twins, 201), count(&twins, 409)), (1, WRITERS - 1), "the same grant under another name is a conflict: {twins:?}");
    assert_eq!(plane.test.snapshot().policy().assignments_of(app.object_id).count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn eight_assignments_to_eight_principals_are_all_kept_n63() {
    let plane = Arc::new(Plane::new().await);
    let scope = plane.test.account.clone();
    let mut who = Vec::new();
    for number in 0..WRITERS {
        who.push(plane.identity(&format!("writer-{number}")).await.1);
    }
    let name = |number: usize| format!("1f409a94-be60-4d1e-ba0a-{number:012}");
    let made = at_once(&plane, |number| (assignment_path(&scope, &name(number)), assignment(&scope, builtin::READER, who[number]))).await;
    assert_eq!(made, [201; WRITERS]);
    for one in who {
        assert_eq!(plane.test.snapshot().policy().assignments_of(one.object_id).count(), 1, "lost");
    }
}

fn credential(subject: &str) -> Value {
    json!({ "properties": {
        "issuer": "https://token.actions.githubusercontent.com", "subject": subject, "audiences": ["api://AzureADTokenExchange"],
    } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn eight_federated_credentials_are_kept_or_refused_never_lost_n63() {
    let plane = Arc::new(Plane::new().await);
    let (scope, _) = plane.identity("federated").await;
    let path = |name: &str| format!("{scope}/federatedIdentityCredentials/{name}");
    let names = async || plane.get(plane.test.operator, &path("")).await.expect(200)["value"].as_array().unwrap().len();
    let apart = at_once(&plane, |number| (path(&format!("trust-{number}")), credential(&format!("repo:o/r{number}")))).await;
    assert_eq!((apart, names().await), (vec![201; WRITERS], WRITERS));
    let same = at_once(&plane, |_| (path("shared"), credential("repo:o/shared"))).await;
    assert_eq!((count(&same, 201), count(&same, 200), names().await), (1, WRITERS - 1, WRITERS + 1), "{same:?}");
    let twins = at_once(&plane, |number| (path(&format!("twin-{number}")), credential("repo:o/twin"))).await;
    assert_eq!((count(&twins, 201), count(&twins, 409), names().await), (1, WRITERS - 1, WRITERS + 2), "{twins:?}");
    // Twenty is the quota: whoever comes too late is refused.
    let late = at_once(&plane, |number| (path(&format!("late-{number}")), credential(&format!("repo:o/late{number}")))).await;
    assert_eq!((count(&late, 201), names().await), (WRITERS, 18), "{late:?}");
    let over = at_once(&plane, |number| (path(&format!("over-{number}")), credential(&format!("repo:o/over{number}")))).await;
    assert_eq!((count(&over, 201), count(&over, 400), names().await), (2, WRITERS - 2, 20), "{over:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn eight_deployments_are_kept_and_share_one_quota_n63() {
    let quota = 50;
    let plane = Arc::new(Plane::with(keyless_control::Config { quota, ..Default::default() }).await);
    let account = plane.test.account.clone();
    let body = |capacity: u32| json!({ "sku": { "name": "Standard", "capacity": capacity }, "properties": { "model": { "format": "OpenAI", "name": "m", "version": "1" } } });
    let same = at_once(&plane, |_| (format!("{account}/deployments/shared"), body(10))).await;
    assert_eq!((count(&same, 201), count(&same, 200)), (1, WRITERS - 1), "{same:?}");
    let apart = at_once(&plane, |number| (format!("{account}/deployments/d{number}"), body(10))).await;
    assert_eq!((count(&apart, 201), count(&apart, 400)), (4, WRITERS - 4), "50 units hold five deployments of ten: {apart:?}");
    let taken: u32 =
        plane.test.snapshot().deployments_of(&account).filter(|row| row.model.name == "m").filter_map(|row| row.sku.capacity).sum();
    assert_eq!(taken, quota);
}
