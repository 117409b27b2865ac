//! The combinators with children that are tasks of the runtime, on the current backend.
//!
//! They are called as those that borrow, and promise the same. The futures run in parallel, so they and their values
//! are `Send + 'static`; what calls them, a closure or a stream, stays in the task of the caller and may borrow.

use std::future::Future;

use anyrt_core::{Completed, Gather, GroupError, Race, Source};

use crate::current::Current;

/// Runs futures in parallel and gives all their values, in the order of the futures; see [`gather`](crate::gather).
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
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let parse = |text: &'static str| async move { text.parse::<i32>() };
/// let numbers = anyrt::parallel::gather([parse("20"), parse("22")]).await;
/// assert_eq!(numbers, Ok([20, 22]));
/// # });
/// ```
#[track_caller]
pub fn gather<G>(futures: G) -> impl Future<Output = Result<G::Output, GroupError<G::Error>>>
where
    G: Gather<Child: Future<Output = Result<(), G::Error>> + Send + 'static>,
    G::Error: Send + 'static,
{
    anyrt_core::parallel::gather::<Current, G>(futures)
}

/// Runs futures in parallel and gives the first result, when the others have been cancelled and have ended; see
/// [`race`](crate::race).
///
/// # Panics
///
/// As [`race`](crate::race).
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// # use std::future::{pending, ready};
/// assert_eq!(anyrt::parallel::race((pending(), ready(7))).await, 7);
/// # });
/// ```
#[track_caller]
pub fn race<R>(futures: R) -> impl Future<Output = R::Output>
where
    R: Race<Racer: Future<Output = R::Output> + Send + 'static>,
    R::Output: Send + 'static,
{
    anyrt_core::parallel::race::<Current, R>(futures)
}

/// Runs futures in parallel as [`race`] does, and hands each value that comes after the winner's to `late`; see
/// [`race_with`](crate::race_with).
///
/// # Panics
///
/// As [`race`], and if `late` panics.
#[track_caller]
pub fn race_with<R>(futures: R, late: impl FnMut(R::Output)) -> impl Future<Output = R::Output>
where
    R: Race<Racer: Future<Output = R::Output> + Send + 'static>,
    R::Output: Send + 'static,
{
    anyrt_core::parallel::race_with::<Current, R, _>(futures, late)
}

/// Calls `f` with each item, runs at most `limit` of the futures that it gives in parallel, and gives their values in
/// the order of the items; see [`map_concurrent`](crate::map_concurrent).
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
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let square = async |n: u32| Ok::<_, ()>(n * n);
/// let squares = anyrt::parallel::map_concurrent(1..4, 2, square).await;
/// assert_eq!(squares, Ok(vec![1, 4, 9]));
/// # });
/// ```
#[track_caller]
pub fn map_concurrent<M, S, T, E, F, Fut>(
    source: S,
    limit: impl Into<Option<usize>>,
    f: F,
) -> impl Future<Output = Result<Vec<T>, GroupError<E>>>
where
    S: Source<M>,
    T: Send + 'static,
    E: Send + 'static,
    F: FnMut(S::Item) -> Fut,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
{
    anyrt_core::parallel::map_concurrent::<Current, M, S, T, E, F, Fut>(source, limit, f)
}

/// Calls `f` with each item and runs at most `limit` of the futures that it gives in parallel; see
/// [`for_each_concurrent`](crate::for_each_concurrent).
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if one of the futures failed.
///
/// # Panics
///
/// As [`map_concurrent`](crate::map_concurrent).
#[track_caller]
pub fn for_each_concurrent<M, S, E, F, Fut>(
    source: S,
    limit: impl Into<Option<usize>>,
    f: F,
) -> impl Future<Output = Result<(), GroupError<E>>>
where
    S: Source<M>,
    E: Send + 'static,
    F: FnMut(S::Item) -> Fut,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
{
    anyrt_core::parallel::for_each_concurrent::<Current, M, S, E, F, Fut>(source, limit, f)
}

/// Runs the futures of an iterator or a stream in parallel, at most `limit` at once, and gives `body` their values in
/// the order in which they come; see [`as_completed`](crate::as_completed).
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if the body or one of the futures failed.
///
/// # Panics
///
/// As [`as_completed`](crate::as_completed).
#[track_caller]
pub fn as_completed<M, S, T, E, R, F, Fut>(
    source: S,
    limit: impl Into<Option<usize>>,
    body: F,
) -> impl Future<Output = Result<R, GroupError<E>>>
where
    S: Source<M>,
    S::Item: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
    F: FnOnce(Completed<T>) -> Fut,
    Fut: Future<Output = Result<R, E>>,
{
    anyrt_core::parallel::as_completed::<Current, M, S, T, E, R, F, Fut>(source, limit, body)
}
