//! A list in which most nodes have one entry at most, and then without an allocation.

use slab::Slab;

/// An entry keeps its key until it is removed.
#[derive(Debug)]
pub(super) struct List<T> {
    /// Its key is 0; the others' are above.
    first: Option<T>,
    others: Slab<T>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            first: None,
            others: Slab::new(),
        }
    }
}

impl<T> List<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.others.is_empty()
    }

    pub(super) fn insert(&mut self, entry: T) -> usize {
        if self.first.is_none() {
            self.first = Some(entry);
            0
        } else {
            self.others.insert(entry) + 1
        }
    }

    /// Puts `entry` in the place of the one with this key, which is given back.
    pub(super) fn replace(&mut self, key: usize, entry: T) -> Option<T> {
        match key.checked_sub(1) {
            None => self.first.replace(entry),
            Some(key) => Some(std::mem::replace(&mut self.others[key], entry)),
        }
    }

    pub(super) fn remove(&mut self, key: usize) -> Option<T> {
        match key.checked_sub(1) {
            None => self.first.take(),
            Some(key) => Some(self.others.remove(key)),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let others = self.others.iter().map(|(_, entry)| entry);
        self.first.iter().chain(others)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let others = self.others.iter_mut().map(|(_, entry)| entry);
        self.first.iter_mut().chain(others)
    }
}

#[cfg(test)]
mod tests {
    use super::List;

    #[test]
    fn keys_stay_while_others_come_and_go() {
        let mut list = List::default();
        let keys = ["a", "b", "c"].map(|entry| list.insert(entry));
        assert_eq!(list.remove(keys[0]), Some("a"));
        assert_eq!(list.replace(keys[1], "d"), Some("b"));
        let key = list.insert("e");
        assert_eq!(list.iter().copied().collect::<Vec<_>>(), ["e", "d", "c"]);
        for (key, entry) in [(key, "e"), (keys[1], "d"), (keys[2], "c")] {
            assert_eq!(list.remove(key), Some(entry));
        }
        assert!(list.is_empty());
    }
}
