//! async-std's handle, which can be polled and nothing else, so that it can be asked whether its task has ended.
//!
//! The question is a poll. It takes the place of the poll before, and so brings the same waker; and if it finds what the
//! next poll is to give, it keeps that and sees to it that there is a next poll. Of foreign code only the waker is
//! cloned and dropped under the lock, as it is under async-task's own.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use async_std::task::JoinHandle;

/// The handle of a spawned future.
pub(crate) struct Spawned<T>(Mutex<State<T>>);

enum State<T> {
    /// With the waker of the last poll.
    Running(JoinHandle<T>, Option<Waker>),
    /// With what nobody has taken yet.
    Ended(Option<Box<thread::Result<T>>>),
}

impl<T: Send + 'static> Spawned<T> {
    pub(crate) fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        let handle = async_std::task::spawn(future);
        Self(Mutex::new(State::Running(handle, None)))
    }
}

impl<T> Spawned<T> {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        let state = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(state, State::Ended(None)) {
            State::Running(mut handle, waker) => {
                let polled = Pin::new(&mut handle).poll(cx);
                if polled.is_pending() {
                    let is_same = |waker: &Waker| waker.will_wake(cx.waker());
                    let waker = waker.filter(is_same).or_else(|| Some(cx.waker().clone()));
                    *state = State::Running(handle, waker);
                }
                polled
            }
            State::Ended(Some(found)) => match *found {
                Ok(output) => Poll::Ready(output),
                Err(payload) => resume_unwind(payload),
            },
            State::Ended(None) => panic!("a task was polled after its end"),
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State::Running(handle, waker) = &mut *state else {
            return true;
        };
        let mut cx = Context::from_waker(waker.as_ref().unwrap_or(Waker::noop()));
        let found = match catch_unwind(AssertUnwindSafe(|| Pin::new(handle).poll(&mut cx))) {
            Ok(Poll::Pending) => return false,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(payload) => Err(payload),
        };
        let before = std::mem::replace(&mut *state, State::Ended(Some(Box::new(found))));
        drop(state);
        // A task that ends just now takes this for a poll of whoever awaits, and does not wake it.
        if let State::Running(_, Some(waker)) = before {
            waker.wake();
        }
        true
    }
}

impl<T> fmt::Debug for Spawned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawned")
            .field("is_finished", &self.is_finished())
            .finish()
    }
}
