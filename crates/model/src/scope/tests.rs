use proptest::prelude::*;

use super::*;

const SUB: &str = "/subscriptions/00000000-0000-0000-0000-000000000001";

fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

#[test]
fn kinds_are_told_apart() {
    for (text, kind) in [
        ("/", ScopeKind::Root),
        ("/providers/Microsoft.Management/managementGroups/mg1", ScopeKind::ManagementGroup),
        (SUB, ScopeKind::Subscription),
        (&format!("{SUB}/resourcegroups/rg"), ScopeKind::ResourceGroup),
        (&format!("{SUB}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/a"), ScopeKind::Resource),
        (&format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/r"), ScopeKind::Resource),
    ] {
        assert_eq!(scope(text).kind(), kind, "{text}");
    }
}

#[test]
fn parent_covers_child_by_whole_segments_n108() {
    let rg1 = scope(&format!("{SUB}/resourceGroups/rg1"));
    assert!(rg1.covers(&scope(&format!("{SUB}/resourceGroups/rg1/providers/Microsoft.X/y/z"))));
    assert!(!rg1.covers(&scope(&format!("{SUB}/resourceGroups/rg10"))));
    assert!(!rg1.covers(&scope(SUB)));
    assert!(Scope::root().covers(&rg1) && Scope::root().covers(&Scope::root()));
}

#[test]
fn case_does_not_matter_n109() {
    let a = scope(&format!("{SUB}/resourceGroups/RG/providers/microsoft.cognitiveservices/Accounts/Ai"));
    let b = scope(&format!("{SUB}/resourcegroups/rg//providers/Microsoft.CognitiveServices//accounts/ai/"));
    assert_eq!(a, b);
    assert!(a.is_type("Microsoft.CognitiveServices/accounts"));
    assert_eq!(b.resource_group(), Some("rg"));
}

#[test]
fn chain_runs_from_the_resource_to_the_root() {
    let deployment = scope(&format!("{SUB}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/a/deployments/d"));
    let chain: Vec<&str> = deployment.chain().collect();
    let account = format!("{SUB}/resourcegroups/rg/providers/microsoft.cognitiveservices/accounts/a");
    assert_eq!(chain, [format!("{account}/deployments/d").as_str(), &account, &format!("{SUB}/resourcegroups/rg"), SUB, ""]);
    assert_eq!(deployment.parent().unwrap().as_str(), format!("{SUB}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/a"));
    assert_eq!(deployment.name(), "d");
    assert_eq!(deployment.resource_type().unwrap(), "Microsoft.CognitiveServices/accounts/deployments");
}

#[test]
fn an_extension_resource_hangs_below_its_target() {
    let account = scope(&format!("{SUB}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/a"));
    let assignment = account.join("providers/Microsoft.Authorization/roleAssignments/x").unwrap();
    assert_eq!(assignment.parent().unwrap(), account);
    assert!(account.covers(&assignment));
}

#[test]
fn what_is_no_arm_id_is_refused() {
    for bad in [
        "",
        "subscriptions",
        "rg",
        "/subscriptions",
        "/subscriptions/me",
        &format!("{SUB}/resourceGroups"),
        &format!("{SUB}/things/x"),
        &format!("{SUB}/providers/Microsoft.X"),
        &format!("{SUB}/providers/Microsoft.X/y"),
        &format!("{SUB}/resourceGroups/.."),
        &format!("{SUB}/resourceGroups/a b"),
        &format!("{SUB}/resourceGroups/a%2fb"),
        &format!("{SUB}/resourceGroups/a\nb"),
        &format!("{SUB}/resourceGroups/é"),
        &format!("/{}", "a/".repeat(3000)),
    ] {
        assert!(bad.parse::<Scope>().is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_parses_or_is_refused_without_panic(text in ".{0,300}") {
        if let Ok(parsed) = text.parse::<Scope>() {
            prop_assert_eq!(parsed.as_str().parse::<Scope>().unwrap(), parsed.clone());
            prop_assert!(parsed.chain().count() <= MAX_SEGMENTS);
            prop_assert!(Scope::root().covers(&parsed));
        }
    }

    #[test]
    fn covering_is_what_the_chain_says(a in 0usize..4, b in 0usize..4) {
        let ladder = [SUB.to_owned(), format!("{SUB}/resourceGroups/rg"), format!("{SUB}/resourceGroups/rg/providers/M.C/accounts/a"), format!("{SUB}/resourceGroups/rg/providers/M.C/accounts/a/deployments/d")];
        let (upper, lower) = (scope(&ladder[a]), scope(&ladder[b]));
        prop_assert_eq!(upper.covers(&lower), lower.chain().any(|link| link == upper.folded()));
        prop_assert_eq!(upper.covers(&lower), a <= b);
    }
}
