//! The two streams of a command.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

/// Where a command writes. Commands get it as an argument, so that tests can look at what people would see.
pub(crate) struct Screen {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    out_is_terminal: bool,
    err_is_terminal: bool,
    columns: Option<usize>,
}

impl Screen {
    /// The process's own streams. Colour codes vanish where the stream is no terminal, or `NO_COLOR` is set.
    pub(crate) fn real() -> Self {
        let columns = rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
        Self {
            out: Box::new(anstream::stdout()),
            err: Box::new(anstream::stderr()),
            out_is_terminal: io::stdout().is_terminal(),
            err_is_terminal: io::stderr().is_terminal(),
            columns,
        }
    }

    /// Whether a person, rather than a program, reads stdout.
    pub(crate) const fn out_is_terminal(&self) -> bool {
        self.out_is_terminal
    }

    /// Whether a person watches the progress on stderr.
    pub(crate) const fn err_is_terminal(&self) -> bool {
        self.err_is_terminal
    }

    /// The terminal's width, when stdout is one.
    pub(crate) const fn columns(&self) -> Option<usize> {
        self.columns
    }

    /// One line (or several) of what was asked for, on stdout.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn say(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// Text on stdout without a line's end.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn write(&mut self, text: impl Display) -> io::Result<()> {
        write!(self.out, "{text}")?;
        self.out.flush()
    }

    /// A remark on stderr. A closed stderr is no reason to stop working, so its failure has no consequence.
    pub(crate) fn note(&mut self, text: impl Display) {
        let _ = writeln!(self.err, "{text}");
    }
}

#[cfg(test)]
pub(crate) mod captured {
    //! A screen whose content tests can read.

    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::Screen;

    /// What was written to a stream, without colour codes.
    #[derive(Clone, Default)]
    pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        pub(crate) fn text(&self) -> String {
            let bytes = self.0.lock().unwrap().clone();
            anstream::adapter::strip_str(&String::from_utf8(bytes).unwrap()).to_string()
        }
    }

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A screen that is no terminal, its stdout and its stderr.
    pub(crate) fn screen() -> (Screen, Captured, Captured) {
        let (out, err) = (Captured::default(), Captured::default());
        let screen = Screen {
            out: Box::new(out.clone()),
            err: Box::new(err.clone()),
            out_is_terminal: false,
            err_is_terminal: false,
            columns: None,
        };
        (screen, out, err)
    }
}
