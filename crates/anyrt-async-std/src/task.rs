//! The handle of a task: async-std's, or that of a blocking call.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyrt_core::{AsyncTask, Join};

use crate::spawned::Spawned;

/// The handle of a spawned future or blocking call: gives its output.
///
/// Never `None`, since the executor never ends. Dropping the handle detaches the task.
///
/// # Cancel safety
///
/// Nothing is lost: the output waits in the task until a poll takes it, or the handle is dropped.
///
/// # Panics
///
/// The poll that finds that the task has panicked resumes its panic.
///
/// # Examples
///
/// ```
/// use anyrt_async_std::{AsyncStd, Task};
/// use anyrt_core::Backend;
///
/// let task: Task<i32> = AsyncStd.spawn(async { 1 });
/// assert_eq!(AsyncStd.run(task), Some(1));
/// ```
#[derive(Debug)]
#[must_use = "dropping the handle detaches the task"]
pub struct Task<T>(Of<T>);

#[derive(Debug)]
enum Of<T> {
    Future(Spawned<T>),
    Call(AsyncTask<T>),
}

impl<T: Send + 'static> Task<T> {
    pub(crate) fn spawn(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Of::Future(Spawned::new(future)))
    }

    /// Goes to the threads that async-std uses, too, but without a task on the executor that waits for the call.
    pub(crate) fn spawn_blocking(call: impl FnOnce() -> T + Send + 'static) -> Self {
        Self(Of::Call(blocking::unblock(call).into()))
    }
}

impl<T> Future for Task<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        match &mut self.0 {
            Of::Future(task) => task.poll(cx).map(Some),
            Of::Call(task) => Pin::new(task).poll(cx),
        }
    }
}

impl<T: Send + 'static> Join<T> for Task<T> {
    fn is_finished(&self) -> bool {
        match &self.0 {
            Of::Future(task) => task.is_finished(),
            Of::Call(task) => task.is_finished(),
        }
    }
}
