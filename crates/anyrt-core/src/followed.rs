//! A future that is followed by the cleanups that were registered in it.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::guest::{Guest, take_over};
use crate::hold::Hold;
use crate::inside::Inside;
use crate::leaving::Leaving;
use crate::place::Place;
use crate::throw_away::{Payload, throw_away};
use crate::tree::{Node, Role};

/// How a future ended.
pub(crate) enum End<T> {
    Value(T),
    /// It was interrupted.
    Cut,
    Panicked(Payload),
}

pin_project! {
    /// Polls and drops a future at its place, and then runs the cleanups of that place. Holds the scopes around it
    /// as long as there are any. Dropped from outside, it leaves them to the enclosing group.
    // The future stands first: it is dropped before the hold is given back.
    // `T` is what the future gives. As a projection, `F::Output`, it would keep rustc from seeing that futures that own
    // closures are `Send`.
    pub(crate) struct Followed<F, T> {
        #[pin]
        future: Inside<F>,
        leaving: Option<Box<(Leaving, End<T>)>>,
        hold: Option<Hold>,
        // For the cleanups; counts from the first of them on, so that an adoption needs no hand-over.
        guest: Option<Guest>,
    }

    impl<F, T> PinnedDrop for Followed<F, T> {
        fn drop(this: Pin<&mut Self>) {
            this.abandon();
        }
    }
}

impl<F, T> Followed<F, T> {
    pub(crate) fn new(place: Place, future: F) -> Self {
        Self {
            future: Inside::new(place, Some(future)),
            leaving: None,
            hold: None,
            guest: None,
        }
    }

    /// Whether something is left to be polled.
    pub(crate) fn is_live(&self) -> bool {
        self.future.is_live() || self.leaving.is_some()
    }

    pub(crate) fn place(self: Pin<&mut Self>) -> &mut Place {
        self.project().future.place()
    }

    /// Drops the future before its end; the enclosing group waits for the cleanups.
    pub(crate) fn abandon(self: Pin<&mut Self>) {
        struct LeaveBehind {
            host: Option<Arc<Node>>,
            guest: Option<Guest>,
        }
        impl Drop for LeaveBehind {
            fn drop(&mut self) {
                if let Some(leaving) = self.host.as_ref().and_then(Leaving::begin) {
                    let guest = self.guest.take();
                    take_over(
                        leaving,
                        guest.unwrap_or_else(|| Guest::of(self.host.as_ref())),
                    );
                }
            }
        }
        let mut this = self.project();
        let guest = this.guest.take();
        if let Some(both) = this.leaving.take() {
            let guest = guest.unwrap_or_else(|| Guest::of(Some(both.0.host())));
            take_over(both.0, guest);
            drop(both.1);
        } else if this.future.is_live() {
            let host = match this.future.as_mut().place() {
                Place::At(node) => Some(node.clone()),
                Place::Seat(_) | Place::Nowhere => None,
            };
            // Also if the future's destructors panic.
            let _after_it = LeaveBehind { host, guest };
            this.future.clear();
        }
    }
}

impl<F: Future<Output = T>, T> Followed<F, T> {
    /// Polls the future, and if that waits asks whether it is to be cut. Ready after the cleanups.
    pub(crate) fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        is_to_be_cut: impl FnOnce(&mut Place, &mut Context<'_>) -> bool,
    ) -> Poll<End<T>> {
        if !self.future.is_live() {
            return self.poll_leaving(cx);
        }
        let mut future = self.as_mut().project().future;
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        self.settle(polled, cx, is_to_be_cut)
    }

    /// Does not poll the future, which may not run yet, but asks whether it is to be cut.
    pub(crate) fn wait(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        is_to_be_cut: impl FnOnce(&mut Place, &mut Context<'_>) -> bool,
    ) -> Poll<End<T>> {
        if !self.future.is_live() {
            return self.poll_leaving(cx);
        }
        self.settle(Ok(Poll::Pending), cx, is_to_be_cut)
    }

    fn settle(
        mut self: Pin<&mut Self>,
        polled: Result<Poll<T>, Payload>,
        cx: &mut Context<'_>,
        is_to_be_cut: impl FnOnce(&mut Place, &mut Context<'_>) -> bool,
    ) -> Poll<End<T>> {
        let mut this = self.as_mut().project();
        let mut future = this.future.as_mut();
        if let Place::At(node) = future.as_mut().place() {
            if this.hold.is_none() && node.has_exits() && node.role == Role::Scope {
                *this.hold = node.parent().cloned().map(Hold::on);
                *this.guest = Some(Guest::of(Some(node)));
            }
        }
        let end = match polled {
            Ok(Poll::Ready(value)) => End::Value(value),
            Ok(Poll::Pending) if is_to_be_cut(future.as_mut().place(), cx) => End::Cut,
            Ok(Poll::Pending) => return Poll::Pending,
            Err(payload) => End::Panicked(payload),
        };
        let dropped = catch_unwind(AssertUnwindSafe(|| future.as_mut().clear()));
        let end = end.and_then(dropped.err());
        let leaving = match future.place() {
            Place::At(node) => Leaving::begin(node),
            Place::Seat(_) | Place::Nowhere => None,
        };
        let Some(mut leaving) = leaving else {
            *this.hold = None;
            *this.guest = None;
            return Poll::Ready(end);
        };
        let end = match end {
            End::Panicked(payload) => {
                leaving.after_panic(payload);
                End::Cut
            }
            end => end,
        };
        *this.leaving = Some(Box::new((leaving, end)));
        self.poll_leaving(cx)
    }

    fn poll_leaving(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End<T>> {
        let this = self.project();
        let Some(both) = this.leaving else {
            panic!("anyrt: a future was polled after its end");
        };
        let panic = ready!(both.0.poll(cx));
        let end = this.leaving.take().map_or(End::Cut, |both| both.1);
        *this.hold = None;
        *this.guest = None;
        Poll::Ready(end.and_then(panic))
    }
}

impl<T> End<T> {
    /// The end after something else has ended, too, perhaps with a panic. The first panic counts.
    fn and_then(self, panic: Option<Payload>) -> Self {
        match (self, panic) {
            (end, None) => end,
            (Self::Panicked(first), Some(second)) => {
                throw_away(second);
                Self::Panicked(first)
            }
            (end, Some(panic)) => {
                throw_away(end);
                Self::Panicked(panic)
            }
        }
    }
}

impl<F: fmt::Debug, T> fmt::Debug for Followed<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Followed")
            .field("future", &self.future)
            .field("is_leaving", &self.leaving.is_some())
            .finish_non_exhaustive()
    }
}
