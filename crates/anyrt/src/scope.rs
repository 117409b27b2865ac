//! Cancel scopes and time limits on the current backend.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::current::Current;

/// A handle that cancels the futures run in it; see [`anyrt_core::CancelScope`].
pub type CancelScope = anyrt_core::CancelScope<Current>;

/// The future of [`CancelScope::run`]; see [`anyrt_core::Run`].
pub type Run<F> = anyrt_core::Run<Current, F>;

/// The future of [`CancelScope::cancelled`]; see [`anyrt_core::Cancellation`].
pub type Cancellation = anyrt_core::Cancellation<Current>;

/// The future of [`move_on_after`] and [`move_on_at`]; see [`anyrt_core::MoveOn`].
pub type MoveOn<F> = anyrt_core::MoveOn<Current, F>;

/// The future of [`fail_after`] and [`fail_at`]; see [`anyrt_core::FailAt`].
pub type FailAt<F> = anyrt_core::FailAt<Current, F>;

/// Runs `body` for at most `limit`: gives its value, or `None` if the time was up.
///
/// What the limit interrupts has ended when this returns. All rules are at [`anyrt_core::move_on_after`].
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let hour = Duration::from_secs(3600);
/// assert_eq!(anyrt::move_on_after(hour, async { 7 }).await, Some(7));
/// assert_eq!(anyrt::move_on_after(hour, std::future::pending::<()>()).await, None);
/// # });
/// ```
#[track_caller]
pub fn move_on_after<F: Future>(limit: Duration, body: F) -> MoveOn<F> {
    anyrt_core::move_on_after(limit, body)
}

/// Runs `body` until `deadline` at the latest; otherwise as [`move_on_after`].
#[track_caller]
pub fn move_on_at<F: Future>(deadline: Instant, body: F) -> MoveOn<F> {
    anyrt_core::move_on_at(deadline, body)
}

/// Runs `body` for at most `limit`, and fails if the time was up; otherwise as [`move_on_after`].
///
/// # Errors
///
/// [`Elapsed`](crate::Elapsed), only if this very limit interrupted the body.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let limit = Duration::from_secs(1);
/// assert!(anyrt::fail_after(limit, anyrt::sleep(2 * limit)).await.is_err());
/// # });
/// ```
#[track_caller]
pub fn fail_after<F: Future>(limit: Duration, body: F) -> FailAt<F> {
    anyrt_core::fail_after(limit, body)
}

/// Runs `body` until `deadline` at the latest, and fails then; otherwise as [`fail_after`].
///
/// # Errors
///
/// [`Elapsed`](crate::Elapsed), only if this very deadline interrupted the body.
#[track_caller]
pub fn fail_at<F: Future>(deadline: Instant, body: F) -> FailAt<F> {
    anyrt_core::fail_at(deadline, body)
}
