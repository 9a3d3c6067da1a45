//! Whatever an event says, its records are whole lines of JSON that lead back to it, and to no other.

use keyless_audit::monitor::{Record, records};
use keyless_audit::{ActorRecord, AuditEvent, Category, ControlDetail, DataDetail, DecisionRecord, Outcome};
use keyless_model::{Actor, ObjectId, OpContext, RequestId, TenantId, Timestamp};
use keyless_wire::monitor::{Administrative, KeyAccess, RequestResponse};
use proptest::prelude::*;

const OPERATIONS: [&str; 6] = [
    "ChatCompletions_Create",
    "Microsoft.CognitiveServices/accounts/listKeys/action",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Graph/users/write",
    "GET with a refused token",
    "Token_Issue",
];

fn actors() -> impl Strategy<Value = Actor> {
    prop_oneof![
        Just(Actor::Anonymous),
        Just(Actor::System("bootstrap")),
        any::<u128>().prop_map(|id| Actor::Principal { id: ObjectId::from_u128(id), tenant: TenantId::from_u128(7), client_id: None }),
        ".*".prop_map(|fingerprint| Actor::AccountKey { fingerprint }),
    ]
}

prop_compose! {
    fn events()(
        (request, latency, millis) in (any::<u128>(), any::<u64>(), -4_000_000_000_000_i64..4_000_000_000_000),
        operation in 0..OPERATIONS.len(),
        category in prop_oneof![Just(Category::Data), Just(Category::Control), Just(Category::Token), Just(Category::System)],
        outcome in prop_oneof![Just(Outcome::Allowed), Just(Outcome::Denied), Just(Outcome::Failed)],
        status in proptest::option::of(any::<u16>()),
        actor in actors(),
        name in proptest::option::of("[a-z]{1,12}"),
        text in ".*",
    ) -> AuditEvent {
        let ctx = OpContext::new(RequestId::from_u128(request), Timestamp::from_unix_millis(millis), actor);
        let mut event = AuditEvent::new(&ctx, category, OPERATIONS[operation], outcome);
        event.status = status;
        event.target = name.map(|name| {
            let group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g";
            format!("{group}/providers/Microsoft.CognitiveServices/accounts/{name}/deployments/d").parse().expect("a good id")
        });
        event.decision = Some(DecisionRecord::allowed(text.clone()));
        event.location = Some(text.as_str().into());
        event.data = (category == Category::Data).then(|| DataDetail {
            api_version: Some(text.clone()),
            deployment: Some(text.as_str().into()),
            latency_micros: latency,
            ..DataDetail::default()
        });
        event.control = Some(ControlDetail { before: None, after: Some(text.into()) });
        event
    }
}

/// Whether the line reads back whole and names the event's request and resource; a record of handed-out keys names the resource only.
fn leads_to(record: &Record, event: &AuditEvent) -> bool {
    let line = serde_json::to_string(record).expect("records are plain structs");
    let id = event.request_id.to_string();
    let resource = event.target.as_ref().map(|target| target.as_str().to_ascii_uppercase()).unwrap_or_default();
    let leads = match record {
        Record::RequestResponse(_) => {
            let read: RequestResponse = serde_json::from_str(&line).expect("it reads back");
            read.correlation_id == id && resource.starts_with(&read.resource_id)
        }
        Record::KeyAccess(_) => resource.starts_with(&serde_json::from_str::<KeyAccess>(&line).expect("it reads back").resource_id),
        Record::Administrative(_) => {
            let read: Administrative = serde_json::from_str(&line).expect("it reads back");
            read.correlation_id == id && read.properties.service_request_id == id && read.resource_id == resource
        }
    };
    leads && !line.contains('\n')
}

fn object_id(record: &Record) -> String {
    match record {
        Record::RequestResponse(record) => record.properties.object_id.clone(),
        Record::KeyAccess(record) => record.properties.object_id.clone(),
        Record::Administrative(record) => {
            let claim = record.identity.claims.get("http://schemas.microsoft.com/identity/claims/objectidentifier");
            claim.and_then(|claim| claim.as_str()).unwrap_or_default().to_owned()
        }
    }
}

proptest! {
    #[test]
    fn each_record_leads_back_to_its_one_event(event in events()) {
        let records = records(&event);
        prop_assert!(records.iter().all(|record| leads_to(record, &event)));
        let primary = records.iter().filter(|record| !matches!(record, Record::KeyAccess(_))).count();
        let of_a_resource = event.operation.starts_with("Microsoft.") && !event.operation.starts_with("Microsoft.Graph/");
        let has_shape = event.target.is_some()
            && match event.category {
                Category::Data => true,
                Category::Control => of_a_resource,
                Category::Token | Category::System => false,
            };
        prop_assert_eq!(primary, usize::from(has_shape));
    }

    #[test]
    fn who_called_is_told_for_principals_and_for_nobody_else(event in events()) {
        let expected = match &event.actor {
            ActorRecord::Principal { object_id, .. } => object_id.to_string(),
            _ => String::new(),
        };
        for record in records(&event) {
            prop_assert_eq!(object_id(&record), expected.as_str());
        }
    }
}
