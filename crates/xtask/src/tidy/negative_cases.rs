//! The list of attacks and misuses that must be refused, case by case: each has a test that carries its number (`…_n42`), or its row in
//! the table says why there is none.
//!
//! It does not know what a test tests; it knows names, and that a name in the table stands for a test that exists.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::source_file::SourceFile;

/// The table, relative to the root.
pub(super) const TABLE: &str = "docs/security/negative-cases.md";

/// The numbers of the list.
const CASES: std::ops::RangeInclusive<u32> = 1..=133;

/// Tests by their path, such as `token::it::access::unsigned_token_is_refused_n1`, with the cases that they cover.
type Tests = BTreeMap<String, BTreeSet<u32>>;

/// Rows and tests that do not fit each other.
pub(super) fn check(table: &str, files: &[SourceFile]) -> Vec<Problem> {
    let tests: Tests = files.iter().flat_map(tests_of).collect();
    let covered: BTreeSet<u32> = tests.values().flatten().copied().collect();
    let mut problems: Vec<Problem> = tests
        .iter()
        .filter(|(_, cases)| cases.iter().any(|case| !CASES.contains(case)))
        .map(|(path, _)| Problem::new(path, "the number of a case that is not on the list", "give it the number of the case it tests"))
        .collect();
    let mut rows: BTreeMap<u32, &str> = BTreeMap::new();
    for (case, row) in table.lines().filter_map(row) {
        if rows.insert(case, row).is_some() || !CASES.contains(&case) {
            problems.push(problem(case, "is not on the list, or has two rows", "give each case one row"));
        }
    }
    for case in CASES {
        let Some(row) = rows.get(&case) else {
            problems.push(problem(case, "has no row", "add one with its test, or with the reason why there is none"));
            continue;
        };
        let named = named_tests(row);
        for path in &named {
            if !tests.get(*path).is_some_and(|cases| cases.contains(&case)) {
                problems.push(problem(case, &format!("names `{path}`, and no test of that name covers it"), "correct the name"));
            }
        }
        match (named.is_empty(), covered.contains(&case)) {
            (true, true) => problems.push(problem(case, "has tests, and its row names none", "name the one that shows it best")),
            (true, false) if reason(row).is_none() => {
                problems.push(problem(case, "has neither a test nor a reason", "write the test, or after `no test: ` the reason"));
            }
            _ => {}
        }
    }
    problems
}

fn problem(case: u32, what: &str, remedy: &'static str) -> Problem {
    Problem::new(TABLE, format!("case {case} {what}"), remedy)
}

/// The number of a row, and its last column.
fn row(line: &str) -> Option<(u32, &str)> {
    let cells: Vec<&str> = line.strip_prefix('|')?.trim_end().strip_suffix('|')?.split(" | ").collect();
    let number = cells.first()?.trim().parse().ok()?;
    Some((number, cells.last()?.trim()))
}

pub(super) fn named_tests(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).filter(|quoted| quoted.contains("::")).collect()
}

fn reason(cell: &str) -> Option<&str> {
    cell.strip_prefix("no test: ").map(str::trim).filter(|reason| !reason.is_empty())
}

/// The numbered tests of a file.
fn tests_of(file: &SourceFile) -> impl Iterator<Item = (String, BTreeSet<u32>)> {
    test_names(file)
        .into_iter()
        .map(|path| (cases_of(&path), path))
        .filter(|(cases, _)| !cases.is_empty())
        .map(|(cases, path)| (path, cases))
}

/// The tests of a file by their paths.
pub(super) fn test_names(file: &SourceFile) -> Vec<String> {
    let module = module(&file.path);
    // The cases of the stores' conformance suite become tests through a macro, by name.
    let by_name = file.path.contains("/conformance/");
    let (text, keyword) = if file.path.ends_with(".rs") { (&file.code, "fn ") } else { (&file.text, "def ") };
    let mut marked = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        let declared = ["pub ", "async "].iter().fold(line, |line, word| line.strip_prefix(word).unwrap_or(line)).strip_prefix(keyword);
        if let Some(rest) = declared {
            let name = rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default();
            if marked || by_name || name.starts_with("test_") {
                found.push(format!("{module}::{name}"));
            }
            marked = false;
        } else if line.starts_with("#[") {
            marked |= line == "#[test]" || line.starts_with("#[tokio::test");
        }
    }
    found
}

