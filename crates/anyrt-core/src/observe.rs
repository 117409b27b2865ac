//! What an observer of a run is told: what begins in it, what that waits for, and how it ends.
//!
//! A backend that wants to know gives an [`Observer`] when a run begins. Where there is none, none of this costs more
//! than to see that there is none. The simulator's reports and traces are made of it.
//!
//! # Examples
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use std::time::Duration;
//!
//! use anyrt_core::observe::{Event, Observer};
//! use anyrt_core::{run, sleep, task_group};
//! # use anyrt_core::Backend;
//! # use std::time::Instant;
//! # #[derive(Clone, Debug)]
//! # struct Observed(anyrt_sim::Sim, Arc<Names>);
//! # impl Backend for Observed {
//! #     type Task<T: Send + 'static> = <anyrt_sim::Sim as Backend>::Task<T>;
//! #     type Sleep = anyrt_sim::Sleep;
//! #     fn name(&self) -> &'static str { "observed" }
//! #     fn current() -> Option<Self> { None }
//! #     fn run<F: Future>(&self, main: F) -> F::Output { self.0.run(main) }
//! #     fn spawn<F>(&self, future: F) -> Self::Task<F::Output>
//! #     where F: Future + Send + 'static, F::Output: Send + 'static { self.0.spawn(future) }
//! #     fn spawn_blocking<T, F>(&self, call: F) -> Self::Task<T>
//! #     where F: FnOnce() -> T + Send + 'static, T: Send + 'static { self.0.spawn_blocking(call) }
//! #     fn now(&self) -> Instant { self.0.now() }
//! #     fn sleep_until(&self, at: Instant) -> Self::Sleep { self.0.sleep_until(at) }
//! #     fn observer(&self) -> Option<Arc<dyn Observer>> { Some(self.1.clone()) }
//! # }
//! # fn main() {}
//!
//! #[derive(Debug, Default)]
//! struct Names(Mutex<Vec<String>>);
//!
//! impl Observer for Names {
//!     fn observe(&self, event: Event<'_>) {
//!         if let Event::Begins { name: Some(name), .. } = event {
//!             self.0.lock().unwrap().push(name.to_owned());
//!         }
//!     }
//! }
//! ```

use std::panic::Location;
use std::time::Instant;

use crate::reason::Reason;

/// Hears of what happens in a run; from [`Backend::observer`](crate::Backend::observer).
///
/// It is told at the place and on the thread where it happens, in between whatever runs there: it is to be quick, and
/// neither to panic nor to call anything of this crate but the clock.
pub trait Observer: Send + Sync + 'static {
    /// Is called for each event, under no lock of this crate.
    fn observe(&self, event: Event<'_>);
}

/// Something that happens.
///
/// An event may be about a thing of which nothing was told before, as where a run is inside another one; it is to be
/// left alone then.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Something begins. It has not been polled yet.
    Begins {
        /// What it is called from here to its end.
        id: Id,
        /// What it is.
        what: What,
        /// What it is part of: of a child its group, of all else that in which it began.
        below: Option<Id>,
        /// The name that it was given.
        name: Option<&'a str>,
        /// Where that was written. Children of combinators have no place of their own.
        at: Option<&'static Location<'static>>,
    },
    /// It was polled and is pending.
    Waits {
        /// Who waits.
        id: Id,
        /// What for, as far as that was polled. What is not of this crate waits without a word.
        on: &'a [Wait],
    },
    /// It, or a part of it, was cancelled, and with that all below it. The things below are not told of one by one.
    Cancelled {
        /// What was cancelled.
        id: Id,
        /// How much of it.
        part: Part,
        /// Why.
        reason: &'a Reason,
    },
    /// It has ended, and all that was part of it, but for what was adopted.
    Ends {
        /// What has ended. Something else may be called so from now on.
        id: Id,
        /// How.
        how: Ending<'a>,
    },
}

/// What a thing is called in events, as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Source, u64);

/// Where the number of an [`Id`] is from, since two of different sources may be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Source {
    Node,
    Child,
}

impl Id {
    pub(crate) fn of_node(address: usize) -> Self {
        Self(Source::Node, address as u64)
    }

    pub(crate) fn of_child(number: u64) -> Self {
        Self(Source::Child, number)
    }
}

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The outermost group: the run.
    Run,
    /// A task group of any kind, or what a combinator makes.
    Group,
    /// A child of a group.
    Task,
    /// A child that is cancelled when the others have ended.
    Daemon,
    /// A run of a cancel scope, or a time limit.
    Scope {
        /// Its deadline when it began, if it had one.
        deadline: Option<Instant>,
    },
    /// A shield.
    Shield,
    /// The cleanups of a scope that has ended, or that of a `finally`.
    Cleanup,
    /// A call that was handed to a thread.
    Thread,
}

/// What something waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// A point in time; `None` never comes.
    Until(Option<Instant>),
    /// The end of a child, whose handle it awaits.
    Task(Id),
    /// That a child which it starts says that it is ready.
    Ready(Id),
    /// The end of a call that was handed to a thread.
    Thread(Id),
    /// Its own children.
    Children,
    /// A token of a limiter that has so many.
    Token {
        /// How many tokens there are.
        total: usize,
    },
    /// Its turn in a group that runs so many children at once.
    Turn {
        /// How many run at once.
        limit: usize,
    },
    /// That a scope is cancelled.
    Cancellation,
    /// That it is asked to stop.
    Stop,
}

/// How much of a thing was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// All of it.
    All,
    /// The children of a group, but not its body.
    Children,
    /// The daemons of a group.
    Daemons,
}

/// How something has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending<'a> {
    /// It has given its value.
    Value,
    /// It has given an error.
    Error,
    /// It has panicked.
    Panic,
    /// It was interrupted, or dropped by whoever owned it.
    Cancelled(&'a Reason),
    /// The runtime has ended before it did.
    Lost,
}
