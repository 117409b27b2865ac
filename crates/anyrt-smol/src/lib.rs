//! The smol backend of anyrt: task groups, scopes and threads on smol's crates.
//!
//! [`Smol`] is the only type to begin with. Its [`run`](Backend::run) brings an executor of its own, on as
//! many threads as asked for, and ends it with all that is left in it. smol's own `smol::spawn` does
//! neither: it has one hidden executor, by default on one thread, whose tasks are never dropped at exit.
//! [`Smol::global`] stands for that one.
//!
//! Inside a plain `smol::block_on` there is nothing that would tell that smol is running. Where it is the only
//! backend compiled in, [`Smol::current`](Backend::current) is the global executor there. Timers (async-io) and threads for blocking calls
//! (blocking, at most 500) are shared by the whole process.
#![forbid(unsafe_code)]

mod task;
mod sleep;
mod live;
mod current;
mod run;

use std::future::Future;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Instant;

use anyrt_core::{AsyncTask, Backend, UnknownBackend};

use crate::current::Place;
pub use crate::sleep::Sleep;

/// A smol runtime: one that is live, one that [`run`](Backend::run) is going to start, or the global one.
///
/// A value that describes a runtime to start has none to spawn on; its `spawn` goes to the global one.
/// [`run`](Backend::run) of a live value drives `main` on the calling thread, next to the runtime.
///
/// # Panics
///
/// `run`, if the system has no threads to give for the workers.
///
/// # Examples
///
/// ```
/// use anyrt_core::Backend;
/// use anyrt_smol::Smol;
///
/// let sum = Smol::default().run(async {
///     let here = Smol::current().expect("inside a runtime");
///     here.spawn(async { 1 + 2 }).await
/// });
/// assert_eq!(sum, Some(3));
/// assert!(Smol::in_sight().is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Smol(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// With so many worker threads, or one per core.
    Own(Option<NonZeroUsize>),
    /// Started already: live, or the global one.
    At(Place),
}

impl Smol {
    /// Describes a runtime with `threads` worker threads, besides the thread that calls [`run`](Backend::run).
    ///
    /// `Smol::default()` has one per core.
    ///
    /// # Panics
    ///
    /// If `threads` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_core::Backend;
    /// use anyrt_smol::Smol;
    ///
    /// assert_eq!(Smol::with_threads(1).run(async { 7 }), 7);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn with_threads(threads: usize) -> Self {
        let threads = NonZeroUsize::new(threads);
        Self(Kind::Own(Some(
            threads.expect("a runtime needs at least one worker thread"),
        )))
    }

    /// The executor behind `smol::spawn`, which starts at its first use and lives as long as the process.
    ///
    /// For programs that are built around `smol::block_on`. It has one thread, or as many as the
    /// environment variable `SMOL_THREADS` says, and what is left in it at exit is never dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_core::Backend;
    /// use anyrt_smol::Smol;
    ///
    /// smol::block_on(async {
    ///     assert!(Smol::in_sight().is_none());
    ///     assert_eq!(Smol::global().spawn(async { 1 }).await, Some(1));
    /// });
    /// ```
    #[must_use]
    pub fn global() -> Self {
        Self(Kind::At(Place::Global))
    }
}

impl Default for Smol {
    fn default() -> Self {
        Self(Kind::Own(None))
    }
}

impl Backend for Smol {
    type Task<T: Send + 'static> = AsyncTask<T>;
    type Sleep = Sleep;

    fn name(&self) -> &'static str {
        "smol"
    }

    fn current() -> Option<Self> {
        Self::in_sight().or_else(|| Some(Self::global()))
    }

    fn in_sight() -> Option<Self> {
        current::get().map(|place| Self(Kind::At(place)))
    }

    #[track_caller]
    fn run<F: Future>(&self, main: F) -> F::Output {
        match &self.0 {
            Kind::Own(threads) => run::run(*threads, main),
            Kind::At(place) => {
                let _inside = current::enter(place.clone());
                async_io::block_on(main)
            }
        }
    }

    fn spawn<F>(&self, future: F) -> AsyncTask<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match &self.0 {
            Kind::Own(_) => Place::Global.spawn(future),
            Kind::At(place) => place.spawn(future),
        }
    }

    fn spawn_blocking<T, F>(&self, call: F) -> AsyncTask<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if matches!(&self.0, Kind::At(place) if place.has_ended()) {
            // The pool is the process's and would run it.
            return task::never_run(async move { call() });
        }
        blocking::unblock(call).into()
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep::until(at)
    }
}

impl FromStr for Smol {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        UnknownBackend::unless(name, &["smol"]).map(|()| Self::default())
    }
}

impl TryFrom<&str> for Smol {
    type Error = UnknownBackend;

    fn try_from(name: &str) -> Result<Self, UnknownBackend> {
        name.parse()
    }
}
