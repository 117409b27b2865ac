//! Blocking calls: closures on real threads, which have a turn when the loop gives it to them.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyrt_core::AsyncTask;
use async_task::{Builder, Runnable};

use crate::hand::{Call, Hand, Order, Stage};
use crate::simulation::{Phase, Simulation};
use crate::task::Contained;
use crate::turn;

/// Puts `call` into the queue, or drops it if the simulation has ended.
pub(crate) fn spawn_blocking<T, F>(simulation: &Arc<Simulation>, call: F) -> AsyncTask<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let future = Contained::new(async move { call() }, ());
    // Nothing can wake a future that never waits, so there is nothing to schedule.
    let (runnable, task) = Builder::new()
        .propagate_panic(true)
        .spawn(move |()| future, drop::<Runnable>);

    let mut state = simulation.lock();
    if state.phase == Phase::Running {
        let who = state.next_task;
        state.next_task += 1;
        let stage = Stage::New(runnable);
        state.queue.push_call(Call { who, stage });
        simulation.notify(&state);
    } else {
        drop(state);
        drop(runnable);
    }
    task.into()
}

/// Lets `call` go on until it gives the turn back. Only for the driving thread.
pub(crate) fn give_turn(simulation: &Arc<Simulation>, call: Call) -> Result<(), Stuck> {
    let mut state = simulation.lock();
    state.turn_is_out = true;
    let idle = match call.stage {
        Stage::New(_) => state.idle.pop(),
        Stage::Paused(_) => None,
    };
    drop(state);
    match (call.stage, idle) {
        (Stage::Paused(hand), _) => hand.tell(Order::GoOn),
        (Stage::New(runnable), Some(hand)) => hand.tell(Order::Run(call.who, runnable)),
        (Stage::New(runnable), None) => start(simulation, call.who, runnable),
    }
    let mut state = simulation.lock();
    let patience = simulation.settings().patience;
    let end = Instant::now().checked_add(patience);
    while state.turn_is_out {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            state.turn_is_out = false;
            return Err(Stuck {
                patience,
                seed: simulation.seed(),
            });
        }
        state = simulation.wait_for(state, left);
    }
    Ok(())
}

fn start(simulation: &Arc<Simulation>, who: u64, call: Runnable) {
    let (hand, orders) = Hand::new();
    let simulation = Arc::clone(simulation);
    let thread = thread::Builder::new().name("anyrt-sim call".into());
    // If there is no thread, the call is dropped.
    if let Err(error) = thread.spawn(move || turn::work(simulation, hand, orders, (who, call))) {
        panic!("the simulator got no thread for a blocking call: {error}");
    }
}

/// A call keeps its turn.
#[derive(Debug)]
pub(crate) struct Stuck {
    patience: Duration,
    seed: u64,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { patience, seed } = self;
        write!(
            f,
            "stuck: a blocking call has been at work for {patience:?} of real time, and nothing else goes on \
             meanwhile. If it waits for another part of the program, by a lock or a channel of `std` or in an \
             executor of its own, let it wait in `from_thread::block_on` or a call of a portal, or put that into \
             `from_thread::wait_outside`; if it computes, give it more `patience` (seed: {seed})"
        )
    }
}
