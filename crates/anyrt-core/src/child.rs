//! What runs in a child's task: the child's future, and the bookkeeping of its end.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::context::Carried;
use crate::delivery::{Delivery, is_counted};
use crate::extras::Extras;
use crate::followed::{End, Followed};
use crate::guest::{child_failed, fail, leave, leave_as_child};
use crate::home::Failure;
use crate::place::Place;
use crate::reason::{Reason, Stopped};
use crate::tree::Node;
use crate::waker::WakerId;

pin_project! {
    /// All of it lives in the runtime's own task. A child that is ready at its first poll takes no lock; one
    /// that waits is listed with its group; one that opens a scope gets a root node.
    //
    // `T` and `E` are what the future gives; not as its `Output`, as in `Followed`.
    pub(crate) struct Child<F, T, E> {
        #[pin]
        body: Followed<F, Result<T, E>>,
        extras: Extras,
        // From where it was spawned.
        carried: Carried,
        ear: Ear,
    }

    impl<F, T, E> PinnedDrop for Child<F, T, E> {
        #[inline]
        fn drop(mut this: Pin<&mut Self>) {
            let place = this.as_mut().project().body.place();
            if children_of(place).is_some() {
                this.drop_unfinished();
            }
        }
    }
}

/// How a child hears that it is cancelled.
struct Ear {
    number: u64,
    entry: Entry,
    armed: WakerId,
}

/// A child's entry in the list of its group.
enum Entry {
    /// It needs none: it runs in the task of its group, which listens for all of those.
    Needless,
    None,
    /// Of 32 bits, which is also how far a group counts.
    At(u32),
}

impl<F, T, E> Child<F, T, E> {
    /// A child of a group that has counted it in: at a seat of its children node, or at a root below that.
    pub(crate) fn new(place: Place, extras: Extras, number: u64, future: F) -> Self {
        Self {
            body: Followed::new(place, future),
            carried: Carried::by_task(extras.name().as_deref()),
            extras,
            ear: Ear {
                number,
                entry: Entry::None,
                armed: WakerId::default(),
            },
        }
    }

    pub(crate) fn number(&self) -> u64 {
        self.ear.number
    }

    /// As a part of the task of its group.
    pub(crate) fn nested(mut self) -> Self {
        self.ear.entry = Entry::Needless;
        self
    }

    /// The runtime drops the task before its end: it is shutting down, or somebody aborted it.
    fn drop_unfinished(self: Pin<&mut Self>) {
        let mut this = self.project();
        let Some(children) = &children_of(this.body.as_mut().place()).cloned() else {
            return;
        };
        let is_nested = matches!(this.ear.entry, Entry::Needless);
        this.ear.forget(children);
        let entered = this.carried.enter();
        // Some runtimes abort if a destructor panics here.
        let dropped = catch_unwind(AssertUnwindSafe(|| this.body.as_mut().abandon()));
        drop(entered);
        for payload in [dropped.err(), this.carried.put_down()]
            .into_iter()
            .flatten()
        {
            fail(children, this.extras.name(), Failure::Panic(payload));
        }
        if let Some(home) = &children.home {
            home.lost.store(true, Ordering::Release);
            children.child_dropped(this.ear.number, is_nested);
            leave_as_child(children, this.body.place().made());
            if is_counted::<T>() {
                leave(children, home.tally.output_dropped());
            }
        }
    }
}

