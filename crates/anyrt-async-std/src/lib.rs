//! The async-std backend of anyrt: task groups, scopes and threads on async-std's global executor.
//!
//! **async-std has been discontinued**: its authors advise to use smol instead (RUSTSEC-2025-0052). This
//! crate is for programs that have not moved yet; with anyrt, moving is a matter of a feature.
//!
//! The executor is global and lives as long as the process. So a task that is still there when `run`
//! returns goes on, and one that is still there at exit is never dropped.
#![forbid(unsafe_code)]

mod spawned;
mod task;
mod sleep;
mod run;

use std::future::Future;
use std::str::FromStr;
use std::time::Instant;

use anyrt_core::{Backend, UnknownBackend};

pub use crate::sleep::Sleep;
pub use crate::task::Task;

/// async-std's global executor.
///
/// It starts at its first use, with one thread per core or as many as the environment variable
/// `ASYNC_STD_THREAD_COUNT` says. It works from every thread.
///
/// # Examples
///
/// ```
/// use anyrt_async_std::AsyncStd;
/// use anyrt_core::Backend;
///
/// let sum = AsyncStd.run(async {
///     let here = AsyncStd::current().expect("inside a task of async-std");
///     here.spawn(async { 1 + 2 }).await
/// });
/// assert_eq!(sum, Some(3));
/// assert!(AsyncStd::in_sight().is_none());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStd;

impl Backend for AsyncStd {
    type Task<T: Send + 'static> = Task<T>;
    type Sleep = Sleep;

    fn name(&self) -> &'static str {
        "async-std"
    }

    fn current() -> Option<Self> {
        Some(Self)
    }

    fn in_sight() -> Option<Self> {
        async_std::task::try_current().map(|_| Self)
    }

    fn run<F: Future>(&self, main: F) -> F::Output {
        run::run(main)
    }

    fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Task::spawn(future)
    }

    fn spawn_blocking<T, F>(&self, call: F) -> Task<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Task::spawn_blocking(call)
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep::until(at)
    }
}

impl FromStr for AsyncStd {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        UnknownBackend::unless(name, &["async-std"]).map(|()| Self)
    }
}

impl TryFrom<&str> for AsyncStd {
    type Error = UnknownBackend;

    fn try_from(name: &str) -> Result<Self, UnknownBackend> {
        name.parse()
    }
}
