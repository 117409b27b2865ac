//! The handle of what was spawned through a portal.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::abroad::Abroad;
use crate::backend::Backend;
use crate::door::Door;
use crate::parcel::{Parcel, Sent};
use crate::reason::Stopped;
use crate::scope::CancelScope;
use crate::task::Task;
use crate::throw_away::{Payload, throw_away};

/// The handle of what was spawned through a [`Portal`](crate::Portal), for threads and for tasks.
///
/// Dropping it changes nothing but that the value is dropped, too: the group of the portal owns the task.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// use anyrt_core::start_portal;
///
/// let portal = start_portal::<Sim>(Sim::default());
/// let tasks = [1, 2, 3].map(|n| portal.spawn(async move { n * n }));
/// let squares = tasks.map(|task| task.wait());
/// assert_eq!(squares, [Ok(1), Ok(4), Ok(9)]);
/// ```
#[must_use = "the task goes on, but nobody hears how it ends"]
pub struct PortalTask<B: Backend, T: Send + 'static> {
    task: Task<B, Parcel<T>>,
    scope: CancelScope<B>,
    door: Door<B>,
}

/// How it ended without a value.
pub(crate) enum Ended {
    Stopped(Stopped),
    Panicked(Payload),
}

impl<B: Backend, T: Send + 'static> PortalTask<B, T> {
    pub(crate) fn new<F>(door: &Door<B>, future: F, caller: &'static Location<'static>) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let scope = CancelScope::new();
        Self::of(door, door.start(&scope, future, caller), scope)
    }

    pub(crate) fn of(door: &Door<B>, task: Task<B, Parcel<T>>, scope: CancelScope<B>) -> Self {
        Self {
            task,
            scope,
            door: door.clone(),
        }
    }

    /// Blocks until the task has ended and says how.
    ///
    /// # Errors
    ///
    /// [`Stopped`] if the task has no value to give. It is `Panicked` if it panicked; the panic goes no further.
    ///
    /// # Panics
    ///
    /// On a thread on which futures are polled, if the task has not ended: use [`outcome`](Self::outcome) there.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{Stopped, start_portal};
    /// let portal = start_portal::<Sim>(Sim::default());
    /// assert_eq!(portal.spawn(async { 7 }).wait(), Ok(7));
    /// let task = portal.spawn(std::future::pending::<()>());
    /// task.cancel();
    /// assert!(matches!(task.wait(), Err(Stopped::Cancelled(_))));
    /// ```
    #[track_caller]
    pub fn wait(mut self) -> Result<T, Stopped> {
        match self.wait_for(None) {
            Some(result) => result,
            None => unreachable!("it has waited without a limit"),
        }
    }

    /// Blocks as [`wait`](Self::wait) does, but not for longer than `patience`.
    ///
    /// The time is real time, also where the runtime has another one; in a call into a thread it is that of the runtime.
    ///
    /// # Errors
    ///
    /// The handle itself, if the task has not ended by then; it goes on.
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait).
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use std::time::Duration;
    /// # use anyrt_core::{portal, run, start_portal};
    /// let portal = start_portal::<Sim>(Sim::default());
    /// let (open, gate) = std::sync::mpsc::channel();
    /// let task = portal.spawn(anyrt_core::to_thread::<Sim, _, _>(move || gate.recv()));
    /// let task = task.wait_timeout(Duration::from_millis(1)).unwrap_err();
    /// open.send("open").unwrap();
    /// assert_eq!(task.wait(), Ok(Ok("open")));
    /// ```
    #[track_caller]
    pub fn wait_timeout(mut self, patience: Duration) -> Result<Result<T, Stopped>, Self> {
        self.wait_for(Some(patience)).ok_or(self)
    }

    /// Waits until the task has ended and says how, without blocking: from the tasks of any runtime.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the handle and with it the value; the task goes on.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let task = anyrt_core::portal::<Sim>().spawn(async { 7 });
    /// assert_eq!(task.outcome().await, Ok(7));
    /// # });
    /// ```
    pub fn outcome(self) -> PortalOutcome<B, T> {
        PortalOutcome {
            task: self,
            abroad: None,
        }
    }

    /// Cancels the task, and does not wait for its end.
    ///
    /// It is delivered as everywhere: a task that has its value ready gives it. May be called from any thread, and
    /// any number of times.
    pub fn cancel(&self) {
        self.scope.cancel();
    }

    /// Whether the task has ended, with or without a value.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    #[track_caller]
    fn wait_for(&mut self, patience: Option<Duration>) -> Option<Result<T, Stopped>> {
        assert!(
            self.is_finished() || !self.door.is_own_thread(),
            "anyrt: to wait for a task of a portal blocks, and futures are polled on this thread; use `outcome()`"
        );
        self.block(patience).map(|end| end.map_err(Ended::stopped))
    }

    /// Blocks, wherever this is.
    pub(crate) fn block(&mut self, patience: Option<Duration>) -> Option<Result<T, Ended>> {
        let Some(backend) = self.door.backend().cloned() else {
            return Some(Err(Ended::Stopped(Stopped::Closed)));
        };
        backend.block_on(poll_fn(|cx| self.poll_end(cx)), patience)
    }

    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Ended>> {
        let sent = match ready!(self.task.poll_outcome(cx)) {
            Ok(parcel) => parcel.open(),
            Err(stopped) => return Poll::Ready(Err(Ended::Stopped(stopped))),
        };
        Poll::Ready(match sent {
            Some(Sent::Value(value)) => Ok(value),
            Some(Sent::Cancelled(reason)) => Err(Ended::Stopped(Stopped::Cancelled(reason))),
            Some(Sent::Panicked(payload)) => Err(Ended::Panicked(payload)),
            None => unreachable!("a parcel is opened once"),
        })
    }
}

impl Ended {
    fn stopped(self) -> Stopped {
        match self {
            Self::Stopped(stopped) => stopped,
            Self::Panicked(payload) => {
                throw_away(payload);
                Stopped::Panicked
            }
        }
    }
}

impl<B: Backend, T: Send + 'static> Unpin for PortalTask<B, T> {}

impl<B: Backend, T: Send + 'static> fmt::Debug for PortalTask<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalTask")
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

/// The future of [`PortalTask::outcome`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct PortalOutcome<B: Backend, T: Send + 'static> {
    task: PortalTask<B, T>,
    abroad: Option<Abroad<B>>,
}

impl<B: Backend, T: Send + 'static> Unpin for PortalOutcome<B, T> {}

impl<B: Backend, T: Send + 'static> Future for PortalOutcome<B, T> {
    type Output = Result<T, Stopped>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.abroad.is_none() {
            this.abroad = this.task.door.abroad();
        }
        let end = ready!(this.task.poll_end(cx));
        this.abroad = None;
        Poll::Ready(end.map_err(Ended::stopped))
    }
}

impl<B: Backend, T: Send + 'static> fmt::Debug for PortalOutcome<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PortalOutcome").field(&self.task).finish()
    }
}
