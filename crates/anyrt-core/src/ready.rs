//! Who of those that share one task is to be polled next.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Wake, Waker};

use crate::lock::lock;

/// What the body and the children of a group in one task were woken for, until the group looks. Wakes the body.
#[derive(Default)]
pub(crate) struct Ready {
    /// There is a waker: the group is not being polled, so that it does not see by itself what comes in.
    is_asleep: AtomicBool,
    /// Set before the lock is taken that a group takes to lie down.
    has_body_called: AtomicBool,
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
    children: VecDeque<Caller>,
    /// How often they have been taken.
    round: u64,
    waker: Option<Waker>,
}

/// Wakes one child.
struct Call {
    child: Caller,
    /// One more than the round in which it called last. It changes under the lock only.
    called_in: AtomicU64,
    group: Arc<Ready>,
}

impl Ready {
    /// A waker for this child.
    pub(crate) fn waker(self: &Arc<Self>, child: Caller) -> Waker {
        let call = Call {
            child,
            called_in: AtomicU64::new(0),
            group: self.clone(),
        };
        Arc::new(call).into()
    }

    /// The group is being polled.
    pub(crate) fn get_up(&self) {
        // Most often it was a call that has woken it.
        if self.is_asleep.load(Ordering::Acquire) {
            let waker = self.take_waker(&mut lock(&self.calls));
            drop(waker);
        }
    }

    /// Whether the body has called since the last time.
    pub(crate) fn take_body(&self) -> bool {
        self.has_body_called.load(Ordering::Acquire)
            && self.has_body_called.swap(false, Ordering::AcqRel)
    }

    /// Takes the children that have called, in the order of their calls, in exchange for a list that is empty.
    pub(crate) fn take_children(&self, list: &mut VecDeque<Caller>) {
        let mut calls = lock(&self.calls);
        calls.round += 1;
        std::mem::swap(&mut calls.children, list);
    }

    /// The group's poll is over. Gives false, and has not kept the waker, if somebody has called meanwhile.
    ///
    /// What is called next goes into `list`, which is empty, rather than into a new one.
    pub(crate) fn lie_down(&self, waker: &Waker, list: &mut VecDeque<Caller>) -> bool {
        let waker = waker.clone();
        let mut calls = lock(&self.calls);
        if self.has_body_called.load(Ordering::Acquire) || !calls.children.is_empty() {
            return false;
        }
        if calls.children.capacity() == 0 {
            std::mem::swap(&mut calls.children, list);
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
            self.wake_after(lock(&self.calls));
        }
    }

    fn wake_after(&self, mut calls: MutexGuard<'_, Calls>) {
        let waker = self.take_waker(&mut calls);
        drop(calls);
        waker.into_iter().for_each(Waker::wake);
    }

    fn take_waker(&self, calls: &mut Calls) -> Option<Waker> {
        let waker = calls.waker.take()?;
        self.is_asleep.store(false, Ordering::Release);
        Some(waker)
    }
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_body_called.store(true, Ordering::Release);
        self.wake_after(lock(&self.calls));
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut calls = lock(&self.group.calls);
        let round = calls.round + 1;
        if self.called_in.load(Ordering::Relaxed) != round {
            self.called_in.store(round, Ordering::Relaxed);
            calls.children.push_back(self.child);
        }
        self.group.wake_after(calls);
    }
}
