//! Reads how many tests a runner ran from the summary line it prints. Knows nextest, cargo test, pytest and Node.

/// What a runner said about its own run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    /// Not run, for whatever reason: left out by a mark, ignored, or expected to fail.
    pub(super) skipped: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Adds what `line` reports, when it is a runner's summary line; every other line changes nothing.
    pub(super) fn read(&mut self, line: &str) {
        let line = line.trim();
        let found = nextest(line).or_else(|| cargo_test(line)).or_else(|| pytest(line)).or_else(|| node(line));
        if let Some(counts) = found {
            self.add(counts);
        }
    }
}

/// `Summary [   0.123s] 12 tests run: 10 passed (1 slow), 1 failed, 1 timed out, 3 skipped`
fn nextest(line: &str) -> Option<Counts> {
    let (_, rest) = line.strip_prefix("Summary [")?.split_once("run: ")?;
    Some(tally(rest))
}

/// `test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s`
fn cargo_test(line: &str) -> Option<Counts> {
    let (_, rest) = line.strip_prefix("test result: ")?.split_once(". ")?;
    Some(tally(rest))
}

/// `=== 1 failed, 12 passed, 2 errors in 3.21s ===`, with or without the rulers
fn pytest(line: &str) -> Option<Counts> {
    let (rest, time) = line.trim_matches('=').trim().rsplit_once(" in ")?;
    let seconds = time.split_once('s')?.0;
    let is_summary = seconds.parse::<f64>().is_ok() && rest.split(", ").all(|part| number_and_word(part).is_some());
    is_summary.then(|| tally(rest))
}

/// `# pass 12` and `# fail 1` of `node --test` (TAP), or the same with an information sign (spec reporter)
fn node(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "))?;
    let (word, number) = rest.split_once(' ')?;
    let number = number.parse().ok()?;
    match word {
        "pass" => Some(Counts { passed: number, ..Counts::default() }),
        "fail" | "cancelled" => Some(Counts { failed: number, ..Counts::default() }),
        "skipped" | "todo" => Some(Counts { skipped: number, ..Counts::default() }),
        _ => None,
    }
}

/// Sums parts such as `10 passed (1 slow)`, `1 failed`, `2 errors`, `3 skipped`.
fn tally(list: &str) -> Counts {
    let mut counts = Counts::default();
    for (number, word) in list.split([',', ';', '(']).filter_map(number_and_word) {
        match word {
            "passed" => counts.passed += number,
            "failed" | "error" | "errors" | "timed" | "exec" => counts.failed += number,
            "skipped" | "ignored" | "xfailed" | "xpassed" => counts.skipped += number,
            _ => (),
        }
    }
    counts
}

fn number_and_word(part: &str) -> Option<(u64, &str)> {
    let mut words = part.split_whitespace();
    let number = words.next()?.parse().ok()?;
    Some((number, words.next()?.trim_end_matches(')')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> (u64, u64, u64) {
        let mut counts = Counts::default();
        counts.read(line);
        (counts.passed, counts.failed, counts.skipped)
    }

    #[test]
    fn nextest_summaries_are_read() {
        assert_eq!(of("     Summary [   0.035s] 12 tests run: 12 passed, 0 skipped"), (12, 0, 0));
        assert_eq!(of("Summary [ 1.0s] 9 tests run: 5 passed (1 slow), 2 failed, 1 timed out, 1 exec failed, 3 skipped"), (5, 4, 3));
    }

    #[test]
    fn a_nextest_run_cut_short_still_counts() {
        assert_eq!(of("Summary [ 1.0s] 3/12 tests run: 2 passed, 1 failed, 0 skipped"), (2, 1, 0));
    }

    #[test]
    fn cargo_test_summaries_are_read() {
        assert_eq!(of("test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 5 filtered out"), (3, 1, 2));
    }

    #[test]
    fn pytest_summaries_are_read() {
        assert_eq!(of("==== 1 failed, 30 passed, 2 skipped, 1 error in 12.34s ===="), (30, 2, 2));
        assert_eq!(of("5 passed in 0.50s"), (5, 0, 0));
        assert_eq!(of("=== 140 passed, 1 warning in 75.10s (0:01:15) ==="), (140, 0, 0));
    }

    #[test]
    fn node_summaries_are_read() {
        assert_eq!(of("# pass 3"), (3, 0, 0));
        assert_eq!(of("ℹ fail 2"), (0, 2, 0));
        assert_eq!(of("# skipped 4"), (0, 0, 4));
    }

    #[test]
    fn other_lines_change_nothing() {
        for line in ["test foo ... ok", "# tests 4", "passed in 1s", "5 passed in a row", ""] {
            assert_eq!(of(line), (0, 0, 0), "{line}");
        }
    }

    #[test]
    fn counts_of_several_runners_add_up() {
        let mut counts = Counts::default();
        counts.read("test result: ok. 3 passed; 0 failed; 1 ignored");
        counts.read("test result: FAILED. 1 passed; 2 failed; 0 ignored");
        assert_eq!(counts, Counts { passed: 4, failed: 2, skipped: 1 });
    }
}
