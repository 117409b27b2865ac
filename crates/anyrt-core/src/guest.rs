//! Counting in and out of a group, and what happens when the last one leaves.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::home::{Failure, Home};
use crate::leaving::Leaving;
use crate::lock::lock;
use crate::place::Place;
use crate::policy::OnError;
use crate::reason::{Reason, Stopped};
use crate::tally::Next;
use crate::throw_away::{Payload, throw_away};
use crate::tree::{Node, Role};

/// Something in a group that is no child but would have to be adopted: a nested group, or a thread.
///
/// It counts from its creation to its end. An adoption after a drop from outside then needs no
/// hand-over, and so has no race: the enclosing group waited for it all along.
#[derive(Debug)]
pub(crate) struct Guest(Option<Arc<Node>>);

impl Guest {
    /// Counts a guest in the group that encloses `node`, if there is one.
    pub(crate) fn of(node: Option<&Arc<Node>>) -> Self {
        if let Some(node) = node {
            join(node);
        }
        Self(node.cloned())
    }

    /// Counts a guest in the group with this children node, unless the group has ended.
    pub(crate) fn of_open(children: &Arc<Node>) -> Option<Self> {
        let is_open = children.home.as_ref()?.try_join_as_guest();
        is_open.then(|| Self(Some(children.clone())))
    }

    /// Gives a panic that has nobody else to go to to the enclosing group, which then fails.
    pub(crate) fn hand_over(&self, payload: Payload) {
        adopt(self.0.as_ref(), payload);
    }
}

/// A child that is being started, until its task takes over the count: at first it counts as a guest of its group.
#[derive(Debug)]
pub(crate) struct Arrival {
    children: Arc<Node>,
    /// The root of the child's task.
    pub(crate) root: Arc<Node>,
    is_handed_over: bool,
}

impl Arrival {
    /// Counts in a child of the group with this children node, unless the group has ended.
    pub(crate) fn new(children: &Arc<Node>) -> Option<Self> {
        if !children.home.as_ref()?.try_join_as_guest() {
            return None;
        }
        let root = Node::new(Role::Root, Some(children.clone()));
        root.begin_arriving();
        Some(Self {
            children: children.clone(),
            root,
            is_handed_over: false,
        })
    }

    /// The task of the child is going to count it out.
    pub(crate) fn hand_over(mut self) {
        self.is_handed_over = true;
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if !self.is_handed_over {
            leave_as_child(&self.children, Some(&self.root));
        }
    }
}

/// A child is ready, and is one of its group's children from now on.
pub(crate) fn arrive(root: &Node) {
    if root.end_arriving() {
        if let Some(home) = &root.home {
            home.guest_became_child();
        }
    }
}

/// Counts out a child, if it has a root of which that is told, or one that never was ready.
#[inline]
pub(crate) fn leave_as_child(children: &Arc<Node>, root: Option<&Arc<Node>>) {
    let Some(home) = &children.home else { return };
    let was_guest = root.is_some_and(|root| root.end_arriving());
    let next = if was_guest {
        home.leave_as_guest()
    } else {
        home.tally.leave()
    };
    leave(children, next);
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Some(node) = &self.0 {
            leave_as_guest(node);
        }
    }
}

/// Counts a guest in the group that encloses `node`, for one who keeps the node anyway. It is to be counted out by
/// [`leave_as_guest`], or for a group that was abandoned by [`Next::Release`].
pub(crate) fn join(node: &Node) {
    if let Some(home) = &node.home {
        home.join_as_guest();
    }
}

pub(crate) fn leave_as_guest(node: &Arc<Node>) {
    if let Some(home) = &node.home {
        leave(node, home.leave_as_guest());
    }
}

/// Does what is `next` after a count in the group of `node` went down.
#[inline]
pub(crate) fn leave(node: &Arc<Node>, next: Next) {
    if next != Next::Nothing {
        wake_or_release(node, next);
    }
}

/// A loop: the end of an abandoned group may be what the enclosing group was waiting for, and so on up.
fn wake_or_release(node: &Arc<Node>, next: Next) {
    let mut node = node;
    let mut next = next;
    while let Some(home) = &node.home {
        match next {
            Next::Nothing => return,
            Next::Wake => return home.joiner.wake(),
            Next::Release => {
                let body = body_of_same_group(node);
                if let Some(leaving) = body.and_then(Leaving::begin) {
                    // They may still spawn into the group, and count in it like a child.
                    let guest = Guest::of(body);
                    home.tally.reopen();
                    return take_over(leaving, guest);
                }
                retire_group(node);
                body.inspect(|body| body.ends_cut());
                home.end();
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

fn is_same_group(a: &Node, b: &Node) -> bool {
    match (&a.home, &b.home) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

/// The first node around that belongs to another group; for a daemon that is the group of the others.
fn enclosing(node: &Arc<Node>) -> Option<&Arc<Node>> {
    node.way_home().find(|other| !is_same_group(node, other))
}

fn body_of_same_group(node: &Arc<Node>) -> Option<&Arc<Node>> {
    node.body().filter(|body| is_same_group(node, body))
}

/// The group around this node has ended: what was first polled in it and lives on is free of it.
fn retire_group(node: &Arc<Node>) {
    let own = node
        .way_home()
        .take_while(|other| is_same_group(node, other));
    for own in own.filter(|own| matches!(own.role, Role::Body | Role::Children)) {
        own.retire();
    }
}

/// Runs the cleanups of a scope that was dropped from outside, in a task of their own that counts as `guest`.
pub(crate) fn take_over(leaving: Leaving, guest: Guest) {
    let Some(launch) = leaving.launch() else {
        return;
    };
    launch(Box::pin(TakenOver { leaving, guest }));
}

/// What was left behind is dropped before the guest leaves.
struct TakenOver {
    leaving: Leaving,
    guest: Guest,
}

impl Future for TakenOver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(payload) = ready!(self.leaving.poll(cx)) {
            self.guest.hand_over(payload);
        }
        Poll::Ready(())
    }
}

/// A child has failed: cancels the group, unless that supervises its children.
///
/// Gives what its handle is to say.
pub(crate) fn child_failed(
    children: &Arc<Node>,
    name: &Option<Arc<str>>,
    failure: Failure,
) -> Stopped {
    let stopped = match failure {
        Failure::Error(_) => Stopped::Failed,
        Failure::Panic(_) => Stopped::Panicked,
    };
    let Some((group, home)) = group_of(children) else {
        return stopped;
    };
    let on_error = home.policy.as_ref().map(|policy| &policy.on_error);
    match (failure, on_error) {
        (Failure::Error(error), Some(OnError::Keep)) => home.record(Failure::Error(error)),
        (Failure::Error(error), Some(OnError::Handle(handler))) => {
            let Some(handler) = lock(handler).clone() else {
                return stopped;
            };
            let handle = || Place::At(group.clone()).enter(|| handler(name.as_deref(), error));
            if let Err(payload) = catch_unwind(AssertUnwindSafe(handle)) {
                fail(children, name, Failure::Panic(payload));
                return Stopped::Panicked;
            }
        }
        (failure, _) => fail(children, name, failure),
    }
    stopped
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
