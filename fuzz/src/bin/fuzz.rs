//! The fuzzer's program: hands what the engine makes up to the target that `KEYLESS_FUZZ_TARGET` names.

#![no_main]
#![expect(clippy::disallowed_methods, reason = "the fuzzer takes the arguments; the name can only come by the environment")]

use std::sync::LazyLock;

use keyless_fuzz::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let wanted = std::env::var("KEYLESS_FUZZ_TARGET").expect("`cargo xtask fuzz` names the target");
    TARGETS.iter().find(|(name, _)| *name == wanted).expect("`cargo xtask fuzz` names a target that exists").1
});

fuzz_target!(|data: &[u8]| (*TARGET)(data));
