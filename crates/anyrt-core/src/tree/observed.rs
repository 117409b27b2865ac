//! What an observer of the run is told of the tree. Where there is none, each of these is one look at the flags.

use std::panic::Location;
use std::sync::Arc;

use super::{Node, OBSERVED, Role};
use crate::observe::{Ending, Event, Id, Observer, Part, What};
use crate::reason::{Reason, Stopped};
use crate::watch::{self, Polling};

impl Node {
    /// Who observes the run of this node.
    #[inline]
    pub(crate) fn observer(&self) -> Option<&Arc<dyn Observer>> {
        if !self.is(OBSERVED) {
            return None;
        }
        self.home.as_ref()?.observer()
    }

    /// What the node is called in events. It is no more than a name: what is at this address may be another node later.
    pub(crate) fn id(self: &Arc<Self>) -> Id {
        Id::of_node(Arc::as_ptr(self).addr())
    }

    /// What this node stands for begins where it is polled first.
    #[inline]
    pub(crate) fn begins(
        self: &Arc<Self>,
        what: What,
        name: Option<&str>,
        at: Option<&'static Location<'static>>,
    ) {
        if let Some(observer) = self.observer() {
            observer.observe(Event::Begins {
                id: self.id(),
                what,
                below: watch::innermost(),
                name,
                at,
            });
        }
    }

    /// What this node stands for is being polled, until the guard is dropped.
    #[inline]
    pub(crate) fn polls(self: &Arc<Self>) -> Option<Polling> {
        self.observer().map(|_| Polling::begin(self.id()))
    }

    /// What was being polled is pending.
    #[inline]
    pub(crate) fn tell_pending(&self, polling: &Option<Polling>) {
        if let (Some(polling), Some(observer)) = (polling, self.observer()) {
            polling.tell(&**observer);
        }
    }

    /// What this node stands for has ended.
    #[inline]
    pub(crate) fn ends(self: &Arc<Self>, how: impl FnOnce() -> Ending<'static>) {
        if let Some(observer) = self.observer() {
            let (id, how) = (self.id(), how());
            observer.observe(Event::Ends { id, how });
        }
    }

    /// It has ended because it was interrupted.
    #[inline]
    pub(crate) fn ends_cut(self: &Arc<Self>) {
        if let Some(observer) = self.observer() {
            let (id, reason) = (self.id(), &self.cause());
            let how = Ending::Cancelled(reason);
            observer.observe(Event::Ends { id, how });
        }
    }

    /// Of a node that was cancelled, and whose lock the caller does not hold. A scope that runs nowhere, and the root of
    /// a child, of which only its number is known, tell nothing.
    pub(super) fn tell_cancelled(self: &Arc<Self>, reason: &Reason) {
        let Some(observer) = self.observer() else {
            return;
        };
        let (id, part) = match self.role {
            Role::Children => (self.body().map(Node::id), self.children_part()),
            Role::Root => return,
            _ => (Some(self.id()), Part::All),
        };
        if let Some(id) = id {
            observer.observe(Event::Cancelled { id, part, reason });
        }
    }

    /// Which of a group's children are below this children node.
    fn children_part(self: &Arc<Self>) -> Part {
        if self.has_daemons_only() {
            Part::Daemons
        } else {
            Part::Children
        }
    }

    fn has_daemons_only(&self) -> bool {
        let above = self.below.as_ref();
        above.is_some_and(|above| above.role == Role::Children)
    }
}

/// Of a children node: about a single child, by its number.
impl Node {
    #[inline]
    pub(crate) fn child_begins<'a>(
        self: &Arc<Self>,
        number: u64,
        name: impl FnOnce() -> Option<&'a str>,
        at: Option<&'static Location<'static>>,
    ) {
        if let Some(observer) = self.observer() {
            self.tell_child_begins(&**observer, number, name(), at);
        }
    }

    // Apart, so that it does not stand in the way where nobody observes.
    #[cold]
    fn tell_child_begins(
        self: &Arc<Self>,
        observer: &dyn Observer,
        number: u64,
        name: Option<&str>,
        at: Option<&'static Location<'static>>,
    ) {
        observer.observe(Event::Begins {
            id: Id::of_child(number),
            what: if self.has_daemons_only() {
                What::Daemon
            } else {
                What::Task
            },
            below: self.body().map(Node::id),
            name,
            at,
        });
    }

    #[inline]
    pub(crate) fn child_polls(&self, number: u64) -> Option<Polling> {
        self.observer()
            .map(|_| Polling::begin(Id::of_child(number)))
    }

    /// Somebody cancels this one child.
    pub(super) fn child_cancelled(&self, number: u64) {
        if let Some(observer) = self.observer() {
            observer.observe(Event::Cancelled {
                id: Id::of_child(number),
                part: Part::All,
                reason: &Reason::Explicit(None),
            });
        }
    }

    /// It has ended with a value, if it was not stopped.
    #[cold]
    pub(crate) fn child_ends(&self, number: u64, stopped: Option<&Stopped>) {
        if let Some(observer) = self.observer() {
            let id = Id::of_child(number);
            let how = match stopped {
                None => Ending::Value,
                Some(Stopped::Failed) => Ending::Error,
                Some(Stopped::Panicked) => Ending::Panic,
                Some(Stopped::Cancelled(reason)) => Ending::Cancelled(reason),
                Some(Stopped::RuntimeEnded | Stopped::Closed) => Ending::Lost,
            };
            observer.observe(Event::Ends { id, how });
        }
    }

    /// It was dropped before its end: with its group, or by a runtime that ended.
    #[cold]
    pub(crate) fn child_dropped(&self, number: u64, is_nested: bool) {
        if self.observer().is_some() {
            let stopped = if is_nested {
                Stopped::Cancelled(self.cause())
            } else {
                Stopped::RuntimeEnded
            };
            self.child_ends(number, Some(&stopped));
        }
    }
}
