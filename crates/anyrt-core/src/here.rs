//! What is to be known of the place where the code runs: its backend, and whether it is cancelled as of now.

use std::sync::Arc;

use crate::backend::Backend;
use crate::place;
use crate::worker;

/// The backend at this place: that of the future of this crate which is being polled, else that of
/// the call into a thread which is being run, else whatever runtime the thread is in.
///
/// # Panics
///
/// If there is none; the message says what to do.
///
/// # Examples
///
/// ```
/// use anyrt_core::Backend;
/// use anyrt_sim::Sim;
///
/// let name = anyrt_core::run(&Sim::default(), async { anyrt_core::backend::<Sim>().name() });
/// assert_eq!(name, "sim");
/// ```
#[track_caller]
pub fn backend<B: Backend>() -> B {
    match find_backend() {
        Some(backend) => backend,
        None => there_is_none(),
    }
}

#[track_caller]
fn there_is_none() -> ! {
    panic!("anyrt: there is no runtime at this place; {ADVICE}");
}

/// What to do where there is no runtime.
pub(crate) const ADVICE: &str =
    "run this inside `anyrt::run`, `anyrt::run_on` or a runtime that you have started";

/// The backend at this place, if there is one; otherwise as [`backend`].
///
/// # Examples
///
/// ```
/// assert!(anyrt_core::find_backend::<anyrt_sim::Sim>().is_none());
/// ```
pub fn find_backend<B: Backend>() -> Option<B> {
    place::look_at_home(|home| home.shared.backend().cloned())
        .flatten()
        .or_else(elsewhere)
}

/// What `f`, which is no code of the user's, finds out from the backend at this place; otherwise as [`backend`], whose
/// clone it spares.
#[track_caller]
pub(crate) fn ask_backend<B: Backend, R>(f: impl FnMut(&B) -> R) -> R {
    match with_backend(f) {
        Some(answer) => answer,
        None => there_is_none(),
    }
}

/// Gives `f`, which is no code of the user's, the backend at this place, if there is one.
#[inline]
pub(crate) fn with_backend<B: Backend, R>(mut f: impl FnMut(&B) -> R) -> Option<R> {
    with_run(|backend, _| f(backend))
}

/// The same, and whether somebody observes the run at this place.
#[inline]
pub(crate) fn with_run<B: Backend, R>(mut f: impl FnMut(&B, bool) -> R) -> Option<R> {
    let here = place::look_at_home(|home| {
        let is_observed = home.observer().is_some();
        home.shared.backend().map(|backend| f(backend, is_observed))
    });
    match here.flatten() {
        None => elsewhere().map(|backend| f(&backend, false)),
        answer => answer,
    }
}

/// The backend where there is no run of it.
#[inline(never)]
fn elsewhere<B: Backend>() -> Option<B> {
    worker::backend().or_else(B::current)
}

/// Whether the scope at this place is cancelled as of now; what waits here is going to be dropped.
pub(crate) fn is_cancelled<B: Backend>() -> bool {
    let Some(node) = place::look(Arc::clone) else {
        return false;
    };
    let has_passed = |limit| with_backend(|backend: &B| limit <= backend.now()) == Some(true);
    let is_cancelled = node.is_surely_cancelled() || node.earliest_limit().is_some_and(has_passed);
    if is_cancelled {
        node.bring_down();
    }
    is_cancelled
}
