//! Waiting in one run for what happens in another.

use std::sync::Arc;

use crate::backend::Backend;
use crate::home::Home;
use crate::place;

/// While it lives, the run at the place where it was made knows that something comes from outside of it. Otherwise a
/// simulator would take the wait for a deadlock.
pub(crate) struct Abroad<B: Backend>(B);

impl<B: Backend> Abroad<B> {
    /// `None` if what is waited for happens in the same run, or nothing is known of the run at this place.
    pub(crate) fn in_the_run_of(home: &Home) -> Option<Self> {
        let here = place::look(|node| {
            let shared = &node.home.as_ref()?.shared;
            let is_same = Arc::ptr_eq(shared, &home.shared);
            shared.backend::<B>().filter(|_| !is_same).cloned()
        });
        let here = here.flatten()?;
        here.thread_goes_on(false);
        Some(Self(here))
    }
}

impl<B: Backend> Drop for Abroad<B> {
    fn drop(&mut self) {
        self.0.thread_waits(false);
    }
}
