//! Why a command did not do what it was asked: one sentence on what happened, one on what to do next.

use std::io;

use crate::exit::Exit;

/// What a command ends with.
pub(crate) type Ending = Result<Exit, Failure>;

/// A failure for people. Neither sentence ever holds a secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) what: String,
    pub(crate) next: Option<String>,
    pub(crate) exit: Exit,
    /// Whoever read the output has gone (`| head`): nothing to say, and nobody to say it to.
    pub(crate) quiet: bool,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), next: Some(next.into()), exit: Exit::Failed, quiet: false }
    }

    /// The command line asks for something that cannot be.
    pub(crate) fn usage(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(what, next) }
    }

    /// The same failure under another exit code.
    pub(crate) fn ending(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }
}

/// Only writes to the screen end here as bare I/O errors; every other one is given its sentence where it happens.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let gone = error.kind() == io::ErrorKind::BrokenPipe;
        let failure = Self::new(format!("the output cannot be written: {error}"), "free some space, or send the output elsewhere");
        Self { quiet: gone, exit: if gone { Exit::Done } else { Exit::Failed }, ..failure }
    }
}

/// Gives an error its two sentences at the place where it happens.
pub(crate) trait Explain<T> {
    /// `what` is put before the error's own chain of causes.
    fn explain(self, what: impl FnOnce() -> String, next: impl Into<String>) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> Explain<T> for Result<T, E> {
    fn explain(self, what: impl FnOnce() -> String, next: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("{}: {:#}", what(), error.into()), next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.quiet, failure.exit), (true, Exit::Done));
        let failure = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!((failure.quiet, failure.exit), (false, Exit::Failed));
    }

    #[test]
    fn the_chain_of_causes_is_told_in_one_line() {
        let cause = anyhow::anyhow!("no route").context("connection failed");
        let failure = Err::<(), _>(cause).explain(|| "the gateway does not answer".to_owned(), "run `keyless status`").unwrap_err();
        assert_eq!(failure.what, "the gateway does not answer: connection failed: no route");
        assert_eq!(failure.next.as_deref(), Some("run `keyless status`"));
    }
}
