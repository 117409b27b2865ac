//! Counting in and out of a group, and what happens when the last one leaves.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::home::{Failure, Home, Payload, throw_away};
use crate::leaving::Leaving;
use crate::place::Place;
use crate::policy::OnError;
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

    /// Counts a guest in the group with this children node, unless the group has ended.
    pub(crate) fn of_open(children: &Arc<Node>) -> Option<Self> {
        let is_open = children.home.as_ref()?.try_join_as_guest();
        is_open.then(|| Self(Some(children.clone())))
    }

    /// Lets a child take the guest's place in the count of the group. It counts as a child as soon as this is dropped.
    pub(crate) fn into_child(mut self) -> Arriving {
        Arriving(self.0.take())
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

/// A member of a group that is not yet one of its children.
#[derive(Debug)]
pub(crate) struct Arriving(Option<Arc<Node>>);

impl Drop for Arriving {
    fn drop(&mut self) {
        if let Some(home) = self.0.as_ref().and_then(|node| node.home.as_ref()) {
            home.guest_became_child();
        }
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
                if let Some(leaving) = body_of_same_group(node).and_then(Leaving::begin) {
                    // They count in the enclosing group where the group did.
                    return take_over(leaving, Guest(outer.cloned()));
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

fn body_of_same_group(node: &Arc<Node>) -> Option<&Arc<Node>> {
    let (body, home) = (node.body()?, node.home.as_ref()?);
    let is_same = body
        .home
        .as_ref()
        .is_some_and(|other| Arc::ptr_eq(home, other));
    is_same.then_some(body)
}

/// Runs the cleanups of a scope that was dropped from outside, in a task of their own that counts as `guest`.
pub(crate) fn take_over(leaving: Leaving, guest: Guest) {
    let Some(launch) = leaving.launch() else {
        return;
    };
    let mut leaving = leaving;
    launch(Box::pin(async move {
        let panic = std::future::poll_fn(|cx| leaving.poll(cx)).await;
        drop(leaving);
        if let Some(payload) = panic {
            guest.hand_over(payload);
        }
    }));
}

/// A child has failed: cancels the group, unless that supervises its children.
pub(crate) fn child_failed(children: &Arc<Node>, name: &Option<Arc<str>>, failure: Failure) {
    let Some((group, home)) = group_of(children) else {
        return;
    };
    let on_error = home.policy.as_ref().map(|policy| &policy.on_error);
    match (failure, on_error) {
        (Failure::Error(error), Some(OnError::Keep)) => home.record(Failure::Error(error)),
        (Failure::Error(error), Some(OnError::Handle(handler))) => {
            let handle = || Place::At(group.clone()).enter(|| handler(name.as_deref(), error));
            if let Err(payload) = catch_unwind(AssertUnwindSafe(handle)) {
                fail(children, name, Failure::Panic(payload));
            }
        }
        (failure, _) => fail(children, name, failure),
    }
}

/// Records what went wrong in a child or the body, and then cancels the group.
pub(crate) fn fail(children: &Arc<Node>, name: &Option<Arc<str>>, failure: Failure) {
    let Some((group, home)) = group_of(children) else {
        return;
    };
    home.record(failure);
    let reason = Reason::ChildFailed(name.clone());
    match home.policy.as_ref().and_then(|policy| policy.grace) {
        Some(grace) => group.doom(&reason, grace),
        None => group.cancel(&reason),
    }
}

/// The body node of the group around this node, and its ledger.
fn group_of(node: &Arc<Node>) -> Option<(&Arc<Node>, &Home)> {
    let body = node.body()?;
    Some((body, body.home.as_ref()?))
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
    match node {
        Some(node) if node.body().is_some() => fail(node, &None, Failure::Panic(payload)),
        _ => throw_away(payload),
    }
}
