//! The handle of a task: tokio's, with panics resumed and cancellation told as `None`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use anyrt_core::Join;
use tokio::task::JoinHandle;

/// The handle of a spawned future or blocking call: gives its output, or `None` if the runtime ended first.
///
/// Dropping it detaches the task. A tokio handle can be turned into one with `From`.
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
/// use anyrt_core::Backend;
/// use anyrt_tokio::{Task, Tokio};
///
/// Tokio::current_thread().run(async {
///     let task = Task::from(tokio::spawn(async { "done" }));
///     assert_eq!(task.await, Some("done"));
/// });
/// ```
#[derive(Debug)]
#[must_use = "dropping the handle detaches the task"]
pub struct Task<T>(JoinHandle<T>);

impl<T> From<JoinHandle<T>> for Task<T> {
    fn from(handle: JoinHandle<T>) -> Self {
        Self(handle)
    }
}

impl<T> Future for Task<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll(cx)) {
            Ok(output) => Some(output),
            Err(error) => match error.try_into_panic() {
                Ok(payload) => std::panic::resume_unwind(payload),
                Err(_cancelled) => None,
            },
        })
    }
}

impl<T: Send + 'static> Join<T> for Task<T> {
    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}
