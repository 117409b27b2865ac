//! Children that run in the task of their group: who is there, and one pass over those that are ready.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use slab::Slab;

use crate::lock::lock;
use crate::ready::{Caller, Ready};
use crate::tree::Node;

/// A child that may move between threads together with its group.
pub type SendChild<'env> = Pin<Box<dyn Future<Output = ()> + Send + 'env>>;

/// A child that stays on its thread.
pub type LocalChild<'env> = Pin<Box<dyn Future<Output = ()> + 'env>>;

/// Where the children of a group run.
pub(crate) trait Housing {
    /// What the group's handle spawns with.
    type Spawner: Clone;

    fn spawner(&self) -> Self::Spawner;

    /// Polls the body, if it is to be polled now. The first step of a poll of the group.
    fn poll_body<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> R,
    ) -> Option<R>;

    /// The body has ended, and is polled no more.
    fn end_body(&mut self);

    /// Polls each child once that is ready, or that `children`, their node, concerns, as long as there `is_time`.
    fn poll_children(&mut self, children: &Node, is_time: impl Fn() -> bool);

    /// Sees to it that the group is polled when there is something to do. The last step of a poll that waits.
    fn rest(&mut self, children: &Node, waker: &Waker);

    /// Drops all children.
    fn clear(&mut self);
}

/// The children of one group, and its body, each with a waker of its own.
///
/// Each poll of the group is one pass over those that are ready. So the body and the children take turns, and a
/// group within a group costs one poll for each level.
///
/// A child does not listen for cancellations itself: all of them run here, so it is enough that the group does.
pub(crate) struct Nest<C> {
    inbox: Arc<Inbox<C>>,
    ready: Arc<Ready>,
    children: Slab<Nestling<C>>,
    body: Waker,
    is_body_due: bool,
    /// Those whose turn it is. Where there is no time for all of them the others come first in the next pass.
    pass: VecDeque<Caller>,
    /// There was no time for all of them, and there would never be if the body always came first.
    is_childrens_turn: bool,
    has_body_had_time: bool,
    /// How many children there have been.
    born: u64,
    /// The cancellation that the children have been told of.
    told: Told,
}

struct Nestling<C> {
    future: C,
    waker: Waker,
    /// In the order of spawning.
    rank: u64,
    /// By which it may be picked.
    number: u64,
    /// It stands in the pass.
    is_called: bool,
}

#[derive(Clone, Copy, Default, PartialEq)]
struct Told {
    children: bool,
    daemons: bool,
}

/// Where children go first.
pub(crate) struct Inbox<C> {
    /// `None` once the group is gone.
    children: Mutex<Option<Vec<(u64, C)>>>,
    ready: Arc<Ready>,
}

/// The way into a group. It does not keep the children alive.
pub struct Nesting<C>(Arc<Inbox<C>>);

impl<C> Nesting<C> {
    /// Puts a child with this number into the group, or drops it if the group is gone. Gives whether it is in.
    pub(crate) fn push(&self, number: u64, child: C) -> bool {
        self.put_in(|inbox| inbox.push((number, child)))
    }

    /// Puts children with their numbers into the group, or drops them if the group is gone.
    pub(crate) fn push_all(&self, mut children: Vec<(u64, C)>) {
        self.put_in(|inbox| inbox.append(&mut children));
    }

    fn put_in(&self, put: impl FnOnce(&mut Vec<(u64, C)>)) -> bool {
        let mut children = lock(&self.0.children);
        let Some(inbox) = &mut *children else {
            drop(children);
            return false;
        };
        put(inbox);
        drop(children);
        self.0.ready.wake();
        true
    }
}

impl<C> Clone for Nesting<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C> fmt::Debug for Nesting<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nesting")
    }
}

impl<C> Default for Nest<C> {
    fn default() -> Self {
        let ready = Arc::<Ready>::default();
        Self {
            children: Slab::new(),
            body: ready.waker(None),
            is_body_due: true,
            pass: VecDeque::new(),
            is_childrens_turn: false,
            has_body_had_time: false,
            born: 0,
            told: Told::default(),
            inbox: Arc::new(Inbox {
                children: Mutex::new(Some(Vec::new())),
                ready: ready.clone(),
            }),
            ready,
        }
    }
}

impl<C> Nest<C> {
    /// Takes in those that have been spawned; it is their turn.
    fn take_in(&mut self) {
        let mut inbox = lock(&self.inbox.children);
        let new = inbox.as_mut().map(std::mem::take).unwrap_or_default();
        drop(inbox);
        for (number, future) in new {
            let entry = self.children.vacant_entry();
            let caller = Caller {
                index: entry.key(),
                rank: self.born,
            };
            entry.insert(Nestling {
                future,
                waker: self.ready.waker(Some(caller)),
                rank: caller.rank,
                number,
                is_called: true,
            });
            self.born += 1;
            self.pass.push_back(caller);
        }
    }

