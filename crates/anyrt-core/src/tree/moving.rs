//! A node that changes its parent: a child that was started by somebody, and then goes to its group.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::deadline::tell_below;
use super::{ABOVE, ATTACHED, Node, OWN, OWN_FIRST, STAYS};
use crate::lock::lock;

impl Node {
    /// Puts the node below `target`, and gives whether it did: not if the node is cancelled where it is, or has to
    /// [`stay`](Self::stay).
    ///
    /// Whatever is cancelled before this has its effect where the node was, and whatever is cancelled after it where
    /// the node is then. At most once in the life of a node.
    pub(crate) fn move_below(self: &Arc<Self>, target: &Arc<Node>) -> bool {
        if self.is_surely_cancelled() {
            return false;
        }
        let mut above = self.lock_parent();
        let mut state = lock(&self.state);
        if self.is_effectively_cancelled() || self.is(STAYS) {
            return false;
        }
        let member = match (&mut above, state.key_in_parent.take()) {
            (Some((_, above)), Some(key)) => Some(above.members.remove(key)),
            _ => None,
        };
        self.flags.fetch_and(!ATTACHED, Ordering::AcqRel);
        state.above = None;
        let moved = self.moved_below.set(target.clone()).is_ok();
        drop((state, above));
        drop(member);
        // From here on it is as if it had just been made there, but for what is below it already.
        self.attach();
        tell_below(VecDeque::from([self.clone()]));
        if self.is(ABOVE) {
            self.spread_from_above();
        }
        if self.is_stopping() {
            self.tell_of_stop();
        }
        moved
    }

    /// Keeps the node where it is, and gives whether it still is there.
    pub(crate) fn stay(&self) -> bool {
        let _state = lock(&self.state);
        self.set(STAYS);
        !self.has_moved()
    }

    pub(crate) fn has_moved(&self) -> bool {
        self.moved_below.get().is_some()
    }

    /// Lets the task of which this is the root end as if it had been cancelled for itself.
    pub(crate) fn end_quietly(&self) {
        let _state = lock(&self.state);
        self.set(OWN | OWN_FIRST);
    }
}
