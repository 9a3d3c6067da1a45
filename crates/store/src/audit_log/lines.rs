//! Lines of a segment, forwards and backwards.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;

/// The longest line accepted, in bytes. The longest event is a change of a large document, far below.
pub(super) const MAX_LINE: usize = 16 << 20;
const BLOCK: usize = 64 << 10;

/// One line, without its newline, and where it starts.
#[derive(Debug)]
pub(super) struct RawLine {
    pub(super) offset: u64,
    pub(super) text: Vec<u8>,
    /// False for what follows the last newline.
    pub(super) ended: bool,
}

/// Reads a file from an offset to its end.
#[derive(Debug)]
pub(super) struct Forwards {
    file: BufReader<File>,
    offset: u64,
}

impl Forwards {
    pub(super) fn from(mut file: File, offset: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self { file: BufReader::with_capacity(BLOCK, file), offset })
    }

    /// The next line into `line`; false at the end.
    pub(super) fn read(&mut self, line: &mut RawLine) -> io::Result<bool> {
        line.text.clear();
        line.offset = self.offset;
        let limit = MAX_LINE as u64 + 1;
        let length = (&mut self.file).take(limit).read_until(b'\n', &mut line.text)?;
        if length as u64 == limit {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a line is longer than {MAX_LINE} bytes")));
        }
        self.offset += length as u64;
        line.ended = line.text.pop_if(|byte| *byte == b'\n').is_some();
        Ok(length > 0)
    }
}

impl RawLine {
    pub(super) const fn new() -> Self {
        Self { offset: 0, text: Vec::new(), ended: false }
    }
}

/// Reads a file from an end to its beginning.
#[derive(Debug)]
pub(super) struct Backwards {
    file: File,
    /// `tail` holds the bytes of the file from `start` on that were not given out yet.
    start: u64,
    tail: Vec<u8>,
}

impl Backwards {
    /// Starts after the last newline of `file`: what follows it is no line yet.
    pub(super) fn new(file: File) -> io::Result<Self> {
        let start = file.metadata()?.len();
        let mut lines = Self { file, start, tail: Vec::new() };
        // Drop what follows the last newline, and keep that newline.
        loop {
            if let Some(at) = lines.tail.iter().rposition(|byte| *byte == b'\n') {
                lines.tail.truncate(at + 1);
                return Ok(lines);
            }
            lines.tail.clear();
            if !lines.grow()? {
                return Ok(lines);
            }
        }
    }

    /// The line before; none at the beginning.
    pub(super) fn read(&mut self) -> io::Result<Option<RawLine>> {
        if self.tail.is_empty() && !self.grow()? {
            return Ok(None);
        }
        // The last byte is the newline of the line we want.
        let mut searched = self.tail.len() - 1;
        loop {
            let newline = self.tail.get(..searched).and_then(|rest| rest.iter().rposition(|byte| *byte == b'\n'));
            let before = self.tail.len();
            if let Some(at) = newline.map(|at| at + 1).or((self.start == 0).then_some(0)) {
                let mut text = self.tail.split_off(at);
                text.pop();
                return Ok(Some(RawLine { offset: self.start + at as u64, text, ended: true }));
            }
            if before > MAX_LINE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a line is longer than {MAX_LINE} bytes")));
            }
            self.grow()?;
            // Only the new part can hold the newline.
            searched = self.tail.len() - before;
        }
    }

    /// Puts the block before into `tail`; false when there is none.
    fn grow(&mut self) -> io::Result<bool> {
        let length = usize::try_from(self.start).map_or(BLOCK, |start| start.min(BLOCK));
        if length == 0 {
            return Ok(false);
        }
        let mut block = vec![0; length];
        self.start -= length as u64;
        self.file.read_exact_at(&mut block, self.start)?;
        block.append(&mut self.tail);
        self.tail = block;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn forwards(bytes: &[u8]) -> Vec<(u64, Vec<u8>, bool)> {
        let mut lines = Forwards::from(file(bytes), 0).unwrap();
        let (mut line, mut all) = (RawLine::new(), Vec::new());
        while lines.read(&mut line).unwrap() {
            all.push((line.offset, line.text.clone(), line.ended));
        }
        all
    }

    fn backwards(bytes: &[u8]) -> Vec<(u64, Vec<u8>, bool)> {
        let mut lines = Backwards::new(file(bytes)).unwrap();
        let mut all = Vec::new();
        while let Some(line) = lines.read().unwrap() {
            all.push((line.offset, line.text, line.ended));
        }
        all.reverse();
        all
    }

    #[test]
    fn both_directions_see_the_same_lines() {
        let long = [vec![b'x'; BLOCK * 2 + 7], vec![b'\n'], vec![b'y'; BLOCK - 1], b"\nz\n".to_vec()].concat();
        let exact = [vec![b'x'; BLOCK - 1], vec![b'\n'], vec![b'y'; BLOCK - 1], vec![b'\n']].concat();
        for bytes in [&b""[..], b"\n", b"a\n", b"a\nbc\n\nd\n", &long, &exact] {
            assert_eq!(forwards(bytes), backwards(bytes));
        }
        assert_eq!(forwards(b"a\nb\n"), [(0, b"a".to_vec(), true), (2, b"b".to_vec(), true)]);
    }

    #[test]
    fn what_follows_the_last_newline_is_no_line() {
        assert_eq!(forwards(b"a\nbc"), [(0, b"a".to_vec(), true), (2, b"bc".to_vec(), false)]);
        assert_eq!(backwards(b"a\nbc"), [(0, b"a".to_vec(), true)]);
        assert_eq!(backwards(&vec![b'x'; BLOCK + 1]), []);
        let torn = [b"a\n".to_vec(), vec![b'x'; BLOCK * 3]].concat();
        assert_eq!(backwards(&torn), [(0, b"a".to_vec(), true)]);
    }
}
