//! A line of the audit log: a changed one is refused, and what stands for one that cannot be read is a line like any other.

use keyless_audit::{Chain, Line, readable};

pub(crate) fn run(data: &[u8]) {
    _ = readable::time_of(data);
    let mut written = Vec::new();
    Chain::new().append(&readable::placeholder(data), &mut written).expect("a placeholder can be written");
    let line = Line::parse(written.strip_suffix(b"\n").expect("a line ends")).expect("what was written is a line");
    assert!(line.event().is_ok(), "a placeholder cannot be read");

    let Ok(line) = Line::parse(data) else { return };
    _ = line.event();
    let mut changed = data.to_vec();
    let middle = changed.len() / 2;
    if let Some(byte) = changed.get_mut(middle) {
        *byte ^= 1;
    }
    assert!(Line::parse(&changed).is_err(), "a changed line passes");
}
