//! A node that changes its parent: of a child that was started by somebody, and then goes to its group.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::deadline::tell_below;
use super::{ABOVE, ARRIVING, ATTACHED, AWAY, Node, OWN, OWN_FIRST, Role, STAYS};
use crate::lock::lock;

impl Node {
    /// A root that belongs below `home`, and is lodged below `host` until it moves.
    pub(crate) fn lodged(home: Arc<Node>, host: Option<Arc<Node>>) -> Arc<Self> {
        let ledger = home.home.clone();
        let mut node = Self::blank(Role::Root, Some(home), ledger);
        // One that has moved is subject to the same as the node that it has moved below, which keeps fewer others.
        node.lodging = host.map(|host| match &host.below {
            Some(below) if host.lodging.is_some() && !host.is(AWAY) => below.clone(),
            _ => host,
        });
        *node.flags.get_mut() |= AWAY;
        Arc::new(node)
    }

    /// Moves to where it belongs, and gives whether it did: not if it is cancelled where it is, or has to
    /// [`stay`](Self::stay), or has moved before.
    ///
    /// Whatever is cancelled before this has its effect where the node was, and whatever is cancelled after it where
    /// the node is then.
    pub(crate) fn move_home(self: &Arc<Self>) -> bool {
        if self.is_surely_cancelled() {
            return false;
        }
        let mut above = self.lock_parent();
        let mut state = lock(&self.state);
        if self.is_effectively_cancelled() || self.is(STAYS) || !self.is(AWAY) {
            return false;
        }
        let member = match (&mut above, state.key_in_parent.take()) {
            (Some((_, above)), Some(key)) => Some(above.members.remove(key as usize)),
            _ => None,
        };
        self.flags.fetch_and(!(ATTACHED | AWAY), Ordering::AcqRel);
        state.above = None;
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
        true
    }

    /// Keeps the node where it is, and gives whether that is where it was lodged.
    pub(crate) fn stay(&self) -> bool {
        let _state = lock(&self.state);
        self.set(STAYS);
        self.is(AWAY)
    }

    /// Lets the task of which this is the root end as if it had been cancelled for itself.
    pub(crate) fn end_quietly(&self) {
        let _state = lock(&self.state);
        self.set(OWN | OWN_FIRST);
    }

    /// Of the root of a child that is being started: it is no child yet.
    pub(crate) fn begin_arriving(&self) {
        self.set(ARRIVING);
    }

    /// Gives whether the child was no child until now.
    pub(crate) fn end_arriving(&self) -> bool {
        self.is(ARRIVING) && self.flags.fetch_and(!ARRIVING, Ordering::AcqRel) & ARRIVING != 0
    }
}
