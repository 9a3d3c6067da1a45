//! CONTRIBUTING tells which files a new thing takes, and where questions are answered. What it names must be there, and its lists
//! must be whole: no file outside a list names the list's sample.

use std::collections::BTreeSet;

use super::Problem;
use super::source_file::SourceFile;
use super::unused::names;

/// The guide, relative to the root.
pub(super) const GUIDE: &str = "CONTRIBUTING.md";

/// The kinds of thing that must have a list.
const KINDS: [&str; 5] = ["A resource type of ARM", "An AI operation", "A grant type", "A setting", "A store"];

/// How many questions are answered at least.
const QUESTIONS: usize = 20;

/// Lists that are missing, that name what is not there, or that leave a file out.
pub(super) fn check(guide: &str, files: &[SourceFile], exists: impl Fn(&str) -> bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut report = |what: String, remedy| problems.push(Problem::new(GUIDE, what, remedy));
    for kind in KINDS {
        let Some(section) = section(guide, kind) else {
            report(format!("does not say what \"{kind}\" takes"), "add a section of that name with its files");
            continue;
        };
        let listed: BTreeSet<&str> = section.lines().filter_map(|line| quoted(line.strip_prefix("* ")?).next()).collect();
        if listed.is_empty() {
            report(format!("lists no files for \"{kind}\""), "name each file on a line that starts with `* `");
        }
        for path in listed.iter().filter(|path| !exists(path)) {
            report(format!("names {path}, which is not there"), "correct the name");
        }
        let sample: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("Sample: ")).flat_map(quoted).collect();
        if sample.is_empty() {
            report(format!("names no sample of \"{kind}\""), "name words that stand in each of its files on a line `Sample: `");
        }
        let named = files.iter().filter(|file| file.path.starts_with("crates/") && sample.iter().any(|word| names(&shipped(file), word)));
        let named: BTreeSet<&str> = named.map(|file| file.path.as_str()).collect();
        for path in &named {
            if !listed.iter().any(|known| path == known || known.ends_with('/') && path.starts_with(known)) {
                report(format!("leaves {path} out of what \"{kind}\" takes"), "list it, or take the sample out of that file");
            }
        }
    }
    let rows: Vec<&str> = section(guide, "Where is it answered").unwrap_or_default().lines().filter(|line| line.contains("? |")).collect();
    if rows.len() < QUESTIONS {
        report(format!("answers {} questions, fewer than {QUESTIONS}", rows.len()), "answer what somebody new would ask");
    }
    for row in rows {
        let paths: Vec<&str> = row.rsplit("? |").next().map(quoted).into_iter().flatten().collect();
        if paths.is_empty() || paths.iter().any(|path| !exists(path)) {
            report(format!("answers with what is not there: {row}"), "name the folder or file that answers");
        }
    }
    problems
}

/// The lines below the heading `title`, up to the next heading.
fn section<'g>(guide: &'g str, title: &str) -> Option<&'g str> {
    let heading = guide.lines().find(|line| line.trim_start_matches('#').trim() == title && line.starts_with('#'))?;
    let rest = guide.split_once(&format!("{heading}\n"))?.1;
    Some(rest.find("\n#").map_or(rest, |end| &rest[..end]))
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The text of a file without its tests.
fn shipped(file: &SourceFile) -> String {
    file.text
        .lines()
        .take(file.shipped_code().lines().count())
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guide(list: &str) -> String {
        let kinds = KINDS.map(|kind| format!("### {kind}\n\nSample: `Widget`\n\n{list}\n")).join("\n");
        format!("{kinds}\n## Where is it answered\n\n{}", "| Where? | `crates/a/src/a.rs` |\n".repeat(QUESTIONS))
    }

    fn complaints(guide: &str) -> Vec<String> {
        let file = |path: &str, text: &str| SourceFile::new(path.to_owned(), text.to_owned());
        let files = [
            file("crates/a/src/a.rs", "struct Widget;"),
            file("crates/a/src/b.rs", "// Widget\nstruct Widgets;\n#[cfg(test)]\nmod tests { use Widget; }"),
            file("crates/a/src/c.rs", "const W: &str = \"Widget\";"),
        ];
        let found = check(guide, &files, |path| path == "crates/a/src/" || files.iter().any(|file| file.path == path));
        found.into_iter().map(|problem| problem.what).collect()
    }

    #[test]
    fn a_list_that_names_every_file_of_its_sample_is_fine() {
        assert_eq!(complaints(&guide("* `crates/a/src/a.rs`: made\n* `crates/a/src/c.rs`: named")), [""; 0]);
        assert_eq!(complaints(&guide("* `crates/a/src/`: all of it")), [""; 0]);
    }

    #[test]
    fn a_file_that_is_left_out_or_not_there_is_reported() {
        let found = complaints(&guide("* `crates/a/src/a.rs`: made\n* `crates/a/src/gone.rs`: went"));
        assert_eq!(found.iter().filter(|what| what.starts_with("leaves crates/a/src/c.rs out")).count(), KINDS.len());
        assert_eq!(found.iter().filter(|what| what.starts_with("names crates/a/src/gone.rs")).count(), KINDS.len());
        assert_eq!(found.len(), 2 * KINDS.len());
    }

    #[test]
    fn a_kind_without_files_or_sample_and_too_few_questions_are_reported() {
        let found = complaints(&guide("").replace("Sample: `Widget`", "").replacen("| Where? |", "Where |", 1));
        assert_eq!(found.len(), 2 * KINDS.len() + 1, "{found:?}");
        assert!(complaints("").len() > KINDS.len());
        assert!(
            complaints(&guide("* `crates/a/src/`").replacen("| Where? | `crates/a/src/a.rs`", "| Where? | `crates/gone`", 1)).len() == 1
        );
    }
}