    /// Makes it the turn of those that have called.
    fn take_calls(&mut self) {
        let Self {
            ready,
            children,
            pass,
            ..
        } = self;
        ready.take_children(|caller| {
            let child = children.get_mut(caller.index);
            let child = child.filter(|child| child.rank == caller.rank);
            if let Some(child) = child.filter(|child| !child.is_called) {
                child.is_called = true;
                pass.push_back(caller);
            }
        });
    }

    /// Makes it the turn of those that have been cancelled since the last time.
    fn call_cancelled(&mut self, children: &Node) {
        let before = std::mem::replace(&mut self.told, Told::of(children));
        let picked = children.take_picks();
        let is_concerned: &dyn Fn(&Nestling<C>) -> bool = if self.told.is_more_than(before) {
            &|_| true
        } else if let Some(picked) = &picked {
            &|child| picked.binary_search(&child.number).is_ok()
        } else {
            return;
        };
        // They end in the order of spawning, also those whose turn it was already.
        let mut concerned: Vec<_> = self
            .children
            .iter_mut()
            .filter(|(_, child)| is_concerned(child))
            .map(|(index, child)| {
                child.is_called = true;
                let rank = child.rank;
                Caller { index, rank }
            })
            .collect();
        concerned.sort_by_key(|child| child.rank);
        let is_new = |child: &Caller| {
            concerned
                .binary_search_by_key(&child.rank, |child| child.rank)
                .is_err()
        };
        self.pass.retain(is_new);
        self.pass.extend(concerned);
    }
}

impl Told {
    fn of(children: &Node) -> Self {
        let daemons = children.daemons();
        Self {
            children: children.is_effectively_cancelled(),
            daemons: daemons.is_some_and(|daemons| daemons.is_effectively_cancelled()),
        }
    }

    fn is_more_than(self, before: Self) -> bool {
        self.children && !before.children || self.daemons && !before.daemons
    }
}

impl<C: Future<Output = ()> + Unpin> Housing for Nest<C> {
    type Spawner = Nesting<C>;

    fn spawner(&self) -> Nesting<C> {
        Nesting(self.inbox.clone())
    }

    fn poll_body<R>(
        &mut self,
        _: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> R,
    ) -> Option<R> {
        self.is_body_due |= self.ready.get_up();
        let is_childrens_turn = std::mem::take(&mut self.is_childrens_turn);
        if is_childrens_turn || !self.is_body_due {
            return None;
        }
        self.is_body_due = false;
        self.has_body_had_time = true;
        Some(poll(&mut Context::from_waker(&self.body)))
    }

    fn end_body(&mut self) {
        self.is_body_due = false;
        self.ready.end_body();
    }

    fn poll_children(&mut self, children: &Node, is_time: impl Fn() -> bool) {
        self.take_calls();
        self.take_in();
        self.call_cancelled(children);
        let has_body_had_time = std::mem::take(&mut self.has_body_had_time);
        // At least one of them has its turn, unless the body has taken all the time: then it is theirs next.
        let mut goes_on = !has_body_had_time || is_time();
        while goes_on {
            let Some(Caller { index, .. }) = self.pass.pop_front() else {
                return;
            };
            let child = &mut self.children[index];
            child.is_called = false;
            let future = Pin::new(&mut child.future);
            let polled = future.poll(&mut Context::from_waker(&child.waker));
            if polled.is_ready() {
                drop(self.children.remove(index));
            }
            goes_on = is_time();
        }
        self.is_childrens_turn = has_body_had_time && !self.pass.is_empty();
    }

    fn rest(&mut self, children: &Node, waker: &Waker) {
        let is_quiet = !self.is_body_due
            && self.pass.is_empty()
            && self.ready.lie_down(waker)
            && lock(&self.inbox.children)
                .as_ref()
                .is_none_or(Vec::is_empty)
            && !children.has_picks()
            && !Told::of(children).is_more_than(self.told);
        if !is_quiet {
            waker.wake_by_ref();
        }
    }

    fn clear(&mut self) {
        self.take_in();
        self.pass.clear();
        let mut children: Vec<_> = std::mem::take(&mut self.children).into_iter().collect();
        children.sort_by_key(|(_, child)| child.rank);
        for (_, child) in children {
            drop(child);
        }
    }
}

impl<C> Drop for Nest<C> {
    fn drop(&mut self) {
        // Wakers may outlive the group, but need not wake anybody any more.
        self.ready.get_up();
        let left = lock(&self.inbox.children).take();
        drop(left);
    }
}

/// The children are in tasks of their own.
impl Housing for () {
    type Spawner = ();

    fn spawner(&self) {}

    fn poll_body<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> R,
    ) -> Option<R> {
        Some(poll(cx))
    }

    fn end_body(&mut self) {}

    fn poll_children(&mut self, _: &Node, _: impl Fn() -> bool) {}

    fn rest(&mut self, _: &Node, _: &Waker) {}

    fn clear(&mut self) {}
}
