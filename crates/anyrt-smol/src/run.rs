//! Starting an executor with its worker threads, and ending both.
//!
//! The end comes in an order that leaves nothing behind: `main` is dropped, the workers are told to stop and
//! joined, the executor is closed to new tasks, and the tasks left in it are dropped here, on the calling
//! thread, where the runtime is still the current one for their destructors.

use std::convert::Infallible;
use std::future::Future;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_executor::Executor;
use smol::channel::{Receiver, Sender, bounded};

use crate::current::{self, Place};
use crate::live::Live;

/// Starts an executor, drives `main` on this thread, and ends the executor, also if `main` panics.
#[track_caller]
pub(crate) fn run<F: Future>(threads: Option<NonZeroUsize>, main: F) -> F::Output {
    let shared = Arc::new(Executor::new());
    let live = Arc::new(Live::new(Arc::clone(&shared)));

    // The order of these three is the reverse of how they end. First goes our share of the executor, then
    // the workers and the tasks left, and last the current runtime, which destructors of tasks still find.
    let _inside = current::enter(Place::Live(Arc::clone(&live)));
    let mut workers = Workers::new(live);
    let executor = shared;

    let threads = threads
        .or_else(|| thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN);
    for n in 1..=threads.get() {
        workers.add(n, Arc::clone(&executor));
    }
    async_io::block_on(executor.run(main))
}

/// The worker threads of an executor. On drop, they and the executor end.
struct Workers {
    live: Arc<Live>,
    /// Nothing is ever sent; that the channel closes is the message.
    stop: (Sender<Infallible>, Receiver<Infallible>),
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    fn new(live: Arc<Live>) -> Self {
        Self {
            live,
            stop: bounded(1),
            threads: Vec::new(),
        }
    }

    #[track_caller]
    fn add(&mut self, n: usize, executor: Arc<Executor<'static>>) {
        let here = Place::Live(Arc::clone(&self.live));
        let stopped = self.stop.1.clone();
        let work = move || {
            let _inside = current::enter(here);
            let until_stopped = || async_io::block_on(executor.run(stopped.recv()));
            // Panics of tasks stay in the tasks. Should another one get here, the tasks still need a worker.
            while catch_unwind(AssertUnwindSafe(until_stopped)).is_err() {}
        };
        let thread = thread::Builder::new()
            .name(format!("anyrt-smol-{n}"))
            .spawn(work)
            .unwrap_or_else(|error| panic!("a worker thread cannot be started: {error}"));
        self.threads.push(thread);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.0.close();
        for thread in self.threads.drain(..) {
            // A worker catches all panics, so there is none to pass on.
            let _ = thread.join();
        }
        // The workers are gone and so is `main`: nobody else owns the executor, and it goes here.
        self.live.end();
    }
}
