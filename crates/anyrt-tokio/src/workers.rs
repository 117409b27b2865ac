//! Which threads of a runtime are its workers, so that its end can wait for these and no others.
//!
//! tokio does not say: to it, a worker is a thread of the blocking pool with a call that takes long. But a thread
//! that parks as a worker is one, and every worker parks at the start, when there is nothing to do. From then on
//! it is a member, until it ends or is used for a blocking call; that happens when `block_in_place` has given its
//! work to another thread, which then is the one that parks.

use std::cell::Cell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

thread_local! {
    /// Dropped when the thread has ended, after all that it owned.
    static MEMBER: Cell<Option<Member>> = const { Cell::new(None) };
}

/// The worker threads of one runtime.
#[derive(Default)]
pub(crate) struct Workers {
    members: Mutex<usize>,
    changed: Condvar,
}

/// Stands for one worker thread that has not ended.
struct Member(Arc<Workers>);

impl Workers {
    /// Makes this thread a member. To be called whenever a worker parks.
    pub(crate) fn join(self: &Arc<Self>) {
        MEMBER.with(|member| {
            let this = member.take().unwrap_or_else(|| Member::new(self));
            member.set(Some(this));
        });
    }

    pub(crate) fn wait_for_start(&self, workers: usize) {
        self.wait_while(|members| members < workers);
    }

    pub(crate) fn wait_for_end(&self) {
        self.wait_while(|members| members > 0);
    }

    fn wait_while(&self, condition: impl Fn(usize) -> bool) {
        let members = self
            .changed
            .wait_while(self.lock(), |members| condition(*members));
        drop(members.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the membership of this thread, if it has one. To be called where a blocking call begins.
pub(crate) fn leave() {
    // An error says that the thread is ending, and its membership with it.
    drop(MEMBER.try_with(Cell::take));
}

impl Member {
    fn new(workers: &Arc<Workers>) -> Self {
        *workers.lock() += 1;
        workers.changed.notify_all();
        Self(Arc::clone(workers))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.changed.notify_all();
    }
}
