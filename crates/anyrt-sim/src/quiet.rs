//! Panics that are part of a search, and say nothing on the terminal.

use std::cell::Cell;
use std::panic::{set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Calls `f`; panics in it, on this thread, are not reported by the panic hook.
pub(crate) fn quietly<T>(f: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            IS_QUIET.set(self.0);
        }
    }
    static ONCE: Once = Once::new();
    // The hook is for all threads and stays; on a thread that does not search it is the one from before.
    ONCE.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !is_quiet() {
                usual(panic);
            }
        }));
    });
    let _restore = Restore(IS_QUIET.replace(true));
    f()
}

/// Whether that is so here.
pub(crate) fn is_quiet() -> bool {
    IS_QUIET.try_with(Cell::get).unwrap_or(false)
}
