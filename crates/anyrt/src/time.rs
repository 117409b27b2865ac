//! Time on the current backend.

use std::time::{Duration, Instant};

use crate::current::Current;

/// The future of [`sleep`] and [`sleep_until`]; see [`anyrt_core::Sleep`].
pub type Sleep = anyrt_core::Sleep<Current>;

/// The time on the clock of the backend at this place.
///
/// # Panics
///
/// If there is no runtime at this place.
#[track_caller]
pub fn now() -> Instant {
    anyrt_core::now::<Current>()
}

/// Waits for `duration`, counted from this call; one that overflows the clock is never over.
///
/// # Panics
///
/// If there is no runtime at this place.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let before = anyrt::now();
/// anyrt::sleep(Duration::from_secs(3600)).await; // virtual time
/// assert_eq!(anyrt::now() - before, Duration::from_secs(3600));
/// # });
/// ```
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    anyrt_core::sleep(duration)
}

/// Waits until `at`; one that has passed gives way to other tasks once.
///
/// # Panics
///
/// If there is no runtime at this place.
#[track_caller]
pub fn sleep_until(at: Instant) -> Sleep {
    anyrt_core::sleep_until(at)
}

/// The earliest deadline that applies here, up to the nearest shield; `None` if there is none.
///
/// Where the scope is cancelled already it is an instant that has passed.
///
/// # Panics
///
/// If there is no runtime at this place.
#[track_caller]
pub fn current_effective_deadline() -> Option<Instant> {
    anyrt_core::current_effective_deadline::<Current>()
}
