//! Who of those that share one task is to be polled next.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use crate::lock::lock;

/// What the body and the children of a group in one task were woken for, until the group looks.
#[derive(Default)]
pub(crate) struct Ready {
    /// There is a waker: the group is not being polled, so that it does not see by itself what comes in.
    is_asleep: AtomicBool,
    calls: Mutex<Calls>,
}

/// A child, by its place and by its rank: the place may belong to another one by the time it is called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Caller {
    pub(crate) index: usize,
    /// In the order of spawning.
    pub(crate) rank: u64,
}

#[derive(Default)]
struct Calls {
    children: Vec<Caller>,
    /// How often they have been taken.
    round: u64,
    has_body_called: bool,
    /// What calls for the body then is still to be looked at, but not by the body.
    has_body_ended: bool,
    waker: Option<Waker>,
}

/// Wakes one child, or the body.
struct Call {
    child: Option<Caller>,
    /// One more than the round in which it called last. It changes under the lock only.
    called_in: AtomicU64,
    group: Arc<Ready>,
}

impl Ready {
    /// A waker for this child, or for the body.
    pub(crate) fn waker(self: &Arc<Self>, child: Option<Caller>) -> Waker {
        let call = Call {
            child,
            called_in: AtomicU64::new(0),
            group: self.clone(),
        };
        Arc::new(call).into()
    }

    /// The group is being polled; gives whether the body is to be.
    pub(crate) fn get_up(&self) -> bool {
        let mut calls = lock(&self.calls);
        let waker = self.take_waker(&mut calls);
        let has_body_called = std::mem::take(&mut calls.has_body_called);
        drop(calls);
        drop(waker);
        has_body_called
    }

    /// Nobody is there any more who could answer a call for the body.
    pub(crate) fn end_body(&self) {
        let mut calls = lock(&self.calls);
        calls.has_body_ended = true;
        calls.has_body_called = false;
    }

    /// Takes the children that have called, in the order of their calls. `take` is no code of the user's.
    pub(crate) fn take_children(&self, take: impl FnMut(Caller)) {
        let mut calls = lock(&self.calls);
        calls.round += 1;
        calls.children.drain(..).for_each(take);
    }

    /// The group's poll is over. Gives false, and has not kept the waker, if somebody has called meanwhile.
    pub(crate) fn lie_down(&self, waker: &Waker) -> bool {
        let waker = waker.clone();
        let mut calls = lock(&self.calls);
        if calls.has_body_called || !calls.children.is_empty() {
            return false;
        }
        let before = calls.waker.replace(waker);
        self.is_asleep.store(true, Ordering::Release);
        drop(calls);
        drop(before);
        true
    }

    /// Wakes the group, unless it is being polled and is going to look in any case.
    pub(crate) fn wake(&self) {
        if self.is_asleep.load(Ordering::Acquire) {
            let waker = self.take_waker(&mut lock(&self.calls));
            waker.into_iter().for_each(Waker::wake);
        }
    }

    fn take_waker(&self, calls: &mut Calls) -> Option<Waker> {
        let waker = calls.waker.take()?;
        self.is_asleep.store(false, Ordering::Release);
        Some(waker)
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut calls = lock(&self.group.calls);
        match self.child {
            Some(child) => {
                let round = calls.round + 1;
                if self.called_in.load(Ordering::Relaxed) != round {
                    self.called_in.store(round, Ordering::Relaxed);
                    calls.children.push(child);
                }
            }
            None => calls.has_body_called = !calls.has_body_ended,
        }
        let waker = self.group.take_waker(&mut calls);
        drop(calls);
        waker.into_iter().for_each(Waker::wake);
    }
}
