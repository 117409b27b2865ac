//! Futures that must not be dropped in the middle hold the scopes around them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::tree::{Node, Role};

/// Keeps every scope of one task, from `node` up to the task's root, from dropping its body.
///
/// The scopes go on polling while they are held; whoever holds is to come to an end by itself.
#[derive(Debug)]
pub(crate) struct Hold(Arc<Node>);

impl Hold {
    pub(crate) fn on(node: Arc<Node>) -> Self {
        hold(&node);
        Self(node)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        give_back(&self.0);
    }
}

/// Begins a hold for one who keeps the node anyway, and who is to [`give_back`] it.
pub(crate) fn hold(node: &Arc<Node>) {
    for node in of_one_task(node) {
        node.holds.fetch_add(1, Ordering::AcqRel);
    }
}

pub(crate) fn give_back(node: &Arc<Node>) {
    for node in of_one_task(node) {
        let last = node.holds.fetch_sub(1, Ordering::AcqRel) == 1;
        // It may have been given back outside of the scope's own poll.
        if last && node.is_effectively_cancelled() {
            node.wake();
        }
    }
}

fn of_one_task(node: &Arc<Node>) -> impl Iterator<Item = &Arc<Node>> {
    // The children node of a group is in no task; it stands right above a root.
    let mut ended = false;
    node.around().take_while(move |node| {
        let within = !ended;
        ended = matches!(node.role, Role::Root | Role::Cleanup);
        within
    })
}
