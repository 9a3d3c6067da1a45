use serde_json::json;

use super::*;

fn entry(kind: Kind, id: &str, mark: Option<&str>) -> Entry {
    Entry { kind, id: id.to_owned(), title: "t".to_owned(), mark: mark.map(str::to_owned) }
}

#[test]
fn what_was_created_is_remembered_per_set() {
    let data = tempfile::tempdir().unwrap();
    let open = |set: &str| Ledger::open(data.path(), set).unwrap();
    let mut ledger = open("Team-A");
    let _alone = ledger.alone().unwrap();
    ledger.created(entry(Kind::Account, "/a", Some("1"))).unwrap();
    ledger.created(entry(Kind::Account, "/A", Some("2"))).unwrap();
    ledger.created(entry(Kind::Identity, "/a", None)).unwrap();
    assert_eq!(open("team-a").entries, [entry(Kind::Account, "/A", Some("2")), entry(Kind::Identity, "/a", None)]);
    assert!(open("team-b").entries.is_empty());
    ledger.forget(Kind::Account, "/a").unwrap();
    assert_eq!(open("team-a").entries, [entry(Kind::Identity, "/a", None)]);
}

#[test]
fn two_applies_of_one_set_do_not_run_at_once() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path(), "a").unwrap();
    let alone = ledger.alone().unwrap();
    assert!(ledger.alone().unwrap_err().what.contains("another apply"));
    assert!(Ledger::open(data.path(), "b").unwrap().alone().is_ok());
    drop(alone);
    assert!(ledger.alone().is_ok());
}

#[test]
fn a_ledger_that_cannot_be_read_is_never_taken_for_an_empty_one() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("apply")).unwrap();
    std::fs::write(data.path().join("apply/a.json"), "[{").unwrap();
    assert!(Ledger::open(data.path(), "a").unwrap_err().what.contains("cannot be read"));
}

#[test]
fn what_was_made_again_under_the_same_name_is_not_ours() {
    let account = |created: &str| json!({ "systemData": { "createdAt": created } });
    let ours = entry(Kind::Account, "/a", mark(Kind::Account, &account("monday")).as_deref());
    assert!(ours.is_still(&account("monday")));
    assert!(!ours.is_still(&account("tuesday")));
    assert!(entry(Kind::ResourceGroup, "/g", None).is_still(&json!({})), "a group has no mark");
}

#[test]
fn roles_are_known_by_their_last_part() {
    let role = entry(Kind::RoleDefinition, "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/ABC", None);
    assert!(role.is(Kind::RoleDefinition, "/subscriptions/s/resourceGroups/g/providers/Microsoft.Authorization/roleDefinitions/abc"));
    assert!(!role.is(Kind::RoleAssignment, "/x/abc"));
    assert!(!entry(Kind::Account, "/a/x", None).is(Kind::Account, "/b/x"));
}
