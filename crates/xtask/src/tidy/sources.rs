//! Rules over source text: size, module files, words that code must not contain.

use super::Problem;
use super::crates::{Reason, reason};
use super::source_file::SourceFile;

/// A file longer than this has more than one subject.
const MAX_LINES: usize = 800;

/// Files that may be longer, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Ways to the world outside. Types that only describe it, such as `std::net::IpAddr`, are not among them.
const IMPURE: &[&str] = &[
    "SystemTime",
    "Instant::now",
    "now_utc",
    "std::fs",
    "std::process",
    "std::thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "ToSocketAddrs",
    "env::var",
    "env::args",
];

/// Where tests in Python may let time pass: in the wait for a condition, and in a model server that is slow.
const SLEEPERS: &[&str] = &["interop/support/waiting.py", "interop/support/upstream.py"];

/// Every rule over source text.
pub(super) fn check(files: &[SourceFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, _) in LONG_FILES {
        if !files.iter().any(|file| file.path == *path && file.text.lines().count() > MAX_LINES) {
            problems.push(Problem::new(*path, "an exception that nothing needs", "remove it from LONG_FILES"));
        }
    }
    for file in files {
        size(file, &mut problems);
        sleeps(file, &mut problems);
        if file.path.ends_with(".rs") {
            module_header(file, &mut problems);
            words(file, &mut problems);
        }
    }
    problems
}

fn size(file: &SourceFile, problems: &mut Vec<Problem>) {
    let lines = file.text.lines().count();
    if lines > MAX_LINES && !LONG_FILES.iter().any(|(path, _)| *path == file.path) {
        problems.push(Problem::new(
            &file.path,
            format!("{lines} lines, more than {MAX_LINES}"),
            "split it by subject: one noun per folder, one verb per file",
        ));
    }
}

fn sleeps(file: &SourceFile, problems: &mut Vec<Problem>) {
    if !file.path.starts_with("interop/") || !file.path.ends_with(".py") || SLEEPERS.contains(&file.path.as_str()) {
        return;
    }
    for (number, _) in file.text.lines().enumerate().filter(|(_, line)| line.contains("time.sleep(")) {
        let place = format!("{}:{}", file.path, number + 1);
        problems.push(Problem::new(place, "a test that sleeps", "wait for what it needs: `until`, in support/waiting.py"));
    }
}

fn module_header(file: &SourceFile, problems: &mut Vec<Problem>) {
    if file.path.ends_with("/mod.rs") {
        problems.push(Problem::new(&file.path, "a mod.rs", "name it after its module: `foo.rs` beside `foo/`"));
    }
    // Test files say what they test in the names of their tests.
    let is_test = file.path.ends_with("/tests.rs") || file.path.split('/').any(|part| part == "tests");
    if !is_test && !file.text.trim_start().starts_with("//!") {
        problems.push(Problem::new(&file.path, "no `//!` at the top", "say what the module is for and what it does not know"));
    }
}

