//! Calls into threads on the current backend.

use crate::current::Current;

/// The future of [`to_thread`], and its options; see [`anyrt_core::ToThread`].
pub type ToThread<T, F> = anyrt_core::ToThread<Current, T, F>;

/// Runs `call` on a thread where it may block, and gives its value.
///
/// A running thread cannot be interrupted: a cancellation waits for it. All rules, and the options
/// `limiter` and `abandon_on_cancel`, are at [`anyrt_core::to_thread`].
///
/// # Panics
///
/// A panic of `call` is resumed where the call is awaited.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let files = anyrt::to_thread(|| std::fs::read_dir(".").map(|dir| dir.count())).await;
/// assert!(files.unwrap() > 0);
/// # });
/// ```
#[track_caller]
pub fn to_thread<T, F>(call: F) -> ToThread<T, F>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    anyrt_core::to_thread(call)
}
