//! One run of a program that may fail.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyrt_core::Backend;

use crate::context;
use crate::settings::{Recording, Settings, Tape};
use crate::sim::Sim;

pub(crate) type Payload = Box<dyn Any + Send>;

/// How many steps a run of a search may take, unless another number is given: many, but not for ever.
pub(crate) const MAX_STEPS: u64 = 1_000_000;

/// A run that was.
pub(crate) struct Attempt<T> {
    pub(crate) result: Result<T, Payload>,
    pub(crate) recording: Recording,
}

/// Runs `main` once, as described by `settings`.
pub(crate) fn attempt<B, F>(mut settings: Settings, main: F) -> Attempt<F::Output>
where
    B: Backend + From<Sim>,
    F: Future,
{
    let tape = Tape::default();
    settings.tape = Some(tape.clone());
    let backend = B::from(Sim::of(settings));
    let result = catch_unwind(AssertUnwindSafe(|| anyrt_core::run(&backend, main)));
    Attempt {
        result,
        recording: tape.take(),
    }
}

/// Sees to it that a search is not begun inside of a run, where every seed would fail.
#[track_caller]
pub(crate) fn assert_outside(what: &str) {
    assert!(
        context::current().is_none() && !anyrt_core::is_inside(),
        "`{what}` was called inside a run; it starts runs of its own, so call it from an ordinary function"
    );
}

/// What a panic says.
pub(crate) fn text_of(payload: &Payload) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic whose payload is no text".to_owned())
}
