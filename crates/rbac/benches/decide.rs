//! What one decision costs, at 1, 4,000 and 100,000 assignments.
//!
//! Questions go round all principals and scopes, so that the caches see a directory and not one row of it.

#[path = "../tests/support/directory.rs"]
mod directory;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use directory::{EACH, Spread, assignment, deployment, load, principal, scope_of};
use keyless_model::entity::{Group, Mutation};
use keyless_model::{ObjectId, Scope};
use keyless_rbac::{Attributes, Plane, Policy, Request};

const READ: &str = "Microsoft.CognitiveServices/accounts/OpenAI/models/read";
const CHAT: &str = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action";

fn decide(policy: &Policy, (principal, scope): &(ObjectId, Scope), action: &str) -> bool {
    let request = Request { principal: *principal, action, plane: Plane::Data, scope, attributes: Attributes::NONE };
    policy.decide(black_box(&request)).is_allowed()
}

/// Questions about assignments that exist, in no order, with scopes parsed apart from the policy's.
fn questions(count: usize) -> Vec<(ObjectId, Scope)> {
    (0..count.min(20_000))
        .map(|number| {
            let number = number.wrapping_mul(48_271) % count;
            (principal(number / EACH), deployment(scope_of(number, count)))
        })
        .collect()
}

fn sizes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide");
    for count in [1, 4_000, 100_000] {
        let (policy, questions) = (load(count, Spread::Usual), questions(count));
        let mut round = questions.iter().cycle();
        group.bench_function(BenchmarkId::new("model read or refusal", count), |bencher| {
            bencher.iter(|| decide(&policy, round.next().expect("it goes round"), READ));
        });
        let allowed: Vec<_> = questions.iter().filter(|question| decide(&policy, question, CHAT)).collect();
        let mut round = allowed.iter().cycle();
        group.bench_function(BenchmarkId::new("chat allowed", count), |bencher| {
            bencher.iter(|| assert!(decide(&policy, round.next().expect("it goes round"), CHAT)));
        });
    }
    group.finish();
}

/// One principal with most of the assignments, and one that draws everything from nested groups.
fn heavy(criterion: &mut Criterion) {
    let mut policy = load(100_000, Spread::Usual);
    let (operator, member) = (ObjectId::from_u128(1), principal(3));
    for number in 0..20_000 {
        let mut extra = assignment(number, 100_000, Spread::OneEach);
        (extra.id, extra.principal) = (keyless_model::AssignmentId::from_u128(number as u128), principal(2));
        policy.apply(&Mutation::put(extra));
    }
    for level in 0..8_u128 {
        let below = if level == 0 { member } else { ObjectId::from_u128(0xff + level) };
        let members = [below].into();
        policy.apply(&Mutation::put(Group {
            id: ObjectId::from_u128(0x100 + level),
            mail_nickname: String::new(),
            description: None,
            members,
        }));
    }
    let mut last = assignment(0, 100_000, Spread::OneEach);
    (last.id, last.principal) = (keyless_model::AssignmentId::from_u128(u128::MAX), ObjectId::from_u128(0x107));
    let scope = last.scope.clone();
    policy.apply(&Mutation::put(last));
    let mut group = criterion.benchmark_group("decide");
    group.bench_function("principal with 20,000 assignments", |bencher| {
        let mut round =
            (0..20_000).step_by(EACH * 4).map(|number| (principal(2), deployment(number))).collect::<Vec<_>>().into_iter().cycle();
        bencher.iter(|| assert!(decide(&policy, &round.next().expect("it goes round"), CHAT)));
    });
    group.bench_function("eighth nested group", |bencher| bencher.iter(|| assert!(decide(&policy, &(member, scope.clone()), CHAT))));
    group.bench_function("unknown principal", |bencher| bencher.iter(|| assert!(!decide(&policy, &(operator, scope.clone()), CHAT))));
    group.finish();
}

/// What following one change costs while a reader holds the policy, as a published snapshot is held.
fn follow(criterion: &mut Criterion) {
    let policy = load(100_000, Spread::Usual);
    let change = Mutation::put(assignment(5, 100_000, Spread::OneEach));
    criterion.bench_function("clone and apply one assignment at 100,000", |bencher| {
        bencher.iter(|| {
            let mut next = policy.clone();
            next.apply(black_box(&change));
            next
        });
    });
}

criterion_group!(benches, sizes, heavy, follow);
criterion_main!(benches);
