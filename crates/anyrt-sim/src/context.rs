//! Which simulation this thread drives, if any.

use std::cell::RefCell;
use std::sync::Arc;

use crate::simulation::Simulation;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Simulation>>> = const { RefCell::new(None) };
}

/// The simulation that this thread drives.
pub(crate) fn current() -> Option<Arc<Simulation>> {
    // A destructor of another thread-local may ask when ours is gone already: then nothing runs here.
    CURRENT
        .try_with(|current| current.borrow().clone())
        .ok()
        .flatten()
}

/// Makes `simulation` the one of this thread, until the guard is dropped.
#[track_caller]
pub(crate) fn enter(simulation: &Arc<Simulation>) -> Inside {
    if current().is_some() {
        panic!(
            "`Sim::run` was called on a thread that drives a simulation already; \
             spawn a task there, or run the second simulation on a thread of its own"
        );
    }
    CURRENT.with(|current| current.replace(Some(Arc::clone(simulation))));
    Inside(())
}

/// While it lives, this thread drives a simulation.
#[derive(Debug)]
pub(crate) struct Inside(());

impl Drop for Inside {
    fn drop(&mut self) {
        // What is taken out is dropped after the borrow has ended.
        let _ = CURRENT.try_with(RefCell::take);
    }
}
