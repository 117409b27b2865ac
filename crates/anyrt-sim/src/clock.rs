//! Virtual time: an instant that only moves when it is told to, and the timers that wait for it.
//!
//! Invariant: every timer lies in the future of `now`. So there is never one that is due and not fired.

use std::collections::{BTreeMap, BTreeSet};
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
    /// It does not jump beyond this.
    end: Option<Instant>,
    /// Whether it jumps by itself; otherwise up to where somebody allows it.
    autojump: bool,
    allowed: BTreeSet<TimerKey>,
}

/// Why a clock does not jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stuck {
    /// There is no timer.
    Idle,
    /// There are so many timers, and nobody allows it to jump there.
    Held(usize),
    /// The next timer is beyond the end.
    AtEnd,
}

impl Clock {
    pub(crate) fn new(max_time: Option<Duration>, autojump: bool) -> Self {
        let start = Instant::now();
        Self {
            start,
            now: start,
            timers: BTreeMap::new(),
            next_number: 0,
            // What is beyond the last instant is beyond all timers.
            end: max_time.and_then(|limit| start.checked_add(limit)),
            autojump,
            allowed: BTreeSet::new(),
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

    /// Allows the clock to jump up to an instant.
    pub(crate) fn allow(&mut self, key: TimerKey) {
        self.allowed.insert(key);
    }

    /// Takes that back.
    pub(crate) fn allow_no_more(&mut self, key: TimerKey) {
        self.allowed.remove(&key);
    }

    /// Moves to the earliest timer and takes out all that are due then, in order.
    pub(crate) fn jump(&mut self) -> Result<Vec<Waker>, Stuck> {
        let first = self.timers.keys().next().ok_or(Stuck::Idle)?;
        let is_allowed = || self.allowed.last().is_some_and(|key| first.at <= key.at);
        if !self.autojump && !is_allowed() {
            return Err(Stuck::Held(self.timers.len()));
        }
        if self.end.is_some_and(|end| end < first.at) {
            return Err(Stuck::AtEnd);
        }
        self.now = first.at;
        let mut due = Vec::new();
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().at > self.now {
                break;
            }
            due.push(entry.remove());
        }
        Ok(due)
    }

    /// Takes out all timers; the time stays as it is.
    pub(crate) fn clear(&mut self) -> BTreeMap<TimerKey, Waker> {
        std::mem::take(&mut self.timers)
    }
}
