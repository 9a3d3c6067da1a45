//! The workspace manifest: every dependency carries a line that says what it is for.

use super::Problem;

/// Third-party entries of `[workspace.dependencies]` without a comment right above them.
pub(super) fn check(cargo_toml: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut section = "";
    let mut previous = "";
    for line in cargo_toml.lines() {
        let line = line.trim_end();
        if line.starts_with('[') {
            section = line;
        } else if section == "[workspace.dependencies]"
            && let Some((name, value)) = line.split_once('=')
            && !line.starts_with([' ', '#', ']', '}'])
            && !value.contains("path =")
            && !explains(previous)
        {
            problems.push(Problem::new(
                "Cargo.toml",
                format!("`{}` has no comment above it", name.trim()),
                "say in one line what the dependency is for",
            ));
        }
        previous = line;
    }
    if !cargo_toml.contains("[workspace.dependencies]") {
        problems.push(Problem::new("Cargo.toml", "no [workspace.dependencies]", "declare dependencies once, there"));
    }
    problems
}

/// A comment with words in it; a heading such as `# --- data ---` explains no single entry.
fn explains(line: &str) -> bool {
    line.strip_prefix('#').is_some_and(|text| !text.contains("---") && text.chars().any(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        check(text).into_iter().map(|problem| problem.what).collect()
    }

    #[test]
    fn explained_and_own_dependencies_are_fine() {
        let text = "[workspace.dependencies]\n# --- ours ---\nmine = { path = \"x\" }\n\n# Why.\nserde = \"1\"\n";
        assert_eq!(names(text), [""; 0]);
    }

    #[test]
    fn an_unexplained_dependency_is_reported() {
        let text = "[workspace.dependencies]\n# Why.\nserde = \"1\"\nrand = \"1\"\n# --- data ---\ntoml = \"1\"\n[x]\na = 1";
        assert_eq!(names(text), ["`rand` has no comment above it", "`toml` has no comment above it"]);
    }

    #[test]
    fn a_manifest_without_the_section_is_reported() {
        assert_eq!(names("[package]").len(), 1);
    }
}
