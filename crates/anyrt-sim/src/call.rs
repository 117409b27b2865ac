//! Blocking calls: closures on real threads, which hold the clock while they run, except where they wait for a future.

use std::sync::Arc;
use std::thread;

use anyrt_core::AsyncTask;
use async_task::{Builder, Runnable};

use crate::simulation::{Phase, Simulation};
use crate::task::Contained;
use crate::wait;

/// Runs `call` on a thread of its own, or drops it if the simulation has ended.
#[track_caller]
pub(crate) fn spawn_blocking<T, F>(simulation: &Arc<Simulation>, call: F) -> AsyncTask<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let future = Contained::new(async move { call() }, ());
    // The runnable goes straight to its thread. Nothing can wake a future that never waits, so there is
    // nothing to schedule.
    let (runnable, task) = Builder::new()
        .propagate_panic(true)
        .spawn(move |()| future, drop::<Runnable>);

    if let Some(in_flight) = InFlight::begin(simulation) {
        let call = Call {
            runnable,
            in_flight,
        };
        // A thread that cannot be had drops the call, and with it both of its fields, in order.
        let thread = thread::Builder::new().name("anyrt-sim call".into());
        if let Err(error) = thread.spawn(move || call.run()) {
            panic!("the simulator got no thread for a blocking call: {error}");
        }
    } else {
        drop(runnable);
    }
    task.into()
}

/// A call on its way to its thread.
struct Call {
    runnable: Runnable,
    /// Below `runnable`, so that it is dropped after it.
    in_flight: InFlight,
}

impl Call {
    fn run(self) {
        let Self {
            runnable,
            in_flight,
        } = self;
        wait::called_by(&in_flight.0);
        // Puts the awaiter into the queue, if there is one.
        runnable.run();
        // Only now: in between the loop would see a simulation without anything to do.
        drop(in_flight);
    }
}

/// Counts one call as long as it is held.
struct InFlight(Arc<Simulation>);

impl InFlight {
    fn begin(simulation: &Arc<Simulation>) -> Option<Self> {
        let mut state = simulation.lock();
        if state.phase != Phase::Running {
            return None;
        }
        state.busy += 1;
        drop(state);
        Some(Self(Arc::clone(simulation)))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.count_threads(-1, 0);
    }
}