/// `crates/token/tests/it/access.rs` is `token::it::access`: the path without what every path has.
fn module(path: &str) -> String {
    let path = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    path.split('/').filter(|part| !["crates", "src", "tests", "main"].contains(part)).collect::<Vec<_>>().join("::")
}

/// `_n1_n4` is 1 and 4, `_n29_to_n34` is 29 up to 34. They end the name.
fn cases_of(name: &str) -> BTreeSet<u32> {
    let number = |part: &str| part.strip_prefix('n').and_then(|digits| digits.parse::<u32>().ok());
    let mut cases = BTreeSet::new();
    let mut until: Option<u32> = None;
    let mut parts = name.rsplit('_').peekable();
    while let Some(part) = parts.next() {
        let Some(case) = number(part) else { break };
        cases.extend(case..=until.take().unwrap_or(case));
        if parts.peek() == Some(&"to") {
            parts.next();
            until = Some(case);
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(except: u32, row: &str) -> String {
        CASES.map(|case| if case == except { format!("{row}\n") } else { format!("| {case} | x | no test: not here |\n") }).collect()
    }

    fn complaints(table: &str, text: &str) -> Vec<String> {
        let files = [SourceFile::new("crates/token/tests/it/access.rs".to_owned(), text.to_owned())];
        check(table, &files).into_iter().map(|problem| problem.what).collect()
    }

    const TEST: &str = "#[test]\nfn unsigned_is_refused_n1() {}\n";

    #[test]
    fn a_row_with_its_test_and_rows_with_reasons_are_fine() {
        let table = complete(1, "| 1 | a `|` b | `token::it::access::unsigned_is_refused_n1` |");
        assert_eq!(complaints(&table, TEST), [""; 0]);
    }

    #[test]
    fn a_case_without_row_test_or_reason_is_reported() {
        for row in ["", "| 1 | x |  |", "| 1 | x | no test:  |", "| 1 | x | later |"] {
            assert_eq!(complaints(&complete(1, row), "").len(), 1, "{row}");
        }
    }

    #[test]
    fn a_test_that_does_not_exist_or_covers_another_case_is_reported() {
        let table = complete(2, "| 2 | x | `token::it::access::unsigned_is_refused_n2` |");
        assert_eq!(
            complaints(&table, "")[0],
            "case 2 names `token::it::access::unsigned_is_refused_n2`, and no test of that name covers it"
        );
        let table = complete(2, "| 2 | x | `token::it::access::unsigned_is_refused_n1` |");
        assert!(complaints(&table, TEST).iter().any(|what| what.starts_with("case 2 names")));
        assert!(complaints(&complete(0, ""), TEST).contains(&"case 1 has tests, and its row names none".to_owned()));
    }

    #[test]
    fn what_only_looks_like_a_test_is_none() {
        let table = complete(1, "| 1 | x | `token::it::access::helper_n1` |");
        assert_eq!(complaints(&table, "fn helper_n1() {}\n").len(), 1);
        assert_eq!(complaints(&table, "// #[test]\n// fn helper_n1() {}\n").len(), 1);
        assert_eq!(complaints(&table, "#[test]\nfn another() {}\nfn helper_n1() {}\n").len(), 1);
        assert_eq!(complaints(&table, "#[tokio::test]\nasync fn helper_n1() {}\n"), [""; 0]);
    }

    #[test]
    fn numbers_are_read_from_the_end_of_the_name() {
        assert_eq!(cases_of("a_n1_n4"), BTreeSet::from([1, 4]));
        assert_eq!(cases_of("a_n29_to_n31"), BTreeSet::from([29, 30, 31]));
        assert_eq!(cases_of("a_n3_of_something"), BTreeSet::new());
        assert_eq!(cases_of("a_clock_f7"), BTreeSet::new());
    }

    #[test]
    fn a_number_that_is_not_on_the_list_is_reported() {
        assert_eq!(complaints(&complete(0, ""), "#[test]\nfn a_n134() {}\n").len(), 1);
    }
}
