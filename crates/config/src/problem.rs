//! What is wrong with a configuration, told all at once.

use std::fmt;

use crate::node::Origin;

/// What is wrong with settings that can be read each by itself: what they name is not there, or they contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The settings it is about; the first is the one to look at.
    pub settings: Vec<String>,
    /// What is wrong and what to do, in one sentence.
    pub what: String,
}

impl Fault {
    #[must_use]
    pub fn new(settings: &[&str], what: impl fmt::Display) -> Self {
        Self { settings: settings.iter().map(|setting| (*setting).to_owned()).collect(), what: what.to_string() }
    }
}

/// A problem and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub origin: Origin,
    /// The setting's path; empty for the file as a whole.
    pub setting: String,
    /// What is wrong and what to do, in one sentence.
    pub what: String,
    /// Whether the text itself is wrong, rather than this machine.
    pub usage: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.origin, self.setting.is_empty()) {
            (Origin::Default, true) => {}
            (Origin::Default, false) => write!(out, "{}: ", self.setting)?,
            (origin, true) => write!(out, "{origin}: ")?,
            (origin, false) => write!(out, "{origin}: {}: ", self.setting)?,
        }
        out.write_str(&self.what)
    }
}
