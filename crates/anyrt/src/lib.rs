//! Structured concurrency that runs on any runtime.
//!
//! A library is written once against this crate: task groups that never leak a task, cancel scopes with
//! deadlines and shields, time limits, and calls into threads. The application turns on one cargo feature
//! (`tokio`, `async-std`, `smol`), and everything runs there, with the same promises. With the feature
//! `sim` it runs on a deterministic simulator in virtual time.
//!
//! ```
//! use std::time::Duration;
//! use anyrt::{sleep, task_group};
//!
//! # #[cfg(feature = "sim")]
//! # anyrt::run_on(anyrt::Sim::default(), async {
//! let both = task_group(async |g| {
//!     let a = g.spawn(async {
//!         sleep(Duration::from_secs(1)).await;
//!         Ok("a")
//!     });
//!     let b = g.spawn(async { "7".parse::<u32>() }); // an error here would cancel `a` and the body
//!     Ok((a.await, b.await))
//! });
//! assert_eq!(both.await.unwrap(), ("a", 7));
//! # });
//! ```
//!
//! # The one rule
//!
//! Cancellation is delivered only where the body returns `Pending`, and only when nothing inside it holds.
//! So a result that is ready is never lost, every spawned task is polled at least once, and what was
//! cancelled has *ended* when the one who cancelled it goes on.
//!
//! # Where to begin
//!
//! - [`task_group`] runs children in parallel and waits for all of them; [`TaskGroup::start`] waits until one is ready.
//! - [`gather`], [`race`], [`map_concurrent`], [`for_each_concurrent`] and [`as_completed`] are groups for the common
//!   shapes; [`parallel`] has them with children that are tasks.
//! - [`GroupOptions`] bounds how many run at once, and keeps the others going when one fails.
//! - [`GroupError`] is what went wrong in a group, all of it; [`first_error`](FirstError::first_error) is the short way.
//! - [`CancelScope`], [`move_on_after`] and [`fail_after`] interrupt; [`shield`] protects.
//! - [`finally`] and [`on_exit`] clean up, however the work ended.
//! - [`CancelScope::stop`] asks politely, and [`stopping`] hears of it.
//! - [`to_thread`] calls what blocks, [`iterate_in_thread`] goes through what blocks, [`Limiter`] bounds both, and
//!   [`from_thread`] calls back.
//! - [`task_local!`] sets values that go along into children and threads, such as the id of a request: [`context`].
//! - [`portal`] lets threads call back into a run, and [`start_portal`] brings one to a program that is not async.
//! - [`run`] and [`run_on`] start a runtime, and so does `#[anyrt::main]`; inside one that you started yourself nothing need
//!   be set up.
//! - [`#[anyrt::test]`](macro@crate::test) runs one test on each backend, and on the simulator with many seeds.
//! - The module `testing`, with the feature of that name, is the test kit.
//! - With the feature `sync` there are the modules `sync` and `channel`, for tasks and threads that wait for each other, and
//!   `primitives` says what to take when.
//! - With the feature `sim` the module `sim` tests all of that: orders of events by the thousand, and cancellation everywhere.
//! - [`scoped_group`] runs children that borrow, in its own task; the [`guide`] says which one is for what,
//!   and [`costs`] what they cost.
//!
//! # Which backend
//!
//! An explicit value wins ([`run_on`]); else the backend of the future of ours that is being polled; else
//! the only one compiled in; else the only one in sight. It is never a guess.
#![forbid(unsafe_code)]

pub mod absent;
mod available;
#[cfg(any(
    all(
        feature = "tokio",
        any(feature = "async-std", feature = "smol", feature = "sim")
    ),
    all(feature = "async-std", any(feature = "smol", feature = "sim")),
    all(feature = "smol", feature = "sim"),
))]
mod several;
mod current;
mod run;
mod group;
mod combine;
pub mod parallel;
mod rejected;
mod scope;
mod cleanup;
mod time;
mod thread;
mod portal;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "sync")]
pub mod sync;
#[cfg(feature = "sync")]
pub mod channel;
#[cfg(feature = "sync")]
pub mod primitives;
pub mod guide;
pub mod context;
pub mod costs;

mod enabled;
mod seeds;
mod runner;

#[cfg(feature = "async-std")]
pub use anyrt_async_std::AsyncStd;
pub use anyrt_core::{
    AccessError, Acquire, AcquireFor, AlreadyBorrowing, Backend, Borrower, Cancelled, Census,
    Checkpoint, Completed, DynGroupError, Elapsed, Finally, FirstError, Gather, GroupError, Join,
    Limiter, OwnLocal, Permit, PortalClosed, Race, Reason, Shield, Source, StartError, Started,
    Statistics, Stopped, Stopping, TaskLocal, UnknownBackend, WithLocal, WithOwn, census,
    checkpoint, default_thread_limiter, finally, is_stopping, shield, stopping, task_local,
};
pub use anyrt_macros::{main, test};
#[cfg(feature = "sim")]
pub use anyrt_sim::{Sim, Timeline};
#[cfg(feature = "smol")]
pub use anyrt_smol::Smol;
#[cfg(feature = "tokio")]
pub use anyrt_tokio::Tokio;

pub use crate::available::available;
pub use crate::cleanup::on_exit;
pub use crate::combine::{
    as_completed, for_each_concurrent, gather, map_concurrent, race, race_with,
};
pub use crate::current::*;
pub use crate::group::{
    GroupOptions, LocalGroup, Outcome, ScopedGroup, ScopedTask, Task, TaskGroup, local_group,
    scoped_group, task_group,
};
pub use crate::portal::{Portal, PortalOutcome, PortalProvider, PortalTask, portal, start_portal};
pub use crate::run::{run, run_on};
#[doc(hidden)]
pub use crate::runner::Runner as __Runner;
pub use crate::scope::{
    CancelScope, Cancellation, FailAt, MoveOn, Run, fail_after, fail_at, move_on_after, move_on_at,
};
pub use crate::thread::{Iterate, NextItem, ToThread, from_thread, iterate_in_thread, to_thread};
pub use crate::time::{Sleep, current_effective_deadline, now, sleep, sleep_until};

#[doc = include_str!("../../../README.md")]
#[cfg(all(doctest, feature = "sim"))]
struct Readme;
