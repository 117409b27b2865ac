//! Cleanups on the current backend.

use std::future::Future;

use crate::current::Current;

/// Registers `cleanup` to run when the scope at this place ends, however it ends.
///
/// Cleanups run the latest first, shielded, also after a panic. All rules are at [`anyrt_core::on_exit`].
///
/// # Cancel safety
///
/// If the scope is dropped from outside, the cleanups run in a task for which the enclosing group waits.
///
/// # Panics
///
/// If there is no scope at this place.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let (closed, seen) = std::sync::mpsc::channel();
/// let hour = std::time::Duration::from_secs(3600);
/// let session = anyrt::move_on_after(hour, async {
///     anyrt::on_exit(async move { closed.send("closed").unwrap() });
///     std::future::pending::<()>().await;
/// });
/// assert_eq!(session.await, None);
/// assert_eq!(seen.recv(), Ok("closed"));
/// # });
/// ```
#[track_caller]
pub fn on_exit(cleanup: impl Future<Output = ()> + Send + 'static) {
    anyrt_core::on_exit::<Current>(cleanup);
}
