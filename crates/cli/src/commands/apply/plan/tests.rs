use serde_json::json;

use super::*;
use crate::commands::apply::desired::tests::resolved;

/// An account as the control plane shows it.
fn account() -> Value {
    json!({
        "id": "/subscriptions/s/resourceGroups/G/providers/Microsoft.CognitiveServices/accounts/AI", "name": "AI", "kind": "OpenAI",
        "location": "local", "etag": "\"7\"", "sku": { "name": "S0" }, "tags": { "team": "a", "old": "yes" },
        "properties": {
            "disableLocalAuth": true, "publicNetworkAccess": "Enabled", "endpoint": "https://localhost/ai/ai/",
            "networkAcls": { "defaultAction": "Deny", "ipRules": [{ "value": "10.0.0.1" }, { "value": "::1" }], "virtualNetworkRules": [{ "id": "/v" }] },
        },
    })
}

/// The account as one file declares it; `fields` are its own.
fn desired(fields: &str) -> Desired {
    let text = format!("resourceGroups:\n  - name: G\n    accounts:\n      - {{ name: AI, {fields} }}\n");
    let (desired, problems) = resolved(&[("x.yaml", &text)]);
    assert_eq!(problems, [""; 0]);
    desired.into_iter().find(|one| one.kind == Kind::Account).unwrap()
}

fn changed(fields: &str) -> Change {
    change(&desired(fields), Some(&account()), &Problems::default()).unwrap()
}

fn lines(change: &Change) -> Vec<String> {
    change.properties.iter().map(|one| format!("{}: {} -> {}", one.property, plain(&one.from), plain(&one.to))).collect()
}

#[test]
fn what_is_as_declared_is_left_whatever_else_it_has() {
    for fields in [
        "kind: openai",
        "disableLocalAuth: true, location: LOCAL",
        "networkAcls: { defaultAction: deny, ipRules: ['::1', 10.0.0.1] }",
        "tags: { old: 'yes', team: a }",
    ] {
        let change = changed(fields);
        assert_eq!((change.action, lines(&change)), (Action::Unchanged, Vec::new()), "{fields}");
    }
}

#[test]
fn a_difference_is_an_update_of_what_the_file_says_and_nothing_else() {
    let change = changed("disableLocalAuth: false, networkAcls: { defaultAction: Deny, ipRules: ['::1'] }");
    assert_eq!(change.action, Action::Update);
    assert_eq!(lines(&change), ["disableLocalAuth: true -> false", "networkAcls.ipRules: 10.0.0.1, ::1 -> ::1"]);
    assert_eq!(change.etag.as_deref(), Some("\"7\""));
    assert_eq!(change.id, account()["id"], "the system's spelling");
    assert_eq!(
        change.body["properties"]["networkAcls"]["virtualNetworkRules"],
        json!([{ "id": "/v" }]),
        "kept, though the list is replaced"
    );
    assert!(change.body.get("tags").is_none() && change.body["properties"].get("publicNetworkAccess").is_none());
}

#[test]
fn tags_are_stated_whole() {
    assert_eq!(lines(&changed("tags: { team: b }")), ["tags.team: a -> b", "tags.old: yes -> nothing"]);
}

#[test]
fn what_cannot_be_changed_is_refused_before_anything_is() {
    let problems = Problems::default();
    assert!(change(&desired("location: mars"), Some(&account()), &problems).is_none());
    let problems = problems.into_sorted();
    assert_eq!(problems[0].what, "the location of `AI` is local and cannot become mars");
    assert_eq!(problems[0].at.to_string(), "x.yaml:4");
}

#[test]
fn what_is_missing_is_created_with_what_a_creation_needs() {
    let change = change(&desired("disableLocalAuth: true"), None, &Problems::default()).unwrap();
    assert_eq!(change.action, Action::Create);
    assert_eq!(lines(&change), ["kind: nothing -> OpenAI", "disableLocalAuth: nothing -> true", "sku.name: nothing -> S0"]);
    assert_eq!(change.body, json!({ "kind": "OpenAI", "sku": { "name": "S0" }, "properties": { "disableLocalAuth": true } }));
}

#[test]
fn an_assignment_keeps_what_its_declaration_leaves_out() {
    let text = "roleAssignments:\n  - { role: Reader, identity: demo-app, scope: demo-ai, description: new }\n";
    let (desired, _) = resolved(&[("x.yaml", text)]);
    let [desired] = desired.as_slice() else { panic!() };
    let mut current = json!({ "id": "/x/roleAssignments/1", "properties": desired.wanted["properties"] });
    current["properties"]["description"] = "old".into();
    current["properties"]["condition"] = "C".into();
    let change = change(desired, Some(&current), &Problems::default()).unwrap();
    assert_eq!(lines(&change), ["description: old -> new"]);
    assert_eq!((&change.body["properties"]["condition"], &change.body["properties"]["description"]), (&json!("C"), &json!("new")));
}

fn credential(action: Action, identity: &str, name: &str, subject: &str) -> Change {
    Change {
        action,
        kind: Kind::FederatedCredential,
        title: format!("{identity}/{name}"),
        id: format!("/i/{identity}/federatedIdentityCredentials/{name}"),
        properties: Vec::new(),
        takes_along: Vec::new(),
        body: json!({ "properties": { "issuer": "https://i", "subject": subject } }),
        etag: None,
        waits_for: None,
    }
}

#[test]
fn deletions_come_last_but_for_a_trust_that_cannot_exist_twice() {
    let wanted = [credential(Action::Create, "app", "new-name", "main")];
    let deletions = [
        credential(Action::Delete, "app", "old-name", "main"),
        credential(Action::Delete, "app", "other", "x"),
        credential(Action::Delete, "ci", "old", "main"),
    ];
    let order: Vec<&str> = ordered(&wanted, &deletions).iter().map(|change| change.title.as_str()).collect();
    assert_eq!(order, ["app/old-name", "app/new-name", "app/other", "ci/old"]);
}
