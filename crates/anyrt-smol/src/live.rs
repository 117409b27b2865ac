//! An executor as seen by those who may outlive it.
//!
//! A spawn holds the lock for reading, the end holds it for writing. So a task either is in the executor
//! before the tasks left are dropped, or is refused; and no spawn ever owns the executor and drops it, with
//! all its tasks, on a thread of its own after `run` has returned.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use anyrt_core::AsyncTask;
use async_executor::Executor;

use crate::task;

/// A runtime that `run` has started, until and after its end.
pub(crate) struct Live(RwLock<Option<Arc<Executor<'static>>>>);

impl Live {
    pub(crate) fn new(executor: Arc<Executor<'static>>) -> Self {
        Self(RwLock::new(Some(executor)))
    }

    pub(crate) fn spawn<F>(&self, future: F) -> AsyncTask<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let executor = self.read();
        if let Some(executor) = &*executor {
            return executor.spawn(future).into();
        }
        // Destructors are foreign code, and run without our lock.
        drop(executor);
        task::never_run(future)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.read().is_none()
    }

    /// Closes the executor to new tasks, and drops those that are in it if nobody else owns it any more.
    pub(crate) fn end(&self) {
        let executor = self
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Again without our lock.
        drop(executor);
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Arc<Executor<'static>>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Live {
    /// Says only whether it has ended: the tasks of an executor are many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("ended", &self.has_ended())
            .finish_non_exhaustive()
    }
}
