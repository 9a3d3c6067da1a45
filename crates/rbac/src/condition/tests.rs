use super::*;
use crate::AttributeSource::{Environment, Principal, Request, Resource};

const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";

fn truth(condition: &str, action: &str, attributes: &Attributes) -> Truth {
    let condition = parse(condition).unwrap_or_else(|error| panic!("{condition}: {error}"));
    condition.truth(&Action::parse(action).expect("well-formed"), attributes)
}

/// The truth of a comparison over `@Request[a]` = `values`.
fn over(values: &[&str], rest: &str) -> Truth {
    let attributes = Attributes::default().with(Request, "a", values.iter().copied());
    truth(&format!("@Request[A] {rest}"), "M.X/y/read", &attributes)
}

#[test]
fn delegation_conditions_that_azure_writes_are_read_and_hold() {
    let condition = format!(
        "(\n (\n  !(ActionMatches{{'{WRITE}'}})\n )\n OR \n (\n  @Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] \
         ForAnyOfAnyValues:GuidEquals {{{READER}, b24988ac-6180-42a0-ab88-20f7382dd24c}}\n  AND\n  \
         @Request[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'User'}}\n )\n)"
    );
    let asked = |role: &str, kind: &str| {
        Attributes::default().with(Request, "Microsoft.Authorization/roleAssignments:RoleDefinitionId", [role]).with(
            Request,
            "Microsoft.Authorization/roleAssignments:PrincipalType",
            [kind],
        )
    };
    assert_eq!(truth(&condition, WRITE, &asked(READER, "user")), Truth::True);
    assert_eq!(truth(&condition, WRITE, &asked(OWNER, "User")), Truth::False);
    assert_eq!(truth(&condition, WRITE, &asked(READER, "Group")), Truth::False);
    assert_eq!(truth(&condition, WRITE, Attributes::NONE), Truth::Unknown);
    assert_eq!(truth(&condition, "Microsoft.Authorization/roleAssignments/read", Attributes::NONE), Truth::True);
}

#[test]
fn operators_compare_as_named() {
    use Truth::{False, True};
    for (values, rest, expected) in [
        (["x"], "StringEquals 'x'", True),
        (["x"], "StringEquals 'X'", False),
        (["x"], "StringNotEquals 'X'", True),
        (["x"], "StringEqualsIgnoreCase 'X'", True),
        (["x"], "StringNotEqualsIgnoreCase 'X'", False),
        (["dev-1"], "StringLike 'dev-?'", True),
        (["dev-12"], "StringLike 'dev-?'", False),
        (["dev-12"], "StringLike 'd*-*2'", True),
        (["dev-12"], "StringNotLike 'prod*'", True),
        (["dev-12"], "StringStartsWith 'dev'", True),
        (["dev-12"], "StringStartsWith 'Dev'", False),
        (["dev-12"], "StringNotStartsWith 'dev'", False),
        ([READER], &format!("GuidEquals {READER}"), True),
        ([READER], &format!("GuidEquals{{'{}'}}", READER.to_uppercase()), True),
        ([READER], &format!("GuidNotEquals {OWNER}"), True),
    ] {
        assert_eq!(over(&values, rest), expected, "{rest}");
    }
    let yes = Attributes::default().with(Environment, "isPrivateLink", [true]);
    assert_eq!(truth("@Environment[isPrivateLink] BoolEquals true", "M.X/read", &yes), Truth::True);
    assert_eq!(truth("@Environment[isPrivateLink] BoolNotEquals True", "M.X/read", &yes), Truth::False);
    let text = Attributes::default().with(Environment, "isPrivateLink", ["true"]);
    assert_eq!(truth("@Environment[isPrivateLink] BoolEquals true", "M.X/read", &text), Truth::Unknown);
}

#[test]
fn cross_products_follow_their_quantifiers() {
    use Truth::{False, True, Unknown};
    for (values, rest, expected) in [
        (&["a", "b"][..], "ForAnyOfAnyValues:StringEquals {'b', 'c'}", True),
        (&["a"], "ForAnyOfAnyValues:StringEquals {'b', 'c'}", False),
        (&["a", "b"], "ForAllOfAnyValues:StringEquals {'a', 'b', 'c'}", True),
        (&["a", "d"], "ForAllOfAnyValues:StringEquals {'a', 'b', 'c'}", False),
        (&["a", "b"], "ForAnyOfAllValues:StringNotEquals {'b', 'c'}", True),
        (&["b"], "ForAnyOfAllValues:StringNotEquals {'b', 'c'}", False),
        (&["a", "b"], "ForAllOfAllValues:StringNotEquals {'c', 'd'}", True),
        (&["a", "c"], "ForAllOfAllValues:StringNotEquals {'c', 'd'}", False),
        (&[], "ForAllOfAllValues:StringNotEquals {'c', 'd'}", Unknown),
        // without a quantifier, one of several values cannot be meant
        (&["a", "b"], "StringEquals 'a'", Unknown),
        (&["no-guid"], "ForAnyOfAnyValues:GuidEquals {acdd72a7-3385-48ef-bd42-f606fba81ae7}", Unknown),
    ] {
        assert_eq!(over(values, rest), expected, "{values:?} {rest}");
    }
    let both = Attributes::default().with(Resource, "project", ["x"]).with(Principal, "project", ["x", "y"]);
    assert_eq!(truth("@Principal[project] ForAnyOfAnyValues:StringEquals @Resource[project]", "M.X/read", &both), True);
    assert_eq!(truth("@Principal[project] ForAllOfAnyValues:StringEquals @Resource[project]", "M.X/read", &both), False);
}

