//! The source files of the repository, as the rules look at them.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::rust_text::code_only;

/// Folders below the root that hold our source.
const FOLDERS: &[&str] = &["crates", "fuzz", "benches", "examples", "interop", "deploy", "console"];

/// Folders that tools make.
const GENERATED: &[&str] = &["target", "node_modules", "__pycache__", ".venv", ".work", ".pytest_cache", "corpus", "artifacts"];

/// One source file of ours.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// Relative to the root, with forward slashes.
    pub(super) path: String,
    pub(super) text: String,
    /// The text without comments and literals, for Rust files; empty for others.
    pub(super) code: String,
}

impl SourceFile {
    pub(super) fn new(path: String, text: String) -> Self {
        let code = if path.ends_with(".rs") { code_only(&text) } else { String::new() };
        Self { path, text, code }
    }

    /// The name of the crate the file belongs to, when it lies in one.
    pub(super) fn crate_name(&self) -> Option<String> {
        let folder = self.path.strip_prefix("crates/")?.split('/').next()?;
        Some(if folder == "xtask" { folder.to_owned() } else { format!("keyless-{folder}") })
    }

    /// Code that ships: nothing of a test file, and of others what comes before an inline test module.
    pub(super) fn shipped_code(&self) -> &str {
        let is_test = self.path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "benches" | "examples"));
        if is_test {
            return "";
        }
        let end = self.code.match_indices("#[cfg(test)]").find(|(at, mark)| {
            let after = self.code[at + mark.len()..].trim_start();
            after
                .strip_prefix("mod")
                .is_some_and(|module| module.split(['{', ';']).next().is_some_and(|name| module[name.len()..].starts_with('{')))
        });
        &self.code[..end.map_or(self.code.len(), |(at, _)| at)]
    }
}

/// Reads every source file of ours.
///
/// # Errors
/// When a folder or file cannot be read.
pub(super) fn files(root: &Path) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        let folder = root.join(folder);
        if folder.is_dir() {
            collect(root, &folder, &mut files)?;
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !GENERATED.contains(&name.as_str()) && !name.starts_with('.') {
                collect(root, &path, files)?;
            }
        } else if [".rs", ".py", ".js", ".mjs", ".ts", ".lua", ".sh", ".sql"].iter().any(|end| name.ends_with(end)) {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let relative = path.strip_prefix(root).context("a file outside the repository")?;
            files.push(SourceFile::new(relative.to_string_lossy().replace('\\', "/"), text));
        }
    }
    Ok(())
}
