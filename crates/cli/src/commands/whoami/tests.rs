use super::*;
use crate::fake;

fn role(role: &str, scope: &str) -> Role {
    Role {
        role: role.into(),
        scope: scope.into(),
        assignment: "11111111-0000-4000-8000-000000000000".into(),
        through_group: None,
        condition: None,
    }
}

fn report_of(roles: Vec<Role>, allowed: &Allowed) -> String {
    let status = fake::status();
    let accounts = status.accounts.iter().map(|account| Account { name: account.name.clone(), allowed: allowed.clone() }).collect();
    let report = Report { identity: Subject::from(&fake::identity("demo-app", '1')), tenant: status.tenant_id, accounts, roles };
    let text = shown(&report, None);
    anstream::adapter::strip_str(&text).to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_identity_its_roles_and_what_they_allow() {
    let account = &fake::status().accounts[0].id;
    let group = Role { through_group: Some("g-1".into()), ..role("Owner", "/subscriptions/s") };
    let all = Allowed { call_models: true, manage: true, read_keys: true, give_roles: true, deployments: Vec::new() };
    insta::assert_snapshot!(report_of(vec![role("Cognitive Services OpenAI User", account), group], &all));
}

#[test]
fn a_role_under_a_condition_and_a_single_deployment_are_said() {
    let delegated = Role { condition: Some("…".into()), ..role("Role Based Access Control Administrator", "/subscriptions/s") };
    let text = report_of(vec![delegated], &Allowed { deployments: vec!["chat".into()], ..Allowed::default() });
    assert!(text.contains("subscription where its condition is met") && text.contains("only chat"), "{text}");
}

#[test]
fn no_role_is_said_in_words() {
    assert!(report_of(Vec::new(), &Allowed::default()).contains("no role assigned: every call is refused"));
}

#[test]
fn whoami_fits_eighty_columns_u13() {
    let status = fake::status();
    let id = &status.accounts[0].id;
    let roles = || vec![role("Cognitive Services OpenAI User", &format!("{id}/deployments/chat")), role("Owner", "/")];
    let accounts = || vec![Account { name: "demo-ai".into(), allowed: Allowed { deployments: vec!["chat".into()], ..Allowed::default() } }];
    let tenant = || status.tenant_id.clone();
    super::super::screens::check_at_eighty("whoami", |columns| {
        let identity = Subject::from(&fake::identity("demo-app", '1'));
        shown(&Report { identity, tenant: tenant(), accounts: accounts(), roles: roles() }, columns)
    });
}
