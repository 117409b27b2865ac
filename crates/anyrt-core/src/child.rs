//! What runs in a child's task: the child's future, and the bookkeeping of its end.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::guest::leave;
use crate::home::Home;
use crate::inside::Inside;
use crate::place::Place;
use crate::reason::{Reason, Stopped};
use crate::task::Delivery;
use crate::tree::Node;
use crate::waker::WakerId;

pin_project! {
    /// All of it lives in the runtime's own task. A child that is ready at its first poll takes no lock; one
    /// that waits is listed with its group; one that opens a scope gets a root node.
    pub(crate) struct Child<F> {
        #[pin]
        body: Inside<F>,
        number: u64,
        name: Option<Arc<str>>,
        seat: Option<usize>,
        armed: WakerId,
    }

    impl<F> PinnedDrop for Child<F> {
        fn drop(this: Pin<&mut Self>) {
            this.drop_unfinished();
        }
    }
}

impl<F> Child<F> {
    /// A child of the group with this children node, which has counted it in.
    pub(crate) fn new(children: Arc<Node>, number: u64, name: Option<Arc<str>>, future: F) -> Self {
        Self {
            body: Inside::new(Place::Seat(children), Some(future)),
            number,
            name,
            seat: None,
            armed: WakerId::default(),
        }
    }

    /// The runtime drops the task before its end: it is shutting down, or somebody aborted it.
    fn drop_unfinished(self: Pin<&mut Self>) {
        struct CountOut(Arc<Node>);
        impl Drop for CountOut {
            fn drop(&mut self) {
                let Some(home) = &self.0.home else { return };
                home.lost.store(true, Ordering::Release);
                leave(&self.0, home.tally.leave());
                leave(&self.0, home.tally.output_dropped());
            }
        }
        let mut this = self.project();
        let Some(children) = children_of(this.body.as_mut().place()).cloned() else {
            return;
        };
        children.unseat(this.seat, *this.number);
        let _after_the_body = CountOut(children);
        this.body.clear();
    }
}

impl<T, E, F> Future for Child<F>
where
    E: Send + 'static,
    F: Future<Output = Result<T, E>>,
{
    type Output = Delivery<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Delivery<T>> {
        let mut this = self.project();
        let polled = catch_unwind(AssertUnwindSafe(|| this.body.as_mut().poll(cx)));
        let mut cut = None;
        if let Ok(Poll::Pending) = polled {
            let place = this.body.as_mut().place();
            listen(place, *this.number, this.seat, this.armed, cx);
            cut = interruption(place, *this.number);
            if cut.is_none() {
                return Poll::Pending;
            }
        }
        let dropped = catch_unwind(AssertUnwindSafe(|| this.body.as_mut().clear()));
        let place = std::mem::take(this.body.place());
        let Some(children) = children_of(&place).cloned() else {
            panic!("anyrt: a child was polled after its end");
        };
        drop(place);
        // First the record, then the cancellation, then the handle: who sees the handle fail is cancelled
        // already, and who sees the cancellation finds the error.
        let mut outcome = match polled {
            Ok(Poll::Ready(Ok(value))) => Ok(value),
            Ok(Poll::Ready(Err(error))) => {
                fail(&children, this.name, |home| {
                    home.record_error(Box::new(error))
                });
                Err(Stopped::Failed)
            }
            Ok(Poll::Pending) => Err(Stopped::Cancelled(cut.unwrap_or(Reason::Dropped))),
            Err(payload) => {
                fail(&children, this.name, |home| home.record_panic(payload));
                Err(Stopped::Panicked)
            }
        };
        if let Err(payload) = dropped {
            fail(&children, this.name, |home| home.record_panic(payload));
            outcome = Err(Stopped::Panicked);
        }
        children.unseat(this.seat, *this.number);
        if let Some(home) = &children.home {
            leave(&children, home.tally.leave());
        }
        Poll::Ready(Delivery::new(outcome, children))
    }
}

/// The children node of the group; `None` once the child has ended.
fn children_of(place: &Place) -> Option<&Arc<Node>> {
    match place {
        Place::Nowhere => None,
        Place::Seat(children) => Some(children),
        Place::At(root) => root.parent.as_ref(),
    }
}

/// Sees to it that a cancellation wakes the child.
fn listen(
    place: &Place,
    number: u64,
    seat: &mut Option<usize>,
    armed: &mut WakerId,
    cx: &mut Context<'_>,
) {
    let Some(children) = children_of(place) else {
        return;
    };
    let waker = WakerId::of(cx.waker());
    if *armed != waker {
        children.attach();
        children.seat(seat, number, cx.waker());
    }
    if let Place::At(root) = place {
        root.attach();
        root.arm(cx.waker(), armed);
    }
    *armed = waker;
}

/// Whether the child is to be dropped now, and why. Records it where the cause lies outside of the group.
fn interruption(place: &Place, number: u64) -> Option<Reason> {
    let children = children_of(place)?;
    let picked = children.is_picked(number);
    let (node, from_outside) = match place {
        Place::At(root) => {
            if picked {
                root.cancel(&Reason::Explicit(None));
            }
            (root, !root.is_cancelled_first())
        }
        _ => (children, !picked),
    };
    if !(picked || node.is_effectively_cancelled()) || node.is_held() {
        return None;
    }
    if from_outside && !children.is_cancelled_first() {
        // Here and not where the group looks: by then the child is gone.
        if let Some(home) = &children.home {
            home.cut.store(true, Ordering::Release);
        }
    }
    Some(if picked {
        Reason::Explicit(None)
    } else {
        node.cause()
    })
}

fn fail(children: &Arc<Node>, name: &Option<Arc<str>>, record: impl FnOnce(&Home)) {
    if let (Some(home), Some(group)) = (&children.home, &children.parent) {
        record(home);
        group.cancel(&Reason::ChildFailed(name.clone()));
    }
}

/// A number that no other child has. Blocks of them are handed to threads, so that spawning from several
/// threads does not contend for them.
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
