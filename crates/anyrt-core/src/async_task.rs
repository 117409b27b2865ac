//! The spawn handle of backends that are built on the `async-task` crate.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_task::{FallibleTask, Task};

use crate::backend::Join;

/// An `async_task` handle that keeps the contract of [`Join`]: a drop detaches.
#[derive(Debug)]
#[must_use = "dropping the handle detaches the task"]
pub struct AsyncTask<T>(Option<FallibleTask<T>>);

impl<T> From<Task<T>> for AsyncTask<T> {
    fn from(task: Task<T>) -> Self {
        Self(Some(task.fallible()))
    }
}

impl<T: Send + 'static> Join<T> for AsyncTask<T> {
    fn is_finished(&self) -> bool {
        self.0.as_ref().is_none_or(FallibleTask::is_finished)
    }
}

impl<T> Future for AsyncTask<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(task) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let output = std::task::ready!(Pin::new(task).poll(cx));
        self.0 = None;
        Poll::Ready(output)
    }
}

impl<T> Drop for AsyncTask<T> {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.detach();
        }
    }
}
