//! The handle of a task is `AsyncTask` from the core; here is the one of a task that nobody will run.

use std::future::Future;

use anyrt_core::AsyncTask;
use async_executor::Executor;

/// Drops `future` and gives a handle that resolves to `None`: the runtime has ended.
pub(crate) fn never_run<F>(future: F) -> AsyncTask<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    // An executor drops what is in it, so one that goes at once does all that is needed.
    Executor::new().spawn(future).into()
}
