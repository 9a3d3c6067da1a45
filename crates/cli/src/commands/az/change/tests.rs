use serde_json::json;

use super::*;

const CONTROL: &str = "https://localhost:8443";

/// az's clouds: the built-in one, others by name and address; the one named `active` is.
fn clouds(active: &str, others: &[(&str, &str)]) -> Vec<Cloud> {
    let all = [("AzureCloud", "https://management.azure.com/")].iter().chain(others);
    let rows: Vec<_> = all
        .map(|(name, at)| json!({ "name": name, "isActive": *name == active, "endpoints": { "resourceManager": at, "gallery": null } }))
        .collect();
    serde_json::from_value(json!(rows)).unwrap()
}

fn record(before: &str) -> Record {
    serde_json::from_value(json!({ "control": CONTROL, "before": before, "variables": {} })).unwrap()
}

fn signed_in(rows: &[(&str, &str)]) -> Vec<SignedIn> {
    let rows: Vec<_> = rows.iter().map(|(cloud, user)| json!({ "cloudName": cloud, "user": { "name": user, "type": "user" } })).collect();
    serde_json::from_value(json!(rows)).unwrap()
}

fn lines(commands: Vec<Vec<String>>) -> Vec<String> {
    commands.into_iter().map(|words| words.join(" ")).collect()
}

#[test]
fn a_cloud_that_az_does_not_know_is_registered_and_made_active() {
    let commands = registering(&clouds("AzureCloud", &[]), "keyless", CONTROL, None).unwrap();
    assert_eq!(
        lines(commands),
        ["az cloud register -n keyless --endpoint-resource-manager https://localhost:8443", "az cloud set -n keyless"]
    );
}

#[test]
fn a_cloud_that_is_registered_is_only_made_active_and_an_active_one_is_left() {
    let known = [("keyless", "https://localhost:8443/")];
    assert_eq!(lines(registering(&clouds("AzureCloud", &known), "keyless", CONTROL, None).unwrap()), ["az cloud set -n keyless"]);
    assert!(registering(&clouds("keyless", &known), "keyless", CONTROL, None).unwrap().is_empty());
}

#[test]
fn a_cloud_that_moved_is_moved_along_only_if_we_registered_it() {
    let old = clouds("keyless", &[("keyless", CONTROL)]);
    let now = "https://localhost:9443";
    assert_eq!(
        lines(registering(&old, "keyless", now, Some(&record("AzureCloud"))).unwrap()),
        ["az cloud update -n keyless --endpoint-resource-manager https://localhost:9443"]
    );
    let refused = registering(&old, "keyless", now, None).unwrap_err();
    assert_eq!(refused.what, "az has a cloud named `keyless` already, at https://localhost:8443, which is not this system");
    assert!(refused.next.unwrap().contains("--name"));
    assert!(registering(&old, "AzureCloud", now, None).is_err());
}

#[test]
fn undoing_makes_the_cloud_from_before_active_and_unregisters() {
    let others = [("keyless", CONTROL), ("stack", "https://stack")];
    let undone = |active: &str, before: &str| lines(undoing(&clouds(active, &others), &[], "keyless", &record(before)).unwrap());
    assert_eq!(undone("keyless", "stack"), ["az cloud set -n stack", "az cloud unregister -n keyless"]);
    assert_eq!(undone("keyless", "gone"), ["az cloud set -n AzureCloud", "az cloud unregister -n keyless"]);
    assert_eq!(undone("stack", "AzureCloud"), ["az cloud unregister -n keyless"], "who switched since then wanted that");
}

#[test]
fn undoing_signs_out_only_those_who_are_signed_in_nowhere_else() {
    let rows = signed_in(&[
        ("keyless", "ada@keyless.localhost"),
        ("keyless", "ada@keyless.localhost"),
        ("keyless", "userAssignedIdentity"),
        ("AzureCloud", "userAssignedIdentity"),
        ("AzureCloud", "bob@example.com"),
    ]);
    let commands = undoing(&clouds("keyless", &[("keyless", CONTROL)]), &rows, "keyless", &record("AzureCloud")).unwrap();
    assert!(is_sign_out(&commands[0]) && !is_sign_out(&commands[1]));
    assert_eq!(
        lines(commands),
        ["az logout --username ada@keyless.localhost", "az cloud set -n AzureCloud", "az cloud unregister -n keyless"]
    );
}

#[test]
fn undoing_leaves_what_is_not_ours() {
    assert!(undoing(&clouds("AzureCloud", &[]), &[], "keyless", &record("AzureCloud")).unwrap().is_empty());
    let other = clouds("keyless", &[("keyless", "https://elsewhere")]);
    assert!(undoing(&other, &[], "keyless", &record("AzureCloud")).is_err());
}
