//! Deadlines: a node's own, and the earliest one it can see.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::{ABOVE, ENDED, MOVED, Member, Node, OWN, Role, State};
use crate::lock::lock;

impl Node {
    pub(crate) fn deadline(&self) -> Option<Instant> {
        lock(&self.state).deadline
    }

    /// The deadline that it imposes on what is below.
    pub(super) fn limit_of(&self, state: &State) -> Option<Instant> {
        state.deadline.filter(|_| !self.is(ENDED))
    }

    /// The deadline that this scope has to watch: its own, unless one around it comes first.
    pub(crate) fn deadline_to_watch(&self) -> Option<Instant> {
        let state = lock(&self.state);
        let own = self.limit_of(&state)?;
        state.above.is_none_or(|above| own < above).then_some(own)
    }

    /// Whether a deadline has changed since the last call.
    pub(crate) fn take_moved(&self) -> bool {
        self.is(MOVED) && self.flags.fetch_and(!MOVED, Ordering::AcqRel) & MOVED != 0
    }

    /// Whether a scope around it is the one to report a cancellation, as of `now`.
    pub(crate) fn is_overruled(&self, now: impl FnOnce() -> Instant) -> bool {
        let above = lock(&self.state).above;
        self.is(ABOVE) || above.is_some_and(|above| above <= now())
    }

    /// The earliest deadline in sight; `cancelled_at` stands for one that is cancelled already.
    pub(crate) fn effective_deadline(&self, cancelled_at: Instant) -> Option<Instant> {
        let mut earliest = self.is_surely_cancelled().then_some(cancelled_at);
        for node in self.visible() {
            earliest = earlier(earliest, node.limit_of(&lock(&node.state)));
        }
        earliest
    }

    pub(crate) fn set_timeout(&self, timeout: Duration) {
        lock(&self.state).timeout = Some(timeout);
    }

    /// Moves the deadline, unless the scope is cancelled already, and tells all who can see it.
    ///
    /// What is below is written under both locks, or two moves could arrive there in the wrong order.
    pub(crate) fn set_deadline(self: &Arc<Self>, deadline: Option<Instant>) {
        let mut work = VecDeque::from([self.clone()]);
        let mut untouched = Vec::new();
        let mut wakers = Vec::new();
        let mut state = lock(&self.state);
        if self.is(OWN) {
            return;
        }
        state.timeout = None;
        state.deadline = deadline;
        for (_, member) in &state.members {
            let Member::Run(run) = member else { continue };
            let Some(run) = run.upgrade() else { continue };
            lock(&run.state).deadline = deadline;
            work.push_back(run);
        }
        drop(state);
        while let Some(node) = work.pop_front() {
            let mut state = lock(&node.state);
            let visible = earlier(node.limit_of(&state), state.above);
            node.set(MOVED);
            wakers.extend(node.take_waker(&mut state));
            state.take_watchers(&mut wakers);
            for (_, member) in &state.members {
                let Member::Below(below) = member else {
                    continue;
                };
                let Some(below) = below.upgrade() else {
                    continue;
                };
                if below.sees_from_above(visible) {
                    work.push_back(below);
                } else {
                    untouched.push(below);
                }
            }
            drop(state);
            // The last owner of a node leaves its parent's list, so none may go under the lock.
            untouched.clear();
            wakers.drain(..).for_each(Waker::wake);
        }
    }

    /// Whether `deadline` is news to this node as the earliest one above it.
    pub(super) fn sees_from_above(&self, deadline: Option<Instant>) -> bool {
        let news = self.role != Role::Shield
            && std::mem::replace(&mut lock(&self.state).above, deadline) != deadline;
        if news {
            self.set(MOVED);
        }
        news
    }
}

/// The earlier of two deadlines, where none is never.
pub(super) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
