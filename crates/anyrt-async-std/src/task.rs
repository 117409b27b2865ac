//! The handle of a task: async-std's, and a flag that says whether the task has ended.
//!
//! async-std's handle cannot be asked that. The flag costs an allocation per task, which no other backend
//! needs. It is set just before the output can be had, so right after it an await may have to wait briefly.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use anyrt_core::Join;
use async_std::task::JoinHandle;

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
pub struct Task<T> {
    handle: JoinHandle<T>,
    ended: Arc<AtomicBool>,
}

impl<T: Send + 'static> Task<T> {
    pub(crate) fn spawn(future: impl Future<Output = T> + Send + 'static) -> Self {
        let (end, ended) = End::new();
        let handle = async_std::task::spawn(async move {
            let _end = end;
            future.await
        });
        Self { handle, ended }
    }

    pub(crate) fn spawn_blocking(call: impl FnOnce() -> T + Send + 'static) -> Self {
        let (end, ended) = End::new();
        let handle = async_std::task::spawn_blocking(move || {
            let _end = end;
            call()
        });
        Self { handle, ended }
    }
}

impl<T> Future for Task<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.handle).poll(cx).map(Some)
    }
}

impl<T: Send + 'static> Join<T> for Task<T> {
    fn is_finished(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

/// Sets the flag when the task's body is gone: at its end, after a panic, and after a drop.
struct End(Arc<AtomicBool>);

impl End {
    fn new() -> (Self, Arc<AtomicBool>) {
        let ended = Arc::new(AtomicBool::new(false));
        (Self(Arc::clone(&ended)), ended)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
