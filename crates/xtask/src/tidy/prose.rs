//! The files a reader of the repository expects, and links between them that lead somewhere.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::Problem;

/// Files without which the repository is not usable by a stranger.
const EXPECTED: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "LICENSE",
    "deny.toml",
    "docs/benchmarks.md",
    "docs/security/defaults.md",
];

/// Missing files, and relative links in Markdown that lead nowhere.
///
/// # Errors
/// When a Markdown file cannot be read.
pub(super) fn check(root: &Path) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for name in EXPECTED {
        if !root.join(name).is_file() {
            problems.push(Problem::new(*name, "missing", "write it"));
        }
    }
    for folder in ["", "docs", "docs/decisions", "docs/security", "fuzz", "benches/system", "benches/peers", "interop", "examples"] {
        let folder = root.join(folder);
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "md") {
                let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                let dead = links(&text).into_iter().filter(|link| !folder.join(link).exists());
                problems.extend(dead.map(|link| Problem::new(&name, format!("the link `{link}` leads nowhere"), "correct or remove it")));
            }
        }
    }
    Ok(problems)
}

/// Targets of relative Markdown links outside code blocks, without their `#anchor`.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, prose) in text.split("```").enumerate() {
        if number % 2 == 1 {
            continue;
        }
        for part in prose.split("](").skip(1) {
            let target = part.split([')', ' ']).next().unwrap_or_default().split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                found.push(target.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_links_are_found_and_others_left_alone() {
        let text = "[a](docs/a.md#part) [b](https://x.example/y) ![c](c.svg \"title\") [d](#here)\n```\n[e](e.md)\n```\n";
        assert_eq!(links(text), ["docs/a.md", "c.svg"]);
    }

    #[test]
    fn an_empty_folder_misses_every_expected_file() {
        let problems = check(Path::new("/no/such/folder")).unwrap();
        assert_eq!(problems.len(), EXPECTED.len());
    }
}
