use std::time::Instant;

use super::*;

fn matches(pattern: &str, action: &str) -> bool {
    PatternSet::compile([pattern]).matches(&Action::parse(action).expect("the action is well-formed"))
}

#[test]
fn patterns_match_as_azure_reads_them() {
    for (pattern, action, expected) in [
        ("*", "Microsoft.X/y/read", true),
        ("**", "Microsoft.X/y/read", true),
        ("", "Microsoft.X/y/read", false),
        ("*/read", "Microsoft.X/y/read", true),
        ("*/read", "Microsoft.X/y/readall", false),
        ("Microsoft.X/*", "microsoft.x/y/write", true),
        ("Microsoft.X/*", "Microsoft.Xy/y/write", false),
        ("Microsoft.X/*", "Microsoft.X/", true),
        ("Microsoft.X/*/read", "Microsoft.X/a/b/c/read", true),
        ("Microsoft.X/*/read", "Microsoft.X/a/b/c/write", false),
        ("Microsoft.X/Y/Read", "mICROSOFT.x/y/rEAD", true),
        ("Microsoft.X/y/read", "Microsoft.X/y/read/z", false),
        ("Microsoft.X/y/re*", "Microsoft.X/y/read", true),
        ("*.X/*/key*/action", "Microsoft.X/accounts/keyring/action", true),
        ("*.X/*/key*/action", "Microsoft.X/accounts/ring/action", false),
        ("a*b*a", "aba", true),
        ("a*b*a", "ab", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("ab*ab*ab", "abab", false),
    ] {
        assert_eq!(matches(pattern, action), expected, "{pattern} on {action}");
    }
}

#[test]
fn a_star_that_is_a_segment_may_be_no_segment() {
    for (pattern, action, expected) in [
        ("M/identities/*/assign/action", "M/identities/assign/action", true),
        ("M/identities/*/assign/action", "M/identities/x/assign/action", true),
        ("M/workspaces/*/write", "M/workspaces/write", true),
        ("M/workspaces/*/write", "M/workspacesX/write", false),
        ("M/*/b/*/c", "M/b/c", true),
        ("M/*/b/*/c", "M/bc", false),
        ("M/a*/c", "M/a/c", true),
        ("M/a*/c", "M/c", false),
        ("M/*a/c", "M/a/c", true),
    ] {
        assert_eq!(matches(pattern, action), expected, "{pattern} on {action}");
    }
}

#[test]
fn texts_that_name_no_operation_are_no_actions() {
    for text in ["", "*", "Microsoft.X/*", "a b", "a\n", "a\0", "ä/read", &"a".repeat(MAX_BYTES + 1)] {
        assert!(Action::parse(text).is_none(), "{text:?}");
    }
    assert!(Action::parse(&"a".repeat(MAX_BYTES)).is_some());
}

#[test]
fn fifty_stars_cost_no_more_than_their_length_n124() {
    let stars = "*".repeat(50);
    let hostile = format!("{}b", "*a".repeat(50));
    let action = format!("{}c", "a".repeat(MAX_BYTES - 1));
    assert!(matches(&stars, &action));
    let (set, action) = (PatternSet::compile([hostile.as_str()]), Action::parse(&action).expect("well-formed"));
    // Backtracking would try C(255, 50) ways. 100 us each, on a busy machine and without optimisation, is a hundred times what one
    // pass takes.
    let (start, rounds) = (Instant::now(), 1_000);
    for _ in 0..rounds {
        assert!(!std::hint::black_box(&set).matches(std::hint::black_box(&action)));
    }
    let each = start.elapsed() / rounds;
    assert!(each.as_micros() < 100, "one match took {each:?}");
}
