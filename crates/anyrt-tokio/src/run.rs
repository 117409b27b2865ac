//! Starting a runtime, and ending it so that its tasks are gone but no blocking call is waited for.
//!
//! tokio offers two ends, and neither will do. Dropping the runtime waits for running blocking calls
//! without limit, also for those that are not ours: a name lookup, a read from standard input.
//! `shutdown_background` waits for nothing, so the workers may still be dropping tasks when it returns.
//! Counting blocking calls to choose between the two would miss the foreign ones, and would leave tasks
//! behind whenever one call is running.
//!
//! So the end is `shutdown_background`, and then a wait for the *workers* alone: tasks are dropped there,
//! and nowhere else. (A current-thread runtime has no workers and drops its tasks during the call.)
//!
//! What remains are corners of `block_in_place` and of a full pool: a thread that has taken a worker's place
//! and never parked is not waited for, and a worker's thread that was left to tokio's own `spawn_blocking` is.

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use crate::workers::Workers;

/// Runs `main` on a multi-thread runtime that ends with it, also if it panics.
#[track_caller]
pub(crate) fn multi_thread<F: Future>(threads: Option<NonZeroUsize>, main: F) -> F::Output {
    let workers = Arc::new(Workers::default());
    let parking = Arc::clone(&workers);
    let mut builder = Builder::new_multi_thread();
    builder.on_thread_park(move || parking.join());
    if let Some(n) = threads {
        builder.worker_threads(n.get());
    }
    let running = Running::start(&mut builder, workers);
    let runtime = running.runtime();
    running
        .workers
        .wait_for_start(runtime.metrics().num_workers());
    runtime.block_on(main)
}

/// Runs `main` on a current-thread runtime that ends with it, also if it panics.
#[track_caller]
pub(crate) fn current_thread<F: Future>(main: F) -> F::Output {
    let mut builder = Builder::new_current_thread();
    Running::start(&mut builder, Arc::default())
        .runtime()
        .block_on(main)
}

/// A runtime that ends on drop.
struct Running {
    /// `None` only during the drop.
    runtime: Option<Runtime>,
    workers: Arc<Workers>,
}

impl Running {
    #[track_caller]
    fn start(builder: &mut Builder, workers: Arc<Workers>) -> Self {
        // All drivers that are compiled in: time, and whatever else the program has enabled.
        let runtime = builder
            .enable_all()
            .build()
            .unwrap_or_else(|error| panic!("the tokio runtime cannot be started: {error}"));
        Self {
            runtime: Some(runtime),
            workers,
        }
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("ended on drop only")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        self.workers.wait_for_end();
    }
}
