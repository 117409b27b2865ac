//! Cancellation: who is cancelled, why, and how it spreads.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use super::deadline::tell_below;
use super::{ABOVE, ENDED, MOVED, Member, Node, OWN, OWN_FIRST, Role, SPREAD, STOPPING, TOLD};
use crate::lock::lock;
use crate::reason::Reason;

impl Node {
    /// Whether this scope itself was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is(OWN)
    }

    /// Whether this or a visible scope around it was cancelled; exact once the node is attached and
    /// whoever cancels has come this far down.
    #[inline]
    pub(crate) fn is_effectively_cancelled(&self) -> bool {
        let flags = self.flags.load(Ordering::Acquire);
        flags & ABOVE != 0 || flags & (OWN | ENDED) == OWN
    }

    /// The same, but never late: looks at every scope around it. For the rare places that must know.
    pub(crate) fn is_surely_cancelled(self: &Arc<Self>) -> bool {
        let is_cancelled_handle = |handle: &Arc<Node>| handle.is(OWN);
        self.visible().any(|node| {
            node.is_effectively_cancelled()
                || (!node.is(ENDED) && node.handle.as_ref().is_some_and(is_cancelled_handle))
        })
    }

    /// Whether its body, which waits, is to be dropped now.
    #[inline]
    pub(crate) fn is_to_be_cut(&self) -> bool {
        self.is_effectively_cancelled() && !self.is_held()
    }

    /// Whether its body is to be dropped, but not before something in it has come to an end.
    #[inline]
    pub(crate) fn is_cancelled_but_held(&self) -> bool {
        self.is_effectively_cancelled() && self.is_held()
    }

    /// Brings down to this place what it can see and what is still on its way: who has seen that it is cancelled is to be
    /// cut at its next `Pending`.
    pub(crate) fn bring_down(self: &Arc<Self>) {
        let cancelled = |node: &&Arc<Node>| !node.is(ENDED) && node.governor().is(OWN);
        for node in self.visible().filter(cancelled) {
            node.governor().cancel(&Reason::Explicit(None));
        }
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
    pub(super) fn enter_handle(self: &Arc<Self>) {
        let Some(handle) = &self.handle else { return };
        let mut scope = lock(&handle.state);
        // The handle is older than its runs, so it is locked first.
        let mut state = lock(&self.state);
        let run = Member::Run(Arc::downgrade(self));
        state.key_in_handle = Some(scope.members.insert(run) as u32);
        state.deadline = scope.deadline;
        if let Some(end) = scope.stop_end() {
            state.rare().stop_end = Some(end);
        }
        let mut flags = handle.flags.load(Ordering::Acquire) & (STOPPING | OWN);
        if flags & OWN != 0 {
            state.cause = scope.cause.clone();
            flags |= OWN_FIRST;
        }
        // There may be a limit, or a grace period that waits for a clock.
        if scope.deadline.is_some() || scope.rare.is_some() {
            flags |= MOVED;
        }
        if flags != 0 {
            self.set(flags);
        }
        drop((state, scope));
        if self.is(OWN) {
            self.tell_cancelled(&self.cause());
        }
    }

    /// Cancels the scope and with it all that can see it, unless it is cancelled already.
    ///
    /// On return all below know of it, also if it is another thread that was the first to cancel and is still
    /// on its way down: then this one goes the same way.
    pub(crate) fn cancel(self: &Arc<Self>, reason: &Reason) {
        if self.is(SPREAD) {
            return;
        }
        let mut work = VecDeque::new();
        let mut wakers = Vec::new();
        self.mark(OWN, reason, &mut work, &mut wakers);
        // Of several who cancel at once, the first gives the reason.
        let reason = &self.cause();
        spread(work, wakers, reason);
        self.set(SPREAD);
    }

    /// Tells all below of a cancellation that has come from above.
    pub(super) fn spread_from_above(self: &Arc<Self>) {
        let work = VecDeque::from([(self.clone(), ABOVE)]);
        spread(work, Vec::new(), &self.cause());
    }

    /// Sets the flag, and collects whom to wake and where to go on.
    fn mark(
        self: &Arc<Self>,
        flag: u32,
        reason: &Reason,
        work: &mut VecDeque<(Arc<Node>, u32)>,
        wakers: &mut Vec<Waker>,
    ) {
        if flag == ABOVE && self.is_shielded() {
            return;
        }
        let above = if flag == ABOVE {
            self.lock_parent()
        } else {
            None
        };
        // The parent may have ended meanwhile, or be another one, and then has no say.
        if above
            .as_ref()
            .is_some_and(|(parent, _)| !parent.is_effectively_cancelled())
        {
            return;
        }
        let mut state = lock(&self.state);
        let before = self.flags.load(Ordering::Acquire);
        if flag == OWN && before & ENDED != 0 {
            return;
        }
        // Seen from below, it makes no difference by which of the two it is cancelled.
        let first = before & ABOVE == 0 && before & (OWN | ENDED) != OWN;
        let own_first = if flag == OWN && first { OWN_FIRST } else { 0 };
        self.set(flag | own_first | TOLD);
        if first {
            state.cause.get_or_insert_with(|| reason.clone());
            wakers.extend(self.take_waker(&mut state));
        }
        state.take_watchers(wakers);
        if before & (SPREAD | ENDED) == SPREAD {
            return;
        }
        for member in state.members.iter_mut() {
            match member {
                Member::Below(node) => work.extend(node.upgrade().map(|node| (node, ABOVE))),
                Member::Seat(_, waker) => wakers.extend(waker.take()),
                Member::Run(node) if flag == OWN => {
                    work.extend(node.upgrade().map(|node| (node, OWN)));
                }
                Member::Run(_) | Member::Watcher(_) => {}
            }
        }
        drop((state, above));
        if flag == OWN && before & OWN == 0 {
            self.tell_cancelled(reason);
        }
        if first && self.role == Role::Children {
            // The group may have looked since its own node was marked, and does not listen at this one.
            self.wake();
        }
    }

    /// The scope has ended. What was first polled in it and lives on, because it was only lent to the body,
    /// is no longer subject to it, but still to the scopes around it.
    pub(crate) fn retire(self: &Arc<Self>) {
        // Under the lock, so that it is ordered with a cancellation that comes by.
        let state = lock(&self.state);
        self.set(ENDED);
        let has_members = !state.members.is_empty();
        drop(state);
        if has_members {
            tell_below(VecDeque::from([self.clone()]));
        }
    }

    /// [`retire`](Self::retire) by the owner of the scope: most often nothing is left below, and the node goes with it.
    pub(crate) fn retire_if_shared(self: &Arc<Self>) {
        if Arc::strong_count(self) > 1 {
            self.retire();
        }
    }
}

/// Goes down the tree with a cancellation, and wakes whoever is concerned.
fn spread(mut work: VecDeque<(Arc<Node>, u32)>, mut wakers: Vec<Waker>, reason: &Reason) {
    loop {
        wakers.drain(..).for_each(Waker::wake);
        let Some((node, flag)) = work.pop_front() else {
            return;
        };
        node.mark(flag, reason, &mut work, &mut wakers);
    }
}
