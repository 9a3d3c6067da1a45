use super::*;
use crate::commands::apply::node::read;

pub(in crate::commands::apply) const SUBSCRIPTION: &str = "00000000-0000-4000-8000-00000000000b";
const TEAM_A: &str = include_str!("../../../../../../examples/apply/team-a.yaml");
const TEAM_B: &str = include_str!("../../../../../../examples/apply/team-b.toml");

fn catalog() -> Catalog {
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/demo/providers");
    let role = |name: &str, id: &str, kind: &str| json!({ "name": id, "properties": { "roleName": name, "type": kind } });
    Catalog {
        subscription: SUBSCRIPTION.to_owned(),
        groups: vec![json!({ "name": "demo", "id": format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/demo") })],
        accounts: vec![json!({ "name": "demo-ai", "id": format!("{group}/Microsoft.CognitiveServices/accounts/demo-ai") })],
        identities: vec![json!({
            "name": "demo-app",
            "id": format!("{group}/Microsoft.ManagedIdentity/userAssignedIdentities/demo-app"),
            "properties": { "principalId": "00000000-0000-4000-8000-0000000000aa" },
        })],
        roles: vec![
            role("Cognitive Services OpenAI User", "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", "BuiltInRole"),
            role("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7", "BuiltInRole"),
        ],
        people: BTreeMap::from([
            (Who::User("ada@x".to_owned()), vec!["00000000-0000-4000-8000-0000000000bb".to_owned()]),
            (Who::Group("twins".to_owned()), vec!["1".to_owned(), "2".to_owned()]),
            (Who::Application("gone".to_owned()), Vec::new()),
        ]),
    }
}

/// What files resolve to, and their problems as lines.
pub(in crate::commands::apply) fn resolved(files: &[(&str, &str)]) -> (Vec<Desired>, Vec<String>) {
    let problems = Problems::default();
    let mut declaration = Declaration::default();
    for (name, text) in files {
        declaration.add(&read(name, text).unwrap(), &problems);
    }
    declaration.check(&problems);
    let desired = resolve(&declaration, &catalog(), &problems, || "11111111-0000-4000-8000-000000000000".to_owned());
    let problems = problems.into_sorted();
    (desired, problems.iter().map(|problem| format!("{}: {} | {}", problem.at, problem.what, problem.next)).collect())
}

fn problems(text: &str) -> Vec<String> {
    resolved(&[("x.yaml", text)]).1
}

#[test]
fn the_examples_resolve() {
    let (desired, problems) = resolved(&[("team-a.yaml", TEAM_A)]);
    assert_eq!(problems, [""; 0]);
    let shown: Vec<String> = desired.iter().map(|one| format!("{}: {}", one.kind.words(), one.title)).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    resource group: team-a
    identity: summariser
    identity: team-a-ci
    federated credential: team-a-ci/github
    account: team-a-ai
    deployment: team-a-ai/chat
    deployment: team-a-ai/embed
    role: Chat only
    role assignment: Cognitive Services OpenAI User for summariser at team-a-ai
    role assignment: Chat only for team-a-ci at team-a-ai/chat
    ");
    let account = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/team-a/providers/Microsoft.CognitiveServices/accounts/team-a-ai");
    assert_eq!(desired[4].id, account);
    assert_eq!(desired[9].id, format!("{account}/deployments/chat"));
    assert!(desired[9].wanted["properties"]["roleDefinitionId"].as_str().unwrap().ends_with("/11111111-0000-4000-8000-000000000000"));
    assert!(desired[9].waits_for.as_ref().unwrap().ends_with("/userAssignedIdentities/team-a-ci"));

    // The second example stands on the first.
    let (both, problems) = resolved(&[("team-a.yaml", TEAM_A), ("team-b.toml", &TEAM_B.replace("\"team-b\"\n\n", "\"team-a\"\n\n"))]);
    assert_eq!((both.len(), problems), (desired.len() + 3, Vec::new()));
}

#[test]
fn what_exists_can_be_named_too() {
    let text = "roleAssignments:\n  - { role: reader, identity: Demo-App, scope: DEMO-AI/chat }\n  - { role: Reader, principalId: 00000000-0000-4000-8000-0000000000AA, scope: subscription }\n  - { role: Reader, identity: demo-app, scope: resourceGroups/demo }\n";
    let (desired, problems) = resolved(&[("x.yaml", text)]);
    assert_eq!(problems, [""; 0]);
    for (form, id) in [
        ("group/demo", &desired[2].id),
        ("accounts/demo-ai/deployments/chat", &desired[0].id),
        ("demo-ai/deployments/chat", &desired[0].id),
    ] {
        let grant = format!("roleAssignments:\n  - {{ role: reader, identity: Demo-App, scope: {form} }}\n");
        assert!(resolved(&[("x.yaml", &grant)]).0[0].id.eq_ignore_ascii_case(id), "{form}");
    }
    assert_eq!(desired[0].wanted["properties"]["principalId"], "00000000-0000-4000-8000-0000000000aa");
    assert!(desired[0].id.ends_with("/accounts/demo-ai/deployments/chat"));
    assert_eq!(desired[1].wanted["properties"]["principalId"], "00000000-0000-4000-8000-0000000000aa");
    assert_eq!(desired[1].id, format!("/subscriptions/{SUBSCRIPTION}"));
    assert!(desired.iter().all(|one| one.waits_for.is_none()));
}

#[test]
fn names_that_stand_for_nothing_are_refused_with_what_was_probably_meant() {
    let text = "roleAssignments:\n  - role: Readr\n    identity: demo-ap\n    scope: demo-a1\n  - { role: Reader, identity: demo-app, scope: resourceGroups/elsewhere }\n  - { role: Reader, identity: demo-app, scope: /nonsense }\n";
    insta::assert_snapshot!(problems(text).join("\n"), @r"
    x.yaml:2: there is no role `Readr`, in the files or in the system | did you mean `Reader`?
    x.yaml:3: there is no identity `demo-ap`, in the files or in the system | did you mean `demo-app`?
    x.yaml:4: there is no account `demo-a1`, in the files or in the system | did you mean `demo-ai`?
    x.yaml:5: there is no resource group `elsewhere`, in the files or in the system | declare it in the file, or correct the name
    x.yaml:6: `/nonsense` is no ARM id | write demo-ai (an account), demo-ai/chat (a deployment), group/demo, subscription, or an ARM id
    ");
}

#[test]
fn a_grant_at_a_deployment_that_the_files_do_not_declare_is_refused() {
    let text = TEAM_A.replace("scope: team-a-ai/chat", "scope: team-a-ai/chatt");
    let (_, problems) = resolved(&[("a.yaml", &text)]);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].ends_with("the files declare no deployment `team-a-ai/chatt` | did you mean `chat`?"), "{problems:?}");
}

#[test]
fn a_name_that_stands_for_several_is_refused() {
    let two = "resourceGroups:\n  - { name: a, accounts: [{ name: ai }] }\n  - { name: b, accounts: [{ name: ai }] }\nroleAssignments:\n  - { role: Reader, identity: demo-app, scope: ai }\n";
    assert_eq!(problems(two), ["x.yaml:5: there are several accounts named `ai` | write the ARM id of the one meant"]);
}

#[test]
fn what_is_declared_twice_is_refused() {
    let text = "name: a\nresourceGroups:\n  - name: g\n    identities: [{ name: app }, { name: APP }]\n  - name: G\nroleDefinitions:\n  - { roleName: R, assignableScopes: [subscription], actions: ['*/read'] }\n  - { roleName: r, assignableScopes: [subscription], actions: ['*/read'] }\nroleAssignments:\n  - { role: Reader, identity: demo-app, scope: demo-ai }\n  - { role: READER, identity: demo-app, scope: Demo-AI }\n";
    let found = problems(text);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.iter().all(|line| line.contains("twice")), "{found:?}");
    let (_, sets) = resolved(&[("a.yaml", "name: a\n"), ("b.yaml", "name: b\n")]);
    assert_eq!(sets, ["b.yaml:1: the files name different sets: `b` here, `a` at a.yaml:1 | apply different sets with a command each"]);
}

#[test]
fn unknown_fields_and_wrong_values_are_refused_all_at_once() {
    let text = "name: a\nresourceGroups:\n  - name: g\n    idenities: []\n    accounts:\n      - name: ai\n        disableLocalAuth: yes\n        apiKey: sk-123\n        networkAcls: { ipRules: [10.0.0] }\n        deployments:\n          - { name: chat, capacity: 0, model: { name: m, version: 1 } }\nextra: 1\n";
    insta::assert_snapshot!(problems(text).join("\n"));
}

#[test]
fn a_role_is_held_to_the_control_planes_rules() {
    let role = |rest: &str| problems(&format!("roleDefinitions:\n  - {{ roleName: R, assignableScopes: [subscription], {rest} }}\n"));
    assert_eq!(role("actions: ['*/read']"), [""; 0]);
    assert!(role("actions: ['nonsense']")[0].contains("is not an action pattern"));
    let built_in = problems("roleDefinitions:\n  - { roleName: reader, assignableScopes: [subscription] }\n");
    assert_eq!(built_in, ["x.yaml:2: `reader` is a built-in role | give your role another name"]);
}

#[test]
fn people_groups_and_applications_are_found_by_the_directory() {
    let grant = |who: &str| resolved(&[("x.yaml", &format!("roleAssignments:\n  - {{ role: Reader, {who}, scope: demo-ai }}\n"))]);
    let (desired, problems) = grant("user: ada@x");
    assert_eq!(
        (desired[0].wanted["properties"]["principalId"].as_str(), problems.len()),
        (Some("00000000-0000-4000-8000-0000000000bb"), 0)
    );
    assert_eq!(grant("group: twins").1, ["x.yaml:2: the directory has several named `twins` | give `principalId` of the one meant"]);
    assert!(grant("application: gone").1[0].contains("nobody named `gone`"));
    assert!(grant("user: ada@x, group: twins").1[0].contains("names several principals"));
    assert!(grant("description: x").1[0].contains("names no principal"));
}

#[test]
fn an_identity_by_its_id_must_exist_or_be_declared() {
    let text = "roleAssignments:\n  - { role: Reader, identity: /subscriptions/s/nobody, scope: demo-ai }\n";
    assert!(problems(text)[0].starts_with("x.yaml:2: there is no identity `/subscriptions/s/nobody`"));
}

#[test]
fn a_deny_assignment_names_principals_by_id_and_those_to_be_made_by_their_place() {
    let text = "
resourceGroups: [{ name: g, identities: [{ name: new }] }]
denyAssignments:
  - { denyAssignmentName: Frozen, scope: demo-ai, actions: ['*'], principals: [everyone], excludePrincipals: [{ identity: demo-app }, { identity: new }] }
";
    let (desired, problems) = resolved(&[("x.yaml", text)]);
    assert_eq!(problems, [""; 0]);
    let wanted = &desired.last().unwrap().wanted["properties"];
    assert_eq!(wanted["principals"], json!([{ "id": EVERYONE }]));
    let new = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/new");
    assert_eq!(wanted["excludePrincipals"], json!([{ "id": "00000000-0000-4000-8000-0000000000aa" }, { "id": new }]));
}

#[test]
fn what_denies_nothing_or_nobody_is_refused_with_its_line() {
    let deny = |fields: &str| problems(&format!("denyAssignments:\n  - {{ denyAssignmentName: Frozen, scope: demo-ai, {fields} }}"));
    for (fields, why) in [
        ("principals: [everyone]", "name at least one action"),
        ("actions: ['*']", "needs `principals`"),
        ("actions: [write], principals: [everyone]", "not an action pattern"),
        ("actions: ['*'], principals: [all]", "is a map of names"),
        ("actions: ['*'], principals: [{ user: bob@x }]", "nobody named `bob@x`"),
        ("actions: ['*'], principals: [everyone], excludePrincipals: [everyone]", "cannot exclude everyone"),
    ] {
        let told = deny(fields);
        assert!(told.iter().any(|line| line.starts_with("x.yaml:2: ") && line.contains(why)), "{fields}: {told:?}");
    }
    // What is no list is one problem and not two.
    let told = deny("actions: ['*'], principals: everyone");
    assert_eq!(told, ["x.yaml:2: `principals` of a deny assignment must be a list | write a list"]);
    let told = problems("roleDefinitions:\n  - { roleName: R, actions: ['*/read'], assignableScopes: subscription }\n");
    assert_eq!(told, ["x.yaml:2: `assignableScopes` of a role must be a list | write a list"]);
    let twice = "  - { denyAssignmentName: Frozen, scope: demo-ai, actions: ['*'], principals: [everyone] }\n";
    assert!(problems(&format!("denyAssignments:\n{twice}{twice}"))[0].contains("declared twice"));
}
