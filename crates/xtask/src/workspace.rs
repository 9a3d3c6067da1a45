//! Where the repository is, and what cargo says is in it. Reads only; what a fresh machine lacks, cargo fetches.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};

/// The cargo that built this program.
pub(crate) const CARGO: &str = env!("CARGO");

/// The repository's root folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("xtask lives two folders below the root").to_path_buf()
}

/// The resolved dependency graph for this machine's platform, with every feature of ours, fetched as far as it is not yet here.
///
/// # Errors
/// When cargo fails: usually a manifest that does not parse, or a registry that cannot be reached.
pub(crate) fn metadata(root: &Path) -> Result<Metadata> {
    MetadataCommand::new()
        .cargo_path(CARGO)
        .current_dir(root)
        .other_options(["--all-features".to_owned(), "--filter-platform".to_owned(), host()?])
        .exec()
        .context("cannot read the dependency graph")
}

/// The names of all crates that are built for the workspace, its tests and its features. Cargo's metadata also name those behind edges that
/// nothing switches on.
///
/// # Errors
/// When cargo fails.
pub(crate) fn built(root: &Path) -> Result<BTreeSet<String>> {
    let mut command = Command::new(CARGO);
    command.args(["tree", "--workspace", "--all-features", "--edges", "all", "--prefix", "none", "--format", "{p}"]);
    let output = command.current_dir(root).output().context("cannot run cargo tree")?;
    if !output.status.success() {
        bail!("cargo tree ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8(output.stdout).context("cargo tree printed no text")?;
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

/// The platform triple of the compiler in use.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8(output.stdout).context("rustc -vV printed no text")?;
    match text.lines().find_map(|line| line.strip_prefix("host: ")) {
        Some(host) => Ok(host.to_owned()),
        None => bail!("rustc -vV names no host"),
    }
}
