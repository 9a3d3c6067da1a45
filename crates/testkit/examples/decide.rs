//! How long an access decision takes with 100,000 role assignments, and what one assignment costs in memory.
//!
//! `decide [ASSIGNMENTS]` prints one JSON object. The directory it draws: accounts in resource groups in subscriptions, identities
//! of which some hold their role directly and some through a group, at scopes from the subscription down to the deployment.

#![expect(clippy::print_stdout, reason = "prints its one result")]

use std::time::Instant;

use anyhow::{Context as _, Result};
use keyless_model::entity::{Group, Mutation, Principal, PrincipalKind, RoleAssignment};
use keyless_model::{AssignmentId, ObjectId, Scope, SubscriptionId, TenantId, Timestamp};
use keyless_rbac::{Attributes, Effect, Plane, Policy, Request, builtin};

const SUBSCRIPTIONS: u64 = 100;
const GROUPS_PER_SUBSCRIPTION: u64 = 10;
const ACCOUNTS_PER_GROUP: u64 = 10;
/// Each identity and each group holds about this many assignments.
const ASSIGNMENTS_PER_HOLDER: u64 = 50;
const DECISIONS: usize = 200_000;
const ACTION: &str = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action";

fn main() -> Result<()> {
    let assignments: u64 = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let mut random = Random(7);
    let holders = (assignments / ASSIGNMENTS_PER_HOLDER).max(2);

    let mut policy = Policy::default();
    for role in builtin::roles() {
        policy.apply(&Mutation::put(role));
    }
    for number in 0..holders {
        let kind = if is_group(number) { PrincipalKind::Group } else { PrincipalKind::ManagedIdentity };
        policy.apply(&Mutation::put(principal(number, kind)));
        if is_group(number) {
            // The next three identities are its members.
            let members = (1..4).map(|next| holder(number + next)).collect();
            policy.apply(&Mutation::put(Group { id: holder(number), mail_nickname: format!("g{number}"), description: None, members }));
        }
    }

    let before = resident_bytes()?;
    for number in 0..assignments {
        policy.apply(&Mutation::put(assignment(number, holder(random.below(holders)), random.scope()?)));
    }
    let bytes_each = (resident_bytes()? - before) as f64 / assignments as f64;

    let mut nanos = Vec::with_capacity(DECISIONS);
    let mut allowed = 0_usize;
    for _ in 0..DECISIONS {
        // Half of the questions are about a place where the identity holds a role, so that both answers are measured.
        let principal = holder(random.below(holders));
        let held = policy.assignments_of(principal).nth(random.below(ASSIGNMENTS_PER_HOLDER / 2) as usize);
        let scope = match held {
            Some(held) if random.below(2) == 0 => held.scope,
            _ => random.scope()?,
        };
        let request = Request { principal, action: ACTION, plane: Plane::Data, scope: &scope, attributes: Attributes::NONE };
        let began = Instant::now();
        let decision = std::hint::black_box(policy.decide(std::hint::black_box(&request)));
        nanos.push(began.elapsed().as_nanos());
        allowed += usize::from(decision.effect == Effect::Allow);
    }
    nanos.sort_unstable();
    let at = |share: f64| nanos[((nanos.len() - 1) as f64 * share) as usize];
    let report = serde_json::json!({
        "assignments": assignments,
        "holders": holders,
        "decisions": DECISIONS,
        "allowed": allowed,
        "p50_ns": at(0.50) as u64,
        "p90_ns": at(0.90) as u64,
        "p99_ns": at(0.99) as u64,
        "p999_ns": at(0.999) as u64,
        "clock_ns": clock_cost(),
        "bytes_per_assignment": bytes_each,
    });
    println!("{report}");
    Ok(())
}

/// What reading the clock twice adds to each figure.
fn clock_cost() -> u64 {
    let mut nanos: Vec<_> = (0..10_000).map(|_| Instant::now().elapsed().as_nanos() as u64).collect();
    nanos.sort_unstable();
    nanos[nanos.len() / 2]
}

/// Every tenth holder is a group.
const fn is_group(number: u64) -> bool {
    number.is_multiple_of(10)
}

fn holder(number: u64) -> ObjectId {
    ObjectId::from_u128(u128::from(mixed(number)) << 64 | u128::from(number))
}

fn principal(number: u64, kind: PrincipalKind) -> Principal {
    Principal {
        id: holder(number),
        tenant: TenantId::from_u128(1),
        kind,
        display_name: format!("holder-{number}"),
        client_id: None,
        enabled: true,
        home: None,
        tokens_valid_from: None,
        created: Timestamp::from_unix_secs(0),
    }
}

fn assignment(number: u64, principal: ObjectId, scope: Scope) -> RoleAssignment {
    let roles = [builtin::COGNITIVE_SERVICES_OPENAI_USER, builtin::COGNITIVE_SERVICES_USER, builtin::READER];
    RoleAssignment {
        id: AssignmentId::from_u128(u128::from(mixed(number)) << 64 | u128::from(number)),
        scope,
        role: roles[(number % 3) as usize],
        principal,
        principal_type: "ServicePrincipal".to_owned(),
        condition: None,
        description: None,
        created: Timestamp::from_unix_secs(0),
        updated: Timestamp::from_unix_secs(0),
        created_by: None,
    }
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mixed(self.0) % bound
    }

    /// Mostly accounts and deployments, some resource groups, few subscriptions.
    fn scope(&mut self) -> Result<Scope> {
        let subscription = Scope::subscription(SubscriptionId::from_u128(u128::from(self.below(SUBSCRIPTIONS)) + 1));
        let (group, account) = (self.below(GROUPS_PER_SUBSCRIPTION), self.below(ACCOUNTS_PER_GROUP));
        let group = format!("resourceGroups/rg-{group}");
        let account = format!("{group}/providers/Microsoft.CognitiveServices/accounts/ai-{account}");
        let scope = match self.below(100) {
            0 => Ok(subscription),
            1..10 => subscription.join(&group),
            10..60 => subscription.join(&account),
            _ => subscription.join(&format!("{account}/deployments/chat")),
        };
        scope.context("a scope of known form")
    }
}

/// SplitMix64's finaliser: spreads consecutive numbers.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Resident memory of this process.
fn resident_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("the memory figure needs Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc/self/status")?;
    let kib: u64 = line.split_whitespace().next().context("no number after VmRSS")?.parse()?;
    Ok(kib * 1024)
}
