//! One step of something that takes a while: a spinner on a terminal, plain lines elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::{Screen, bad, faint, good};

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(100);

/// A step that has begun. End it with [`Stage::done`] or [`Stage::failed`].
#[derive(Debug)]
pub(crate) struct Stage {
    label: String,
    began: Instant,
    spinner: Option<ProgressBar>,
}

impl Stage {
    /// A step that takes a moment: without a terminal it is the one line that says how it ended.
    pub(crate) fn brief(screen: &Screen, label: impl Into<String>) -> Self {
        let label = label.into();
        let spinner = screen.err_is_terminal().then(|| {
            let style = ProgressStyle::with_template("  {spinner} {msg} {elapsed}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            let spinner = ProgressBar::new_spinner().with_style(style).with_message(label.clone());
            spinner.enable_steady_tick(TICK);
            spinner
        });
        Self { label, began: Instant::now(), spinner }
    }

    pub(crate) fn begin(screen: &mut Screen, label: impl Into<String>) -> Self {
        let stage = Self::brief(screen, label);
        if stage.spinner.is_none() {
            screen.note(format_args!("  . {}", stage.label));
        }
        stage
    }

    /// Says what the step is busy with.
    pub(crate) fn busy_with(&self, what: &str) {
        if let Some(spinner) = &self.spinner {
            spinner.set_message(format!("{}: {what}", self.label));
        }
    }

    /// Ends the step; `note` says what came of it.
    pub(crate) fn done(self, screen: &mut Screen, note: &str) {
        let line = self.line(&good("✓"), note);
        self.clear();
        screen.note(line);
    }

    /// Ends a step that did not work out; the caller says why and what now.
    pub(crate) fn failed(self, screen: &mut Screen, note: &str) {
        let line = self.line(&bad("✗"), note);
        self.clear();
        screen.note(line);
    }

    fn line(&self, mark: &str, note: &str) -> String {
        let took = faint(format_args!("{:.1} s", self.began.elapsed().as_secs_f64()));
        let note = if note.is_empty() { String::new() } else { format!("  {note}") };
        format!("  {mark} {:<32}{note}  {took}", self.label)
    }

    fn clear(self) {
        if let Some(spinner) = self.spinner {
            spinner.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::captured;

    #[test]
    fn without_a_terminal_a_step_is_two_plain_lines_on_stderr() {
        let (mut screen, out, err) = captured::screen();
        let stage = Stage::begin(&mut screen, "a model server");
        stage.busy_with("looking");
        stage.done(&mut screen, "found");
        let text = err.text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(lines[0], "  . a model server");
        assert!(lines[1].starts_with("  ✓ a model server") && lines[1].contains("found") && lines[1].ends_with(" s"), "{text}");
        assert_eq!(out.text(), "");
    }

    #[test]
    fn a_step_that_fails_is_marked_in_more_than_colour() {
        let (mut screen, _, err) = captured::screen();
        Stage::begin(&mut screen, "a model").failed(&mut screen, "none answers");
        assert!(err.text().contains("✗ a model"));
    }
}
