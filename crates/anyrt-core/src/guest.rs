//! Counting in and out of a group, and what happens when the last one leaves.

use std::sync::Arc;

use crate::home::{Home, Payload, throw_away};
use crate::reason::Reason;
use crate::tally::Next;
use crate::tree::Node;

/// Something in a group that is no child but would have to be adopted: a nested group, or a thread.
///
/// It counts from its creation to its end. An adoption after a drop from outside then needs no
/// hand-over, and so has no race: the enclosing group waited for it all along.
#[derive(Debug)]
pub(crate) struct Guest(Option<Arc<Node>>);

impl Guest {
    /// Counts a guest in the group that encloses `node`, if there is one.
    pub(crate) fn of(node: Option<&Arc<Node>>) -> Self {
        if let Some(home) = node.and_then(|node| node.home.as_ref()) {
            home.join_as_guest();
        }
        Self(node.cloned())
    }

    /// Gives a panic that has nobody else to go to to the enclosing group, which then fails.
    pub(crate) fn hand_over(&self, payload: Payload) {
        adopt(self.0.as_ref(), payload);
    }

    /// Leaves the counting out to [`Next::Release`], when an abandoned group has ended.
    pub(crate) fn stay(mut self) {
        self.0 = None;
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let Some(node) = &self.0 else { return };
        if let Some(home) = &node.home {
            leave(node, home.leave_as_guest());
        }
    }
}

/// Does what is `next` after a count in the group of `node` went down.
///
/// A loop: the end of an abandoned group may be what the enclosing group was waiting for, and so on up.
pub(crate) fn leave(node: &Arc<Node>, next: Next) {
    let mut node = node;
    let mut next = next;
    while let Some(home) = &node.home {
        match next {
            Next::Nothing => return,
            Next::Wake => return home.joiner.wake(),
            Next::Release => {
                let failures = home.take_failures();
                failures.errors.into_iter().for_each(throw_away);
                let outer = enclosing(node);
                for payload in failures.panics {
                    adopt(outer, payload);
                }
                let Some(outer) = outer else { return };
                let Some(outer_home) = &outer.home else {
                    return;
                };
                next = outer_home.leave_as_guest();
                node = outer;
            }
        }
    }
}

/// The first node around that belongs to another group; for a daemon that is the group of the others.
fn enclosing(node: &Arc<Node>) -> Option<&Arc<Node>> {
    let is_same = |other: &Arc<Node>| match (&node.home, &other.home) {
        (Some(home), Some(other)) => Arc::ptr_eq(home, other),
        _ => false,
    };
    node.around().find(|other| !is_same(other))
}

/// Records what went wrong in a child or the body, and then cancels the group.
pub(crate) fn fail(children: &Arc<Node>, name: &Option<Arc<str>>, record: impl FnOnce(&Home)) {
    let Some(group) = children.body() else { return };
    if let Some(home) = &group.home {
        record(home);
    }
    group.cancel(&Reason::ChildFailed(name.clone()));
}

/// A group with daemons is given up: its daemons are what it now waits for.
pub(crate) fn abandon(children: &Arc<Node>) {
    let Some(home) = &children.home else { return };
    if let Some(daemons) = children.take_daemons() {
        if let Some(ledger) = &daemons.home {
            home.join_as_guest();
            leave(&daemons, ledger.tally.abandon());
        }
    }
    leave(children, home.tally.abandon());
}

/// Makes the group around `node` fail with this panic. With no group around there is nobody to tell.
fn adopt(node: Option<&Arc<Node>>, payload: Payload) {
    let body = node.and_then(|node| node.body());
    let Some((body, home)) = body.and_then(|body| Some((body, body.home.as_ref()?))) else {
        return throw_away(payload);
    };
    home.record_panic(payload);
    body.cancel(&Reason::ChildFailed(None));
}
