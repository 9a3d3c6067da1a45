//! Who may do what, as a table that a reviewer reads as a diff.

#[path = "support/table.rs"]
mod table;

#[test]
fn built_in_roles_hold_exactly_the_reviewed_operations() {
    let (reviewed, actual) = (include_str!("matrix.txt"), table::render());
    let changed: Vec<String> = reviewed
        .lines()
        .zip(actual.lines())
        .filter(|(before, after)| before != after)
        .map(|(before, after)| format!("- {before}\n+ {after}"))
        .collect();
    assert!(reviewed == actual, "tests/matrix.txt is out of date; see its first lines\n{}", changed.join("\n"));
}
