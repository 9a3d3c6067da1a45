//! A directory of the size that the performance targets speak of.

use keyless_model::entity::{Mutation, Principal, PrincipalKind, RoleAssignment};
use keyless_model::{AssignmentId, ObjectId, RoleId, Scope, TenantId, Timestamp};
use keyless_rbac::{Policy, builtin};

/// How many assignments each principal has, on average.
pub(crate) const EACH: usize = 10;

/// How assignments spread over scopes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spread {
    /// As directories are: a deployment has twenty assignments.
    Usual,
    /// The worst for memory: no two assignments share a scope.
    OneEach,
}

/// Random-looking but repeatable 128-bit ids, as real ids are random.
pub(crate) fn id(kind: u64, number: usize) -> u128 {
    let half = |salt: u64| {
        let mut word = (number as u64).wrapping_add(salt).wrapping_add(kind << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u128::from(word ^ (word >> 31))
    };
    (half(1) << 64) | half(2)
}

pub(crate) fn principal(number: usize) -> ObjectId {
    ObjectId::from_u128(id(1, number))
}

/// Deployment `number`: ten to an account, ten accounts to a group, ten groups to a subscription.
pub(crate) fn deployment(number: usize) -> Scope {
    let (account, group, subscription) = (number / 10, number / 100, number / 1000);
    let text = format!(
        "/subscriptions/{}/resourceGroups/rg-{group}/providers/Microsoft.CognitiveServices/accounts/ai-{account}/deployments/gpt-{number}",
        keyless_model::SubscriptionId::from_u128(id(2, subscription)),
    );
    text.parse().expect("the id is well-formed")
}

const ROLES: [RoleId; 4] = [
    builtin::COGNITIVE_SERVICES_OPENAI_USER,
    builtin::READER,
    builtin::COGNITIVE_SERVICES_USER,
    builtin::COGNITIVE_SERVICES_OPENAI_CONTRIBUTOR,
];

/// Assignment `number` of a directory of `count`.
pub(crate) fn assignment(number: usize, count: usize, spread: Spread) -> RoleAssignment {
    let scope = match spread {
        Spread::Usual => deployment(scope_of(number, count)),
        Spread::OneEach => deployment(number),
    };
    RoleAssignment {
        id: AssignmentId::from_u128(id(3, number)),
        scope,
        role: ROLES[number / EACH % ROLES.len()],
        principal: principal(number / EACH),
        principal_type: "ServicePrincipal".to_owned(),
        condition: None,
        description: None,
        created: Timestamp::from_unix_secs(1_800_000_000),
        updated: Timestamp::from_unix_secs(1_800_000_000),
        created_by: Some(principal(0)),
    }
}

/// The deployment of an assignment in the usual spread.
pub(crate) fn scope_of(number: usize, count: usize) -> usize {
    number.wrapping_mul(7919) % (count / 20).max(1)
}

/// A directory with `count` assignments, one document after the other, as a node loads it.
pub(crate) fn load(count: usize, spread: Spread) -> Policy {
    let mut policy = Policy::default();
    for role in builtin::roles() {
        policy.apply(&Mutation::put(role));
    }
    for number in 0..count.div_ceil(EACH) {
        policy.apply(&Mutation::put(Principal {
            id: principal(number),
            tenant: TenantId::from_u128(1),
            kind: PrincipalKind::ManagedIdentity,
            display_name: format!("identity-{number}"),
            client_id: None,
            enabled: true,
            home: None,
            tokens_valid_from: None,
            created: Timestamp::from_unix_secs(1_800_000_000),
        }));
    }
    for number in 0..count {
        policy.apply(&Mutation::put(assignment(number, count, spread)));
    }
    policy
}
