//! `map_concurrent` and `for_each_concurrent`: the same for each item, several at a time.

use std::future::Future;
use std::panic::Location;

use crate::backend::Backend;
use crate::crew::{Crew, OwnNest, run};
use crate::error::GroupError;
use crate::extras::Extras;
use crate::feed::{Gate, feed};
use crate::landing::{Landing, Seat, Seats};
use crate::nest::{Housing, Nest};
use crate::source::Source;
use crate::spawn::GroupOf;
use crate::turn::Turn;

/// Calls `f` with each item of an iterator or a stream, runs at most `limit` of the futures that it gives at once, and
/// gives their values in the order of the items.
///
/// An item is taken when it may run, and not before, so that no more than `limit` are under way. `None` is no limit.
/// The futures run in the task of the caller, side by side with the stream, so they may borrow and need not be `Send`;
/// [`parallel::map_concurrent`](crate::parallel::map_concurrent) runs them as tasks of the runtime. The first error
/// cancels the others, and all have ended before it is returned.
///
/// This is `stream::iter(..).map(f).buffered(limit).try_collect()` of `futures`, and the `co().map(f)` of
/// `futures-concurrency`; but a slow first item keeps nobody from being taken, and what is cancelled has ended.
///
/// # Cancel safety
///
/// The futures are cancelled too, and waited for; the values of those that were done are dropped, and no further item is
/// taken. Code that knows nothing of scopes (`select!`, another crate's timeout) may drop it, and drops the source and
/// then the futures.
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if one of the futures failed.
///
/// # Panics
///
/// If the source, `f` or a future panics: after all have ended, the first panic is resumed here. If `limit` is 0. And
/// where there is no runtime.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # use anyrt_core::map_concurrent;
/// # anyrt_core::run(&Sim::default(), async {
/// let texts = ["1", "2", "3"].map(String::from);
/// let doubled = map_concurrent::<Sim, _, _, _, _, _, _>(&texts, 2, async |text| {
///     text.parse::<i32>().map(|n| 2 * n)
/// });
/// assert_eq!(doubled.await, Ok(vec![2, 4, 6]));
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
    E: Send + 'static,
    F: FnMut(S::Item) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let gate = Gate::new("map_concurrent", limit.into());
    let nest: OwnNest<_, _> = Nest::default();
    map_in::<B, _, _, M, S, T, E, F, Fut>(nest, source, gate, f, Location::caller())
}

/// Calls `f` with each item of an iterator or a stream, and runs at most `limit` of the futures that it gives at once;
/// otherwise as [`map_concurrent`].
///
/// Nothing is kept of an item that is done, so the memory that it takes does not grow with their number. This is
/// `try_for_each_concurrent` of `futures`, and takes iterators too.
///
/// # Cancel safety
///
/// As for [`map_concurrent`].
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
/// # use anyrt_sim::Sim;
/// # use anyrt_core::for_each_concurrent;
/// # anyrt_core::run(&Sim::default(), async {
/// let mut numbers = [1, 2, 3, 4];
/// let halves = numbers.chunks_mut(2);
/// let done = for_each_concurrent::<Sim, _, _, (), _, _>(halves, 8, async |half| Ok(half.reverse()));
/// done.await.unwrap();
/// assert_eq!(numbers, [2, 1, 4, 3]);
/// # });
/// ```
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
    Fut: Future<Output = Result<(), E>>,
{
    let gate = Gate::new("for_each_concurrent", limit.into());
    let nest: OwnNest<_, _> = Nest::default();
    for_each_in::<B, _, _, M, S, E, F, Fut>(nest, source, gate, f, Location::caller())
}

pub(crate) async fn map_in<B, N, P, M, S, T, E, F, Fut>(
    nest: N,
    source: S,
    gate: Gate,
    mut f: F,
    caller: &'static Location<'static>,
) -> Result<Vec<T>, GroupError<E>>
where
    B: Backend,
    N: Housing<Spawner = P>,
    S: Source<M>,
    E: Send + 'static,
    F: FnMut(S::Item) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    GroupOf<B, E, P>: Crew<Landing<Fut, Seat<T>>>,
{
    let seats = Seats::new(0);
    let children = seats.clone();
    let f = move |item| Landing::new(f(item), children.add());
    for_each_in::<B, N, P, M, S, E, _, _>(nest, source, gate, f, caller).await?;
    Ok(seats.take())
}

pub(crate) async fn for_each_in<B, N, P, M, S, E, F, Fut>(
    nest: N,
    source: S,
    gate: Gate,
    mut f: F,
    caller: &'static Location<'static>,
) -> Result<(), GroupError<E>>
where
    B: Backend,
    N: Housing<Spawner = P>,
    S: Source<M>,
    E: Send + 'static,
    F: FnMut(S::Item) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    GroupOf<B, E, P>: Crew<Fut>,
{
    let body = |group: GroupOf<B, E, P>| async move {
        let is_over = || group.scope().node().is_effectively_cancelled();
        feed(source, gate, is_over, |permit, item| {
            // The child keeps its turn until it has ended, with its cleanups.
            let extras = Extras::new(permit.map(Turn::come), None);
            group.take_in(extras, f(item));
        })
        .await;
        Ok(())
    };
    run(nest, body, || false, caller).await
}
