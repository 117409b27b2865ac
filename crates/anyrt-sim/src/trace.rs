//! What has happened in a run, in one number.

use std::time::Duration;

/// A hash of who went on, out of how many, and when the clock jumped to where.
///
/// In the manner of FNV-1a, by words: the same on every machine and in every build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trace(u64);

impl Default for Trace {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Trace {
    fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01B3);
        // FNV takes bytes; with words the high bits would never come down.
        self.0 ^= self.0 >> 32;
    }

    pub(crate) fn step(&mut self, who: u64, candidates: usize) {
        self.add(who);
        self.add(candidates as u64);
    }

    pub(crate) fn jump(&mut self, elapsed: Duration) {
        self.add(elapsed.as_secs());
        self.add(u64::from(elapsed.subsec_nanos()));
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}
