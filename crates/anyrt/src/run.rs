//! Starting a runtime.

use std::future::Future;

use crate::current::{Current, only};

/// Starts the one backend that is compiled in, drives `main` to its end, and gives its value.
///
/// Everything that was started inside has ended when this returns, also if `main` panics.
///
/// # Panics
///
/// If no backend is compiled in, or several are (the message says what to do); if it is called inside a
/// run; and if `main` panics.
///
/// # Examples
///
/// ```no_run
/// // needs exactly one feature: `tokio`, `async-std`, `smol` or `sim`
/// assert_eq!(anyrt::run(async { 7 }), 7);
/// ```
#[track_caller]
pub fn run<F: Future>(main: F) -> F::Output {
    anyrt_core::run(&only(), main)
}

/// Starts this backend, drives `main` to its end, and gives its value; otherwise as [`run`].
///
/// # Panics
///
/// If it is called inside a run, and if `main` panics.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), anyrt::UnknownBackend> {
/// for name in anyrt::available() {
///     let backend: anyrt::Current = name.parse()?;
///     assert_eq!(anyrt::run_on(backend, async { 7 }), 7);
/// }
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn run_on<F: Future>(backend: impl Into<Current>, main: F) -> F::Output {
    anyrt_core::run(&backend.into(), main)
}
