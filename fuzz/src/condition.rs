//! ABAC conditions: what is read has one truth, and only *true* grants.

use keyless_model::entity::{Mutation, Principal, PrincipalKind, RoleAssignment};
use keyless_model::{AssignmentId, ObjectId, Scope, TenantId, Timestamp};
use keyless_rbac::condition::{MAX_BYTES, parse};
use keyless_rbac::{Attributes, Plane, Policy, Request, builtin};

const CALLER: ObjectId = ObjectId::from_u128(1);
const ACTIONS: [&str; 2] = ["Microsoft.Authorization/roleAssignments/write", "Microsoft.CognitiveServices/accounts/read"];
/// Values that the seeds compare with, one that they do not, and none.
const VALUES: [&[&str]; 4] = [&["User"], &["acdd72a7-3385-48ef-bd42-f606fba81ae7"], &["something else", "User"], &[]];

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let condition = match parse(text) {
        Ok(condition) => condition,
        Err(error) => {
            assert!(error.at <= text.len(), "the error points past the end: {error}");
            return;
        }
    };
    assert!(text.len() <= MAX_BYTES, "longer than may be");
    let named = condition.attributes();
    for (_, name) in &named {
        assert_eq!(*name, name.to_ascii_lowercase(), "a name is kept as it was written");
    }
    let [plain, negated] = [text.to_owned(), format!("!({text})")].map(|text| policy(&text));
    let [both, either] = ["AND", "OR"].map(|word| policy(&format!("({text}) {word} !({text})")));
    for values in VALUES {
        let attributes = named.iter().fold(Attributes::default(), |all, (source, name)| all.with(*source, name, values.iter().copied()));
        for action in ACTIONS {
            // What is longer or deeper than may be was refused, and an assignment that cannot be read grants nothing.
            let [plain, negated, both, either] = [&plain, &negated, &both, &either].map(|policy| allows(policy, action, &attributes));
            assert!(!(plain && negated), "a condition and its opposite both grant: {text}");
            assert!(!both, "a contradiction grants: {text}");
            assert!(!either || plain || negated || parse(&format!("!({text})")).is_err(), "what is unknown grants: {text}");
        }
    }
}

/// One caller, who owns everything on that condition.
fn policy(condition: &str) -> Policy {
    let assignment = RoleAssignment {
        id: AssignmentId::from_u128(1),
        scope: Scope::root(),
        role: builtin::OWNER,
        principal: CALLER,
        principal_type: "User".to_owned(),
        condition: Some(condition.to_owned()),
        description: None,
        created: Timestamp::default(),
        updated: Timestamp::default(),
        created_by: None,
    };
    let caller = Principal {
        id: CALLER,
        tenant: TenantId::from_u128(1),
        kind: PrincipalKind::User,
        display_name: String::new(),
        client_id: None,
        home: None,
        enabled: true,
        tokens_valid_from: None,
        created: Timestamp::default(),
    };
    let mut policy = Policy::default();
    builtin::roles().into_iter().filter(|role| role.id == builtin::OWNER).for_each(|role| policy.apply(&Mutation::put(role)));
    policy.apply(&Mutation::put(caller));
    policy.apply(&Mutation::put(assignment));
    policy
}

fn allows(policy: &Policy, action: &str, attributes: &Attributes) -> bool {
    let scope = Scope::root();
    policy.decide(&Request { principal: CALLER, action, plane: Plane::Control, scope: &scope, attributes }).is_allowed()
}
