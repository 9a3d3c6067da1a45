//! The built-in roles, held against what Azure itself prints for them (`azure-roles.json`). Every difference is listed here with its
//! reason; one that is not fails, and so does one that is listed and gone.
//!
//! Not verified: that the copy, which a public data set collected (its source and day stand in the file), is what Azure prints today
//! and in every cloud; descriptions, which decide nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};

use keyless_model::entity::{Permissions, RoleDefinition};
use keyless_rbac::builtin;
use serde_json::Value;

/// (role, list, pattern, reason). `+` before a pattern: Keyless has it and Azure has not; `-`: Azure has it and Keyless has not.
const EXCEPTIONS: &[(&str, &str, &str, &str)] = &[
    ("Cognitive Services Contributor", "notActions", "+microsoft.cognitiveservices/raiexternalsafetyproviders/delete", NARROWER),
    ("Cognitive Services Contributor", "notActions", "+microsoft.cognitiveservices/raiexternalsafetyproviders/write", NARROWER),
    ("Cognitive Services Contributor", "notActions", "+microsoft.cognitiveservices/raipolicy/delete", NARROWER),
    ("Cognitive Services Contributor", "notActions", "+microsoft.cognitiveservices/raipolicy/write", NARROWER),
];
const NARROWER: &str =
    "the documentation of July 2026 takes these away and the copy of August does not; the narrower stands until both agree";

const LISTS: [&str; 4] = ["actions", "notActions", "dataActions", "notDataActions"];

fn azure() -> BTreeMap<String, Value> {
    let document: Value = serde_json::from_str(include_str!("azure-roles.json")).unwrap();
    let roles = document["roles"].as_array().unwrap().clone();
    roles.into_iter().map(|role| (role["name"].as_str().unwrap().to_owned(), role)).collect()
}

fn ours<'a>(block: &'a Permissions, list: &str) -> &'a [String] {
    match list {
        "actions" => &block.actions,
        "notActions" => &block.not_actions,
        "dataActions" => &block.data_actions,
        _ => &block.not_data_actions,
    }
}

/// Patterns are compared as they decide: without case.
fn set<'a>(patterns: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    patterns.into_iter().map(str::to_ascii_lowercase).collect()
}

fn words(condition: Option<&str>) -> String {
    condition.unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect()
}

fn differences(role: &RoleDefinition, azure: &Value) -> Vec<(String, String)> {
    let theirs = azure["permissions"].as_array().unwrap();
    let mut found = Vec::new();
    if role.role_name != azure["roleName"].as_str().unwrap() {
        found.push(("roleName".to_owned(), azure["roleName"].to_string()));
    }
    if role.permissions.len() != theirs.len() {
        found.push(("permissions".to_owned(), format!("{} blocks", theirs.len())));
    }
    for (block, other) in role.permissions.iter().zip(theirs) {
        for list in LISTS {
            let other = set(other[list].as_array().unwrap().iter().map(|pattern| pattern.as_str().unwrap()));
            let own = set(ours(block, list).iter().map(String::as_str));
            found.extend(own.difference(&other).map(|pattern| (list.to_owned(), format!("+{pattern}"))));
            found.extend(other.difference(&own).map(|pattern| (list.to_owned(), format!("-{pattern}"))));
        }
        if words(block.condition.as_deref()) != words(other["condition"].as_str()) {
            found.push(("condition".to_owned(), other["condition"].to_string()));
        }
    }
    found
}

#[test]
fn every_built_in_role_is_what_azure_prints_but_for_the_listed_differences() {
    let azure = azure();
    let mut found = BTreeSet::new();
    for role in builtin::roles() {
        let Some(theirs) = azure.get(&role.id.to_string()) else { panic!("{} is not in azure-roles.json", role.role_name) };
        found.extend(differences(&role, theirs).into_iter().map(|(list, what)| (role.role_name.clone(), list, what)));
    }
    let listed: BTreeSet<_> =
        EXCEPTIONS.iter().map(|(role, list, what, _)| ((*role).to_owned(), (*list).to_owned(), (*what).to_owned())).collect();
    let unlisted: Vec<_> = found.difference(&listed).collect();
    assert!(unlisted.is_empty(), "not listed:\n{}", unlisted.iter().map(|row| format!("{row:?}\n")).collect::<String>());
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(gone.is_empty(), "listed and gone: {gone:?}");
}

#[test]
fn the_copy_of_azures_roles_has_no_role_that_is_missing_here() {
    let known: BTreeSet<String> = builtin::roles().iter().map(|role| role.id.to_string()).collect();
    let missing: Vec<String> = azure().into_keys().filter(|name| !known.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