/// Patterns that code must not contain: what, where it is forbidden, and what to do instead.
fn words(file: &SourceFile, problems: &mut Vec<Problem>) {
    let name = file.crate_name();
    let reason = name.as_deref().and_then(reason);
    let shipped = file.shipped_code();
    let mut forbid = |code: &str, pattern: &str, remedy: &'static str| {
        for (number, line) in code.lines().enumerate() {
            if line.replace(' ', "").contains(pattern) {
                problems.push(Problem::new(format!("{}:{}", file.path, number + 1), format!("`{pattern}`"), remedy));
            }
        }
    };
    for pattern in ["todo!", "unimplemented!"] {
        forbid(&file.code, pattern, "write it, or leave it out until it can be written");
    }
    forbid(&file.code, "#[ignore", "a test that does not run proves nothing: fix it or delete it");
    forbid(&file.code, "allow(dead_code)", "delete what nothing uses");
    if reason == Some(Reason::PureCore) {
        for pattern in IMPURE {
            forbid(shipped, pattern, "a pure core takes time, files and network as arguments");
        }
    }
    let may_read_environment = matches!(name.as_deref(), None | Some("keyless-server" | "keyless-cli"));
    if !may_read_environment && reason != Some(Reason::Developers) {
        for pattern in ["env::var", "env::args", "env::current_", "env::temp_dir", "env::home_dir"] {
            forbid(shipped, pattern, "only keyless-server and keyless-cli read the environment; take the value as an argument");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, text: &str) -> Vec<String> {
        let files = [SourceFile::new(path.to_owned(), text.to_owned())];
        check(&files).into_iter().map(|problem| format!("{}: {}", problem.place, problem.what)).collect()
    }

    #[test]
    fn an_ordinary_file_is_fine() {
        let text = "//! Purpose; never todo!().\nfn f() -> &'static str { \"std::env #[ignore]\" }\n";
        assert_eq!(complaints("crates/rbac/src/decide.rs", text), [""; 0]);
    }

    #[test]
    fn a_long_file_is_reported() {
        let text = format!("//! Purpose.\n{}", "\n".repeat(800));
        assert_eq!(complaints("crates/web/src/a.rs", &text), ["crates/web/src/a.rs: 801 lines, more than 800"]);
        assert_eq!(complaints("interop/a.py", &text).len(), 1);
    }

    #[test]
    fn a_test_that_sleeps_is_reported() {
        assert_eq!(complaints("interop/test_a.py", "x = 1\n    time.sleep(1)\n"), ["interop/test_a.py:2: a test that sleeps"]);
        assert_eq!(complaints("interop/support/waiting.py", "time.sleep(0.02)\n"), [""; 0]);
    }

    #[test]
    fn a_mod_file_is_reported() {
        assert_eq!(complaints("crates/web/src/a/mod.rs", "//! X.").len(), 1);
    }

    #[test]
    fn a_module_without_a_purpose_is_reported() {
        assert_eq!(complaints("crates/web/src/a.rs", "fn f() {}").len(), 1);
        assert_eq!(complaints("crates/web/src/a/tests.rs", "fn f() {}"), [""; 0]);
    }

    #[test]
    fn unwritten_code_and_unrun_tests_are_reported_wherever_they_stand() {
        for code in ["fn f() { todo!() }", "#[ignore]", "#[ignore = \"slow\"]", "#[allow(dead_code)]", "unimplemented!()"] {
            assert_eq!(complaints("crates/cli/src/a/tests.rs", code).len(), 1, "{code}");
        }
    }

    #[test]
    fn pure_cores_that_touch_the_world_are_reported() {
        for code in ["use std::time::SystemTime;", "std::fs::read(p)", "use std::net::TcpStream;", "Instant::now()"] {
            let text = format!("//! X.\n{code}\n");
            assert_eq!(complaints("crates/token/src/a.rs", &text).len(), 1, "{code}");
            assert_eq!(complaints("crates/token/src/a/tests.rs", &text), [""; 0], "{code}");
            let tested = format!("//! X.\n#[cfg(test)]\nmod tests {{\n{code}\n}}\n");
            assert_eq!(complaints("crates/token/src/a.rs", &tested), [""; 0], "{code}");
        }
    }

    #[test]
    fn addresses_are_values_not_network() {
        assert_eq!(complaints("crates/audit/src/a.rs", "//! X.\nuse std::net::IpAddr;\n"), [""; 0]);
    }

    #[test]
    fn a_test_module_in_its_own_file_hides_nothing() {
        let text = "//! X.\n#[cfg(test)]\nmod tests;\nfn f() { std::fs::read(p) }\n";
        assert_eq!(complaints("crates/token/src/a.rs", text).len(), 1);
    }

    #[test]
    fn the_environment_is_read_at_the_edge_only() {
        let text = "//! X.\nfn f() { std::env::var(x) }";
        assert_eq!(complaints("crates/gateway/src/a.rs", text).len(), 1);
        assert_eq!(complaints("crates/cli/src/a.rs", text), [""; 0]);
    }
}
