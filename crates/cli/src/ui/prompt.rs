//! A password typed at a terminal: it is not shown, and it stands in no history and no process list.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use keyless_model::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// What Ctrl-C and Ctrl-D are while the terminal hands every key on.
const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const BACKSPACES: [u8; 2] = [8, 127];
/// No password is longer.
const MAX_BYTES: usize = 4096;

/// Asks at the terminal that standard input is. None when the person would rather not.
///
/// # Errors
/// When the terminal cannot be read or set.
pub(crate) fn password(question: &str) -> io::Result<Option<Secret<String>>> {
    let stdin = io::stdin();
    let mut err = io::stderr();
    // Before the question: whoever answers at once must neither be shown nor lost.
    let quiet = Quiet::begin(stdin.as_fd())?;
    write!(err, "{question}: ")?;
    err.flush()?;
    let typed = line(&mut stdin.lock());
    drop(quiet);
    writeln!(err)?;
    Ok(typed?.map(Secret::new))
}

/// Keys as they come, with backspace as the only way to edit.
fn line(keys: &mut impl Read) -> io::Result<Option<String>> {
    let mut typed = Vec::new();
    let mut key = [0];
    while typed.len() < MAX_BYTES {
        if keys.read(&mut key)? == 0 {
            return Ok(None);
        }
        match key[0] {
            b'\r' | b'\n' => break,
            CTRL_C | CTRL_D => return Ok(None),
            byte if BACKSPACES.contains(&byte) => {
                // A letter may be several bytes; those after the first begin with the bits 10.
                while typed.pop().is_some_and(|byte: u8| byte & 0b1100_0000 == 0b1000_0000) {}
            }
            byte => typed.push(byte),
        }
    }
    String::from_utf8(typed).map(Some).map_err(|_| io::Error::other("the password is no UTF-8"))
}

/// A terminal that shows nothing and hands every key on - Ctrl-C too, which would otherwise end this process and leave it so.
struct Quiet<F: AsFd> {
    terminal: F,
    before: Termios,
}

impl<F: AsFd> Quiet<F> {
    fn begin(terminal: F) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(&terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl<F: AsFd> Drop for Quiet<F> {
    fn drop(&mut self) {
        // There is nobody to tell.
        _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn what_is_typed_is_taken_up_to_the_end_of_the_line() {
        let typed = |keys: &str| line(&mut keys.as_bytes()).unwrap();
        assert_eq!(typed("secret\nmore").as_deref(), Some("secret"));
        assert_eq!(typed("wrö\u{7f}ord\r").as_deref(), Some("wrord"), "a letter of two bytes goes whole");
        assert_eq!(typed("\u{7f}\u{8}a\n").as_deref(), Some("a"));
        assert_eq!(typed("secr\u{3}et\n"), None, "Ctrl-C");
        assert_eq!(typed("no end"), None);
    }
}
