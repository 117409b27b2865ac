//! Deadlines: a node's own, and the earliest one it can see.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::{ABOVE, ENDED, MOVED, Member, Node, OWN, Role, State, TIMED};
use crate::lock::lock;
use crate::reason::Reason;

impl Node {
    pub(crate) fn deadline(&self) -> Option<Instant> {
        lock(&self.state).deadline
    }

    /// When this scope is going to be cancelled, and why: at its deadline, or when a graceful stop is over.
    pub(crate) fn limit(&self) -> Option<(Instant, Reason)> {
        let state = lock(&self.state);
        match (state.deadline, state.stop_end()) {
            (deadline, Some(end)) if deadline.is_none_or(|deadline| end <= deadline) => {
                let reason = state
                    .rare
                    .as_ref()
                    .and_then(|rare| rare.stop_reason.clone());
                Some((end, reason.unwrap_or(Reason::Shutdown)))
            }
            (deadline, _) => Some((deadline?, Reason::Deadline)),
        }
    }

    /// Cancels the scope because its time is up.
    pub(crate) fn expire(self: &Arc<Self>) {
        let reason = self.limit().map_or(Reason::Deadline, |(_, reason)| reason);
        self.cancel(&reason);
    }

    /// Cancels the scope if its time is up.
    pub(crate) fn expire_if_passed(self: &Arc<Self>, now: impl FnOnce() -> Instant) {
        if self.limit().is_some_and(|(limit, _)| limit <= now()) {
            self.expire();
        }
    }

    /// The limit that it imposes on what is below.
    pub(super) fn limit_of(&self, state: &State) -> Option<Instant> {
        earlier(state.deadline, state.stop_end()).filter(|_| !self.is(ENDED))
    }

    /// The deadline that this scope has to watch: its own, unless one around it comes first or it is cancelled already.
    pub(crate) fn deadline_to_watch(&self) -> Option<Instant> {
        if self.is(OWN) {
            return None;
        }
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
        self.is(ABOVE)
            || above.is_some_and(|above| above <= now())
            // One that is just on its way down from above counts, too.
            || (!self.is_shielded() && self.parent().is_some_and(|parent| parent.is_surely_cancelled()))
    }

    /// The earliest deadline in sight; `cancelled_at` stands for one that is cancelled already.
    pub(crate) fn effective_deadline(self: &Arc<Self>, cancelled_at: Instant) -> Option<Instant> {
        let cancelled = self.is_surely_cancelled().then_some(cancelled_at);
        earlier(cancelled, self.earliest_limit())
    }

    /// The earliest deadline that this place can see.
    pub(crate) fn earliest_limit(self: &Arc<Self>) -> Option<Instant> {
        let limit = |node: &Arc<Node>| node.limit_of(&lock(&node.state));
        self.visible().filter_map(limit).min()
    }

    /// The reason of the earliest limit in sight, if that has passed.
    pub(crate) fn passed_limit(self: &Arc<Self>, now: Instant) -> Option<Reason> {
        let limits = self.visible().filter(|node| !node.is(ENDED));
        let (at, reason) = limits
            .filter_map(|node| node.limit())
            .min_by_key(|(at, _)| *at)?;
        (at <= now).then_some(reason)
    }

    pub(crate) fn set_timeout(&self, timeout: Duration) {
        lock(&self.state).rare().timeout = Some(timeout);
        self.set(TIMED);
    }

    /// Of a scope that is entered: its time limit begins, if it has one that has not begun.
    pub(crate) fn begin_timeout(&self, now: impl FnOnce() -> Instant) {
        if !self.is(TIMED) {
            return;
        }
        let now = now();
        let mut wakers = Vec::new();
        let mut state = lock(&self.state);
        if let Some(timeout) = state.rare().timeout.take() {
            state.deadline = now.checked_add(timeout);
            state.take_watchers(&mut wakers);
        }
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Moves the deadline, unless the scope is cancelled already, and tells all who can see it.
    pub(crate) fn set_deadline(self: &Arc<Self>, deadline: Option<Instant>) {
        self.adjust(|state| {
            if let Some(rare) = &mut state.rare {
                rare.timeout = None;
            }
            state.deadline = deadline;
        });
    }

    /// Changes the limits of the scope and of its runs, unless it is cancelled already, and tells all who can
    /// see them.
    ///
    /// What is below is written under both locks, or two moves could arrive there in the wrong order.
    pub(super) fn adjust(self: &Arc<Self>, change: impl Fn(&mut State)) {
        let mut changed = VecDeque::from([self.clone()]);
        let mut state = lock(&self.state);
        if self.is(OWN) {
            return;
        }
        change(&mut state);
        for member in state.members.iter() {
            let Member::Run(run) = member else { continue };
            let Some(run) = run.upgrade() else { continue };
            change(&mut lock(&run.state));
            changed.push_back(run);
        }
        drop(state);
        tell_below(changed);
    }

    /// Takes note of the earliest deadline above, and of whether anything above is cancelled at all. Gives
    /// whether that was news. Called with the parent locked.
    fn hear_from_above(&self, deadline: Option<Instant>, cancelled: bool) -> bool {
        if self.is_shielded() {
            return false;
        }
        let mut state = lock(&self.state);
        let moved = std::mem::replace(&mut state.above, deadline) != deadline;
        let freed = !cancelled && self.is(ABOVE);
        if freed {
            let before = self.flags.fetch_and(!ABOVE, Ordering::AcqRel);
            if before & OWN == 0 {
                state.cause = None;
            }
        }
        moved || freed
    }
}

/// These nodes have changed: wakes them and all below who are concerned, so that they look for themselves.
pub(super) fn tell_below(changed: VecDeque<Arc<Node>>) {
    let mut work = changed;
    let mut untouched = Vec::new();
    let mut wakers = Vec::new();
    while let Some(node) = work.pop_front() {
        let mut state = lock(&node.state);
        node.set(MOVED);
        wakers.extend(node.take_waker(&mut state));
        state.take_watchers(&mut wakers);
        let visible = earlier(node.limit_of(&state), state.above);
        let cancelled = node.is_effectively_cancelled();
        for member in state.members.iter() {
            let Member::Below(below) = member else {
                continue;
            };
            let Some(below) = below.upgrade() else {
                continue;
            };
            // Under both locks, or two changes could arrive below in the wrong order.
            if below.hear_from_above(visible, cancelled) {
                work.push_back(below);
            } else {
                untouched.push(below);
            }
        }
        drop(state);
        // The last owner of a node leaves its parent's list, so none may go under the lock.
        untouched.clear();
        wakers.drain(..).for_each(Waker::wake);
        if node.role == Role::Children {
            node.wake();
        }
    }
}

/// The earlier of two deadlines, where none is never.
#[inline]
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
