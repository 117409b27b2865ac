//! Something that comes once, and that one task waits for.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use atomic_waker::AtomicWaker;

#[derive(Debug, Default)]
pub(crate) struct Signal {
    has_come: AtomicBool,
    waiting: AtomicWaker,
}

impl Signal {
    pub(crate) fn come(&self) {
        self.has_come.store(true, Ordering::SeqCst);
        self.waiting.wake();
    }

    pub(crate) async fn wait(&self) {
        poll_fn(|cx| {
            self.waiting.register(cx.waker());
            if self.has_come.load(Ordering::SeqCst) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
