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
        .or_else(worker::backend)
        .or_else(B::current)
}

/// What `f`, which is no code of the user's, finds out from the backend at this place; otherwise as [`backend`], whose
/// clone it spares.
#[track_caller]
pub(crate) fn ask_backend<B: Backend, R>(f: impl FnOnce(&B) -> R) -> R {
    match with_backend(f) {
        Some(answer) => answer,
        None => there_is_none(),
    }
}

/// Gives `f`, which is no code of the user's, the backend at this place, if there is one.
pub(crate) fn with_backend<B: Backend, R>(f: impl FnOnce(&B) -> R) -> Option<R> {
    with_run(|backend, _| f(backend))
}

/// The same, and whether somebody observes the run at this place.
pub(crate) fn with_run<B: Backend, R>(f: impl FnOnce(&B, bool) -> R) -> Option<R> {
    let mut f = Some(f);
    let found = place::look_at_home(|home| {
        let backend = home.shared.backend()?;
        f.take().map(|f| f(backend, home.observer().is_some()))
    });
    found.flatten().or_else(|| {
        let elsewhere = worker::backend().or_else(B::current)?;
        f.take().map(|f| f(&elsewhere, false))
    })
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
