//! The loop that drives a simulation, and its end.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::call::{Stuck, give_turn};
use crate::context;
use crate::hand::{Call, Order, Stage};
use crate::limit::Limit;
use crate::queue::Ready;
use crate::simulation::{Phase, Simulation};

/// Drives `main` and all that it starts, until `main` is done and nothing is left.
#[track_caller]
pub(crate) fn run<F: Future>(simulation: &Arc<Simulation>, main: F) -> F::Output {
    let _inside = context::enter(simulation);
    let mut main = pin!(Some(main));
    // Whatever happens, the end comes in order. It runs outside of any unwinding, so that a destructor
    // which panics as well does not abort the process.
    let result = catch_unwind(AssertUnwindSafe(|| drive(simulation, main.as_mut())));
    // Before anything is dropped, and so ends.
    let report = match &result {
        Ok(Err(_)) => simulation.record().report(),
        _ => String::new(),
    };
    let dropped = catch_unwind(AssertUnwindSafe(|| main.set(None)));
    end(simulation);
    if dropped.is_err() || !matches!(result, Ok(Ok(_))) {
        simulation.record().leave();
    }
    match (result, dropped) {
        (Err(payload), _) | (Ok(Ok(_)), Err(payload)) => resume_unwind(payload),
        (Ok(Ok(output)), Ok(())) => output,
        (Ok(Err(Stop::Deadlock(deadlock))), _) => panic!("{deadlock}{report}"),
        (Ok(Err(Stop::Limit(limit))), _) => panic!("{limit}{report}"),
        (Ok(Err(Stop::Stuck(stuck))), _) => panic!("{stuck}{report}"),
    }
}

/// One turn of the loop.
enum Step {
    Go(Ready),
    /// These waited until nothing could go on; or the clock has jumped, and these timers are due.
    Wake(Vec<Waker>),
    Stop(Stop),
}

/// Why a run is given up.
enum Stop {
    Deadlock(Deadlock),
    Limit(Limit),
    Stuck(Stuck),
}

fn drive<F: Future>(
    simulation: &Arc<Simulation>,
    mut main: Pin<&mut Option<F>>,
) -> Result<F::Output, Stop> {
    let waker = Waker::from(Arc::clone(simulation));
    let mut cx = Context::from_waker(&waker);
    waker.wake_by_ref();
    loop {
        match next(simulation) {
            Step::Go(Ready::Task(runnable)) => {
                runnable.run();
            }
            Step::Go(Ready::Call(call)) => give_turn(simulation, call).map_err(Stop::Stuck)?,
            Step::Go(Ready::Main) => {
                let main = main.as_mut().as_pin_mut().expect("dropped by `run` only");
                if let Poll::Ready(output) = main.poll(&mut cx) {
                    return Ok(output);
                }
            }
            Step::Wake(wakers) => {
                let now = simulation.lock().clock.elapsed();
                simulation.record().lock().set_time(now);
                wakers.into_iter().for_each(Waker::wake);
            }
            Step::Stop(stop) => return Err(stop),
        }
    }
}

/// Waits for the next turn, for as long as somebody outside may still bring one.
fn next(simulation: &Simulation) -> Step {
    let mut state = simulation.lock();
    loop {
        if let Some(limit) = simulation.limit(&state, None) {
            return Step::Stop(Stop::Limit(limit));
        }
        if let Some(ready) = state.choose() {
            return Step::Go(ready);
        }
        if state.busy > 0 {
            state = simulation.wait(state);
            continue;
        }
        if !state.until_idle.is_empty() {
            return Step::Wake(std::mem::take(&mut state.until_idle));
        }
        let stuck = match state.jump() {
            Ok(due) => return Step::Wake(due),
            Err(_) if state.patient > 0 => {
                state = simulation.wait(state);
                continue;
            }
            Err(stuck) => stuck,
        };
        return Step::Stop(match simulation.limit(&state, Some(stuck)) {
            Some(limit) => Stop::Limit(limit),
            None => Stop::Deadlock(Deadlock {
                tasks: state.tasks.len(),
                waiting_calls: state.waiting_calls,
                elapsed: state.clock.elapsed(),
                seed: simulation.seed(),
            }),
        });
    }
}

/// Drops all tasks, also those that destructors spawn meanwhile, and all timers.
fn end(simulation: &Simulation) {
    let mut state = simulation.lock();
    state.phase = Phase::Ending;
    simulation.keep_record(&mut state);
    let wakers: Vec<Waker> = state.tasks.values().cloned().collect();
    drop(state);
    // Puts every task into the queue that is not there yet.
    wakers.into_iter().for_each(Waker::wake);

    let mut state = simulation.lock();
    loop {
        let left = state.queue.take();
        if !left.is_empty() {
            drop(state);
            left.into_iter().for_each(leave);
            state = simulation.lock();
        } else if !state.tasks.is_empty() {
            // Another thread has just woken the task and is about to put it into the queue.
            state = simulation.wait(state);
        } else {
            break;
        }
    }
    state.phase = Phase::Ended;
    let timers = state.clock.clear();
    let until_idle = std::mem::take(&mut state.until_idle);
    let idle = std::mem::take(&mut state.idle);
    drop(state);
    drop((timers, until_idle));
    idle.iter().for_each(|hand| hand.tell(Order::Leave));
}

/// What has not begun is dropped. A call that has takes no more turns.
fn leave(ready: Ready) {
    if let Ready::Call(Call {
        stage: Stage::Paused(hand),
        ..
    }) = ready
    {
        hand.tell(Order::GoOn);
    }
}

/// Nothing can go on, now or later.
#[derive(Debug)]
struct Deadlock {
    tasks: usize,
    waiting_calls: usize,
    elapsed: Duration,
    seed: u64,
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tasks,
            waiting_calls,
            elapsed,
            seed,
        } = self;
        write!(
            f,
            "deadlock: the main future is not done, but nothing is runnable, no timer is armed and no \
             blocking call is at work (tasks alive: {tasks}, blocking calls that wait: \
             {waiting_calls}, virtual time since the start: \
             {elapsed:?}, seed: {seed})"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::settings::Settings;
    use crate::sleep::Sleep;
    use crate::task::spawn;

    #[test]
    fn a_run_leaves_nothing_that_points_at_it() {
        let simulation = Simulation::new(Settings::with_seed(0));
        let mut outlives = None;
        run(&simulation, async {
            let far = simulation.now() + Duration::from_secs(2);
            drop(spawn(&simulation, pending::<()>()));
            drop(spawn(&simulation, Sleep::new(Arc::clone(&simulation), far)));
            // Armed with the waker of main, and alive when main is done.
            let sleep = outlives.insert(Box::pin(Sleep::new(Arc::clone(&simulation), far)));
            let arm = std::future::poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx)));
            assert!(arm.await.is_pending());
            let near = simulation.now() + Duration::from_secs(1);
            Sleep::new(Arc::clone(&simulation), near).await;
        });
        // Ours and the one in the sleep.
        assert_eq!(Arc::strong_count(&simulation), 2);
        drop(outlives);
        assert_eq!(Arc::strong_count(&simulation), 1);
    }
}
