//! Futures that threads drive: those of calls, which take turns, and others, which the simulator only counts.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::hand::{Call, Hand, Order, Stage};
use crate::simulation::{Phase, Simulation};
use crate::sleep::Sleep;
use crate::turn::{self, Caller};

/// Drives `future` on this thread, until it is done or `patience` has run out.
pub(crate) fn block_on<F: Future>(
    simulation: &Arc<Simulation>,
    future: F,
    patience: Option<Duration>,
) -> Option<F::Output> {
    match turn::current() {
        Some(here) if Arc::ptr_eq(&here.simulation, simulation) => in_turn(here, future, patience),
        // A call of another simulation, where things may have to go on for this one.
        Some(_) => turn::wait_outside(|| freely(simulation, future, patience)),
        None => freely(simulation, future, patience),
    }
}

/// On the thread of a call. It lives in virtual time.
fn in_turn<F: Future>(
    here: Rc<Caller>,
    future: F,
    patience: Option<Duration>,
) -> Option<F::Output> {
    let seat = Arc::new(Seat {
        simulation: Arc::clone(&here.simulation),
        who: here.who.get(),
        hand: here.hand.clone(),
        is_woken: AtomicBool::new(false),
        is_waiting: AtomicBool::new(false),
    });
    let waker = Waker::from(Arc::clone(&seat));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    let now = here.simulation.now();
    let end = patience.and_then(|patience| now.checked_add(patience));
    let mut limit = end.map(|end| Box::pin(Sleep::new(Arc::clone(&here.simulation), end)));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        let limit = limit.as_mut();
        if limit.is_some_and(|limit| limit.as_mut().poll(&mut cx).is_ready()) {
            return None;
        }
        seat.wait(&here);
    }
}

/// A call that waits. The flags change under the simulation's lock only.
struct Seat {
    simulation: Arc<Simulation>,
    who: u64,
    hand: Hand,
    is_woken: AtomicBool,
    is_waiting: AtomicBool,
}

impl Seat {
    fn wait(&self, here: &Caller) {
        let mut state = self.simulation.lock();
        if self.is_woken.load(Relaxed) {
            // It only gives way, as a task would.
            here.pause(state);
        } else {
            self.is_waiting.store(true, Relaxed);
            state.waiting_calls += 1;
            here.wait_for_turn(state);
        }
        let _state = self.simulation.lock();
        self.is_woken.store(false, Relaxed);
    }
}

impl Wake for Seat {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.simulation.lock();
        self.is_woken.store(true, Relaxed);
        if self.is_waiting.swap(false, Relaxed) {
            state.waiting_calls -= 1;
            if state.phase == Phase::Running {
                state.queue.push_call(Call {
                    who: self.who,
                    stage: Stage::Paused(self.hand.clone()),
                });
                self.simulation.notify(&state);
            } else {
                self.hand.tell(Order::GoOn);
            }
        }
    }
}

/// On a thread that takes no turns. It lives in real time.
///
/// While it waits it is not at work: neither for itself nor for whatever was announced and it stands for. Whoever wakes
/// it makes it count again, in one step. Else the loop could see a simulation in which nothing can ever go on, where
/// there is none.
fn freely<F: Future>(
    simulation: &Arc<Simulation>,
    future: F,
    patience: Option<Duration>,
) -> Option<F::Output> {
    let end = patience.and_then(|patience| Instant::now().checked_add(patience));
    let stray = Arc::new(Stray {
        simulation: Arc::clone(simulation),
        thread: thread::current(),
        end,
        is_woken: AtomicBool::new(false),
        is_waiting: AtomicBool::new(false),
    });
    let waker = Waker::from(Arc::clone(&stray));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        if !stray.wait() {
            return None;
        }
    }
}

/// Any other thread that waits. The flags change under the simulation's lock only.
struct Stray {
    simulation: Arc<Simulation>,
    thread: Thread,
    end: Option<Instant>,
    is_woken: AtomicBool,
    is_waiting: AtomicBool,
}

impl Stray {
    /// Gives whether there was a wake before the end.
    fn wait(&self) -> bool {
        let is_patient = isize::from(self.end.is_some());
        let mut state = self.simulation.lock();
        if !self.is_woken.load(Relaxed) {
            self.is_waiting.store(true, Relaxed);
            state.busy -= 1;
            state.patient += is_patient;
            self.simulation.notify(&state);
        }
        while self.is_waiting.load(Relaxed) {
            drop(state);
            let has_time = self.park();
            state = self.simulation.lock();
            if !has_time && self.is_waiting.swap(false, Relaxed) {
                state.busy += 1;
                state.patient -= is_patient;
                return false;
            }
        }
        self.is_woken.store(false, Relaxed);
        true
    }

    /// Gives whether there was time left.
    fn park(&self) -> bool {
        let Some(end) = self.end else {
            thread::park();
            return true;
        };
        let left = end.saturating_duration_since(Instant::now());
        thread::park_timeout(left);
        !left.is_zero()
    }
}

impl Wake for Stray {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.simulation.lock();
        self.is_woken.store(true, Relaxed);
        if self.is_waiting.swap(false, Relaxed) {
            state.busy += 1;
            state.patient -= isize::from(self.end.is_some());
            drop(state);
            self.thread.unpark();
        }
    }
}
