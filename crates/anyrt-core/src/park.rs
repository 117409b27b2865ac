//! Driving a future on a thread that has nothing else to do meanwhile.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Polls `future` whenever it is woken, and parks the thread in between; `None` if that takes longer than `patience`.
pub(crate) fn block_on<F: Future>(future: F, patience: Option<Duration>) -> Option<F::Output> {
    let end = patience.and_then(|patience| Instant::now().checked_add(patience));
    let parked = Arc::new(Parked {
        thread: thread::current(),
        is_woken: AtomicBool::new(false),
    });
    let waker = Waker::from(parked.clone());
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        if !parked.wait_until(end) {
            return None;
        }
    }
}

struct Parked {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Parked {
    /// Waits for a wake; gives whether there was one before the end.
    fn wait_until(&self, end: Option<Instant>) -> bool {
        // Others may unpark the thread as well, for reasons of their own.
        while !self.is_woken.swap(false, Ordering::AcqRel) {
            let Some(end) = end else {
                thread::park();
                continue;
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            thread::park_timeout(left);
        }
        true
    }
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_woken.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}
