//! The activity log.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use keyless_audit::{AuditEvent, Category, Outcome};
use keyless_control::{ActivityQuery, ActivityReader, ActivityUnavailable, Config};
use keyless_model::{Actor, OpContext, RequestId, Timestamp};
use serde_json::json;

use crate::support::Plane;

/// Answers everything it has, whatever it is asked.
#[derive(Debug, Default)]
struct Log {
    events: Vec<AuditEvent>,
    asked: Mutex<Vec<ActivityQuery>>,
    broken: bool,
}

#[async_trait]
impl ActivityReader for Log {
    async fn control_events(&self, query: &ActivityQuery) -> Result<Vec<AuditEvent>, ActivityUnavailable> {
        self.asked.lock().unwrap().push(query.clone());
        if self.broken { Err(ActivityUnavailable("disk".into())) } else { Ok(self.events.clone()) }
    }
}

fn event(target: &str) -> AuditEvent {
    let ctx = OpContext::new(RequestId::from_u128(7), Timestamp::from_unix_secs(1_795_219_200), Actor::System("test"));
    let mut event = AuditEvent::new(&ctx, Category::Control, "Microsoft.Authorization/roleAssignments/write", Outcome::Allowed);
    event.target = Some(target.parse().unwrap());
    event
}

fn path(plane: &Plane, filter: &str) -> String {
    format!("{}/providers/Microsoft.Insights/eventtypes/management/values{filter}", plane.subscription())
}

#[tokio::test]
async fn events_have_azures_form_and_stay_in_their_subscription() {
    let inside = "/subscriptions/00000000-0000-0000-0000-00000000005b/resourceGroups/demo";
    let outside = "/subscriptions/00000000-0000-0000-0000-00000000005c/resourceGroups/demo";
    let log = Arc::new(Log { events: vec![event(inside), event(outside)], ..Log::default() });
    let plane = Plane::with(Config { activity: Some(Arc::clone(&log) as _), ..Config::default() }).await;
    let filter = "?$filter=eventTimestamp ge 2026-11-21T00:48:22.458138 and eventTimestamp le 2026-11-21T01:48:22.458138 and resourceGroupName eq 'demo'";
    let list = plane.get(plane.test.operator, &path(&plane, filter)).await.expect(200);
    let rows = list["value"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "the reader's mistake does not become the caller's knowledge");
    assert_eq!(rows[0]["operationName"]["value"], "Microsoft.Authorization/roleAssignments/write");
    assert_eq!((&rows[0]["status"]["value"], &rows[0]["resourceGroupName"]), (&json!("Succeeded"), &json!("demo")));
    let asked = log.asked.lock().unwrap()[0].clone();
    assert_eq!(asked.scope.as_str(), inside);
    assert!(asked.from < asked.until);
    let bad = plane.get(plane.test.operator, &path(&plane, "?$filter=level eq 'Error'")).await;
    assert_eq!(bad.status, 400);
    let escape = plane.get(plane.test.operator, &path(&plane, &format!("?$filter=resourceId eq '{outside}'"))).await;
    assert_eq!(escape.status, 400);
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_said_to_be_so() {
    let plane = Plane::new().await;
    assert_eq!(plane.get(plane.test.operator, &path(&plane, "")).await.error(), (503, "ServiceUnavailable"));
    let broken = Arc::new(Log { broken: true, ..Log::default() });
    let plane = Plane::with(Config { activity: Some(broken as _), ..Config::default() }).await;
    let answer = plane.get(plane.test.operator, &path(&plane, "")).await;
    assert_eq!((answer.error(), answer.headers["retry-after"].as_bytes()), ((503, "ServiceUnavailable"), &b"5"[..]));
}
