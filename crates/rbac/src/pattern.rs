//! Action patterns (`Microsoft.CognitiveServices/*/read`), compiled once per role and matched without backtracking.
//!
//! `*` stands for any text, slashes included. As a whole segment it may also stand for no segment at all: `a/*/b` matches `a/b`.
//! Azure reads it so - Managed Identity Operator holds `userAssignedIdentities/*/assign/action`, and that is what grants
//! `userAssignedIdentities/assign/action`; the machine learning roles take back with `workspaces/write` what `workspaces/*/write`
//! would have given.

/// The longest action and the longest pattern, in bytes. Azure's longest action is well below 200.
pub(crate) const MAX_BYTES: usize = 256;

/// One operation, checked and in lower case, on the stack.
#[derive(Clone, Copy)]
pub(crate) struct Action {
    folded: [u8; MAX_BYTES],
    length: usize,
}

impl Action {
    /// None when the text is empty, too long, holds a wildcard or anything but the characters of operations: such a text names
    /// no operation, and must not be compared with patterns as if it did.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut folded = [0; MAX_BYTES];
        let target = folded.get_mut(..text.len())?;
        target.copy_from_slice(text.as_bytes());
        target.make_ascii_lowercase();
        // No early end: the whole check is a few vector instructions.
        let well_formed = !text.is_empty() && target.iter().fold(true, |plain, byte| plain & is_plain(*byte));
        well_formed.then_some(Self { folded, length: text.len() })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.folded.get(..self.length).unwrap_or_default()
    }
}

/// The characters of operations.
pub(crate) const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_')
}

/// A set of patterns. The empty set matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PatternSet {
    /// `*` is among them.
    everything: bool,
    /// Those without a wildcard: sorted, in lower case.
    exact: Box<[Box<[u8]>]>,
    globs: Box<[Glob]>,
}

impl PatternSet {
    pub(crate) fn compile<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut exact, mut globs, mut everything) = (Vec::new(), Vec::new(), false);
        for pattern in patterns {
            let folded = pattern.to_ascii_lowercase();
            if !folded.is_empty() && folded.bytes().all(|byte| byte == b'*') {
                everything = true;
            } else if folded.contains('*') {
                globs.push(Glob::compile(&folded));
            } else {
                exact.push(folded.into_bytes().into_boxed_slice());
            }
        }
        exact.sort_unstable();
        exact.dedup();
        Self { everything, exact: exact.into(), globs: globs.into() }
    }

    pub(crate) fn matches(&self, action: &Action) -> bool {
        let action = action.bytes();
        self.everything
            || self.exact.binary_search_by(|known| (**known).cmp(action)).is_ok()
            || self.globs.iter().any(|glob| glob.matches(action, &mut ()))
    }
}

/// A pattern with wildcards: literal pieces in order, the first anchored at the start and the last at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Glob {
    head: Box<[u8]>,
    middle: Box<[Piece]>,
    tail: Piece,
}

/// A literal after a wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    text: Box<[u8]>,
    /// The wildcard before it was a whole segment, so it may share its leading slash with the end of the piece before.
    shares_slash: bool,
}

impl Glob {
    /// `pattern` is in lower case and has a `*`.
    fn compile(pattern: &str) -> Self {
        let mut pieces = pattern.split('*');
        let head = pieces.next().unwrap_or_default();
        // Neighbouring stars are one star.
        let mut before = head;
        let mut rest: Vec<Piece> = Vec::new();
        let (mut last, mut pending) = (None, pieces.peekable());
        while let Some(text) = pending.next() {
            let piece = Piece { text: text.as_bytes().into(), shares_slash: before.ends_with('/') && text.starts_with('/') };
            if pending.peek().is_none() {
                last = Some(piece);
            } else if !text.is_empty() {
                rest.push(piece);
                before = text;
            }
        }
        let tail = last.unwrap_or(Piece { text: Box::default(), shares_slash: false });
        Self { head: head.as_bytes().into(), middle: rest.into(), tail }
    }

    /// Greedy and leftmost: each middle piece takes its first occurrence, which leaves most to the ones after. So no position is
    /// ever tried again, and the work is bounded by the action's length times the longest piece, however many stars there are.
    fn matches(&self, action: &[u8], tally: &mut impl Tally) -> bool {
        if !action.starts_with(&self.head) || !action.ends_with(&self.tail.text) {
            return false;
        }
        let mut from = self.head.len();
        let end = action.len() - self.tail.text.len();
        for piece in &self.middle {
            let start = from - usize::from(piece.shares_slash);
            let Some(rest) = action.get(start..) else { return false };
            let Some(found) = find(rest, &piece.text, tally) else { return false };
            from = start + found + piece.text.len();
        }
        from <= end + usize::from(self.tail.shares_slash)
    }
}

/// Counts the places of an action at which a piece is tried; outside tests it counts nothing and costs nothing.
trait Tally {
    fn tried(&mut self);
}

impl Tally for () {
    fn tried(&mut self) {}
}

/// The first occurrence of `needle`, which is not empty.
fn find(haystack: &[u8], needle: &[u8], tally: &mut impl Tally) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| {
        tally.tried();
        window == needle
    })
}

#[cfg(test)]
mod tests;
