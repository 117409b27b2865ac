//! Whose turn it is, as seen by a thread that runs calls.
//!
//! Invariant: of the loop and these threads exactly one is at work, but for those that wait outside, which nobody waits
//! for, and for what is left when the run has ended. A thread gives its turn back in one step with whatever is to bring
//! the next one: it is in the queue, or a waker has been told to put it there, or the count of what is busy outside has
//! gone up.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, MutexGuard};

use async_task::Runnable;

use crate::hand::{Call, Hand, Order, Stage};
use crate::simulation::{Phase, Simulation, State};

thread_local! {
    static HERE: RefCell<Option<Rc<Caller>>> = const { RefCell::new(None) };
}

/// This thread, which runs the calls of one simulation.
pub(crate) struct Caller {
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) hand: Hand,
    /// The number of the call that it runs.
    pub(crate) who: Cell<u64>,
    orders: Receiver<Order>,
    is_outside: Cell<bool>,
}

/// Who runs on this thread, if that takes turns.
pub(crate) fn current() -> Option<Rc<Caller>> {
    let here = HERE.try_with(|here| here.borrow().clone()).ok().flatten();
    here.filter(|here| !here.is_outside.get())
}

/// Runs `call` and what it is told to run after it, on a thread made for that.
pub(crate) fn work(
    simulation: Arc<Simulation>,
    hand: Hand,
    orders: Receiver<Order>,
    (who, call): (u64, Runnable),
) {
    let here = Rc::new(Caller {
        simulation,
        hand,
        who: Cell::new(who),
        orders,
        is_outside: Cell::new(false),
    });
    HERE.set(Some(Rc::clone(&here)));
    let mut next = Some(call);
    while let Some(call) = next {
        // Puts the awaiter into the queue, if there is one.
        if here.simulation.settings().free_threads {
            wait_outside(|| call.run());
        } else {
            call.run();
        }
        next = here.rest();
    }
}

impl Caller {
    /// The call that it runs, as what waits for a turn.
    pub(crate) fn call(&self) -> Call {
        Call {
            who: self.who.get(),
            stage: Stage::Paused(self.hand.clone()),
        }
    }

    /// Gives way to whatever else may go on.
    pub(crate) fn pause(&self, mut state: MutexGuard<'_, State>) {
        if state.phase == Phase::Running {
            state.queue.push_call(self.call());
            self.wait_for_turn(state);
        }
    }

    /// Waits until `hand` is told to go on.
    pub(crate) fn wait_for_turn(&self, state: MutexGuard<'_, State>) {
        self.give_back(state);
        self.listen();
    }

    fn listen(&self) {
        let order = self.orders.recv();
        debug_assert!(matches!(order, Ok(Order::GoOn)), "{order:?}");
    }

    /// Waits for another call.
    fn rest(&self) -> Option<Runnable> {
        let mut state = self.simulation.lock();
        state.queue.forget(self.who.get());
        if state.phase != Phase::Running {
            return None;
        }
        state.idle.push(self.hand.clone());
        self.give_back(state);
        match self.orders.recv() {
            Ok(Order::Run(who, call)) => {
                self.who.set(who);
                Some(call)
            }
            _ => None,
        }
    }

    fn give_back(&self, mut state: MutexGuard<'_, State>) {
        state.turn_is_out = false;
        self.simulation.notify(&state);
    }
}

/// Runs `wait`, and lets others have the turn meanwhile.
pub(crate) fn wait_outside<R>(wait: impl FnOnce() -> R) -> R {
    let _outside = current().map(Outside::begin);
    wait()
}

/// While it lives, the thread counts as something outside that is busy.
struct Outside(Rc<Caller>);

impl Outside {
    fn begin(here: Rc<Caller>) -> Self {
        let mut state = here.simulation.lock();
        state.busy += 1;
        here.is_outside.set(true);
        here.give_back(state);
        Self(here)
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let Self(here) = self;
        here.is_outside.set(false);
        let mut state = here.simulation.lock();
        state.busy -= 1;
        if state.phase == Phase::Running {
            // Whoever has the turn keeps it; nothing is given back.
            state.queue.push_call(here.call());
            here.simulation.notify(&state);
            drop(state);
            here.listen();
        }
    }
}
