//! How the outcome of a child that runs in the task of its group gets to the handle.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::delivery::{Deliver, Delivery};
use crate::lock::lock;

/// The handle's end: an outcome is dropped if nobody is there to take it.
pub struct Slot<T>(Option<Arc<Mutex<State<T>>>>);

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
    (Filler(Some(state.clone())), Slot(Some(state)))
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

impl<T> Slot<T> {
    /// Takes the outcome if it is there; otherwise leaves this waker, if there is one to leave, for when it comes.
    fn take(&mut self, waker: Option<Waker>) -> Poll<Option<Delivery<T>>> {
        let Some(shared) = &self.0 else {
            return Poll::Ready(None);
        };
        let mut now = lock(shared);
        if let State::Empty(left) = &mut *now {
            let before = std::mem::replace(left, waker);
            drop(now);
            drop(before);
            return Poll::Pending;
        }
        let end = std::mem::replace(&mut *now, State::Closed);
        drop(now);
        drop(waker);
        self.0 = None;
        match end {
            State::Full(delivery) => Poll::Ready(Some(delivery)),
            State::Empty(_) | State::Closed => Poll::Ready(None),
        }
    }
}

impl<T> Deliver<T> for Slot<T> {
    fn poll_delivery(&mut self, cx: &mut Context<'_>) -> Poll<Option<Delivery<T>>> {
        // Most often it is there, and a waker is not needed.
        match self.take(None) {
            Poll::Pending => self.take(Some(cx.waker().clone())),
            ready => ready,
        }
    }

    fn is_finished(&self) -> bool {
        let is_empty = |shared: &Arc<Mutex<State<T>>>| matches!(*lock(shared), State::Empty(_));
        !self.0.as_ref().is_some_and(is_empty)
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        let Some(shared) = &self.0 else { return };
        let before = std::mem::replace(&mut *lock(shared), State::Closed);
        drop(before);
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot")
    }
}
