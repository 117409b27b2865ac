//! The combinators with children that are tasks of the runtime.
//!
//! They are called as those that borrow, and promise the same. The futures run in parallel, so they and their values
//! are `Send + 'static`; what calls them, a closure or a stream, stays in the task of the caller and may borrow.

use std::future::Future;
use std::panic::Location;

use crate::backend::Backend;
use crate::completed::{Completed, as_completed_in};
use crate::error::GroupError;
use crate::feed::Gate;
use crate::gather::{Gather, gather_in};
use crate::map::{for_each_in, map_in};
use crate::race::{Race, race_in, racers};
use crate::source::Source;

/// Runs futures in parallel and gives all their values, in the order of the futures; see [`gather`](crate::gather).
///
/// # Cancel safety
///
/// As for [`task_group`](crate::task_group): where it is dropped from outside, the enclosing group waits for the futures.
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if one of the futures failed.
///
/// # Panics
///
/// As [`gather`](crate::gather).
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # use anyrt_core::parallel;
/// # anyrt_core::run(&Sim::default(), async {
/// let parse = |text: &'static str| async move { text.parse::<i32>() };
/// let numbers = parallel::gather::<Sim, _>([parse("20"), parse("22")]).await;
/// assert_eq!(numbers, Ok([20, 22]));
/// # });
/// ```
#[track_caller]
pub fn gather<B, G>(futures: G) -> impl Future<Output = Result<G::Output, GroupError<G::Error>>>
where
    B: Backend,
    G: Gather<Child: Future<Output = Result<(), G::Error>> + Send + 'static>,
    G::Error: Send + 'static,
{
    gather_in::<B, (), (), G>((), futures, Location::caller())
}

/// Runs futures in parallel and gives the first result, when the others have been cancelled and have ended; see
/// [`race`](crate::race).
///
/// # Cancel safety
///
/// As for [`task_group`](crate::task_group): where it is dropped from outside, the enclosing group waits for the futures.
///
/// # Panics
///
/// As [`race`](crate::race).
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # use anyrt_core::parallel;
/// # use std::future::{pending, ready};
/// # anyrt_core::run(&Sim::default(), async {
/// assert_eq!(parallel::race::<Sim, _>((pending(), ready(7))).await, 7);
/// # });
/// ```
#[track_caller]
pub fn race<B, R>(futures: R) -> impl Future<Output = R::Output>
where
    B: Backend,
    R: Race<Racer: Future<Output = R::Output> + Send + 'static>,
    R::Output: Send + 'static,
{
    let racers = racers("race", futures);
    race_in::<B, (), (), _, _, fn(R::Output)>((), racers, None, Location::caller())
}

/// Runs futures in parallel as [`race`] does, and hands each value that comes after the winner's to `late`; see
/// [`race_with`](crate::race_with).
///
/// # Cancel safety
///
/// As for [`race`]; where it is dropped from outside, the values are dropped.
///
/// # Panics
///
/// As [`race`], and if `late` panics.
#[track_caller]
pub fn race_with<B, R, L>(futures: R, late: L) -> impl Future<Output = R::Output>
where
    B: Backend,
    R: Race<Racer: Future<Output = R::Output> + Send + 'static>,
    R::Output: Send + 'static,
    L: FnMut(R::Output),
{
    let racers = racers("race_with", futures);
    race_in::<B, (), (), _, _, L>((), racers, Some(late), Location::caller())
}

/// Calls `f` with each item, runs at most `limit` of the futures that it gives in parallel, and gives their values in
/// the order of the items; see [`map_concurrent`](crate::map_concurrent).
///
/// # Cancel safety
///
/// As for [`task_group`](crate::task_group): where it is dropped from outside, the enclosing group waits for the futures.
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if one of the futures failed.
///
/// # Panics
///
/// As [`map_concurrent`](crate::map_concurrent).
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # use anyrt_core::parallel;
/// # anyrt_core::run(&Sim::default(), async {
/// let squares = parallel::map_concurrent::<Sim, _, _, _, (), _, _>(1..4, 2, async |n| Ok(n * n));
/// assert_eq!(squares.await, Ok(vec![1, 4, 9]));
/// # });
/// ```
#[track_caller]
pub fn map_concurrent<B, M, S, T, E, F, Fut>(
    source: S,
    limit: impl Into<Option<usize>>,
    f: F,
) -> impl Future<Output = Result<Vec<T>, GroupError<E>>>
where
    B: Backend,
    S: Source<M>,
    T: Send + 'static,
    E: Send + 'static,
    F: FnMut(S::Item) -> Fut,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
{
    let gate = Gate::new("map_concurrent", limit.into());
    map_in::<B, (), (), M, S, T, E, F, Fut>((), source, gate, f, Location::caller())
}

/// Calls `f` with each item and runs at most `limit` of the futures that it gives in parallel; see
/// [`for_each_concurrent`](crate::for_each_concurrent).
///
/// # Cancel safety
///
/// As for [`task_group`](crate::task_group): where it is dropped from outside, the enclosing group waits for the futures.
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if one of the futures failed.
///
/// # Panics
///
/// As [`map_concurrent`](crate::map_concurrent).
#[track_caller]
pub fn for_each_concurrent<B, M, S, E, F, Fut>(
    source: S,
    limit: impl Into<Option<usize>>,
    f: F,
) -> impl Future<Output = Result<(), GroupError<E>>>
where
    B: Backend,
    S: Source<M>,
    E: Send + 'static,
    F: FnMut(S::Item) -> Fut,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
{
    let gate = Gate::new("for_each_concurrent", limit.into());
    for_each_in::<B, (), (), M, S, E, F, Fut>((), source, gate, f, Location::caller())
}

/// Runs the futures of an iterator or a stream in parallel, at most `limit` at once, and gives `body` their values in
/// the order in which they come; see [`as_completed`](crate::as_completed).
///
/// # Cancel safety
///
/// As for [`task_group`](crate::task_group): where it is dropped from outside, the enclosing group waits for the futures.
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if the body or one of the futures failed.
///
/// # Panics
///
/// As [`as_completed`](crate::as_completed).
#[track_caller]
pub fn as_completed<B, M, S, T, E, R, F, Fut>(
    source: S,
    limit: impl Into<Option<usize>>,
    body: F,
) -> impl Future<Output = Result<R, GroupError<E>>>
where
    B: Backend,
    S: Source<M>,
    S::Item: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
    F: FnOnce(Completed<T>) -> Fut,
    Fut: Future<Output = Result<R, E>>,
{
    let gate = Gate::new("as_completed", limit.into());
    as_completed_in::<B, (), (), M, S, T, E, R, F, Fut>((), source, gate, body, Location::caller())
}
