//! ARM ids: what parses has one meaning, whatever its case, and covers exactly what lies below it.

use keyless_model::{Scope, ScopeKind};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.splitn(2, '\n');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Ok(scope) = first.parse::<Scope>() else { return };

    let again: Scope = scope.as_str().parse().expect("what was parsed is written so that it parses");
    assert_eq!(again, scope, "writing changes the meaning");
    let folded: Scope = scope.as_str().to_ascii_lowercase().parse().expect("case does not matter");
    assert_eq!(folded, scope, "case changes the meaning");
    let shouted: Scope = scope.as_str().to_ascii_uppercase().parse().expect("case does not matter");
    assert_eq!(shouted, scope, "case changes the meaning");
    assert!(scope.covers(&scope) && Scope::root().covers(&scope));

    let chain: Vec<&str> = scope.chain().collect();
    assert_eq!(chain.first(), Some(&scope.folded()));
    assert_eq!(chain.last(), Some(&""), "the root is above everything");
    for pair in chain.windows(2) {
        assert!(pair[0].len() > pair[1].len() && pair[0].starts_with(pair[1]), "a parent that is no prefix: {pair:?}");
    }
    match scope.parent() {
        Some(parent) => assert!(parent.covers(&scope) && !scope.covers(&parent), "{parent:?} and {scope:?}"),
        None => assert_eq!(scope.kind(), ScopeKind::Root),
    }

    let Ok(other) = second.parse::<Scope>() else { return };
    let segments = |scope: &Scope| scope.folded().split('/').skip(1).map(str::to_owned).collect::<Vec<_>>();
    let by_segments = segments(&other).starts_with(&segments(&scope));
    assert_eq!(scope.covers(&other), by_segments, "{scope:?} over {other:?}");
}
