//! Cleanups that run whether or not the work before them was interrupted.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::followed::{End, Followed};
use crate::hold::Hold;
use crate::inside::Inside;
use crate::observe::{Ending, What};
use crate::place::{self, Place};
use crate::tree::{Node, Role};
use crate::waker::WakerId;

/// Runs `body` and then `cleanup`, also if `body` is cancelled; gives the value of `body`.
///
/// The cleanup is shielded: it runs to its end while the scopes around it wait. One that must not run for ever is
/// `async || { move_on_after(limit, ..).await; }`. It runs exactly once if `body` ends or is cut by a
/// cancellation, and may borrow what `body` has borrowed. It does not run if `body` panics, since what it would
/// clean up may be in any state then.
///
/// # Cancel safety
///
/// If code that knows nothing of scopes drops the future, `cleanup` does not run: it may borrow, so nobody can
/// take it over.
///
/// # Panics
///
/// A panic of `body` or `cleanup` goes on from here.
///
/// # Examples
///
/// ```
/// # use std::cell::Cell;
/// # use std::time::Duration;
/// # use anyrt_sim::Sim;
/// # use anyrt_core::{finally, move_on_after, sleep};
/// # anyrt_core::run(&Sim::default(), async {
/// let second = Duration::from_secs(1);
/// let said_goodbye = Cell::new(false);
/// let session = finally(std::future::pending::<()>(), async || {
///     sleep::<Sim>(second).await; // not interrupted
///     said_goodbye.set(true);
/// });
/// assert_eq!(move_on_after::<Sim, _>(second, session).await, None);
/// assert!(said_goodbye.get());
/// # });
/// ```
pub fn finally<F, C, Fut>(body: F, cleanup: C) -> Finally<F, C, Fut, F::Output>
where
    F: Future,
    C: FnOnce() -> Fut,
    Fut: Future<Output = ()>,
{
    Finally {
        body: Followed::new(Place::Nowhere, body),
        make: Some(cleanup),
        cleanup: Inside::new(Place::Nowhere, None),
        value: None,
        entered: None,
        hold: None,
    }
}

pin_project! {
    /// The future of [`finally`].
    // The bodies stand first: they are dropped before the hold is given back.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Finally<F, C, Fut, T = <F as Future>::Output> {
        #[pin]
        body: Followed<F, T>,
        // Gone once the cleanup has begun.
        make: Option<C>,
        #[pin]
        cleanup: Inside<Fut>,
        value: Option<T>,
        entered: Option<Entered>,
        hold: Option<Hold>,
    }
}

/// The place of the body.
struct Entered(Arc<Node>, WakerId);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.retire_if_shared();
    }
}

impl<F, C, Fut, T> Future for Finally<F, C, Fut, T>
where
    F: Future<Output = T>,
    C: FnOnce() -> Fut,
    Fut: Future<Output = ()>,
{
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut this = self.project();
        let Entered(node, armed) = this.entered.get_or_insert_with(|| {
            let outer = place::node();
            *this.hold = outer.clone().map(Hold::on);
            let node = Node::limited(outer, None);
            *this.body.as_mut().place() = Place::At(node.clone());
            Entered(node, WakerId::default())
        });
        if this.body.is_live() {
            let is_to_be_cut = |_: &mut Place, cx: &mut Context<'_>| {
                node.listen(cx.waker(), armed);
                node.is_to_be_cut()
            };
            match ready!(this.body.as_mut().poll(cx, is_to_be_cut)) {
                End::Value(value) => *this.value = Some(value),
                End::Cut => {}
                End::Panicked(payload) => {
                    *this.make = None;
                    *this.body.place() = Place::Nowhere;
                    *this.entered = None;
                    *this.hold = None;
                    resume_unwind(payload);
                }
            }
            *this.body.place() = Place::Nowhere;
            node.retire();
        }
        if let Some(make) = this.make.take() {
            let shield = Node::new(Role::Shield, node.parent().cloned());
            shield.begins(What::Cleanup, None, None);
            *this.cleanup.as_mut().place() = Place::At(shield);
            this.cleanup.as_mut().fill(make);
        }
        if this.cleanup.is_live() {
            let shield = this.cleanup.as_mut().place().made();
            let polling = shield.and_then(|shield| shield.polls());
            if this.cleanup.as_mut().poll(cx).is_pending() {
                if let Some(shield) = this.cleanup.place().made() {
                    shield.tell_pending(&polling);
                }
                return Poll::Pending;
            }
            this.cleanup.as_mut().clear();
            if let Some(shield) = this.cleanup.place().made() {
                shield.ends(|| Ending::Value);
            }
            *this.hold = None;
        }
        match this.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                assert!(
                    node.is_surely_cancelled(),
                    "anyrt: a `finally` was polled on after a scope that had cancelled it had ended"
                );
                Poll::Pending // A scope around this one is going to catch.
            }
        }
    }
}

impl<F, C, Fut, T> std::fmt::Debug for Finally<F, C, Fut, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finally")
            .field("is_cleaning_up", &self.cleanup.is_live())
            .finish_non_exhaustive()
    }
}
