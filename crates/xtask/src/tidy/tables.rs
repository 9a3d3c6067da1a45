//! Two more tables of `docs/security` whose rows name the tests that show them: the limits, and the defects that were mended.
//!
//! Like the list of negative cases it knows names only, and that a name stands for a test that exists.

use std::collections::BTreeSet;

use super::Problem;
use super::negative_cases::{named_tests, test_names};
use super::source_file::SourceFile;

/// What others can make grow, relative to the root.
pub(super) const LIMITS: &str = "docs/security/limits.md";
/// What was wrong, relative to the root.
pub(super) const DEFECTS: &str = "docs/security/defects.md";

/// How many defects of each letter there are.
const NUMBERED: [(char, u32); 2] = [('d', 16), ('i', 15)];

/// Rows of both tables that no test shows.
pub(super) fn check(limits: &str, defects: &str, files: &[SourceFile]) -> Vec<Problem> {
    let tests: BTreeSet<String> = files.iter().flat_map(test_names).collect();
    let mut problems = Vec::new();
    for row in rows(limits) {
        let named = named_tests(row);
        if named.is_empty() && !row.contains("| no test: ") {
            problems.push(Problem::new(
                LIMITS,
                format!("a row without a test: {}", row.chars().take(60).collect::<String>()),
                "name the test, or after `no test: ` the reason why there is none",
            ));
        }
        problems.extend(unknown(LIMITS, &named, &tests));
    }
    let numbers = NUMBERED.iter().flat_map(|(letter, count)| (1..=*count).map(move |number| format!("{letter}{number}")));
    for number in numbers {
        let title = format!("| {} |", number.to_uppercase());
        let Some(row) = rows(defects).find(|row| row.starts_with(&title)) else {
            problems.push(Problem::new(DEFECTS, format!("{} has no row", number.to_uppercase()), "add one with its test, or with `open`"));
            continue;
        };
        let named = named_tests(row);
        problems.extend(unknown(DEFECTS, &named, &tests));
        if !row.trim_end().ends_with("| open |") && !named.iter().any(|path| carries(path, &number)) {
            let what = format!("{} names no test that carries its number", number.to_uppercase());
            problems.push(Problem::new(DEFECTS, what, "name one, or state that it is `open`"));
        }
    }
    problems
}

/// The rows of all tables in a text, without their heads.
fn rows(text: &str) -> impl Iterator<Item = &str> {
    let lines: Vec<&str> = text.lines().collect();
    let is_row = |line: &str| line.starts_with('|') && !line.starts_with("|--");
    let heads: BTreeSet<usize> = (1..lines.len()).filter(|at| lines[*at].starts_with("|--")).map(|at| at - 1).collect();
    lines.into_iter().enumerate().filter(move |(at, line)| is_row(line) && !heads.contains(at)).map(|(_, line)| line)
}

fn unknown(place: &'static str, named: &[&str], tests: &BTreeSet<String>) -> Vec<Problem> {
    let missing = named.iter().filter(|path| !tests.contains(**path));
    missing.map(|path| Problem::new(place, format!("names `{path}`, and there is no such test"), "correct the name")).collect()
}

/// Whether the name ends in numbers of defects, this one among them: `..._d5_i7`.
fn carries(path: &str, number: &str) -> bool {
    let is_number = |part: &str| {
        part.strip_prefix(['d', 'i', 'n']).is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    path.rsplit('_').take_while(|part| is_number(part)).any(|part| part == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TESTS: &str = "#[test]\nfn it_is_bound_d4() {}\n#[test]\nfn both_d5_i7() {}\n";

    fn complaints(limits: &str, defects: &str) -> Vec<String> {
        let file = SourceFile::new("crates/web/src/a/tests.rs".to_owned(), TESTS.to_owned());
        check(limits, defects, &[file]).into_iter().map(|problem| problem.what).collect()
    }

    fn defects(changed: &str) -> String {
        let numbers =
            NUMBERED.iter().flat_map(|(letter, count)| (1..=*count).map(move |number| format!("{letter}{number}").to_uppercase()));
        let row = |number: String| {
            if changed.starts_with(&format!("| {number} |")) { changed.to_owned() } else { format!("| {number} | x | open |") }
        };
        numbers.map(row).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn rows_whose_tests_exist_are_fine() {
        let limits = "| what | test |\n|---|---|\n| bodies | `web::a::it_is_bound_d4` |\n";
        assert_eq!(complaints(limits, &defects("| I7 | x | `web::a::both_d5_i7` |")), [""; 0]);
    }

    #[test]
    fn a_limit_without_a_test_that_exists_is_reported() {
        assert_eq!(complaints("| what | test |\n|---|---|\n| bodies | - |\n", &defects("")).len(), 1);
        assert_eq!(complaints("| bodies | `web::a::another` |\n", &defects("")).len(), 1);
    }

    #[test]
    fn a_defect_whose_test_carries_another_number_is_reported() {
        assert_eq!(complaints("", &defects("| D5 | x | `web::a::it_is_bound_d4` |")).len(), 1);
        assert_eq!(complaints("", &defects("| D5 | x | |")).len(), 1);
        assert_eq!(complaints("", "").len(), 31);
    }
}
