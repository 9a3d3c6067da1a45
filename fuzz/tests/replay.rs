//! Every seed, and every seed damaged in simple ways, through its target.

use std::collections::BTreeSet;
use std::path::Path;

use keyless_fuzz::TARGETS;

/// How many places of a seed are damaged at most; they are spread over its length.
const PLACES: usize = 200;

fn seeds() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("the folder can be listed").file_name().into_string().expect("names are ASCII")).collect()
}

#[test]
fn every_target_has_seeds_and_every_seed_has_a_target() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(targets, names(&seeds()));
    assert_eq!(targets.len(), TARGETS.len(), "a name is given twice");
}

#[test]
fn every_target_withstands_its_seeds_whole_cut_and_damaged() {
    for (name, target) in TARGETS {
        let folder = seeds().join(name);
        let files = names(&folder);
        assert!(!files.is_empty(), "{name} has no seed");
        for file in files {
            let seed = std::fs::read(folder.join(&file)).unwrap();
            target(&seed);
            let step = seed.len().div_ceil(PLACES).max(1);
            for at in (0..seed.len()).step_by(step) {
                target(&seed[..at]);
                for bit in [0x01, 0x20, 0x80] {
                    let mut damaged = seed.clone();
                    damaged[at] ^= bit;
                    target(&damaged);
                }
            }
        }
    }
}
