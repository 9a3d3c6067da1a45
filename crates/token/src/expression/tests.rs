//! The grammar, the semantics, and what is too wide.

use proptest::prelude::*;

use super::*;

fn claims(json: &str, expression: &str) -> bool {
    Expression::parse(expression).unwrap().matches(&Claims::parse(json.as_bytes()).unwrap())
}

const GITHUB: &str = r#"{"sub":"repo:my-org/my-repo:ref:refs/heads/main","job_workflow_ref":"my-org/ci/.github/workflows/deploy.yml@refs/heads/main","n":1}"#;

#[test]
fn eq_and_matches_and_and_do_what_they_say() {
    for good in [
        "claims['sub'] eq 'repo:my-org/my-repo:ref:refs/heads/main'",
        "claims['sub'] matches 'repo:my-org/*'",
        "  claims['sub']   matches   'repo:my-org/my-repo:ref:refs/heads/m??n'  ",
        "claims['sub'] matches 'repo:my-org/*:ref:*/main' and claims['job_workflow_ref'] matches 'my-org/*@refs/heads/main'",
        "claims['sub'] matches 'repo:my-org/my-repo:ref:refs/heads/main*'",
    ] {
        assert!(claims(GITHUB, good), "{good}");
    }
    for bad in [
        "claims['sub'] eq 'repo:my-org/*'",
        "claims['sub'] matches 'repo:my-org/'",
        "claims['sub'] matches 'repo:other/*'",
        "claims['sub'] matches 'repo:my-org/my-repo:ref:refs/heads/ma'",
        "claims['sub'] matches 'repo:My-org/*'",
        "claims['sub'] matches 'repo:my-org/*' and claims['absent'] eq 'x'",
        "claims['sub'] matches 'repo:my-org/*' and claims['n'] eq '1'",
        "claims['sub'] matches 'repo:my-org/*' and claims['job_workflow_ref'] eq 'x'",
    ] {
        assert!(!claims(GITHUB, bad), "{bad}");
    }
}

#[test]
fn expression_that_matches_everything_is_refused_n67() {
    for (text, claim) in [
        ("claims['sub'] matches '*'", "sub"),
        ("claims['sub'] matches '**'", "sub"),
        ("claims['sub'] matches '?*'", "sub"),
        ("claims['sub'] matches ''", "sub"),
        ("claims['sub'] eq 'x' and claims['ref'] matches '*'", "ref"),
    ] {
        assert_eq!(Expression::parse(text), Err(ExpressionError::MatchesEverything(claim.into())), "{text}");
    }
}

#[test]
fn expression_that_lets_in_strangers_of_a_shared_issuer_is_refused_n67() {
    for text in [
        "claims['sub'] matches 'repo:*'",
        "claims['sub'] matches 'repo:m*/x'",
        "claims['sub'] matches '*:ref:refs/heads/main'",
        "claims['sub'] matches '?epo:my-org/*'",
        "claims['sub'] eq ''",
        "claims['ref'] eq 'refs/heads/main'",
        "claims['job_workflow_ref'] matches 'my-org/ci/*'",
    ] {
        assert_eq!(Expression::parse(text), Err(ExpressionError::Unanchored), "{text}");
    }
}

#[test]
fn separators_that_name_nobody_do_not_anchor_a_pattern_i10_n67() {
    for pattern in [
        "spiffe://*",
        "sc://*",
        "https://*",
        "https://accounts.example/*",
        "https://accounts.example:8443/*",
        "https:///owner/*",
        "spiffe:///workload/*",
        "a::*",
        "::*",
        "repo://*",
        "//a/b/*",
        "repo:/x/*",
        ":repo:x:*",
    ] {
        assert_eq!(Expression::parse(&format!("claims['sub'] matches '{pattern}'")), Err(ExpressionError::Unanchored), "{pattern}");
    }
    for pattern in [
        "spiffe://corp.example/*",
        "sc://my-org/*",
        "https://accounts.example/my-org/*",
        "repo:my-org/*",
        "repo:my-org/x:ref:refs/heads/*",
        "project_path:my-group/*",
        "organization:my-org:*",
        "system:serviceaccount:*",
    ] {
        assert!(Expression::parse(&format!("claims['sub'] matches '{pattern}'")).is_ok(), "{pattern}");
    }
}

#[test]
fn anything_outside_the_grammar_is_refused() {
    for text in [
        "",
        " ",
        "*",
        "claims",
        "claims['sub']",
        "claims['sub'] eq",
        "claims['sub'] eq x",
        "claims['sub'] eq 'x",
        "claims['sub'] eq \"x\"",
        "claims[\"sub\"] eq 'x'",
        "claims[''] eq 'x'",
        "claims['s b'] eq 'x'",
        "claims['sub'] EQ 'x'",
        "claims['sub'] ne 'x'",
        "claims['sub']eq 'x'",
        "claims['sub'] eq'x'",
        "claims['sub'] eq 'x' or claims['a'] eq 'b'",
        "claims['sub'] eq 'x' and",
        "claims['sub'] eq 'x' claims['a'] eq 'b'",
        "claims['sub'] eq 'x' andclaims['a'] eq 'b'",
        "not claims['sub'] eq 'x'",
        "(claims['sub'] eq 'x')",
    ] {
        assert!(matches!(Expression::parse(text), Err(ExpressionError::Syntax { .. })), "{text}: {:?}", Expression::parse(text));
    }
    assert_eq!(Expression::parse("claims['sub'] eq 'x' and claims['sub'] eq 'y'"), Err(ExpressionError::Repeated("sub".into())));
    assert_eq!(Expression::parse(&format!("claims['sub'] eq '{}'", "x".repeat(1024))), Err(ExpressionError::TooLong));
    let many: Vec<String> = (0..11).map(|index| format!("claims['c{index}'] eq 'x'")).collect();
    assert_eq!(Expression::parse(&many.join(" and ")), Err(ExpressionError::TooLong));
}

#[test]
fn quote_within_a_value_is_doubled() {
    assert!(claims(r#"{"sub":"it's"}"#, "claims['sub'] eq 'it''s'"));
    assert!(claims(r#"{"sub":"'"}"#, "claims['sub'] eq ''''"));
}

#[test]
fn pattern_of_many_stars_costs_little() {
    let text = format!("claims['sub'] matches 'a:b/{}z'", "*a".repeat(400));
    let claim = format!(r#"{{"sub":"a:b/{}"}}"#, "a".repeat(4000));
    assert!(!claims(&claim, &text));
    let longer = format!(r#"{{"sub":"a:b/{}z"}}"#, "a".repeat(4096));
    assert!(!claims(&longer, "claims['sub'] matches 'a:b/*z'"), "a claim beyond the cap matches nothing");
}

/// The obvious recursive matcher.
fn naive(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => naive(rest, text) || (!text.is_empty() && naive(pattern, &text[1..])),
        (['?', rest @ ..], [_, others @ ..]) => naive(rest, others),
        ([letter, rest @ ..], [other, others @ ..]) => letter == other && naive(rest, others),
        _ => false,
    }
}

proptest! {
    #[test]
    fn wildcards_agree_with_the_naive_matcher(pattern in "[ab*?é]{0,8}", text in "[abé]{0,8}") {
        let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
        prop_assert_eq!(glob(&pattern, &text), naive(&p, &t));
    }
}
