//! Starting a runtime, and ending it so that its tasks are gone but no blocking call is waited for.
//!
//! tokio offers two ends, and neither will do. Dropping the runtime waits for running blocking calls
//! without limit, also for those that are not ours: a name lookup, a read from standard input.
//! `shutdown_background` waits for nothing, so the workers may still be dropping tasks when it returns.
//! Counting blocking calls to choose between the two would miss the foreign ones, and would leave tasks
//! behind whenever one call is running.
//!
//! So the end is `shutdown_background`, and then a wait for the *workers* alone: tasks are dropped there,
//! and nowhere else (a current-thread runtime has no workers and drops its tasks during the call). To tokio a
//! worker is just another thread of its blocking pool, but the workers are those threads that start
//! before there is anybody to make a blocking call. This is why `main` waits until all have started.
//!
//! Two corners remain. Where a task used `block_in_place`, another thread may have taken a worker's
//! place, and its last tasks may be dropped a moment after the return. And a worker that ends while all 512
//! blocking threads are busy may run calls that still were in the queue.

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use tokio::runtime::{Builder, Runtime, RuntimeFlavor};

/// Builds the runtime, drives `main` to its end, and ends the runtime, also if `main` panics.
#[track_caller]
pub(crate) fn run<F: Future>(builder: &mut Builder, main: F) -> F::Output {
    let started = start(builder);
    started.runtime().block_on(main)
}

#[track_caller]
fn start(builder: &mut Builder) -> Started {
    let workers = Arc::new(Workers::default());
    let (starting, stopping) = (Arc::clone(&workers), Arc::clone(&workers));
    let runtime = builder
        // All drivers that are compiled in: time, and whatever else the program has enabled.
        .enable_all()
        .on_thread_start(move || starting.thread_starts())
        .on_thread_stop(move || stopping.thread_stops())
        .build()
        .unwrap_or_else(|error| panic!("the tokio runtime cannot be started: {error}"));

    // A current-thread runtime also says that it has one worker; that is the calling thread.
    workers.wait_for_start(match runtime.handle().runtime_flavor() {
        RuntimeFlavor::CurrentThread => 0,
        _ => runtime.metrics().num_workers(),
    });
    Started {
        runtime: Some(runtime),
        workers,
    }
}

/// A running runtime, which ends on drop.
struct Started {
    /// `None` only during the drop.
    runtime: Option<Runtime>,
    workers: Arc<Workers>,
}

impl Started {
    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("ended on drop only")
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        self.workers.wait_for_end();
    }
}

/// Which of the runtime's threads are workers, and how many of these are left.
#[derive(Default)]
struct Workers {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// All workers have started; threads that start from now on run blocking calls.
    complete: bool,
    alive: HashSet<ThreadId>,
}

impl Workers {
    fn thread_starts(&self) {
        let mut state = self.lock();
        if !state.complete {
            state.alive.insert(thread::current().id());
            self.changed.notify_all();
        }
    }

    fn thread_stops(&self) {
        if self.lock().alive.remove(&thread::current().id()) {
            self.changed.notify_all();
        }
    }

    fn wait_for_start(&self, workers: usize) {
        self.wait_while(|state| state.alive.len() < workers)
            .complete = true;
    }

    fn wait_for_end(&self) {
        drop(self.wait_while(|state| !state.alive.is_empty()));
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed
            .wait_while(self.lock(), |state| condition(state))
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
