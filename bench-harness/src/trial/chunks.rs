//! A list that only grows and never moves what it holds.
//!
//! A growing `Vec` would copy everything now and then, inside the measured window. Here an append touches one place, and
//! how much memory the list really uses is known, so that it can be left out of what a strategy is charged with.

/// A list that only grows, in pieces of equal capacity.
#[derive(Debug)]
pub struct Chunks<T> {
    chunks: Vec<Vec<T>>,
}

impl<T> Chunks<T> {
    // LIMIT: close to 32 Ki items per piece: with items of 8 to 48 bytes a piece is above the size from which allocators ask
    // the system for fresh pages, so that memory is used only as it is written. Not quite, so that an allocator's header
    // does not take one page more.
    const CHUNK: usize = (1 << 15) - 64;

    /// An empty list.
    pub fn new() -> Self {
        Self { chunks: Vec::new() }
    }

    /// Appends one item.
    pub fn push(&mut self, item: T) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < Self::CHUNK => last.push(item),
            _ => {
                let mut next = Vec::with_capacity(Self::CHUNK);
                next.push(item);
                self.chunks.push(next);
            }
        }
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * Self::CHUNK + last.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// All items in the order in which they were appended.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_order_across_pieces() {
        let n = 2 * Chunks::<u32>::CHUNK + 3;
        let mut list = Chunks::new();
        assert!(list.is_empty());
        for i in 0..n {
            assert_eq!(list.len(), i);
            list.push(i);
        }
        assert!(list.iter().copied().eq(0..n));
    }
}
