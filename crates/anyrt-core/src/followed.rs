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
        #[inline]
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
        if self.future.is_live() || self.aftermath.is_some() {
            self.abandon_live();
        }
    }

    fn abandon_live(self: Pin<&mut Self>) {
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
    #[inline]
    fn hold_on(self: Pin<&mut Self>) {
        let this = self.project();
        let host = this.future.place().made().filter(|node| node.has_exits());
        if let (Some(node), None) = (host, &this.aftermath) {
            *this.aftermath = Aftermath::of(node).map(Box::new);
        }
    }

    /// Drops the future at its place; gives the panic of its destructors.
    fn clear(self: Pin<&mut Self>) -> Option<Payload> {
        let future = self.project().future;
        catch_unwind(AssertUnwindSafe(|| future.clear())).err()
    }

    /// The future is gone: goes on with the cleanups, if there are any.
    #[inline]
    fn leave(mut self: Pin<&mut Self>, end: End<T>, cx: &mut Context<'_>) -> Poll<End<T>> {
        if self.aftermath.is_none() && self.as_mut().place().made().is_none() {
            return Poll::Ready(end);
        }
        self.begin_leaving(end, cx)
    }

    fn begin_leaving(mut self: Pin<&mut Self>, end: End<T>, cx: &mut Context<'_>) -> Poll<End<T>> {
        // Destructors may register cleanups, too.
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

impl<F: Future<Output = T>, T> Followed<F, T> {
    /// Polls the future, and if that waits asks whether it is to be cut. Ready after the cleanups.
    #[inline]
    pub(crate) fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        is_to_be_cut: impl FnOnce(&mut Place, &mut Context<'_>) -> bool,
    ) -> Poll<End<T>> {
        let polled = self.as_mut().project().future.poll_caught(cx);
        let end = match polled {
            (None, Ok(())) => return self.wait(cx, is_to_be_cut),
            (None, Err(payload)) => End::Panicked(payload).and_then(self.as_mut().clear()),
            (Some(value), Ok(())) => End::Value(value),
            (Some(value), Err(payload)) => End::Value(value).and_then(Some(payload)),
        };
        self.leave(end, cx)
    }

    /// Asks whether the future, which waits or may not run yet, is to be cut.
    #[inline]
    pub(crate) fn wait(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        is_to_be_cut: impl FnOnce(&mut Place, &mut Context<'_>) -> bool,
    ) -> Poll<End<T>> {
        if !self.future.is_live() {
            return self.poll_leaving(cx);
        }
        self.as_mut().hold_on();
        if !is_to_be_cut(self.as_mut().place(), cx) {
            return Poll::Pending;
        }
        let end = End::Cut.and_then(self.as_mut().clear());
        self.leave(end, cx)
    }
}

impl<T> Aftermath<T> {
    /// Of the cleanups of this node, unless somebody else holds and counts for them.
    fn of(host: &Arc<Node>) -> Option<Self> {
        (host.role == Role::Scope).then(|| Self {
            leaving: None,
            hold: host.parent().cloned().map(Hold::on),
            guest: Some(Guest::of(Some(host))),
        })
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
