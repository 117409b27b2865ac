//! What runs in the task of a child that is being started.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::followed::{End, Followed};
use crate::hold::Hold;
use crate::place::Place;
use crate::started::{AttemptEnd, Handshake};
use crate::waker::WakerId;

pin_project! {
    /// A child of two owners: of the caller of `start` until it is ready, and then of the group.
    ///
    /// Its task belongs to the group from the beginning, but holds: not the task's root decides about a cancellation
    /// but the child's own place, which is below the caller first and then below that root.
    pub(crate) struct Attempt<F: Future, R> {
        #[pin]
        body: Followed<F, F::Output>,
        handshake: Arc<Handshake<R>>,
        armed: WakerId,
        // Gone once the child has ended.
        hold: Option<Hold>,
    }

    impl<F: Future, R> PinnedDrop for Attempt<F, R> {
        fn drop(this: Pin<&mut Self>) {
            this.drop_unfinished();
        }
    }
}

impl<F: Future, R> Attempt<F, R> {
    pub(crate) fn new(handshake: Arc<Handshake<R>>, future: F) -> Self {
        Self {
            body: Followed::new(Place::At(handshake.child.clone()), future),
            hold: Some(Hold::on(handshake.root.clone())),
            handshake,
            armed: WakerId::default(),
        }
    }

    fn drop_unfinished(self: Pin<&mut Self>) {
        let this = self.project();
        if this.hold.take().is_none() {
            return;
        }
        let dropped = catch_unwind(AssertUnwindSafe(|| this.body.abandon()));
        let is_the_callers = this.handshake.child.stay();
        this.handshake.child.retire();
        if is_the_callers {
            let lost = Some(AttemptEnd::Lost);
            this.handshake
                .end(dropped.map_or_else(|p| Some(AttemptEnd::Panicked(p)), |()| lost));
        } else if let Err(payload) = dropped {
            resume_unwind(payload);
        }
    }
}

impl<T, E, F, R> Future for Attempt<F, R>
where
    E: Send + 'static,
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let mut this = self.project();
        let child = &this.handshake.child;
        let end = ready!(this.body.as_mut().poll(cx, |_, cx| {
            child.listen(cx.waker(), this.armed);
            // Who is cut does not move any more.
            child.is_to_be_cut() && {
                child.stay();
                true
            }
        }));
        *this.body.place() = Place::Nowhere;
        let is_the_callers = child.stay();
        child.retire();
        if !is_the_callers {
            // It is the group's, like any other child.
            *this.hold = None;
            return match end {
                End::Value(result) => Poll::Ready(result),
                End::Panicked(payload) => resume_unwind(payload),
                End::Cut => Poll::Pending, // The root is cancelled too, and is going to cut this.
            };
        }
        let end = match end {
            End::Value(Ok(value)) if this.handshake.end_well() => {
                *this.hold = None;
                return Poll::Ready(Ok(value));
            }
            End::Value(Ok(value)) => match catch_unwind(AssertUnwindSafe(|| drop(value))) {
                Ok(()) => AttemptEnd::NotStarted,
                Err(payload) => AttemptEnd::Panicked(payload),
            },
            End::Value(Err(error)) => AttemptEnd::Failed(Box::new(error)),
            End::Panicked(payload) => AttemptEnd::Panicked(payload),
            End::Cut => AttemptEnd::Cut,
        };
        this.handshake.end(Some(end));
        this.handshake.root.end_quietly();
        *this.hold = None;
        Poll::Pending
    }
}
