//! Dropping things of the user's where a panic has nowhere to go.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Drops something of the user's where a panic has nowhere to go, since one is being resumed already.
pub(crate) fn throw_away<T>(thing: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(thing))) {
        // Its destructor may panic as well, and so on for ever.
        std::mem::forget(payload);
    }
}
