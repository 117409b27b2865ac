//! The combinators that borrow, on the current backend.

use std::future::Future;

use anyrt_core::{Completed, Gather, GroupError, Race, Source};

use crate::current::Current;

/// Runs futures side by side and gives all their values, in the order of the futures.
///
/// It takes a `Vec`, an array, or a tuple of futures that may differ in their values, and they may borrow. The first
/// error cancels the others, and all have ended before it is returned. All rules are at [`anyrt_core::gather`].
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if one of the futures failed.
///
/// # Panics
///
/// If a future panics: after all have ended, the first panic is resumed here.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// async fn parse<T: std::str::FromStr>(text: &str) -> Result<T, T::Err> {
///     anyrt::checkpoint().await;
///     text.parse()
/// }
///
/// let texts = [String::from("20"), String::from("22")];
/// let numbers = anyrt::gather([parse(&texts[0]), parse(&texts[1])]).await;
/// assert_eq!(numbers, Ok([20, 22]));
/// let (small, large) = anyrt::gather((parse::<u8>("1"), parse::<u64>("2"))).await.unwrap();
/// assert_eq!((small, large), (1_u8, 2_u64));
/// # });
/// ```
#[track_caller]
pub fn gather<G>(futures: G) -> impl Future<Output = Result<G::Output, GroupError<G::Error>>>
where
    G: Gather<Child: Future<Output = Result<(), G::Error>>>,
    G::Error: Send + 'static,
{
    anyrt_core::gather::<Current, G>(futures)
}

/// Runs futures side by side and gives the first result, when the others have been cancelled and have ended.
///
/// It takes a `Vec`, an array, or a tuple of futures that give the same type, and they may borrow. All rules are at
/// [`anyrt_core::race`].
///
/// # Panics
///
/// If there are no futures. If one panics, also a loser: after all have ended, the first panic is resumed here.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// async fn ask(server: &str, takes: u64) -> String {
///     anyrt::sleep(Duration::from_secs(takes)).await;
///     format!("{server} has answered")
/// }
///
/// let answer = anyrt::race([ask("near", 1), ask("far", 5)]).await;
/// assert_eq!(answer, "near has answered");
/// # });
/// ```
#[track_caller]
pub fn race<R>(futures: R) -> impl Future<Output = R::Output>
where
    R: Race<Racer: Future<Output = R::Output>>,
{
    anyrt_core::race::<Current, R>(futures)
}

/// Runs futures as [`race`] does, and hands each value that comes after the winner's to `late`; see
/// [`anyrt_core::race_with`].
///
/// # Panics
///
/// As [`race`], and if `late` panics.
#[track_caller]
pub fn race_with<R>(futures: R, late: impl FnMut(R::Output)) -> impl Future<Output = R::Output>
where
    R: Race<Racer: Future<Output = R::Output>>,
{
    anyrt_core::race_with::<Current, R, _>(futures, late)
}

/// Calls `f` with each item of an iterator or a stream, runs at most `limit` of the futures that it gives at once, and
/// gives their values in the order of the items.
///
/// An item is taken when it may run, and not before; `None` is no limit. The futures may borrow. The first error
/// cancels the others, and all have ended before it is returned. All rules are at [`anyrt_core::map_concurrent`].
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if one of the futures failed.
///
/// # Panics
///
/// If the source, `f` or a future panics: after all have ended, the first panic is resumed here. If `limit` is 0.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let texts = ["1", "2", "3"].map(String::from);
/// let parse = async |text: &String| text.parse::<i32>();
/// assert_eq!(anyrt::map_concurrent(&texts, 2, parse).await, Ok(vec![1, 2, 3]));
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
    E: Send + 'static,
    F: FnMut(S::Item) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    anyrt_core::map_concurrent::<Current, M, S, T, E, F, Fut>(source, limit, f)
}

/// Calls `f` with each item of an iterator or a stream, and runs at most `limit` of the futures that it gives at once.
///
/// All rules are at [`anyrt_core::for_each_concurrent`].
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if one of the futures failed.
///
/// # Panics
///
/// As [`map_concurrent`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let mut numbers = [1, 2, 3, 4];
/// let reverse = async |half: &mut [i32]| Ok::<_, ()>(half.reverse());
/// anyrt::for_each_concurrent(numbers.chunks_mut(2), 8, reverse).await.unwrap();
/// assert_eq!(numbers, [2, 1, 4, 3]);
/// # });
/// ```
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
    Fut: Future<Output = Result<(), E>>,
{
    anyrt_core::for_each_concurrent::<Current, M, S, E, F, Fut>(source, limit, f)
}

/// Runs the futures of an iterator or a stream, at most `limit` at once, and gives `body` their values in the order in
/// which they come.
///
/// Body, source and futures run side by side, and may borrow. The limit counts the futures that run and the values that
/// have not been taken. When the body ends the rest is cancelled, and has ended before this returns. All rules are at
/// [`anyrt_core::as_completed`].
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if the body or one of the futures failed.
///
/// # Panics
///
/// If the source, the body or a future panics: after all have ended, the first panic is resumed here. If `limit` is 0.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let waits = [3, 1, 2].map(|seconds| async move {
///     anyrt::sleep(Duration::from_secs(seconds)).await;
///     Ok::<_, ()>(seconds)
/// });
/// let order = anyrt::as_completed(waits, None, async |mut done| {
///     let mut order = Vec::new();
///     while let Some(seconds) = done.next().await {
///         order.push(seconds);
///     }
///     Ok(order)
/// });
/// assert_eq!(order.await, Ok(vec![1, 2, 3]));
/// # });
/// ```
#[track_caller]
pub fn as_completed<M, S, T, E, R, F, Fut>(
    source: S,
    limit: impl Into<Option<usize>>,
    body: F,
) -> impl Future<Output = Result<R, GroupError<E>>>
where
    S: Source<M>,
    S::Item: Future<Output = Result<T, E>>,
    E: Send + 'static,
    F: FnOnce(Completed<T>) -> Fut,
    Fut: Future<Output = Result<R, E>>,
{
    anyrt_core::as_completed::<Current, M, S, T, E, R, F, Fut>(source, limit, body)
}
