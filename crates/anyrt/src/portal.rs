//! Portals on the current backend.

use std::fmt::Display;

use crate::current::Current;

/// A handle by which any thread runs futures in a group of a run; see [`anyrt_core::Portal`].
pub type Portal = anyrt_core::Portal<Current>;

/// The handle of what was spawned through a portal; see [`anyrt_core::PortalTask`].
pub type PortalTask<T> = anyrt_core::PortalTask<Current, T>;

/// The future of [`PortalTask::outcome`]; see [`anyrt_core::PortalOutcome`].
pub type PortalOutcome<T> = anyrt_core::PortalOutcome<Current, T>;

/// Starts a run on a thread of its own when somebody needs one; see [`anyrt_core::PortalProvider`].
pub type PortalProvider = anyrt_core::PortalProvider<Current>;

/// The portal of the run at this place: of its outermost group.
///
/// What comes through it is cancelled when the run ends, and has ended when the run has. All rules are at
/// [`anyrt_core::Portal`].
///
/// # Panics
///
/// If there is no run or group of this crate at this place.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let portal = anyrt::portal();
/// let work = anyrt::to_thread(move || portal.call(async { 7 }));
/// assert_eq!(work.await, Ok(7));
/// # });
/// ```
#[track_caller]
pub fn portal() -> Portal {
    anyrt_core::portal()
}

/// Starts a run of `backend` on a thread of its own, and gives the portal that leads into it.
///
/// `backend` is a name or a value. The run ends with the last clone of the portal. All rules are at
/// [`anyrt_core::start_portal`].
///
/// # Panics
///
/// If there is no such backend, and if its runtime or the thread cannot be started.
///
/// # Examples
///
/// ```
/// for name in anyrt::available() {
///     let portal = anyrt::start_portal(*name);
///     assert_eq!(portal.call(async { 7 }), Ok(7));
/// }
/// ```
#[track_caller]
pub fn start_portal(backend: impl TryInto<Current, Error: Display>) -> Portal {
    anyrt_core::start_portal(backend)
}
