//! What is being polled on this thread, and what that waits for, as far as somebody observes it: a thread-local, set
//! around every poll.

use std::cell::{Cell, RefCell};

use crate::observe::{Event, Id, Observer, Wait};

thread_local! {
    /// Most often there is none, and then this is all that is asked.
    static INNERMOST: Cell<Option<Id>> = const { Cell::new(None) };
    /// What is waited for, by all that is being polled; that of the innermost comes last.
    static WAITS: RefCell<Vec<Wait>> = const { RefCell::new(Vec::new()) };
}

/// While it lives, something that is observed is being polled.
pub(crate) struct Polling {
    id: Id,
    outer: Option<Id>,
    /// Where its waits begin.
    first: usize,
}

impl Polling {
    #[cold]
    pub(crate) fn begin(id: Id) -> Self {
        Self {
            id,
            outer: INNERMOST.replace(Some(id)),
            first: WAITS.try_with(|waits| waits.borrow().len()).unwrap_or(0),
        }
    }

    /// It is pending: tells what it waits for.
    #[cold]
    pub(crate) fn tell(&self, observer: &dyn Observer) {
        let id = self.id;
        if WAITS.try_with(|waits| waits.borrow().len() <= self.first) != Ok(false) {
            return observer.observe(Event::Waits { id, on: &[] });
        }
        // Out of its place meanwhile, in case that the observer waits itself.
        let waits = WAITS.try_with(RefCell::take).unwrap_or_default();
        let own = waits.get(self.first..).unwrap_or_default();
        observer.observe(Event::Waits { id, on: own });
        let _ = WAITS.try_with(|place| place.replace(waits));
    }
}

impl Drop for Polling {
    #[cold]
    fn drop(&mut self) {
        INNERMOST.set(self.outer);
        let _ = WAITS.try_with(|waits| waits.borrow_mut().truncate(self.first));
    }
}

/// What is being polled here.
pub(crate) fn innermost() -> Option<Id> {
    INNERMOST.get()
}

/// Remembers for an observer, if there is one, what is waited for here. To be called where a future of ours is pending.
#[inline]
pub(crate) fn waits(on: impl FnOnce() -> Wait) {
    if INNERMOST.get().is_some() {
        remember(on());
    }
}

#[cold]
fn remember(on: Wait) {
    let _ = WAITS.try_with(|waits| waits.borrow_mut().push(on));
}
