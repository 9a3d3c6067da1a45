//! A drawn directory, the same in every run: accounts in resource groups in subscriptions; identities of which some hold their
//! roles directly and some through a group, at scopes from the subscription down to the deployment; and questions about it.
//!
//! It knows no evaluator, so that several can be asked the same.

use keyless_model::entity::{Group, Principal, PrincipalKind, RoleAssignment};
use keyless_model::{AssignmentId, ObjectId, RoleId, Scope, SubscriptionId, TenantId, Timestamp};
use keyless_rbac::{Plane, builtin};

const SUBSCRIPTIONS: u64 = 100;
const GROUPS_PER_SUBSCRIPTION: u64 = 10;
const ACCOUNTS_PER_GROUP: u64 = 10;
/// Each identity and each group holds about this many assignments.
const ASSIGNMENTS_PER_HOLDER: u64 = 50;
/// Members of each group.
const MEMBERS: u64 = 3;

/// The roles that are assigned.
pub(crate) const ROLES: [RoleId; 3] = [builtin::COGNITIVE_SERVICES_OPENAI_USER, builtin::COGNITIVE_SERVICES_USER, builtin::READER];

/// What is asked for.
pub(crate) const ACTIONS: [(&str, Plane); 4] = [
    ("Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action", Plane::Data),
    ("Microsoft.CognitiveServices/accounts/OpenAI/fine-tunes/write", Plane::Data),
    ("Microsoft.CognitiveServices/accounts/read", Plane::Control),
    ("Microsoft.CognitiveServices/accounts/listkeys/action", Plane::Control),
];

/// May this identity do this here?
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) principal: ObjectId,
    pub(crate) action: &'static str,
    pub(crate) plane: Plane,
    pub(crate) scope: Scope,
}

/// A directory with that many assignments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn {
    pub(crate) assignments: u64,
}

impl Drawn {
    /// Identities and groups.
    pub(crate) fn holders(self) -> u64 {
        (self.assignments / ASSIGNMENTS_PER_HOLDER).max(4)
    }

    pub(crate) fn principals(self) -> impl Iterator<Item = Principal> {
        (0..self.holders()).map(principal)
    }

    /// The identities after a group's number are its members.
    pub(crate) fn groups(self) -> impl Iterator<Item = Group> {
        (0..self.holders()).filter(|number| is_group(*number)).map(move |number| {
            let members = (number + 1..=number + MEMBERS).filter(|member| *member < self.holders()).map(holder).collect();
            Group { id: holder(number), mail_nickname: format!("g{number}"), description: None, members }
        })
    }

    pub(crate) fn assignment(self, number: u64) -> RoleAssignment {
        let mut random = Random(mixed(number));
        RoleAssignment {
            id: AssignmentId::from_u128(u128::from(mixed(number)) << 64 | u128::from(number)),
            principal: holder(random.below(self.holders())),
            scope: random.scope(),
            role: ROLES[random.below(3) as usize],
            principal_type: "ServicePrincipal".to_owned(),
            condition: None,
            description: None,
            created: Timestamp::from_unix_secs(0),
            updated: Timestamp::from_unix_secs(0),
            created_by: None,
        }
    }

    /// Half of the questions are about a place below one where the identity, or its group, holds a role.
    pub(crate) fn question(self, random: &mut Random) -> Question {
        let (action, plane) = ACTIONS[random.below(4) as usize];
        let place = random.scope();
        let (asking, scope) = if random.below(2) == 0 {
            let held = self.assignment(random.below(self.assignments));
            let number = held.principal.uuid().as_u128() as u64;
            let asking = if is_group(number) { number + 1 + random.below(MEMBERS) } else { number };
            (asking, below(&held.scope, &place))
        } else {
            (random.below(self.holders()), place)
        };
        // Groups ask nothing.
        let asking = if is_group(asking) { asking + 1 } else { asking }.min(self.holders() - 1);
        Question { principal: holder(asking), action, plane, scope }
    }
}

/// `place`, moved to below `scope`.
fn below(scope: &Scope, place: &Scope) -> Scope {
    let depth = scope.as_str().split('/').count();
    let rest: Vec<&str> = place.as_str().split('/').skip(depth).collect();
    if rest.is_empty() { scope.clone() } else { known(scope.join(&rest.join("/"))) }
}

/// Every tenth holder is a group.
const fn is_group(number: u64) -> bool {
    number.is_multiple_of(10)
}

/// The lower half is the number, so that it can be read back.
fn holder(number: u64) -> ObjectId {
    ObjectId::from_u128(u128::from(mixed(number)) << 64 | u128::from(number))
}

fn principal(number: u64) -> Principal {
    Principal {
        id: holder(number),
        tenant: TenantId::from_u128(1),
        kind: if is_group(number) { PrincipalKind::Group } else { PrincipalKind::ManagedIdentity },
        display_name: format!("holder-{number}"),
        client_id: None,
        enabled: true,
        home: None,
        tokens_valid_from: None,
        created: Timestamp::from_unix_secs(0),
    }
}

/// Numbers that are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mixed(self.0) % bound
    }

    /// Mostly accounts and deployments, some resource groups, few subscriptions.
    fn scope(&mut self) -> Scope {
        let subscription = Scope::subscription(SubscriptionId::from_u128(u128::from(self.below(SUBSCRIPTIONS)) + 1));
        let (group, account) = (self.below(GROUPS_PER_SUBSCRIPTION), self.below(ACCOUNTS_PER_GROUP));
        let group = format!("resourceGroups/rg-{group}");
        let account = format!("{group}/providers/Microsoft.CognitiveServices/accounts/ai-{account}");
        match self.below(100) {
            0 => subscription,
            1..10 => known(subscription.join(&group)),
            10..60 => known(subscription.join(&account)),
            _ => known(subscription.join(&format!("{account}/deployments/chat"))),
        }
    }
}

fn known<E: std::fmt::Debug>(scope: Result<Scope, E>) -> Scope {
    scope.expect("a scope of known form")
}

/// SplitMix64's finaliser: spreads consecutive numbers.
const fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
