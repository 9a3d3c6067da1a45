//! What `.ci/run` hands to the suite: a machine that has nothing yet but its toolchain.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// Stands in for cargo and notes how it was called.
const CARGO: &str = r#"#!/bin/sh
{
    echo "arguments=$*"
    echo "ci=$CI"
    echo "in_cargo_home=$(ls "$CARGO_HOME" | tr '\n' ' ')"
    for folder in "$CARGO_TARGET_DIR" "$XDG_CACHE_HOME" "$PIP_CACHE_DIR" "$NPM_CONFIG_CACHE"; do
        ls "$folder" >/dev/null 2>&1 && echo "full=$folder"
    done
    echo "home=$CARGO_HOME"
} >"$NOTES"
exit 7
"#;

#[test]
fn ci_starts_from_nothing_but_the_toolchain_and_leaves_nothing() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ci");
    let (bin, home, notes) = (folder.join("bin"), folder.join("cargo-home"), folder.join("notes"));
    for made in [&bin, &home.join("registry")] {
        fs::create_dir_all(made).unwrap();
    }
    fs::write(bin.join("cargo"), CARGO).unwrap();
    fs::set_permissions(bin.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(home.join("config.toml"), "# a mirror\n").unwrap();
    fs::write(home.join("credentials.toml"), "# not for tests\n").unwrap();

    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ci/run");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display());
    let ended = Command::new(run).env("PATH", path).env("CARGO_HOME", &home).env("NOTES", &notes).status().unwrap();
    assert_eq!(ended.code(), Some(7), "the outcome of the suite is the outcome of CI");

    let notes = fs::read_to_string(notes).unwrap();
    let (said, fresh) = notes.split_once("\nhome=").unwrap();
    assert_eq!(said, "arguments=xtask test\nci=true\nin_cargo_home=config.toml ");
    let fresh = Path::new(fresh.trim()).parent().unwrap();
    assert!(!fresh.exists() && fresh.file_name().is_some(), "{} was left behind", fresh.display());
}
