//! A future that is polled and dropped at its own place in the tree.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::place::Place;
use crate::throw_away::Payload;

pin_project! {
    /// Destructors run at the future's place too: what they spawn or ask belongs there.
    #[derive(Debug)]
    pub(crate) struct Inside<F> {
        place: Place,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Inside<F> {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            this.clear();
        }
    }
}

impl<F> Inside<F> {
    pub(crate) fn new(place: Place, future: Option<F>) -> Self {
        Self { place, future }
    }

    /// Whether the future has neither ended nor been dropped.
    pub(crate) fn is_live(&self) -> bool {
        self.future.is_some()
    }

    pub(crate) fn place(self: Pin<&mut Self>) -> &mut Place {
        self.project().place
    }

    /// Makes the future at its place.
    pub(crate) fn fill(self: Pin<&mut Self>, make: impl FnOnce() -> F) {
        let mut this = self.project();
        let future = this.place.enter(make);
        this.future.set(Some(future));
    }

    /// Drops the future at its place.
    pub(crate) fn clear(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.future.is_some() {
            this.place.enter(|| this.future.set(None));
        }
    }
}

impl<F: Future> Inside<F> {
    /// Polls the future at its place. One that is ready is still to be [`clear`](Self::clear)ed.
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else {
            panic!("anyrt: a future was polled after its end");
        };
        this.place.poll(cx, |cx| future.poll(cx))
    }

    /// Polls the future at its place, if it is there; one that is ready is dropped there. Gives also what has panicked:
    /// the future, or if that has given a value its destructor.
    #[inline]
    pub(crate) fn poll_caught(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> (Option<F::Output>, Result<(), Payload>) {
        let mut this = self.project();
        let mut value = None;
        let caught = this.place.poll(cx, |cx| {
            catch_unwind(AssertUnwindSafe(|| {
                let future = this.future.as_mut().as_pin_mut();
                if let Some(Poll::Ready(ready)) = future.map(|future| future.poll(cx)) {
                    value = Some(ready);
                    this.future.set(None);
                }
            }))
        });
        (value, caught)
    }
}
