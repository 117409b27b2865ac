//! Cancellation: who is cancelled, why, and how it spreads.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use super::{ABOVE, MOVED, Member, Node, OWN, OWN_FIRST, Role};
use crate::lock::lock;
use crate::reason::Reason;

impl Node {
    /// Whether this scope itself was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is(OWN)
    }

    /// Whether this or a visible scope around it was cancelled; exact once the node is attached and
    /// whoever cancels has come this far down.
    pub(crate) fn is_effectively_cancelled(&self) -> bool {
        self.is(OWN | ABOVE)
    }

    /// The same, but never late: looks at every scope around it. For the rare places that must know.
    pub(crate) fn is_surely_cancelled(&self) -> bool {
        self.visible()
            .any(|node| node.is(OWN | ABOVE) || node.handle.as_ref().is_some_and(|h| h.is(OWN)))
    }

    /// Whether it was cancelled itself before anything around it was.
    pub(crate) fn is_cancelled_first(&self) -> bool {
        self.is(OWN_FIRST)
    }

    /// The first cause for which it was effectively cancelled.
    pub(crate) fn cause(&self) -> Reason {
        lock(&self.state).cause.clone().unwrap_or(Reason::Dropped)
    }

    /// Makes the node a run of its handle: takes over the cancellation and the deadline.
    pub(crate) fn enter_handle(self: &Arc<Self>, now: impl FnOnce() -> Instant) {
        let Some(handle) = &self.handle else { return };
        let mut wakers = Vec::new();
        let mut scope = lock(&handle.state);
        if let Some(timeout) = scope.timeout.take() {
            scope.deadline = now().checked_add(timeout);
            scope.take_watchers(&mut wakers);
        }
        let mut state = lock(&self.state);
        state.key_in_handle = Some(scope.members.insert(Member::Run(Arc::downgrade(self))));
        state.deadline = scope.deadline;
        if handle.is(OWN) {
            state.cause = scope.cause.clone();
            self.set(OWN | OWN_FIRST);
        }
        self.set(MOVED);
        drop((state, scope));
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Cancels the scope and with it all that can see it. Gives `false` if it was cancelled before.
    pub(crate) fn cancel(self: &Arc<Self>, reason: &Reason) -> bool {
        let mut work = VecDeque::from([(self.clone(), OWN)]);
        let mut wakers = Vec::new();
        let mut first = None;
        while let Some((node, flag)) = work.pop_front() {
            let marked = node.mark(flag, reason, &mut work, &mut wakers);
            first.get_or_insert(marked);
            wakers.drain(..).for_each(Waker::wake);
        }
        first.unwrap_or(false)
    }

    fn mark(
        &self,
        flag: u8,
        reason: &Reason,
        work: &mut VecDeque<(Arc<Node>, u8)>,
        wakers: &mut Vec<Waker>,
    ) -> bool {
        if self.is(flag) || (flag == ABOVE && self.role == Role::Shield) {
            return false;
        }
        let mut state = lock(&self.state);
        let before = self.set(flag);
        if before & flag != 0 {
            return false;
        }
        if flag == OWN {
            for (_, member) in &state.members {
                if let Member::Run(run) = member {
                    work.extend(run.upgrade().map(|run| (run, OWN)));
                }
            }
            state.take_watchers(wakers);
        }
        if before & (OWN | ABOVE) != 0 {
            return true; // Those below have been told already.
        }
        if flag == OWN {
            self.set(OWN_FIRST);
        }
        state.cause = Some(reason.clone());
        wakers.extend(self.take_waker(&mut state));
        for (_, member) in &mut state.members {
            match member {
                Member::Below(node) => work.extend(node.upgrade().map(|node| (node, ABOVE))),
                Member::Seat(_, waker) => wakers.extend(waker.take()),
                Member::Run(_) | Member::Watcher(_) => {}
            }
        }
        true
    }
}
