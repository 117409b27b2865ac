//! How the outcome of a child that runs in the task of its group gets to the handle.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::delivery::{Deliver, Delivery};
use crate::lock::lock;

/// The handle's end, which is the only one as soon as the child has ended.
pub struct Slot<T> {
    shared: Option<Arc<Mutex<State<T>>>>,
    has_left_waker: bool,
}

/// The child's end.
pub(crate) struct Filler<T>(Option<Arc<Mutex<State<T>>>>);

struct State<T> {
    delivery: Option<Delivery<T>>,
    waker: Option<Waker>,
}

pub(crate) fn slot<T>() -> (Filler<T>, Slot<T>) {
    let shared = Arc::new(Mutex::new(State {
        delivery: None,
        waker: None,
    }));
    let slot = Slot {
        shared: Some(shared.clone()),
        has_left_waker: false,
    };
    (Filler(Some(shared)), slot)
}

impl<T> Filler<T> {
    /// Leaves the outcome and wakes the handle; without a handle the outcome is dropped.
    pub(crate) fn fill(mut self, delivery: Delivery<T>) {
        self.leave(Some(delivery));
    }

    fn leave(&mut self, delivery: Option<Delivery<T>>) {
        let shared = self.0.take();
        let Some(shared) = shared.filter(|shared| Arc::strong_count(shared) > 1) else {
            return;
        };
        let mut state = lock(&shared);
        state.delivery = delivery;
        let waker = state.waker.take();
        drop(state);
        // First, since the handle looks whether it is alone.
        drop(shared);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl<T> Drop for Filler<T> {
    fn drop(&mut self) {
        self.leave(None);
    }
}

impl<T> Slot<T> {
    fn is_alone(&self) -> bool {
        let is_alone = |shared| Arc::strong_count(shared) == 1;
        self.shared.as_ref().is_none_or(is_alone)
    }

    /// Changes the waker, unless the outcome is there by now.
    fn leave_waker(&mut self, waker: Option<Waker>) -> Option<Delivery<T>> {
        self.has_left_waker = waker.is_some();
        let mut state = lock(self.shared.as_ref()?);
        let delivery = state.delivery.take();
        let before = std::mem::replace(&mut state.waker, waker);
        drop(state);
        drop(before);
        delivery
    }
}

impl<T> Deliver<T> for Slot<T> {
    const IS_DROPPED_WITH_GROUP: bool = true;

    fn poll_delivery(&mut self, cx: &mut Context<'_>) -> Poll<Option<Delivery<T>>> {
        if !self.is_alone() {
            let Some(delivery) = self.leave_waker(Some(cx.waker().clone())) else {
                return Poll::Pending;
            };
            return Poll::Ready(Some(delivery));
        }
        let state = self.shared.take().and_then(Arc::into_inner);
        let state = state.map(|state| state.into_inner().unwrap_or_else(PoisonError::into_inner));
        Poll::Ready(state.and_then(|state| state.delivery))
    }

    fn is_finished(&self) -> bool {
        self.is_alone()
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        if self.has_left_waker && !self.is_alone() {
            drop(self.leave_waker(None));
        }
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot")
    }
}
