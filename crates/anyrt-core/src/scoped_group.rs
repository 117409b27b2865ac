//! Groups whose children borrow.

use std::future::Future;
use std::panic::Location;

use crate::backend::Backend;
use crate::error::GroupError;
use crate::group::Running;
use crate::nest::Nest;
use crate::spawn::{LocalGroup, ScopedGroup};

/// Runs `body` with a fresh group whose children may borrow, and returns when the body and every child have ended.
///
/// The children run in the task of the group, side by side with the body and with each other; they do not run in
/// parallel. So they may borrow whatever lives longer than the group, and that includes what is borrowed mutably by one
/// of them alone. What belongs to the body does not: declare it before the group, or move it into the child. All rules
/// are those of [`task_group`](crate::task_group), and so are the verbs of the handle.
///
/// Each time the group is polled, the body and those children that are ready are polled once. A child that never waits
/// starves the others, as in any task.
///
/// # Cancel safety
///
/// Code that knows nothing of scopes (`select!`, another crate's timeout) may drop the group, and drops the body and
/// then the children, in the order of spawning. What they have adopted goes to the enclosing group.
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if the body or a child failed.
///
/// # Panics
///
/// As [`task_group`](crate::task_group).
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # anyrt_core::run(&Sim::default(), async {
/// let text = String::from("to be or not to be");
/// let mut counts = [0; 2];
/// let [be, or] = &mut counts;
/// let group = anyrt_core::scoped_group::<Sim, _, (), _, _>(async |g| {
///     g.spawn(async { Ok(*be = text.matches("be").count()) });
///     g.spawn(async { Ok(*or = text.matches("or").count()) });
///     Ok(())
/// });
/// group.await.unwrap();
/// assert_eq!(counts, [2, 1]);
/// # });
/// ```
#[track_caller]
pub fn scoped_group<'env, B, T, E, F, Fut>(
    body: F,
) -> impl Future<Output = Result<T, GroupError<E>>>
where
    B: Backend,
    E: Send + 'static,
    F: FnOnce(ScopedGroup<'env, B, E>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let caller = Location::caller();
    async move { Running::<B, T, E, F, Fut, Nest<_>>::new(body, Nest::default(), None, caller).await }
}

/// Runs `body` with a fresh group whose children may borrow and need not be `Send`; otherwise as [`scoped_group`].
///
/// The future of the group is not `Send` either, so it is for `main`, for a local executor, or for a thread of its own.
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if the body or a child failed.
///
/// # Panics
///
/// As [`task_group`](crate::task_group).
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # anyrt_core::run(&Sim::default(), async {
/// let total = std::cell::Cell::new(0);
/// let group = anyrt_core::local_group::<Sim, _, (), _, _>(async |g| {
///     for n in 1..=3 {
///         let total = &total;
///         g.spawn(async move { Ok(total.set(total.get() + n)) });
///     }
///     Ok(())
/// });
/// group.await.unwrap();
/// assert_eq!(total.get(), 6);
/// # });
/// ```
#[track_caller]
pub fn local_group<'env, B, T, E, F, Fut>(body: F) -> impl Future<Output = Result<T, GroupError<E>>>
where
    B: Backend,
    E: Send + 'static,
    F: FnOnce(LocalGroup<'env, B, E>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let caller = Location::caller();
    async move { Running::<B, T, E, F, Fut, Nest<_>>::new(body, Nest::default(), None, caller).await }
}
