use serde_json::json;

use super::*;
use crate::fake;

fn role(role: &str, scope: &str, permissions: serde_json::Value) -> Role {
    Role {
        role: role.into(),
        scope: scope.into(),
        assignment: "11111111-0000-4000-8000-000000000000".into(),
        through_group: None,
        permissions: serde_json::from_value(json!([permissions])).unwrap(),
    }
}

fn report_of(roles: Vec<Role>) -> String {
    let status = fake::status();
    let pairs = || roles.iter().map(|role| (role.scope.as_str(), role.permissions.as_slice()));
    let accounts =
        status.accounts.iter().map(|account| Account { name: account.name.clone(), allowed: Allowed::at(&account.id, pairs()) }).collect();
    let report = Report { identity: fake::identity("demo-app", '1'), tenant: status.tenant_id, accounts, roles };
    let text = shown(&report, None);
    anstream::adapter::strip_str(&text).to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_identity_its_roles_and_what_they_allow() {
    let account = &fake::status().accounts[0].id;
    let user = json!({ "dataActions": ["Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"] });
    let owner = role("Owner", "/subscriptions/s", json!({ "actions": ["*"] }));
    let group = Role { through_group: Some("g-1".into()), ..owner };
    insta::assert_snapshot!(report_of(vec![role("Cognitive Services OpenAI User", account, user), group]));
}

#[test]
fn no_role_is_said_in_words() {
    assert!(report_of(Vec::new()).contains("no role assigned: every call is refused"));
}

#[test]
fn scopes_are_shown_by_their_end() {
    let account = &fake::status().accounts[0].id;
    let shown =
        ["/", "/subscriptions/s", "/subscriptions/s/resourceGroups/demo", account, &format!("{account}/deployments/chat")].map(short_scope);
    assert_eq!(shown, ["everything", "the subscription", "resourceGroups/demo", "accounts/demo-ai", "demo-ai/deployments/chat"]);
}
