//! Exit codes, decided here and nowhere else: 0 done, 1 failed, 2 wrong usage; `run` passes its program's code through.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Failed,
    /// The command line itself made no sense; clap ends with the same code.
    Usage,
    /// `run`: what the program itself ended with.
    Program(u8),
    /// `run`: a signal ended the program.
    Signal(u8),
    /// `run`: the program is there and cannot be started.
    CannotExecute,
    /// `run`: there is no such program.
    NotFound,
    /// Ctrl-C or a request to end, in a command that has no ending of its own.
    Interrupted,
}

impl Exit {
    /// The number the shell sees; those of `run` are the shell's own conventions (POSIX sh, "Exit Status for Commands").
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Program(code) => code,
            Self::Signal(number) => 128_u8.saturating_add(number),
            Self::CannotExecute => 126,
            Self::NotFound => 127,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn codes_are_the_documented_ones() {
        let codes = [Exit::Done, Exit::Failed, Exit::Usage, Exit::CannotExecute, Exit::NotFound, Exit::Interrupted].map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 126, 127, 130]);
    }

    #[test]
    fn a_program_keeps_its_code_and_a_signal_is_told_as_shells_do() {
        assert_eq!(Exit::Program(255).code(), 255);
        assert_eq!(Exit::Signal(9).code(), 137);
        assert_eq!(Exit::Signal(200).code(), 255);
    }
}
