//! On whose behalf a thread runs: a thread-local, set while it runs a call.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::home::Shared;
use crate::limiter::Limiter;
use crate::tree::Node;

/// A call, as seen from the thread that runs it.
#[derive(Clone)]
pub(crate) struct Worker {
    /// Below the place of whoever has called; cancelled on its own when nobody waits for the call any more.
    pub(crate) node: Arc<Node>,
    /// The run that it belongs to.
    pub(crate) shared: Arc<Shared>,
    /// Whose token it has.
    pub(crate) limiter: Limiter,
    /// Whether a call that the thread waits for has that token meanwhile.
    pub(crate) is_lent: Arc<AtomicBool>,
}

/// The token of a thread that waits, for one call that it waits for.
pub(crate) struct Lent(Arc<AtomicBool>);

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// The token of this thread, which polls and so does nothing else with it, if that is one of this limiter.
pub(crate) fn lend(limiter: &Limiter) -> Option<Lent> {
    let worker = current()?;
    let is_free = worker.limiter.is_same(limiter) && !worker.is_lent.swap(true, Ordering::AcqRel);
    is_free.then(|| Lent(worker.is_lent))
}

thread_local! {
    static WORKER: RefCell<Option<Worker>> = const { RefCell::new(None) };
}

impl Worker {
    /// Runs `call` on behalf of this worker, and is gone when it returns, also by a panic.
    pub(crate) fn run<R>(self, call: impl FnOnce() -> R) -> R {
        run_as(Some(self), call)
    }
}

/// Runs `f` as if this thread ran no call: what happens in there has a runtime of its own.
pub(crate) fn outside<R>(f: impl FnOnce() -> R) -> R {
    run_as(None, f)
}

fn run_as<R>(worker: Option<Worker>, f: impl FnOnce() -> R) -> R {
    struct Leave(Option<Worker>);
    impl Drop for Leave {
        fn drop(&mut self) {
            drop(replace(self.0.take()));
        }
    }
    let _leave = Leave(replace(worker));
    f()
}

fn replace(worker: Option<Worker>) -> Option<Worker> {
    WORKER
        .try_with(|current| current.replace(worker))
        .ok()
        .flatten()
}

/// The call that this thread runs.
pub(crate) fn current() -> Option<Worker> {
    WORKER
        .try_with(|current| current.borrow().clone())
        .ok()
        .flatten()
}

/// The backend of whoever has called.
pub(crate) fn backend<B: Any + Clone>() -> Option<B> {
    let find = |current: &RefCell<Option<Worker>>| {
        let current = current.borrow();
        current.as_ref()?.shared.backend().cloned()
    };
    WORKER.try_with(find).ok().flatten()
}
