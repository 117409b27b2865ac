//! A thread that no runtime drives, and that waits for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::backend::Backend;

/// The thread is looking, or is about to.
const BUSY: u8 = 0;
/// It waits, and the runtime has been told so.
const WAITING: u8 = 1;
/// It is to look again.
const WOKEN: u8 = 2;

/// Blocks this thread until `poll` is ready, or gives `None` if that takes longer than `patience` in real time.
///
/// What `backend` runs is what the thread waits for. That it goes on is told by whoever wakes it and not by itself:
/// a simulator would otherwise see a moment in which nothing can go on.
pub(crate) fn wait_for<B: Backend, T>(
    backend: &B,
    patience: Option<Duration>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    let end = patience.and_then(|patience| Instant::now().checked_add(patience));
    let parked = Arc::new(Parked {
        thread: thread::current(),
        state: AtomicU8::new(BUSY),
        end,
        backend: backend.clone(),
    });
    let waker = Waker::from(parked.clone());
    loop {
        parked.state.store(BUSY, Ordering::SeqCst);
        if let Poll::Ready(value) = poll(&mut Context::from_waker(&waker)) {
            return Some(value);
        }
        if !parked.wait() {
            return None;
        }
    }
}

struct Parked<B> {
    thread: Thread,
    state: AtomicU8,
    end: Option<Instant>,
    backend: B,
}

impl<B: Backend> Parked<B> {
    /// Waits for a wake since the state was `BUSY`; gives whether there was one before the end.
    fn wait(&self) -> bool {
        if !self.change(BUSY, WAITING) {
            return true;
        }
        self.backend.thread_waits(self.end.is_some());
        while self.state.load(Ordering::SeqCst) == WAITING {
            let Some(end) = self.end else {
                thread::park();
                continue;
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() && self.change(WAITING, BUSY) {
                self.backend.thread_goes_on(self.end.is_some());
                return false;
            }
            thread::park_timeout(left);
        }
        true
    }

    fn change(&self, from: u8, to: u8) -> bool {
        let changed = self
            .state
            .compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst);
        changed.is_ok()
    }
}

impl<B: Backend> Wake for Parked<B> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(WOKEN, Ordering::SeqCst) == WAITING {
            self.backend.thread_goes_on(self.end.is_some());
        }
        self.thread.unpark();
    }
}
