//! Dependencies that nothing uses: slower builds and a wider supply chain, for nothing. By hand, for the same reason as the licences:
//! `cargo machete` would have to be installed.

use super::Problem;
use super::graph::Graph;
use super::source_file::SourceFile;

/// Dependencies of ours that no line of the crate's code names.
pub(super) fn check(graph: &Graph, files: &[SourceFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in graph.ours() {
        let folder = format!("{}/", package.folder.as_deref().unwrap_or_default());
        let code: Vec<&str> = files.iter().filter(|file| file.path.starts_with(&folder)).map(|file| file.code.as_str()).collect();
        for (dependency, _) in &package.dependencies {
            let name = dependency.replace('-', "_");
            if !code.iter().any(|code| names(code, &name)) {
                problems.push(Problem::new(
                    format!("{folder}Cargo.toml"),
                    format!("`{dependency}` is not used"),
                    "remove it from the manifest",
                ));
            }
        }
    }
    problems
}

/// Whether `word` stands in `code` as a whole identifier.
pub(super) fn names(code: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(part_of_word) && !code[at + word.len()..].chars().next().is_some_and(part_of_word)
    })
}

#[cfg(test)]
mod tests {
    use super::super::graph::draw::graph;
    use super::*;

    fn check_code(text: &str) -> usize {
        let file = SourceFile::new("crates/web/src/lib.rs".to_owned(), text.to_owned());
        check(&graph("keyless-web -> form_urlencoded, keyless-model"), &[file]).len()
    }

    #[test]
    fn dependencies_that_code_names_are_fine() {
        assert_eq!(check_code("use keyless_model::Scope; fn f() { form_urlencoded::parse(x) }"), 0);
    }

    #[test]
    fn a_dependency_named_in_a_comment_only_is_reported() {
        assert_eq!(check_code("// form_urlencoded\nuse keyless_model::Scope;"), 1);
        assert_eq!(check_code("use my_form_urlencoded; use keyless_modelling;"), 2);
    }
}
