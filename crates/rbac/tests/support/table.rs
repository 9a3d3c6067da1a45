//! Every built-in role x every operation, decided by a real policy and laid out for a reviewer.

use std::fmt::Write as _;

use keyless_model::entity::{Mutation, Principal, PrincipalKind, RoleAssignment, RoleDefinition};
use keyless_model::{AssignmentId, ObjectId, Scope, TenantId, Timestamp};
use keyless_rbac::actions::{AI_DATA, AI_DATA_PREFIX, MANAGEMENT};
use keyless_rbac::{Attributes, Because, Plane, Policy, Request, builtin};

const ACCOUNT: &str =
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/ai";

const PREAMBLE: &str = "\
Built-in roles x operations, assigned at an AI account and asked there.

  +  allowed
  ?  allowed only when the role's own condition is met
  .  refused

Written by `cargo run -p keyless-rbac --example matrix > crates/rbac/tests/matrix.txt`; a test compares it. Read every changed
sign as a change of who may do what.
";

/// The letters that head a role's column: the initials of its name, lengthened until they are unique.
fn heads(roles: &[RoleDefinition]) -> Vec<String> {
    let mut heads: Vec<String> = Vec::new();
    for role in roles {
        let words: Vec<&str> = role.role_name.split_whitespace().collect();
        let candidate = |length: usize| words.iter().map(|word| word.chars().take(length).collect::<String>()).collect::<String>();
        let head = (1..20).map(candidate).find(|head| head.len() >= 2 && !heads.contains(head)).expect("role names differ");
        heads.push(head);
    }
    heads
}

fn account() -> Scope {
    ACCOUNT.parse().expect("the account's id is well-formed")
}

fn principal(index: usize) -> ObjectId {
    ObjectId::from_u128(index as u128 + 1)
}

/// A policy in which principal `n` holds role `n` at the account.
fn policy(roles: &[RoleDefinition]) -> Policy {
    let (mut policy, epoch) = (Policy::default(), Timestamp::default());
    for (index, role) in roles.iter().enumerate() {
        policy.apply(&Mutation::put(role.clone()));
        policy.apply(&Mutation::put(Principal {
            id: principal(index),
            tenant: TenantId::from_u128(1),
            kind: PrincipalKind::ManagedIdentity,
            display_name: role.role_name.clone(),
            client_id: None,
            enabled: true,
            home: None,
            tokens_valid_from: None,
            created: epoch,
        }));
        policy.apply(&Mutation::put(RoleAssignment {
            id: AssignmentId::from_u128(index as u128 + 1),
            scope: account(),
            role: role.id,
            principal: principal(index),
            principal_type: "ServicePrincipal".to_owned(),
            condition: None,
            description: None,
            created: epoch,
            updated: epoch,
            created_by: None,
        }));
    }
    policy
}

/// The whole table as text.
pub(crate) fn render() -> String {
    let roles = builtin::roles();
    let (heads, policy) = (heads(&roles), policy(&roles));
    let mut text = String::from(PREAMBLE);
    text.push('\n');
    for (head, role) in heads.iter().zip(&roles) {
        writeln!(text, "  {head:<8} {}  {}", role.id, role.role_name).expect("writing to a String cannot fail");
    }
    section(&mut text, "data actions, below Microsoft.CognitiveServices/accounts/OpenAI/", &heads, AI_DATA, |index, action| {
        sign(&policy, index, &format!("{AI_DATA_PREFIX}{action}"), Plane::Data)
    });
    section(&mut text, "management actions", &heads, MANAGEMENT, |index, action| sign(&policy, index, action, Plane::Control));
    text
}

fn section(text: &mut String, title: &str, heads: &[String], actions: &[&str], sign: impl Fn(usize, &str) -> char) {
    let width = actions.iter().map(|action| action.len()).max().unwrap_or_default();
    write!(text, "\n{title}\n{:width$}", "").expect("writing to a String cannot fail");
    heads.iter().for_each(|head| write!(text, " {head}").expect("writing to a String cannot fail"));
    text.push('\n');
    for action in actions {
        write!(text, "{action:width$}").expect("writing to a String cannot fail");
        for (index, head) in heads.iter().enumerate() {
            write!(text, " {:^1$}", sign(index, action), head.len()).expect("writing to a String cannot fail");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
}

fn sign(policy: &Policy, index: usize, action: &str, plane: Plane) -> char {
    let scope = account();
    let request = Request { principal: principal(index), action, plane, scope: &scope, attributes: Attributes::NONE };
    match policy.decide(&request).because {
        Because::Assignment { .. } => '+',
        Because::ConditionNotMet { .. } => '?',
        Because::ActionNotGranted { .. } => '.',
        other => panic!("{action}: {other}"),
    }
}
