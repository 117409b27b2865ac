//! Where a child that runs in the task of its group leaves its outcome for the handle.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::delivery::{Deliver, Delivery};
use crate::lock::lock;

/// The handle's end: an outcome is dropped if nobody is there to take it.
pub struct Slot<T>(Arc<Mutex<State<T>>>);

/// The child's end.
pub(crate) struct Filler<T>(Option<Arc<Mutex<State<T>>>>);

enum State<T> {
    Empty(Option<Waker>),
    Full(Delivery<T>),
    /// The handle, or the child, is gone.
    Closed,
}

pub(crate) fn slot<T>() -> (Filler<T>, Slot<T>) {
    let state = Arc::new(Mutex::new(State::Empty(None)));
    (Filler(Some(state.clone())), Slot(state))
}

impl<T> Filler<T> {
    /// Leaves the outcome and wakes the handle; without a handle the outcome is dropped.
    pub(crate) fn fill(mut self, delivery: Delivery<T>) {
        self.leave(State::Full(delivery));
    }

    fn leave(&mut self, end: State<T>) {
        let Some(state) = self.0.take() else { return };
        let mut now = lock(&state);
        if matches!(*now, State::Closed) {
            drop(now);
            return drop(end);
        }
        let before = std::mem::replace(&mut *now, end);
        drop(now);
        if let State::Empty(Some(waker)) = before {
            waker.wake();
        }
    }
}

impl<T> Drop for Filler<T> {
    fn drop(&mut self) {
        self.leave(State::Closed);
    }
}

impl<T> Deliver<T> for Slot<T> {
    fn poll_delivery(&mut self, cx: &mut Context<'_>) -> Poll<Option<Delivery<T>>> {
        let waker = cx.waker().clone();
        let mut now = lock(&self.0);
        match std::mem::replace(&mut *now, State::Closed) {
            State::Full(delivery) => Poll::Ready(Some(delivery)),
            State::Closed => Poll::Ready(None),
            State::Empty(before) => {
                *now = State::Empty(Some(waker));
                drop(now);
                drop(before);
                Poll::Pending
            }
        }
    }

    fn is_finished(&self) -> bool {
        !matches!(*lock(&self.0), State::Empty(_))
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        let before = std::mem::replace(&mut *lock(&self.0), State::Closed);
        drop(before);
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot")
    }
}
