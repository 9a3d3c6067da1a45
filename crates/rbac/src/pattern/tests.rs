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

impl Tally for usize {
    fn tried(&mut self) {
        *self += 1;
    }
}

/// How often a piece of the pattern is tried at a place of the action.
fn steps(pattern: &str, action: &str) -> usize {
    let mut steps = 0;
    let action = Action::parse(action).expect("well-formed");
    assert!(!Glob::compile(pattern).matches(action.bytes(), &mut steps), "{pattern}");
    steps
}

#[test]
fn fifty_stars_cost_no_more_than_the_actions_length_n124() {
    assert!(matches(&"*".repeat(50), &"a".repeat(MAX_BYTES)));
    // Backtracking would try C(255, 50) ways. Here no place is tried twice, however many stars there are.
    for pattern in [
        format!("{}*z*c", "*a".repeat(50)),
        format!("{}*b*c", "*a".repeat(50)),
        format!("{}*az*c", "*aa".repeat(50)),
        format!("{}*{}*c", "*a".repeat(50), "b".repeat(40)),
    ] {
        let hostile = format!("{}c", "a".repeat(MAX_BYTES - 1));
        assert!(steps(&pattern, &hostile) <= MAX_BYTES, "{pattern}: {}", steps(&pattern, &hostile));
    }
    // Where a star is a whole segment, neighbours may look at the slash between them twice.
    let (pattern, action) = (format!("m{}/*/z/*c", "/*/a".repeat(50)), format!("m{}/c", "/a".repeat(120)));
    assert!(steps(&pattern, &action) <= 2 * MAX_BYTES);
}
