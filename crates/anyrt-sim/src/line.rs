//! A line of those who wait, from which anyone can be taken out.
//!
//! Whoever comes is last. To take out the one at some rank, and to ask for a rank, takes steps by the logarithm of
//! the length: a Fenwick tree (Fenwick 1994) counts who is still there.
//!
//! Invariant: `counts[i]` says how many are there of the `lowest_bit(i + 1)` places up to and with place `i`.

/// In the order in which they came.
#[derive(Debug)]
pub(crate) struct Line<T> {
    /// With the number that each was given; empty once it was taken out.
    places: Vec<(u64, Option<T>)>,
    counts: Vec<usize>,
    len: usize,
    next_number: u64,
}

impl<T> Line<T> {
    pub(crate) const fn new() -> Self {
        Self {
            places: Vec::new(),
            counts: Vec::new(),
            len: 0,
            next_number: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Puts it last, and gives the number by which it can be asked for.
    pub(crate) fn push(&mut self, item: T) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        self.places.push((number, Some(item)));
        let end = self.places.len();
        let begin = end - lowest_bit(end);
        let mut count = 1;
        let mut at = end - 1;
        while at > begin {
            count += self.counts[at - 1];
            at -= lowest_bit(at);
        }
        self.counts.push(count);
        self.len += 1;
        number
    }

    /// How many are before the one with this number.
    pub(crate) fn rank_of(&self, number: u64) -> usize {
        let mut at = self.places.partition_point(|place| place.0 < number);
        let mut before = 0;
        while at > 0 {
            before += self.counts[at - 1];
            at -= lowest_bit(at);
        }
        before
    }

    /// Takes out the one before whom there are `rank` others; there must be one.
    pub(crate) fn take(&mut self, rank: usize) -> T {
        let at = self.place_of(rank);
        let item = self.places[at].1.take();
        let mut end = at + 1;
        while end <= self.counts.len() {
            self.counts[end - 1] -= 1;
            end += lowest_bit(end);
        }
        self.len -= 1;
        self.close_up();
        item.expect("the counts are right")
    }

    /// Takes out all of them, in order.
    pub(crate) fn take_all(&mut self) -> Vec<T> {
        self.counts.clear();
        self.len = 0;
        let places = std::mem::take(&mut self.places);
        places.into_iter().filter_map(|place| place.1).collect()
    }

    fn place_of(&self, rank: usize) -> usize {
        debug_assert!(rank < self.len);
        let mut width = self.counts.len().next_power_of_two();
        let mut at = 0;
        let mut left = rank;
        while width > 0 {
            if let Some(&count) = self.counts.get(at + width - 1) {
                if count <= left {
                    left -= count;
                    at += width;
                }
            }
            width /= 2;
        }
        at
    }

    /// Sees to it that no more than about half of the places are empty.
    fn close_up(&mut self) {
        if self.len == 0 {
            self.places.clear();
            self.counts.clear();
        } else if self.places.len() > 2 * self.len + 32 {
            self.places.retain(|place| place.1.is_some());
            self.counts.clear();
            self.counts.extend((1..=self.len).map(lowest_bit));
        }
    }
}

fn lowest_bit(n: usize) -> usize {
    n & n.wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;

    #[test]
    fn it_is_like_a_vector() {
        let mut rng = Rng::with_seed(7);
        let mut line = Line::new();
        let mut model = Vec::new();
        for item in 0..20_000 {
            // It grows, shrinks, and is empty at times.
            let grows = item / 500 % 2 == 0;
            if model.is_empty() || rng.u8(..10) < if grows { 8 } else { 2 } {
                model.push((line.push(item), item));
            } else {
                let rank = rng.usize(..model.len());
                assert_eq!(line.rank_of(model[rank].0), rank);
                assert_eq!(line.take(rank), model.remove(rank).1);
            }
            assert_eq!(line.len(), model.len());
            assert!(line.places.len() <= 2 * model.len() + 33);
        }
        let all: Vec<_> = model.into_iter().map(|(_, item)| item).collect();
        assert_eq!(line.take_all(), all);
        assert_eq!(line.len(), 0);
    }
}
