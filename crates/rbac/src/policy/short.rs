//! A list that is nearly always short: on the stack until it is not, so that a usual decision allocates nothing.

/// How many items fit on the stack.
const INLINE: usize = 16;

pub(super) struct Short<T> {
    inline: [T; INLINE],
    length: usize,
    spilled: Vec<T>,
}

impl<T: Copy> Short<T> {
    /// An empty list; `filler` occupies the unused places.
    pub(super) const fn new(filler: T) -> Self {
        Self { inline: [filler; INLINE], length: 0, spilled: Vec::new() }
    }

    pub(super) fn push(&mut self, item: T) {
        match self.inline.get_mut(self.length) {
            Some(place) => {
                *place = item;
                self.length += 1;
            }
            None => self.spilled.push(item),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.length + self.spilled.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<T> {
        match index.checked_sub(INLINE) {
            None => self.inline.get(..self.length)?.get(index).copied(),
            Some(index) => self.spilled.get(index).copied(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.inline.iter().take(self.length).chain(&self.spilled)
    }

    /// Whether the list no longer fits on the stack.
    pub(super) const fn is_long(&self) -> bool {
        !self.spilled.is_empty()
    }
}
