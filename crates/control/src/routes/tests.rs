//! The tables themselves.

use std::collections::BTreeSet;

use http::Method;

use super::{arm, graph};
use crate::access::Access;
use crate::arm::path::segments;
use crate::route::{Missing, Table};

const SUBSCRIPTION: &str = "/subscriptions/11111111-1111-1111-1111-111111111111";

#[test]
fn no_two_lines_claim_the_same_request() {
    let mut seen = BTreeSet::new();
    for route in arm().into_iter().chain(graph()) {
        let shape: String = format!("{} {}{}", route.method, route.at, route.tail);
        assert!(seen.insert(shape.clone()), "{shape} is there twice");
    }
}

#[test]
fn only_the_document_that_leads_to_tokens_is_public() {
    let public: Vec<String> = arm()
        .into_iter()
        .chain(graph())
        .filter(|route| matches!(route.access, Access::Public))
        .map(|route| format!("{} {}{}", route.method, route.at, route.tail))
        .collect();
    assert_eq!(public, ["GET /metadata/endpoints"]);
}

#[test]
fn every_change_asks_for_a_right() {
    for route in arm().into_iter().chain(graph()).filter(|route| route.method != Method::GET) {
        assert!(!matches!(route.access, Access::Public | Access::Own | Access::List(_) | Access::Children(_)), "{route:?}");
    }
}

#[test]
fn an_action_says_the_same_as_its_method() {
    for route in arm() {
        let (Access::Action(action) | Access::List(action) | Access::Children(action)) = route.access else {
            continue;
        };
        let verb = action.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let fits = match route.method {
            Method::GET | Method::HEAD => verb == "read",
            Method::PUT | Method::PATCH => verb == "write",
            Method::DELETE => verb == "delete",
            _ => verb == "action",
        };
        assert!(fits, "{route:?}");
    }
}

/// Actions that handlers ask for besides their route's own, and the registration of one of the providers.
const INSIDE: &[&str] = &[
    "Microsoft.Resources/subscriptions/read",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "Microsoft.CognitiveServices/register/action",
    "Microsoft.CognitiveServices/unregister/action",
];
/// Actions of Azure that no route of ours asks for, kept in the matrix because a built-in role names them.
const ELSEWHERE: &[&str] = &["Microsoft.ManagedIdentity/userAssignedIdentities/revokeTokens/action"];

/// `crates/rbac/tests/matrix.txt` says for each built-in role what it may do of these; a route that asks for something else would
/// be decided by roles that nobody reviewed for it.
#[test]
fn the_matrix_of_roles_has_a_row_for_every_action_of_a_route() {
    let of_routes = arm().into_iter().filter_map(|route| match route.access {
        Access::Action(action) | Access::List(action) | Access::Children(action) => Some(action),
        _ => None,
    });
    let asked: BTreeSet<String> = of_routes.chain(INSIDE.iter().copied()).map(str::to_ascii_lowercase).collect();
    let rows: BTreeSet<String> = keyless_rbac::actions::MANAGEMENT.iter().map(|action| action.to_ascii_lowercase()).collect();
    assert_eq!(asked.difference(&rows).collect::<Vec<_>>(), [&""; 0], "without a row; add them to keyless_rbac::actions");
    let idle: Vec<&String> = rows.difference(&asked).filter(|row| !ELSEWHERE.iter().any(|known| known.eq_ignore_ascii_case(row))).collect();
    assert_eq!(idle, [&""; 0], "rows that no route asks for");
}

#[test]
fn a_specific_route_keeps_its_paths_from_the_generic_ones() {
    let table = Table::new(arm());
    let path = format!("{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Authorization/roleAssignments/x");
    assert!(matches!(table.find(&Method::PATCH, &segments(&path).unwrap()), Err(Missing::Method)));
    let generic = format!("{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/x");
    assert!(table.find(&Method::PATCH, &segments(&generic).unwrap()).is_ok());
}

mod free_json;
mod probes;
mod walk;