#[test]
fn a_missing_attribute_never_grants_however_it_is_negated_n118() {
    for condition in [
        "@Request[x] StringEquals 'y'",
        "@Request[x] StringNotEquals 'y'",
        "!(@Request[x] StringEquals 'y')",
        "NOT (NOT (@Request[x] StringEquals 'y'))",
        "!(@Request[x] ForAllOfAllValues:StringNotEquals {'y'})",
        "@Request[x] StringEquals @Resource[y]",
        "!(@Request[x] StringEquals 'y' AND ActionMatches{'*'})",
    ] {
        assert_eq!(truth(condition, "M.X/read", Attributes::NONE), Truth::Unknown, "{condition}");
    }
    assert_eq!(truth("Exists @Request[x]", "M.X/read", Attributes::NONE), Truth::False);
    assert_eq!(truth("NOT Exists @Request[x]", "M.X/read", Attributes::NONE), Truth::True);
    assert_eq!(truth("NOT Exists @Request[x] OR @Request[x] StringEquals 'y'", "M.X/read", Attributes::NONE), Truth::True);
}

#[test]
fn unknown_spreads_only_where_it_matters() {
    let missing = "@Request[x] StringEquals 'y'";
    assert_eq!(truth(&format!("ActionMatches{{'*/read'}} OR {missing}"), "M.X/read", Attributes::NONE), Truth::True);
    assert_eq!(truth(&format!("{missing} AND ActionMatches{{'*/write'}}"), "M.X/read", Attributes::NONE), Truth::False);
    assert_eq!(truth(&format!("{missing} || ActionMatches{{'*/write'}}"), "M.X/read", Attributes::NONE), Truth::Unknown);
    assert_eq!(truth(&format!("{missing} && ActionMatches{{'*/read', 'x'}}"), "M.X/read", Attributes::NONE), Truth::Unknown);
}

#[test]
fn what_cannot_be_enforced_is_refused_with_its_place_n118() {
    let deep = format!("{}ActionMatches{{'*'}}{}", "(".repeat(40), ")".repeat(40));
    let long = format!("ActionMatches{{'{}'}}", "a".repeat(MAX_BYTES));
    for (condition, at, why) in [
        ("", 0, "condition ends"),
        ("()", 1, "expected an expression"),
        ("ActionMatches", 13, "expected `{`"),
        ("ActionMatches{}", 14, "expected an action in quotes"),
        ("ActionMatches{'a b'}", 14, "not an action pattern"),
        ("ActionMatches{'*'} trailing", 19, "after the condition's end"),
        ("ActionMatches{'*'} AND ActionMatches{'*'} OR ActionMatches{'*'}", 42, "parentheses"),
        ("!(ActionMatches{'*'} AND SubOperationMatches{'Blob.List'})", 25, "SubOperationMatches is not supported"),
        ("@Request[x] NumericEquals 5", 12, "`NumericEquals` is not supported"),
        ("@Environment[UtcNow] DateTimeGreaterThan '2023-05-01T13:00:00.0Z'", 21, "not supported"),
        ("@Request[x] ForEachOfAnyValues:StringEquals 'y'", 12, "not supported"),
        ("@Request[x] StringEquals y", 25, "a text in single quotes"),
        ("@Request[x] StringEquals {'y', 'z'}", 25, "ForAnyOfAnyValues"),
        ("@Request[x] StringEquals 'y", 25, "no end"),
        ("@Request[x] StringEquals 'a\\'b'", 25, "escapes"),
        ("@Request[x] GuidEquals 'y'", 23, "a GUID"),
        ("@Request[x] GuidEquals {acdd72a7338548efbd42f606fba81ae7}", 24, "a GUID"),
        ("@Request[x] BoolEquals 'true'", 23, "`true` or `false`"),
        ("@Request[tags:Project<$key_case_sensitive$>] StringEquals 'y'", 0, "attribute's name"),
        ("@Request[] StringEquals 'y'", 0, "attribute's name"),
        ("@Request[x StringEquals 'y'", 0, "no end"),
        ("@Context[x] StringEquals 'y'", 0, "expected @Request"),
        ("'y' StringEquals @Request[x]", 0, "expected an expression"),
        ("Exists 'x'", 7, "expected an attribute"),
        ("ActionMatches{'*'} & ActionMatches{'*'}", 19, "`&` has no meaning"),
        ("ActionMatches{'*'} \u{202e}", 19, "has no meaning"),
        (deep.as_str(), 32, "deeper than 32"),
        (long.as_str(), MAX_BYTES, "8 KB"),
    ] {
        let error = parse(condition).expect_err(condition);
        assert_eq!(error.at, at, "{condition}: {error}");
        assert!(error.to_string().contains(why), "{condition}: {error}");
    }
}

#[test]
fn attributes_looked_at_can_be_listed() {
    let condition = parse("Exists @Request[A] AND !(@Resource[B] StringEquals @Principal[C])").expect("well-formed");
    assert_eq!(condition.attributes(), [(Request, "a"), (Resource, "b"), (Principal, "c")]);
}
