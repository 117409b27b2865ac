//! Virtual time: an instant that only moves when it is told to, and the timers that wait for it.
//!
//! Invariant: every timer lies in the future of `now`. So there is never one that is due and not fired.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::{Duration, Instant};

/// The name of a timer, and its place in the order: earlier first, then the one created first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerKey {
    at: Instant,
    number: u64,
}

/// The clock of one simulation.
///
/// Wakers that it no longer needs are handed to the caller, who must drop or wake them outside of the lock.
#[derive(Debug)]
pub(crate) struct Clock {
    /// The only reading of a real clock, since an [`Instant`] cannot be had in another way. Nothing
    /// depends on its value: all that programs can see are differences.
    start: Instant,
    now: Instant,
    timers: BTreeMap<TimerKey, Waker>,
    next_number: u64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let start = Instant::now();
        Self {
            start,
            now: start,
            timers: BTreeMap::new(),
            next_number: 0,
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// The virtual time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// A place in the order for a timer that is armed later, if at all.
    pub(crate) fn key(&mut self, at: Instant) -> TimerKey {
        let number = self.next_number;
        self.next_number += 1;
        TimerKey { at, number }
    }

    pub(crate) fn is_due(&self, key: TimerKey) -> bool {
        key.at <= self.now
    }

    /// Arms a timer that is not due yet, or gives it another waker; the old one comes back.
    pub(crate) fn arm(&mut self, key: TimerKey, waker: Waker) -> Option<Waker> {
        debug_assert!(!self.is_due(key), "a due timer would never fire");
        self.timers.insert(key, waker)
    }

    /// Forgets a timer, if it is armed.
    pub(crate) fn disarm(&mut self, key: TimerKey) -> Option<Waker> {
        self.timers.remove(&key)
    }

    /// Moves to the earliest timer and takes out all that are due then, in order; `None` without timers.
    pub(crate) fn jump(&mut self) -> Option<Vec<Waker>> {
        let (key, waker) = self.timers.pop_first()?;
        self.now = key.at;
        let mut due = vec![waker];
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().at > self.now {
                break;
            }
            due.push(entry.remove());
        }
        Some(due)
    }

    /// Takes out all timers; the time stays as it is.
    pub(crate) fn clear(&mut self) -> BTreeMap<TimerKey, Waker> {
        std::mem::take(&mut self.timers)
    }
}
