//! The tokio backend of anyrt: task groups, scopes and threads on a tokio runtime.
//!
//! [`Tokio`] is the only thing here. It either stands for a runtime that is live already
//! (`Tokio::current()`, `Tokio::from(handle)`) or describes one that [`run`](Backend::run) is to start.
//! Time is tokio's, so `tokio::time::pause` works; its timers round up to whole milliseconds.
#![forbid(unsafe_code)]

mod clock;
mod task;
mod workers;
mod run;

use std::future::Future;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyrt_core::{Backend, UnknownBackend};
use tokio::runtime::{EnterGuard, Handle};

pub use crate::task::Task;

/// A tokio runtime: one that is live, or one that [`run`](Backend::run) is going to start.
///
/// A value that is not live has no runtime to spawn on; its `spawn`, `spawn_blocking` and `sleep_until`
/// take the runtime of the calling thread.
///
/// # Panics
///
/// `spawn`, `spawn_blocking` and `sleep_until` of a value that is not live, on a thread without a tokio
/// runtime; `sleep_until`, in a runtime that somebody built without `enable_time`; `run`, on a thread
/// that is driving a tokio runtime already.
///
/// # Examples
///
/// ```
/// use anyrt_core::Backend;
/// use anyrt_tokio::Tokio;
///
/// let sum = Tokio::current_thread().run(async {
///     let here = Tokio::current().expect("inside a runtime");
///     here.spawn(async { 1 + 2 }).await
/// });
/// assert_eq!(sum, Some(3));
/// assert!(Tokio::current().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Tokio(Flavour);

#[derive(Clone, Debug)]
enum Flavour {
    /// With as many workers as tokio thinks right, or so many.
    MultiThread(Option<NonZeroUsize>),
    CurrentThread,
    Live(Handle),
}

impl Tokio {
    /// Describes a runtime with one worker thread per core; the default.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_core::Backend;
    /// use anyrt_tokio::Tokio;
    ///
    /// assert_eq!(Tokio::multi_thread().run(async { 7 }), 7);
    /// ```
    #[must_use]
    pub fn multi_thread() -> Self {
        Self(Flavour::MultiThread(None))
    }

    /// Describes a runtime that runs everything on the thread that calls [`run`](Backend::run).
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_core::Backend;
    /// use anyrt_tokio::Tokio;
    ///
    /// let here = std::thread::current().id();
    /// let there = Tokio::current_thread().run(async {
    ///     let tokio = Tokio::current().unwrap();
    ///     tokio.spawn(async { std::thread::current().id() }).await
    /// });
    /// assert_eq!(there, Some(here));
    /// ```
    #[must_use]
    pub fn current_thread() -> Self {
        Self(Flavour::CurrentThread)
    }

    /// Sets the number of worker threads of a multi-thread runtime.
    ///
    /// # Panics
    ///
    /// If `n` is 0, or the value does not come from [`multi_thread`](Tokio::multi_thread).
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_core::Backend;
    /// use anyrt_tokio::Tokio;
    ///
    /// let workers = Tokio::multi_thread()
    ///     .worker_threads(2)
    ///     .run(async { tokio::runtime::Handle::current().metrics().num_workers() });
    /// assert_eq!(workers, 2);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn worker_threads(self, n: usize) -> Self {
        let n = NonZeroUsize::new(n).expect("a runtime needs at least one worker thread");
        match self.0 {
            Flavour::MultiThread(_) => Self(Flavour::MultiThread(Some(n))),
            Flavour::CurrentThread => panic!("a current-thread runtime has no worker threads"),
            Flavour::Live(_) => panic!("the worker threads of a live runtime are fixed"),
        }
    }
}

impl Default for Tokio {
    fn default() -> Self {
        Self::multi_thread()
    }
}

impl From<Handle> for Tokio {
    fn from(handle: Handle) -> Self {
        Self(Flavour::Live(handle))
    }
}

impl Backend for Tokio {
    type Task<T: Send + 'static> = Task<T>;
    type Sleep = tokio::time::Sleep;

    fn name(&self) -> &'static str {
        "tokio"
    }

    fn current() -> Option<Self> {
        Handle::try_current().ok().map(Self::from)
    }

    #[track_caller]
    fn run<F: Future>(&self, main: F) -> F::Output {
        match &self.0 {
            Flavour::MultiThread(threads) => run::multi_thread(*threads, main),
            Flavour::CurrentThread => run::current_thread(main),
            Flavour::Live(handle) => handle.block_on(main),
        }
    }

    #[track_caller]
    fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Task::from(match &self.0 {
            Flavour::Live(handle) => handle.spawn(future),
            _ => tokio::spawn(future),
        })
    }

    #[track_caller]
    fn spawn_blocking<T, F>(&self, call: F) -> Task<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let call = move || {
            workers::leave();
            call()
        };
        Task::from(match &self.0 {
            Flavour::Live(handle) => handle.spawn_blocking(call),
            _ => tokio::task::spawn_blocking(call),
        })
    }

    fn now(&self) -> Instant {
        let _inside = clock::can_be_paused().then(|| self.enter());
        tokio::time::Instant::now().into_std()
    }

    #[track_caller]
    fn sleep_until(&self, at: Instant) -> tokio::time::Sleep {
        // tokio rounds up to a whole tick, which must not overflow at the end of time.
        const TICK: Duration = Duration::from_millis(1);
        let at = at.checked_add(TICK).map_or_else(|| at - TICK, |_| at);

        let _inside = self.enter();
        tokio::time::sleep_until(at.into())
    }

    fn has_budget(&self) -> bool {
        tokio::task::coop::has_budget_remaining()
    }
}

impl FromStr for Tokio {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        UnknownBackend::unless(name, &["tokio"]).map(|()| Self::default())
    }
}

impl TryFrom<&str> for Tokio {
    type Error = UnknownBackend;

    fn try_from(name: &str) -> Result<Self, UnknownBackend> {
        name.parse()
    }
}

impl Tokio {
    /// Makes tokio's clock and timers find the live runtime, where they would not do so by themselves.
    ///
    /// Only for the length of one call: guards have to be dropped in reverse order, so none may be held
    /// across an await.
    fn enter(&self) -> Option<EnterGuard<'_>> {
        let Flavour::Live(handle) = &self.0 else {
            return None;
        };
        match Handle::try_current() {
            // The common case: it is entered already.
            Ok(here) if here.id() == handle.id() => None,
            // The thread is exiting: `enter` would panic, and the clock needs no runtime.
            Err(error) if error.is_thread_local_destroyed() => None,
            _ => Some(handle.enter()),
        }
    }
}
