//! What is known of one `finally`.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::world::World;

/// One `finally`: how often its cleanup has run, and whether it had to.
#[derive(Default)]
pub(crate) struct Cleanup {
    begun: AtomicU32,
    done: AtomicU32,
    /// Dropped by somebody else than anyrt, or by a panic.
    is_void: AtomicBool,
}

impl Cleanup {
    pub(crate) fn begins(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn is_done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// After the `finally` has given its value, or was cut.
    pub(crate) fn check(&self, world: &World) {
        let (begun, done) = self.counts();
        if (begun, done) != (1, 1) {
            world.violation(format_args!(
                "a cleanup was begun {begun} times and done {done} times"
            ));
        }
    }

    /// After the `finally` was dropped from outside, or has panicked: at most once then.
    pub(crate) fn void(&self, world: &World) {
        self.is_void.store(true, Ordering::Relaxed);
        let (begun, done) = self.counts();
        if begun > 1 || done > begun {
            world.violation(format_args!(
                "a cleanup was begun {begun} times and done {done} times"
            ));
        }
    }

    /// Whether a value that it kept during the cleanup may have been dropped.
    pub(crate) fn may_drop_errors(&self) -> bool {
        self.is_void.load(Ordering::Relaxed)
    }

    fn counts(&self) -> (u32, u32) {
        let load = |count: &AtomicU32| count.load(Ordering::Relaxed);
        (load(&self.begun), load(&self.done))
    }
}
