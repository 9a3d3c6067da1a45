//! The little of DER (X.690) that finding a certificate's key and dates takes. Reads forward, never panics, never copies.

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
/// `[0] EXPLICIT`, the version of a certificate.
pub(crate) const CONTEXT_0: u8 = 0xA0;

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

/// One element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// Tag, length and content.
    pub(crate) whole: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element; `None` at the end and for anything but a definite, minimal length (DER has no other).
    pub(crate) fn next(&mut self) -> Option<Element<'a>> {
        let &[tag, first, ref rest @ ..] = self.0 else { return None };
        let (length, head) = match first {
            0..=0x7F => (usize::from(first), 2),
            0x81..=0x83 => {
                let count = usize::from(first & 0x7F);
                let length = rest.get(..count)?.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
                let minimal = length >= 0x80 && length >> (8 * (count - 1)) != 0;
                (minimal.then_some(length)?, 2 + count)
            }
            _ => return None,
        };
        let whole = self.0.get(..head + length)?;
        self.0 = &self.0[whole.len()..];
        Some(Element { tag, content: &whole[head..], whole })
    }

    /// The next element, which must have that tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next().filter(|element| element.tag == tag)
    }
}
