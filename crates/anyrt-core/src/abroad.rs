//! What a run waits for, and what happens outside of it.

use std::sync::Arc;

use crate::backend::Backend;
use crate::home::Home;
use crate::place;

/// While it lives, a run knows that something comes from outside of it. Otherwise a simulator would take the wait for a
/// deadlock.
pub(crate) struct Abroad<B: Backend>(B);

impl<B: Backend> Abroad<B> {
    /// The run on `backend` is the one that waits.
    pub(crate) fn of(backend: B) -> Self {
        backend.outside_is_busy(true);
        Self(backend)
    }

    /// The run at this place waits for the run of `home`. `None` if that is the same one, or nothing is known of the run
    /// at this place.
    pub(crate) fn in_the_run_of(home: &Home) -> Option<Self> {
        let here = place::look(|node| {
            let shared = &node.home.as_ref()?.shared;
            let is_same = Arc::ptr_eq(shared, &home.shared);
            shared.backend::<B>().filter(|_| !is_same).cloned()
        });
        here.flatten().map(Self::of)
    }
}

impl<B: Backend> Drop for Abroad<B> {
    fn drop(&mut self) {
        self.0.outside_is_busy(false);
    }
}
