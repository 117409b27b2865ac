//! On whose behalf a thread runs: a thread-local, set while it runs a call.

use std::any::Any;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::backend::Backend;
use crate::home::Shared;
use crate::limiter::Limiter;
use crate::tree::{Node, Role};

/// A call, as seen from the thread that runs it and from whoever waits for that. Most calls never look back, so what
/// they would find is made when somebody asks for it.
pub(crate) struct Worker<B: ?Sized = dyn Any + Send + Sync> {
    /// The place of whoever has called.
    host: Option<Arc<Node>>,
    /// Below that; cancelled on its own when nobody waits for the call any more.
    node: OnceLock<Arc<Node>>,
    shared: OnceLock<Arc<Shared>>,
    /// Whose token it has.
    limiter: Limiter,
    /// Whether a call that the thread waits for has that token meanwhile.
    is_lent: AtomicBool,
    backend: B,
}

impl<B: Backend> Worker<B> {
    pub(crate) fn new(host: Option<Arc<Node>>, limiter: Limiter, backend: B) -> Arc<Self> {
        Arc::new(Self {
            host,
            node: OnceLock::new(),
            shared: OnceLock::new(),
            limiter,
            is_lent: AtomicBool::new(false),
            backend,
        })
    }

    /// What the call runs on.
    pub(crate) fn backend(&self) -> &B {
        &self.backend
    }
}

impl<B: ?Sized> Worker<B> {
    /// The place of the call.
    pub(crate) fn node(&self) -> &Arc<Node> {
        let make = || Node::new(Role::Root, self.host.clone());
        self.node.get_or_init(make)
    }

    /// The same where somebody observes the run.
    pub(crate) fn observed(&self) -> Option<&Arc<Node>> {
        self.host.as_ref()?.observer().map(|_| self.node())
    }

    /// The same if somebody has asked for it.
    pub(crate) fn made(&self) -> Option<&Arc<Node>> {
        self.node.get()
    }
}

impl Worker {
    /// The place of whoever has called.
    pub(crate) fn host(&self) -> Option<&Arc<Node>> {
        self.host.as_ref()
    }

    /// The backend of whoever has called, and the run that the call belongs to.
    pub(crate) fn home<B: Backend>(&self) -> Option<(&B, &Arc<Shared>)> {
        let backend: &B = self.backend.downcast_ref()?;
        // Outside of every run the call is alone with its backend.
        let alone = || Shared::new(backend.clone());
        let make = || run_of::<B>(self.host()).unwrap_or_else(alone);
        Some((backend, self.shared.get_or_init(make)))
    }
}

/// What the run of `node` has in common, if there is one on this kind of backend.
pub(crate) fn run_of<B: Backend>(node: Option<&Arc<Node>>) -> Option<Arc<Shared>> {
    let home = node.and_then(|node| node.home.as_ref());
    home.map(|home| home.shared.clone())
        .filter(|shared| shared.backend::<B>().is_some())
}

/// The token of a thread that waits, for one call that it waits for.
pub(crate) struct Lent(Arc<Worker>);

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.is_lent.store(false, Ordering::Release);
    }
}

/// The token of this thread, which polls and so does nothing else with it, if that is one of this limiter.
pub(crate) fn lend(limiter: &Limiter) -> Option<Lent> {
    let worker = current()?;
    let is_free = worker.limiter.is_same(limiter) && !worker.is_lent.swap(true, Ordering::AcqRel);
    is_free.then(|| Lent(worker))
}

thread_local! {
    static WORKER: RefCell<Option<Arc<Worker>>> = const { RefCell::new(None) };
}

/// Runs `call` on behalf of `worker`, and forgets that when it returns, also by a panic.
pub(crate) fn run<R>(worker: Arc<Worker>, call: impl FnOnce() -> R) -> R {
    run_as(Some(worker), call)
}

/// Runs `f` as if this thread ran no call: what happens in there has a runtime of its own.
pub(crate) fn outside<R>(f: impl FnOnce() -> R) -> R {
    run_as(None, f)
}

fn run_as<R>(worker: Option<Arc<Worker>>, f: impl FnOnce() -> R) -> R {
    struct Leave(Option<Arc<Worker>>);
    impl Drop for Leave {
        fn drop(&mut self) {
            drop(replace(self.0.take()));
        }
    }
    let _leave = Leave(replace(worker));
    f()
}

fn replace(worker: Option<Arc<Worker>>) -> Option<Arc<Worker>> {
    WORKER
        .try_with(|current| current.replace(worker))
        .ok()
        .flatten()
}

/// The call that this thread runs.
pub(crate) fn current() -> Option<Arc<Worker>> {
    WORKER
        .try_with(|current| current.borrow().clone())
        .ok()
        .flatten()
}

/// The backend of whoever has called.
pub(crate) fn backend<B: Any + Clone>() -> Option<B> {
    let find = |current: &RefCell<Option<Arc<Worker>>>| {
        let current = current.borrow();
        current.as_ref()?.backend.downcast_ref().cloned()
    };
    WORKER.try_with(find).ok().flatten()
}