impl<F, T, E> Future for Child<F, T, E>
where
    E: Send + 'static,
    F: Future<Output = Result<T, E>>,
{
    type Output = Delivery<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Delivery<T>> {
        let mut this = self.project();
        let entered = this.carried.enter();
        let children = children_of(this.body.as_mut().place());
        let polling = children.and_then(|children| children.child_polls(this.ear.number));
        heed_pick(this.body.as_mut().place(), this.ear.number);
        // Who is cancelled while waiting for its turn is not to begin.
        let waits = this.extras.is_waiting() && this.body.has_not_ended();
        if waits {
            let place = this.body.as_mut().place();
            this.ear.listen(place, cx);
        }
        let has_come = this.extras.may_run(cx);
        // Asked last: whoever has given up the turn for this cancellation knew of it.
        let is_late = waits && {
            let place = this.body.as_mut().place();
            heed_pick(place, this.ear.number);
            is_cancelled(place)
        };
        let may_run = has_come && !is_late;
        let is_to_be_cut = |place: &mut Place, cx: &mut Context<'_>| {
            // Who knows that it is cancelled need not listen for it.
            if is_interrupted(place) {
                return true;
            }
            this.ear.listen(place, cx);
            heed_pick(place, this.ear.number);
            is_interrupted(place)
        };
        let end = if may_run {
            this.body.as_mut().poll(cx, is_to_be_cut)
        } else {
            this.body.as_mut().wait(cx, is_to_be_cut)
        };
        if is_late && end.is_pending() {
            cx.waker().wake_by_ref(); // What had cancelled it has ended just now.
        }
        if polling.is_some() && end.is_pending() {
            if let Some(children) = children_of(this.body.as_mut().place()) {
                children.tell_pending(&polling);
            }
        }
        let end = ready!(end);
        let place = std::mem::take(this.body.place());
        let cause = match (&end, place.nearest()) {
            (End::Cut, Some(node)) => node.cause(),
            _ => Reason::Dropped,
        };
        let (children, root) = match place {
            Place::Seat(children) => (Some(children), None),
            Place::At(root) => (root.parent().cloned(), Some(root)),
            Place::Bare(_) | Place::Nowhere => (None, None),
        };
        let Some(children) = children else {
            panic!("anyrt: a child was polled after its end");
        };
        // What was first polled in the child and lives on is free of it.
        if let Some(root) = &root {
            root.retire_if_shared();
        }
        // First the record, then the cancellation, then the handle: who sees the handle fail is cancelled
        // already, and who sees the cancellation finds the error.
        let outcome = match end {
            End::Value(Ok(value)) => Ok(value),
            End::Value(Err(error)) => {
                let failure = Failure::Error(Box::new(error));
                Err(child_failed(&children, this.extras.name(), failure))
            }
            End::Cut => Err(Stopped::Cancelled(cause)),
            End::Panicked(payload) => Err(child_failed(
                &children,
                this.extras.name(),
                Failure::Panic(payload),
            )),
        };
        drop(entered);
        if let Some(payload) = this.carried.put_down() {
            fail(&children, this.extras.name(), Failure::Panic(payload));
        }
        this.extras.end_turn();
        this.ear.forget(&children);
        if polling.is_some() {
            children.child_ends(this.ear.number, outcome.as_ref().err());
        }
        leave_as_child(&children, root.as_ref());
        Poll::Ready(Delivery::new(outcome, children))
    }
}

/// The children node of the group; `None` once the child has ended.
#[inline]
pub(crate) fn children_of(place: &Place) -> Option<&Arc<Node>> {
    match place {
        Place::Bare(_) | Place::Nowhere => None,
        Place::Seat(children) => Some(children),
        Place::At(root) => root.parent(),
    }
}

fn is_cancelled(place: &Place) -> bool {
    place
        .nearest()
        .is_some_and(|node| node.is_effectively_cancelled())
}

impl Entry {
    fn key(&self) -> Option<u32> {
        match *self {
            Self::At(key) => Some(key),
            Self::Needless | Self::None => None,
        }
    }
}

impl Ear {
    /// Sees to it that a cancellation wakes the child.
    #[inline]
    fn listen(&mut self, place: &Place, cx: &mut Context<'_>) {
        let Some(children) = children_of(place) else {
            return;
        };
        let waker = WakerId::of(cx.waker());
        if self.armed != waker || children.has_told() {
            children.attach();
            if !matches!(self.entry, Entry::Needless) {
                let key = children.seat(self.entry.key(), self.number, cx.waker());
                self.entry = Entry::At(key);
            }
        }
        if let Place::At(root) = place {
            root.listen(cx.waker(), &mut self.armed);
        }
        self.armed = waker;
    }

    /// The child has ended.
    #[inline]
    fn forget(&mut self, children: &Node) {
        let entry = std::mem::replace(&mut self.entry, Entry::None);
        children.unseat(entry.key(), self.number);
    }
}

/// If this one child was cancelled: cancels its root, so that all below it know.
#[inline]
fn heed_pick(place: &mut Place, number: u64) {
    if children_of(place).is_some_and(|children| children.is_picked(number)) {
        cancel_alone(place);
    }
}

#[cold]
fn cancel_alone(place: &mut Place) {
    if let Some(root) = place.root() {
        root.cancel(&Reason::Explicit(None));
    }
}

/// Whether the child is to be dropped now. Records it where the cause lies outside of the group.
#[inline]
fn is_interrupted(place: &Place) -> bool {
    let (Some(node), Some(children)) = (place.nearest(), children_of(place)) else {
        return false;
    };
    if !node.is_to_be_cut() {
        return false;
    }
    if !node.is_cancelled_first() && !children.is_cancelled_first() {
        // Here and not where the group looks: by then the child is gone.
        if let Some(home) = &children.home {
            home.tell_cut();
        }
    }
    true
}

/// A number that no other child has. Blocks of them are handed to threads, so that spawning from several
/// threads does not contend for them.
#[inline]
pub(crate) fn next_number() -> u64 {
    const BLOCK: u64 = 1 << 16;
    static NEXT_BLOCK: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static NEXT: Cell<u64> = const { Cell::new(0) };
    }
    let new_block = || NEXT_BLOCK.fetch_add(1, Ordering::Relaxed) * BLOCK;
    let take = |next: &Cell<u64>| {
        let number = if next.get() % BLOCK == 0 {
            new_block()
        } else {
            next.get()
        };
        next.set(number + 1);
        number
    };
    NEXT.try_with(take).unwrap_or_else(|_| new_block())
}
