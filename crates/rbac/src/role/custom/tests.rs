use keyless_model::{RoleId, Scope, Timestamp};

use super::*;

const SUBSCRIPTION: &str = "/subscriptions/11111111-1111-1111-1111-111111111111";

fn scope(text: &str) -> Scope {
    text.parse().expect("a well-formed scope")
}

fn role() -> RoleDefinition {
    RoleDefinition {
        id: RoleId::from_u128(1),
        role_name: "Model Caller".to_owned(),
        description: "Calls models".to_owned(),
        role_kind: RoleKind::CustomRole,
        permissions: vec![Permissions {
            actions: vec!["*/read".to_owned()],
            data_actions: vec!["Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action".to_owned()],
            ..Permissions::default()
        }],
        assignable_scopes: vec![scope(SUBSCRIPTION)],
        created: Timestamp::from_unix_secs(0),
        updated: Timestamp::from_unix_secs(0),
        updated_by: None,
    }
}

fn refusal(change: impl FnOnce(&mut RoleDefinition)) -> Option<RoleError> {
    let mut role = role();
    change(&mut role);
    validate_custom_role(&role).err()
}

#[test]
fn an_id_that_a_built_in_roles_condition_names_is_no_custom_roles_l7() {
    let named = builtin::roles().into_iter().flat_map(|role| role.permissions).filter_map(|block| block.condition);
    let condition = named.reduce(|all, one| all + &one).expect("roles that delegate");
    let guids: std::collections::BTreeSet<&str> =
        condition.split(|letter: char| !letter.is_ascii_hexdigit() && letter != '-').filter(|word| word.len() == 36).collect();
    assert!(guids.len() >= 5, "{guids:?}");
    for guid in guids {
        let id: RoleId = guid.parse().unwrap();
        assert_eq!(refusal(|role| role.id = id), Some(RoleError::Reserved(id)));
    }
}

#[test]
fn a_custom_role_within_the_rules_is_accepted() {
    assert_eq!(refusal(|_| ()), None);
    assert_eq!(refusal(|role| role.assignable_scopes.push(scope(&format!("{SUBSCRIPTION}/resourceGroups/rg")))), None);
    assert_eq!(refusal(|role| role.permissions[0].not_actions = vec!["Microsoft.Authorization/*/Write".to_owned()]), None);
}

#[test]
fn custom_role_with_data_actions_at_a_management_group_is_refused_n123() {
    let group = Scope::management_group("platform").expect("well-formed");
    let data = refusal(|role| role.assignable_scopes.push(group.clone()));
    assert_eq!(data, Some(RoleError::DataActionsAtManagementGroup(group.to_string())));
    let control = refusal(|role| {
        role.assignable_scopes.push(group.clone());
        role.permissions[0].data_actions.clear();
    });
    assert_eq!(control, None);
}

#[test]
fn assignable_scopes_outside_the_rules_are_refused() {
    assert_eq!(refusal(|role| role.assignable_scopes.clear()), Some(RoleError::NoScope));
    assert_eq!(refusal(|role| role.assignable_scopes = vec![Scope::root()]), Some(RoleError::Scope("/".to_owned())));
    let resource = format!("{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.X/ys/z");
    assert_eq!(refusal(|role| role.assignable_scopes = vec![scope(&resource)]), Some(RoleError::Scope(resource.clone())));
    let groups = ["a", "b"].map(|name| Scope::management_group(name).expect("well-formed"));
    assert_eq!(
        refusal(|role| {
            role.assignable_scopes = groups.to_vec();
            role.permissions[0].data_actions.clear();
        }),
        Some(RoleError::ManagementGroups)
    );
    assert_eq!(refusal(|role| role.assignable_scopes = vec![scope(SUBSCRIPTION); 2001]), Some(RoleError::TooManyScopes));
}

#[test]
fn malformed_patterns_are_refused() {
    let long = format!("Microsoft.X/{}", "a".repeat(MAX_BYTES));
    for pattern in ["", "read", "Microsoft.X//read", "Microsoft.X/y read", "Microsoft.X/y/", "microsoft/read", "Microsoft.X/y?/read", &long]
    {
        let refused = refusal(|role| role.permissions[0].not_data_actions = vec![pattern.to_owned()]);
        assert!(matches!(refused, Some(RoleError::Pattern { list: "notDataActions", .. })), "{pattern}: {refused:?}");
    }
    for pattern in ["*", "*/read", "Microsoft.*/read", "Microsoft.X/*", "Microsoft.X/*/read"] {
        assert_eq!(refusal(|role| role.permissions[0].actions = vec![pattern.to_owned()]), None, "{pattern}");
    }
}

#[test]
fn other_limits_hold() {
    assert_eq!(refusal(|role| role.role_kind = RoleKind::BuiltInRole), Some(RoleError::BuiltIn));
    assert_eq!(refusal(|role| role.role_name = " ".to_owned()), Some(RoleError::Name));
    assert_eq!(refusal(|role| role.role_name = "a".repeat(513)), Some(RoleError::Name));
    assert_eq!(refusal(|role| role.description = "a".repeat(2049)), Some(RoleError::Description));
    assert_eq!(refusal(|role| role.permissions.clear()), Some(RoleError::Blocks(0)));
    assert_eq!(refusal(|role| role.permissions.push(Permissions::default())), Some(RoleError::Blocks(2)));
    assert_eq!(refusal(|role| role.permissions = vec![Permissions::default()]), Some(RoleError::Empty));
    assert_eq!(refusal(|role| role.permissions[0].condition = Some("x".to_owned())), Some(RoleError::Condition));
    assert_eq!(refusal(|role| role.permissions[0].actions = vec!["*/read".to_owned(); 2001]), Some(RoleError::TooManyPatterns));
}
