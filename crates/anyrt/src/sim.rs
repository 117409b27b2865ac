//! Tests on the simulator: orders of events by the thousand, and cancellation everywhere.
//!
//! What is written on this crate does not know on which runtime it runs, so all of it runs on the simulator as well:
//! on one thread, in virtual time, in an order that is named by a seed.
//!
//! - [`Sim`](crate::Sim) runs a program once: `anyrt::run_on(Sim::with_seed(7), main())`. [`Sim::builder`](crate::Sim::builder)
//!   has limits, [policies](Policy) and a clock that is moved by hand.
//! - [`explore`] runs a program with thousands of seeds. It stops at the first one that fails, looks for the shortest order of
//!   events with which the program still fails, and prints the line that replays it.
//! - [`cancel_everywhere`] cancels a program wherever it can be cancelled, and looks for what it leaves behind.
//!
//! A deadlock is a failure, and not a test that hangs.
//!
//! # Examples
//!
//! Two tests of a cache that two tasks fill, each with one line around what is tested:
//!
//! ```
//! use std::sync::Mutex;
//!
//! use anyrt::sim::{cancel_everywhere, explore};
//! use anyrt::{checkpoint, gather};
//!
//! #[derive(Default)]
//! struct Cache(Mutex<Option<u32>>);
//!
//! impl Cache {
//!     async fn get(&self) -> Result<u32, ()> {
//!         checkpoint().await; // where a real one asks its source
//!         Ok(*self.0.lock().unwrap().get_or_insert(7))
//!     }
//! }
//!
//! # fn everybody_gets_the_same() {
//! // #[test] fn everybody_gets_the_same()
//! explore(|| async {
//!     let cache = Cache::default();
//!     assert_eq!(gather([cache.get(), cache.get()]).await.unwrap(), [7, 7]);
//! })
//! .seeds(0..1_000);
//! # }
//! # everybody_gets_the_same();
//!
//! # fn nothing_is_left_behind() {
//! // #[test] fn nothing_is_left_behind()
//! cancel_everywhere(|| async {
//!     Cache::default().get().await.unwrap();
//! });
//! # }
//! # nothing_is_left_behind();
//! ```

use std::future::Future;

pub use anyrt_sim::{Advance, BadReplay, Failure, Policy, Replay, SimBuilder};

use crate::current::Current;

/// A search that is about to begin; see [`anyrt_sim::Explore`].
pub type Explore<F> = anyrt_sim::Explore<Current, F>;

/// [`cancel_everywhere`] with something to say about it; see [`anyrt_sim::CancelEverywhere`].
pub type CancelEverywhere<'a> = anyrt_sim::CancelEverywhere<'a, Current>;

/// Runs a program with one seed after the other, each of them another order of events, until one fails.
///
/// All rules are at [`anyrt_sim::explore`]; [`seeds`](anyrt_sim::Explore::seeds) begins.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// let second = Duration::from_secs(1);
/// anyrt::sim::explore(|| async {
///     assert_eq!(anyrt::move_on_after(second, anyrt::sleep(2 * second)).await, None);
/// })
/// .seeds(0..100);
/// ```
pub fn explore<F, Fut>(program: F) -> Explore<F>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = ()>,
{
    anyrt_sim::explore(program)
}

/// Runs a program again and again, cancels it at each place where that is possible, and gives the number of these.
///
/// All rules are at [`anyrt_sim::cancel_everywhere`].
///
/// # Panics
///
/// If something is left behind, or goes wrong in another way; and inside a run.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// let second = Duration::from_secs(1);
/// let places = anyrt::sim::cancel_everywhere(|| async {
///     anyrt::sleep(second).await;
///     anyrt::sleep(second).await;
/// });
/// assert_eq!(places, 2);
/// ```
#[track_caller]
pub fn cancel_everywhere<F, Fut>(program: F) -> u64
where
    F: FnMut() -> Fut,
    Fut: Future<Output = ()>,
{
    anyrt_sim::cancel_everywhere::<Current, _, _>(program)
}
