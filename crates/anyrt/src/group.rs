//! Task groups on the current backend.

use std::future::Future;

use anyrt_core::GroupError;

use crate::current::Current;

/// Spawns children into a group; see [`anyrt_core::TaskGroup`].
pub type TaskGroup<E> = anyrt_core::TaskGroup<Current, E>;

/// The handle of a child; see [`anyrt_core::Task`].
pub type Task<T> = anyrt_core::Task<Current, T>;

/// The future of [`Task::outcome`]; see [`anyrt_core::Outcome`].
pub type Outcome<T> = anyrt_core::Outcome<Current, T>;

/// Options of a task group, and the way to run it with them; see [`anyrt_core::GroupOptions`].
pub type GroupOptions<E> = anyrt_core::GroupOptions<Current, E>;

/// Runs `body` with a fresh group and returns when the body and every child have ended.
///
/// The children run in parallel, as tasks of the runtime. The first error or panic, of the body or of a
/// child, cancels all the others; the group always waits for all of them. All rules are at
/// [`anyrt_core::task_group`].
///
/// # Cancel safety
///
/// A group that is dropped from outside cancels its children, and the enclosing group waits for them.
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if the body or a child failed.
///
/// # Panics
///
/// If the body or a child panics: after all children have ended, the first panic is resumed here.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let group = anyrt::task_group(async |g| {
///     let a = g.spawn(async { "20".parse::<i32>() });
///     let b = g.spawn(async { "22".parse::<i32>() });
///     Ok(a.await + b.await)
/// });
/// assert_eq!(group.await.unwrap(), 42);
/// # });
/// ```
#[track_caller]
pub fn task_group<T, E, F, Fut>(body: F) -> impl Future<Output = Result<T, GroupError<E>>>
where
    E: Send + 'static,
    F: FnOnce(TaskGroup<E>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    anyrt_core::task_group::<Current, T, E, F, Fut>(body)
}

/// Spawns borrowing children into a group; see [`anyrt_core::ScopedGroup`].
pub type ScopedGroup<'env, E> = anyrt_core::ScopedGroup<'env, Current, E>;

/// Spawns borrowing children that stay on their thread; see [`anyrt_core::LocalGroup`].
pub type LocalGroup<'env, E> = anyrt_core::LocalGroup<'env, Current, E>;

/// The handle of a child in a [`scoped_group`] or a [`local_group`]; see [`anyrt_core::ScopedTask`].
pub type ScopedTask<T> = anyrt_core::ScopedTask<Current, T>;

/// Runs `body` with a fresh group whose children may borrow, and returns when the body and every child have ended.
///
/// The children run in the task of the group. All rules are at [`anyrt_core::scoped_group`].
///
/// # Cancel safety
///
/// A group that is dropped from outside drops its children.
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if the body or a child failed.
///
/// # Panics
///
/// If the body or a child panics: after all children have ended, the first panic is resumed here.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// let mut numbers = [3, 1, 2, 6, 5, 4];
/// let group = anyrt::scoped_group(async |g| {
///     for half in numbers.chunks_mut(3) {
///         g.spawn(async move { Ok::<_, ()>(half.sort()) });
///     }
///     Ok(())
/// });
/// group.await.unwrap();
/// assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
/// # });
/// ```
#[track_caller]
pub fn scoped_group<'env, T, E, F, Fut>(body: F) -> impl Future<Output = Result<T, GroupError<E>>>
where
    E: Send + 'static,
    F: FnOnce(ScopedGroup<'env, E>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    anyrt_core::scoped_group::<Current, T, E, F, Fut>(body)
}

/// Runs `body` with a fresh group whose children may borrow and need not be `Send`; otherwise as [`scoped_group`].
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if the body or a child failed.
///
/// # Panics
///
/// If the body or a child panics: after all children have ended, the first panic is resumed here.
#[track_caller]
pub fn local_group<'env, T, E, F, Fut>(body: F) -> impl Future<Output = Result<T, GroupError<E>>>
where
    E: Send + 'static,
    F: FnOnce(LocalGroup<'env, E>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    anyrt_core::local_group::<Current, T, E, F, Fut>(body)
}
