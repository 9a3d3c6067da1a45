use super::*;

const SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";

fn read((at, tail): (&'static str, &'static str), path: &str) -> Option<(String, Params)> {
    matches(at, tail, &segments(path)?)?.ok().map(|(scope, params)| (scope.as_str().to_owned(), params))
}

#[test]
fn literals_match_in_any_case_and_ids_get_azures_spelling() {
    let route = ("/subscriptions/{subscription}/resourceGroups/{group}", "");
    let (scope, params) = read(route, &format!("/SUBSCRIPTIONS/{SUBSCRIPTION}/resourcegroups/My-Rg")).unwrap();
    assert_eq!(scope, format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/My-Rg"));
    assert_eq!(params.named("group"), "My-Rg");
}

#[test]
fn doubled_slashes_collapse() {
    let route = ("/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.CognitiveServices/accounts/{a}", "");
    let path = format!("//subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/Microsoft.CognitiveServices//accounts/oai2");
    assert_eq!(read(route, &path).unwrap().1.named("a"), "oai2");
}

#[test]
fn an_extension_route_takes_any_scope_and_gives_it_azures_spelling() {
    let route = ("{*}", "/providers/Microsoft.Authorization/roleAssignments/{name}");
    let path = format!("/subscriptions/{SUBSCRIPTION}/RESOURCEGROUPS/rg/PROVIDERS/microsoft.authorization/roleassignments/x");
    assert_eq!(read(route, &path).unwrap().0, format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"));
    assert_eq!(read(route, "/providers/Microsoft.Authorization/roleAssignments/x").unwrap().0, "/");
}

#[test]
fn an_encoded_slash_or_dot_is_no_way_into_another_id() {
    let route = ("/subscriptions/{s}/resourceGroups/{g}", "");
    for name in ["a%2Fb", "%2e%2e", "a%00b", "a%20b", "%ff"] {
        let path = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}");
        assert!(read(route, &path).is_none(), "{name}");
    }
}

#[test]
fn only_our_own_paths_are_canonical() {
    assert_eq!(canonical("//Metadata/endpoints").as_deref(), Some("/metadata/endpoints"));
    assert_eq!(canonical("/SUBSCRIPTIONS//x").as_deref(), Some("/subscriptions/x"));
    assert_eq!(canonical("/metadata/identity/oauth2/token"), None);
    assert_eq!(canonical("/ai/demo"), None);
}
