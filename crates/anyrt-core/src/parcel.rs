//! What comes back through a portal, and the future that puts it in.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::reason::{Cancelled, Reason};
use crate::throw_away::{Payload, throw_away};

/// How a future that came through a portal has ended. If nobody takes it, it is thrown away, whatever its destructor
/// does: the group of the portal has no part in it.
pub(crate) struct Parcel<T>(Option<Sent<T>>);

/// What is in a parcel.
pub(crate) enum Sent<T> {
    Value(T),
    Cancelled(Reason),
    Panicked(Payload),
}

impl<T> Parcel<T> {
    pub(crate) fn new(sent: Sent<T>) -> Self {
        Self(Some(sent))
    }

    pub(crate) fn open(mut self) -> Option<Sent<T>> {
        self.0.take()
    }
}

impl<T> Drop for Parcel<T> {
    fn drop(&mut self) {
        throw_away(self.0.take());
    }
}

pin_project! {
    /// Puts the end of a scope's run into a parcel; no panic passes it, also none of a destructor.
    pub(crate) struct Packed<F> {
        #[pin]
        run: Option<F>,
    }

    impl<F> PinnedDrop for Packed<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut run = this.project().run;
            let dropped = catch_unwind(AssertUnwindSafe(|| run.set(None)));
            // Nobody would hear of it: what is dropped here was cut with its whole group.
            dropped.unwrap_or_else(throw_away);
        }
    }
}

impl<F> Packed<F> {
    pub(crate) fn new(run: F) -> Self {
        Self { run: Some(run) }
    }
}

impl<T, F: Future<Output = Result<T, Cancelled>>> Future for Packed<F> {
    type Output = Parcel<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Parcel<T>> {
        let mut run = self.project().run;
        let polled = catch_unwind(AssertUnwindSafe(|| match run.as_mut().as_pin_mut() {
            Some(run) => run.poll(cx),
            None => panic!("anyrt: a future was polled after its end"),
        }));
        let sent = match polled {
            Ok(polled) => match ready!(polled) {
                Ok(value) => Sent::Value(value),
                Err(cancelled) => Sent::Cancelled(cancelled.reason().clone()),
            },
            Err(payload) => Sent::Panicked(payload),
        };
        let parcel = Parcel::new(sent);
        match catch_unwind(AssertUnwindSafe(|| run.set(None))) {
            Ok(()) => Poll::Ready(parcel),
            Err(payload) => {
                drop(parcel);
                Poll::Ready(Parcel::new(Sent::Panicked(payload)))
            }
        }
    }
}
