//! A child in the task of its group, which leaves its outcome where its handle finds it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::child::Child;
use crate::delivery::Delivery;
use crate::slot::Filler;

pin_project! {
    // By hand, since an `async` block that awaits what it owns has room for it twice.
    pub(crate) struct Nested<F, T, E> {
        #[pin]
        child: Child<F, T, E>,
        // Gone once the child has ended.
        filler: Option<Filler<T>>,
    }
}

impl<F, T, E> Nested<F, T, E> {
    pub(crate) fn new(child: Child<F, T, E>, filler: Filler<T>) -> Self {
        Self {
            child: child.nested(),
            filler: Some(filler),
        }
    }
}

impl<F, T, E> Future for Nested<F, T, E>
where
    Child<F, T, E>: Future<Output = Delivery<T>>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let delivery = ready!(this.child.poll(cx));
        if let Some(filler) = this.filler.take() {
            filler.fill(delivery);
        }
        Poll::Ready(())
    }
}
