//! The outermost group.

use std::convert::Infallible;
use std::future::Future;
use std::panic::Location;

use crate::backend::Backend;
use crate::group::Running;
use crate::place;
use crate::spawn::TaskGroup;
use crate::worker;

/// Starts a runtime as described by `backend`, drives `main` to its end, and gives its value.
///
/// A run is the outermost group: what was dropped from outside, wherever that was, is waited for here at the
/// latest, also if `main` panics.
///
/// # Panics
///
/// If `main` or something adopted panics; and if it is called from inside a run.
///
/// # Examples
///
/// ```
/// let value = anyrt_core::run(&anyrt_sim::Sim::default(), async { 7 });
/// assert_eq!(value, 7);
/// ```
#[track_caller]
pub fn run<B: Backend, F: Future>(backend: &B, main: F) -> F::Output {
    assert!(
        !place::is_inside(),
        "anyrt: `run` was called inside a run; await the future instead, or call it from a thread of its own"
    );
    let caller = Location::caller();
    let main = async {
        let body = |_: TaskGroup<B, Infallible>| async { Ok(main.await) };
        match Running::<B, _, _, _, _, ()>::new(body, (), None, caller).await {
            Ok(value) => value,
            Err(error) => match error.first {},
        }
    };
    worker::outside(|| backend.run(main))
}
