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

    /// Polls the body, if it is to be polled now. The first step of a poll of the group, and one after the children
    /// where those say so.
    fn poll_body<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> R,
    ) -> Option<R>;

    /// The body has ended, and is polled no more.
    fn end_body(&mut self);

    /// Polls each child once that is ready, or that `children`, their node, concerns, as long as there `is_time`.
    ///
    /// Gives whether it is the turn of the body then, which it was not before.
    fn poll_children(&mut self, children: &Node, is_time: impl Fn() -> bool) -> bool;

    /// Sees to it that the group is polled when there is something to do. The last step of a poll that waits.
    fn rest(&mut self, children: &Node, waker: &Waker);

    /// Drops all children.
    fn clear(&mut self);
}

/// The children of one group, and its body, each with a waker of its own.
///
/// Each poll of the group is one pass over those that are ready, the body first, or last if it was called by children.
/// So the body and the children take turns, and a group within a group costs one poll for each level.
///
/// A child does not listen for cancellations itself: all of them run here, so it is enough that the group does.
pub(crate) struct Nest<C> {
    inbox: Arc<Inbox<C>>,
    ready: Arc<Ready>,
    children: Slab<Nestling<C>>,
    /// Gone once the body has ended.
    body: Option<Waker>,
    is_body_due: bool,
    /// Those whose turn it is. Where there is no time for all of them the others come first in the next pass.
    pass: VecDeque<Caller>,
    /// There was no time for all of them, and there would never be if the body always came first.
    is_childrens_turn: bool,
    /// It has been polled in this poll of the group.
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
}

impl<C> Nestling<C> {
    /// One that has not been taken in: it has no waker and no rank.
    fn new(number: u64, future: C) -> Self {
        Self {
            future,
            waker: Waker::noop().clone(),
            rank: 0,
            number,
        }
    }
}

#[derive(Clone, Copy, Default, PartialEq)]
struct Told {
    children: bool,
    daemons: bool,
}

/// Where children go first.
pub(crate) struct Inbox<C> {
    /// `None` once the group is gone.
    children: Mutex<Option<Slab<Nestling<C>>>>,
    ready: Arc<Ready>,
}

/// The way into a group. It does not keep the children alive.
pub struct Nesting<C>(Arc<Inbox<C>>);

impl<C> Nesting<C> {
    /// Puts a child with this number into the group, or drops it if the group is gone. Gives whether it is in.
    pub(crate) fn push(&self, number: u64, child: C) -> bool {
        self.put_in(|inbox| {
            inbox.insert(Nestling::new(number, child));
        })
    }

    /// Puts children with their numbers into the group, or drops them if the group is gone.
    pub(crate) fn push_all(&self, children: impl ExactSizeIterator<Item = (u64, C)>) {
        let mut new = Slab::with_capacity(children.len());
        for (number, child) in children {
            new.insert(Nestling::new(number, child));
        }
        self.put_in(|inbox| {
            if inbox.is_empty() {
                *inbox = new;
            } else {
                new.into_iter().for_each(|(_, child)| {
                    inbox.insert(child);
                });
            }
        });
    }

    fn put_in(&self, put: impl FnOnce(&mut Slab<Nestling<C>>)) -> bool {
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
            body: Some(ready.clone().into()),
            is_body_due: true,
            pass: VecDeque::new(),
            is_childrens_turn: false,
            has_body_had_time: false,
            born: 0,
            told: Told::default(),
            inbox: Arc::new(Inbox {
                children: Mutex::new(Some(Slab::new())),
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
        let Some(new) = inbox.as_mut().filter(|new| !new.is_empty()) else {
            return;
        };
        let mut take_in = |index, child: &mut Nestling<C>| {
            let rank = self.born;
            self.born += 1;
            let caller = Caller { index, rank };
            child.rank = rank;
            child.waker = self.ready.waker(caller);
            self.pass.push_back(caller);
        };
        if self.children.is_empty() {
            // They keep the places that they have got.
            self.children.clear();
            std::mem::swap(&mut self.children, new);
            drop(inbox);
            for (index, child) in &mut self.children {
                take_in(index, child);
            }
        } else {
            let new = std::mem::take(new);
            drop(inbox);
            for (_, mut child) in new {
                let entry = self.children.vacant_entry();
                take_in(entry.key(), &mut child);
                entry.insert(child);
            }
        }
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
            .iter()
            .filter(|(_, child)| is_concerned(child))
            .map(|(index, child)| Caller {
                index,
                rank: child.rank,
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
        self.ready.get_up();
        self.is_body_due |= self.ready.take_body();
        let is_childrens_turn = std::mem::take(&mut self.is_childrens_turn);
        if is_childrens_turn || !self.is_body_due {
            return None;
        }
        let body = self.body.as_ref()?;
        self.is_body_due = false;
        self.has_body_had_time = true;
        Some(poll(&mut Context::from_waker(body)))
    }

    fn end_body(&mut self) {
        self.is_body_due = false;
        self.body = None;
    }

    fn poll_children(&mut self, children: &Node, is_time: impl Fn() -> bool) -> bool {
        if self.pass.is_empty() {
            self.ready.take_children(&mut self.pass);
        }
        self.take_in();
        self.call_cancelled(children);
        // At least one of them has its turn, unless the body has taken all the time: then it is theirs next.
        let mut goes_on = !self.has_body_had_time || is_time();
        while goes_on {
            let Some(Caller { index, rank }) = self.pass.pop_front() else {
                break;
            };
            let child = self.children.get_mut(index);
            // A call may have come after the end of its child.
            let Some(child) = child.filter(|child| child.rank == rank) else {
                continue;
            };
            let future = Pin::new(&mut child.future);
            let polled = future.poll(&mut Context::from_waker(&child.waker));
            if polled.is_ready() {
                drop(self.children.remove(index));
            }
            goes_on = is_time();
        }
        self.is_childrens_turn = self.has_body_had_time && !self.pass.is_empty();
        // What has called for a body that has ended is heard, but there is nobody who could answer.
        self.is_body_due |= self.ready.take_body() && self.body.is_some();
        self.is_body_due && !self.has_body_had_time && is_time()
    }

    fn rest(&mut self, children: &Node, waker: &Waker) {
        self.has_body_had_time = false;
        let is_quiet = !self.is_body_due
            && self.pass.is_empty()
            && self.ready.lie_down(waker, &mut self.pass)
            && lock(&self.inbox.children)
                .as_ref()
                .is_none_or(Slab::is_empty)
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

    fn poll_children(&mut self, _: &Node, _: impl Fn() -> bool) -> bool {
        false
    }

    fn rest(&mut self, _: &Node, _: &Waker) {}

    fn clear(&mut self) {}
}
