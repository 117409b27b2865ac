//! A future that is followed by the cleanups that were registered in it.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
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
        // Most futures have no cleanups.
        aftermath: Option<Box<Aftermath<T>>>,
    }

    impl<F, T> PinnedDrop for Followed<F, T> {
        fn drop(this: Pin<&mut Self>) {
            this.abandon();
        }
    }
}

/// What there is for the sake of cleanups. The hold is given back before the guest leaves.
struct Aftermath<T> {
    /// They are running; and how the future ended.
    leaving: Option<(Leaving, End<T>)>,
    hold: Option<Hold>,
    /// Counts from the first of them on, so that an adoption needs no hand-over.
    guest: Option<Guest>,
}

impl<F, T> Followed<F, T> {
    pub(crate) fn new(place: Place, future: F) -> Self {
        Self {
            future: Inside::new(place, Some(future)),
            aftermath: None,
        }
    }

    /// Whether the future itself, and not only a cleanup, is left.
    #[inline]
    pub(crate) fn has_not_ended(&self) -> bool {
        self.future.is_live()
    }

    /// Whether something is left to be polled.
    #[inline]
    pub(crate) fn is_live(&self) -> bool {
        self.future.is_live()
            || self
                .aftermath
                .as_ref()
                .is_some_and(|after| after.leaving.is_some())
    }

    pub(crate) fn place(self: Pin<&mut Self>) -> &mut Place {
        self.project().future.place()
    }

    /// Drops the future before its end; the enclosing group waits for the cleanups.
    #[inline]
    pub(crate) fn abandon(self: Pin<&mut Self>) {
        if !self.is_live() && self.aftermath.is_none() {
            return;
        }
        let mut this = self.project();
        let Aftermath {
            leaving,
            hold: _hold,
            guest,
        } = this
            .aftermath
            .take()
            .map_or_else(Aftermath::default, |after| *after);
        if let Some((leaving, end)) = leaving {
            let guest = guest.unwrap_or_else(|| Guest::of(Some(leaving.host())));
            take_over(leaving, guest);
            drop(end);
        } else if this.future.is_live() {
            let dropped = catch_unwind(AssertUnwindSafe(|| this.future.as_mut().clear()));
            // Asked only now, since destructors may register cleanups, too.
            let host = this.future.place().made();
            if let Some(leaving) = host.and_then(Leaving::begin) {
                take_over(leaving, guest.unwrap_or_else(|| Guest::of(host)));
            }
            if let Err(payload) = dropped {
                resume_unwind(payload);
            }
        }
    }

    /// Holds the scopes around this one, and counts in its group, as soon as there are cleanups to run.
    fn hold_on(self: Pin<&mut Self>) {
        let this = self.project();
        if this.aftermath.is_some() {
            return;
        }
        let hosts = |node: &&Arc<Node>| node.has_exits() && node.role == Role::Scope;
        if let Some(node) = this.future.place().made().filter(hosts) {
            *this.aftermath = Some(Box::new(Aftermath {
                leaving: None,
                hold: node.parent().cloned().map(Hold::on),
                guest: Some(Guest::of(Some(node))),
            }));
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
        self.as_mut().hold_on();
        let mut future = self.as_mut().project().future;
        let end = match polled {
            Ok(Poll::Ready(value)) => End::Value(value),
            Ok(Poll::Pending) if is_to_be_cut(future.as_mut().place(), cx) => End::Cut,
            Ok(Poll::Pending) => return Poll::Pending,
            Err(payload) => End::Panicked(payload),
        };
        let dropped = catch_unwind(AssertUnwindSafe(|| future.as_mut().clear()));
        let end = end.and_then(dropped.err());
        self.as_mut().hold_on();
        let this = self.as_mut().project();
        let Some(mut leaving) = this.future.place().made().and_then(Leaving::begin) else {
            *this.aftermath = None;
            return Poll::Ready(end);
        };
        let end = match end {
            End::Panicked(payload) => {
                leaving.after_panic(payload);
                End::Cut
            }
            end => end,
        };
        let after = this.aftermath.get_or_insert_default();
        after.leaving = Some((leaving, end));
        self.poll_leaving(cx)
    }

    fn poll_leaving(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End<T>> {
        let this = self.project();
        let running = this.aftermath.as_mut().map(|after| &mut after.leaving);
        let Some(Some((leaving, _))) = running else {
            panic!("anyrt: a future was polled after its end");
        };
        let panic = ready!(leaving.poll(cx));
        let running = this
            .aftermath
            .as_mut()
            .and_then(|after| after.leaving.take());
        let end = running.map_or(End::Cut, |(_, end)| end);
        *this.aftermath = None;
        Poll::Ready(end.and_then(panic))
    }
}

impl<T> Default for Aftermath<T> {
    fn default() -> Self {
        Self {
            leaving: None,
            hold: None,
            guest: None,
        }
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
            .field("has_aftermath", &self.aftermath.is_some())
            .finish_non_exhaustive()
    }
}
