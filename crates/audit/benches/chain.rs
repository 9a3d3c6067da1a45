//! One model call's event: written as JSON, scrubbed, hashed and linked. `cargo bench -p keyless-audit`.

use criterion::{Criterion, criterion_group, criterion_main};
use keyless_audit::{AuditEvent, Category, Chain, DataDetail, DecisionRecord, Line, Outcome};
use keyless_model::{Actor, AssignmentId, ClientId, ObjectId, OpContext, RequestId, RoleId, TenantId, Timestamp};

fn call() -> AuditEvent {
    let actor = Actor::Principal { id: ObjectId::from_u128(1), tenant: TenantId::from_u128(2), client_id: Some(ClientId::from_u128(3)) };
    let ctx = OpContext::new(RequestId::from_u128(4), Timestamp::from_unix_secs(1_795_224_111), actor);
    let target = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/demo/providers/Microsoft.CognitiveServices/accounts/demo-ai/deployments/chat";
    AuditEvent {
        source: Some([127, 0, 0, 1].into()),
        target: Some(target.parse().expect("a good id")),
        location: Some("local".into()),
        decision: Some(DecisionRecord {
            allowed: true,
            because: "role Cognitive Services OpenAI User assigned at the account".into(),
            assignment: Some(AssignmentId::from_u128(5)),
            role: Some(RoleId::from_u128(6)),
            via_group: None,
            deny: None,
        }),
        status: Some(200),
        data: Some(DataDetail {
            api: "ChatCompletions_Create".into(),
            action: Some("Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action".into()),
            api_version: Some("2024-10-21".to_owned()),
            deployment: Some("chat".into()),
            model: Some("smollm2".into()),
            model_version: Some("1".into()),
            streamed: false,
            token_id: Some("mFhQ1n3cO0aXb1S6kQ4BAA".into()),
            prompt_tokens: Some(24),
            completion_tokens: Some(130),
            request_bytes: 412,
            response_bytes: 1204,
            latency_micros: 18_400,
            cancelled: false,
        }),
        ..AuditEvent::new(&ctx, Category::Data, "ChatCompletions_Create", Outcome::Allowed)
    }
}

fn bench(criterion: &mut Criterion) {
    let event = call();
    let (mut chain, mut line) = (Chain::new(), Vec::with_capacity(2048));
    criterion.bench_function("append", |bencher| {
        bencher.iter(|| {
            line.clear();
            chain.append(&event, &mut line).expect("the event is written")
        });
    });
    let text = line.strip_suffix(b"\n").expect("a line ends with a newline").to_vec();
    criterion.bench_function("parse and check the hash", |bencher| bencher.iter(|| Line::parse(&text).expect("the line is right")));
}

criterion_group!(benches, bench);
criterion_main!(benches);
