//! Every screen at eighty columns, where an id that breaks in two can be neither read nor copied. Tests only.

/// Checks that no line is wider than a terminal unless it is one word, and that every word of the unfolded text is whole.
pub(super) fn check_at_eighty(name: &str, show: impl Fn(Option<usize>) -> String) {
    let plain = |columns| anstream::adapter::strip_str(&show(columns)).to_string();
    let (unfolded, folded) = (plain(None), plain(Some(80)));
    for line in folded.lines() {
        // What a backslash ends goes on in the next line.
        let words = line.trim_end_matches('\\').split_whitespace().count();
        assert!(line.chars().count() <= 80 || words <= 1, "{name}: {line}");
    }
    let whole: std::collections::HashSet<&str> = folded.split_whitespace().collect();
    let lost: Vec<&str> = unfolded.split_whitespace().filter(|word| !whole.contains(word)).collect();
    // The titles of columns are left out where there are no rows to stand under them.
    assert!(lost.iter().all(|word| word.len() < 16), "{name}: {lost:?} in\n{folded}");
}
