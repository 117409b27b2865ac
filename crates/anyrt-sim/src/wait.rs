//! Futures that another thread drives, and how the clock goes on while that thread waits.
//!
//! A call of the simulation counts as at work except while it waits here. It stops to count and begins to wait in
//! one step, and whoever wakes it makes it count again before anything else can happen: both are done under the
//! simulation's lock. Else the loop could see a simulation in which nothing can ever go on, where there is none.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::simulation::Simulation;

thread_local! {
    /// The simulation a call of which this thread runs.
    static CALLED_BY: RefCell<Option<Arc<Simulation>>> = const { RefCell::new(None) };
}

/// Remembers that this thread runs a call of `simulation`; for the rest of its life, since it runs no other.
pub(crate) fn called_by(simulation: &Arc<Simulation>) {
    CALLED_BY.with(|caller| caller.replace(Some(Arc::clone(simulation))));
}

/// Drives `future` on this thread.
pub(crate) fn block_on<F: Future>(simulation: &Arc<Simulation>, future: F) -> F::Output {
    let is_call = CALLED_BY.with(|caller| {
        let caller = caller.borrow();
        caller
            .as_ref()
            .is_some_and(|caller| Arc::ptr_eq(caller, simulation))
    });
    let seat = Arc::new(Seat {
        simulation: Arc::clone(simulation),
        is_call,
        is_woken: AtomicBool::new(false),
        is_waiting: AtomicBool::new(false),
        changed: Condvar::new(),
    });
    let waker = Waker::from(Arc::clone(&seat));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        seat.wait();
    }
}

/// One thread that waits. The flags change under the simulation's lock only.
struct Seat {
    simulation: Arc<Simulation>,
    /// Whether the thread counts as a call of the simulation. Others are not waited for.
    is_call: bool,
    is_woken: AtomicBool,
    is_waiting: AtomicBool,
    changed: Condvar,
}

impl Seat {
    fn wait(&self) {
        let mut state = self.simulation.lock();
        if !self.is_woken.load(Relaxed) {
            self.is_waiting.store(true, Relaxed);
            if self.is_call {
                state.busy -= 1;
                state.waiting_calls += 1;
                self.simulation.notify(&state);
            }
            while !self.is_woken.load(Relaxed) {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
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
            if self.is_call {
                state.busy += 1;
                state.waiting_calls -= 1;
            }
            self.changed.notify_one();
        }
    }
}
