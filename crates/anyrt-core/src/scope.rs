//! Cancel scopes: the handle that cancels.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::alarm::Alarm;
use crate::backend::Backend;
use crate::here;
use crate::observe::Wait;
use crate::reason::Reason;
use crate::scoped::{Limit, Run};
use crate::tree::{Node, Role};
use crate::watch::waits;

/// A handle that cancels the futures run in it, from anywhere, and that may carry a deadline.
///
/// Cancellation is delivered only where the body returns `Pending`, and only when nothing inside it
/// holds (a shield, a group with children, a running thread): a result that is ready always wins. It is
/// level-triggered and sticky: a cancelled scope stays cancelled. Terms and rules are trio's
/// (`trio.CancelScope`), but for that a scope here is a value: clones share it, any thread may use it, and
/// one handle may govern several runs.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # use anyrt_sim::Sim;
/// # use anyrt_core::{CancelScope, Reason, sleep};
/// # anyrt_core::run(&Sim::default(), async {
/// let scope = CancelScope::<Sim>::with_timeout(Duration::from_secs(5));
/// let result = scope.run(sleep::<Sim>(Duration::from_secs(60))).await;
/// assert_eq!(result.unwrap_err().reason(), &Reason::Deadline);
/// # });
/// ```
pub struct CancelScope<B> {
    node: Arc<Node>,
    /// Known from the start if the scope was created inside a runtime.
    clock: Option<B>,
}

impl<B: Backend> CancelScope<B> {
    /// A scope without a deadline.
    pub fn new() -> Self {
        Self::of(Node::new(Role::Scope, None), here::find_backend())
    }

    /// A scope that is cancelled at `deadline`.
    pub fn with_deadline(deadline: Instant) -> Self {
        let scope = Self::new();
        scope.node.set_deadline(Some(deadline));
        scope
    }

    /// A scope that is cancelled when `timeout` has gone by since it was first entered.
    ///
    /// Until then [`deadline`](Self::deadline) is `None`. A timeout that overflows the clock is never.
    pub fn with_timeout(timeout: Duration) -> Self {
        let scope = Self::new();
        scope.node.set_timeout(timeout);
        scope
    }

    pub(crate) fn of(node: Arc<Node>, clock: Option<B>) -> Self {
        Self { node, clock }
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Runs `body` in this scope: gives its value, or `Cancelled` if this scope interrupted it.
    ///
    /// If a scope around this one is cancelled too, that one catches and this future stays `Pending`
    /// until it is dropped. The scope around a run is fixed at its first poll.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the body. The scope itself is not cancelled by that. Where another thread first sends
    /// something to the body and then cancels, both may come after the body was polled; then what was sent goes with it.
    ///
    /// # Errors
    ///
    /// `Cancelled` with the first cause, after the body has been dropped.
    ///
    /// # Panics
    ///
    /// When polled inside a run of the same scope, when there is no runtime at this place, and when polled on
    /// after its end, or after the end of a scope around it that had cancelled it.
    #[track_caller]
    pub fn run<F: Future>(&self, body: F) -> Run<B, F, F::Output> {
        Run::new(Limit::None, Some(self.node.clone()), body)
    }

    /// Cancels the scope. Does nothing if it is cancelled already.
    ///
    /// May be called from any thread. If its deadline has passed, that remains the reason, where there is a clock
    /// to see it: a scope that was created outside of a runtime has none on a thread outside of one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{CancelScope, checkpoint};
    /// # anyrt_core::run(&Sim::default(), async {
    /// let scope = CancelScope::<Sim>::new();
    /// scope.cancel();
    /// assert_eq!(scope.run(async { 7 }).await, Ok(7)); // ready, so it wins
    /// assert!(scope.run(checkpoint()).await.is_err());
    /// # });
    /// ```
    pub fn cancel(&self) {
        self.cancel_because(Reason::Explicit(None));
    }

    /// Cancels the scope and says why.
    pub fn cancel_with(&self, reason: impl Into<Arc<str>>) {
        self.cancel_because(Reason::Explicit(Some(reason.into())));
    }

    fn cancel_because(&self, reason: Reason) {
        if !self.is_cancelled() {
            self.node.cancel(&reason);
        }
    }

    /// Whether this scope itself is cancelled, or its deadline has passed.
    ///
    /// Scopes around it are not considered.
    pub fn is_cancelled(&self) -> bool {
        if self.node.is_cancelled() {
            // Whoever reads `true` here is to be cut at its next `Pending`.
            self.node.cancel(&Reason::Explicit(None));
            return true;
        }
        let Some(clock) = self.clock() else {
            return false;
        };
        self.node.begin_grace(|| clock.now());
        let limit = self.node.limit();
        let passed = limit.is_some_and(|(limit, _)| limit <= clock.now());
        if passed {
            self.node.expire();
        }
        passed
    }

    /// Why the scope is cancelled, if it is.
    pub fn reason(&self) -> Option<Reason> {
        self.is_cancelled().then(|| self.node.cause())
    }

    /// Waits until the scope is cancelled or its deadline passes.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{CancelScope, task_group};
    /// # anyrt_core::run(&Sim::default(), async {
    /// let scope = CancelScope::<Sim>::new();
    /// let group = task_group::<Sim, _, (), _, _>(async |g| {
    ///     let watched = scope.clone();
    ///     let watcher = g.spawn(async move { Ok(watched.cancelled().await) });
    ///     scope.cancel();
    ///     Ok(watcher.await)
    /// });
    /// assert_eq!(group.await, Ok(()));
    /// # });
    /// ```
    pub fn cancelled(&self) -> Cancellation<B> {
        Cancellation {
            scope: self.clone(),
            key: None,
            alarm: Alarm::new(),
        }
    }

    /// The deadline; `None` if there is none, or a timeout that has not begun.
    pub fn deadline(&self) -> Option<Instant> {
        self.node.deadline()
    }

    /// Moves the deadline in either direction, or takes it away.
    ///
    /// Has no effect once the scope is cancelled; a deadline that has passed cancels it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use std::time::Duration;
    /// # use anyrt_core::{CancelScope, sleep};
    /// # anyrt_core::run(&Sim::default(), async {
    /// let scope = CancelScope::<Sim>::with_timeout(Duration::from_secs(1));
    /// let late = scope.run(async {
    ///     scope.set_deadline(None); // no hurry after all
    ///     sleep::<Sim>(Duration::from_secs(60)).await;
    /// });
    /// assert_eq!(late.await, Ok(()));
    /// # });
    /// ```
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        if !self.is_cancelled() {
            self.node.set_deadline(deadline);
        }
    }

    /// Asks all below to come to an end in good order, and cancels the scope when `grace` has gone by.
    ///
    /// [`stopping`](crate::stopping) wakes in every task below, also inside shields. The reason of the later
    /// cancellation is `Shutdown`. Of two stops the earlier end counts; a deadline that comes first stays.
    /// May be called from any thread. Where no clock is at hand the time counts from the scope's next poll.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{CancelScope, Reason, stopping};
    /// # anyrt_core::run(&Sim::default(), async {
    /// let second = Duration::from_secs(1);
    /// let scope = CancelScope::<Sim>::new();
    /// scope.stop(second);
    /// let polite = scope.run(async {
    ///     stopping().await;
    ///     "put away"
    /// });
    /// assert_eq!(polite.await, Ok("put away"));
    /// let deaf = scope.run(std::future::pending::<()>()).await;
    /// assert_eq!(deaf.unwrap_err().reason(), &Reason::Shutdown);
    /// # });
    /// ```
    pub fn stop(&self, grace: Duration) {
        if self.is_cancelled() {
            return;
        }
        match self.clock() {
            Some(clock) => self.node.stop(clock.now().checked_add(grace)),
            None => self.node.stop_without_clock(grace),
        }
    }

    fn clock(&self) -> Option<B> {
        let shared = || self.node.home.as_ref()?.shared.backend().cloned();
        self.clock
            .clone()
            .or_else(shared)
            .or_else(here::find_backend)
    }
}

impl<B: Backend> Default for CancelScope<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Clone> Clone for CancelScope<B> {
    fn clone(&self) -> Self {
        Self {
            node: self.node.clone(),
            clock: self.clock.clone(),
        }
    }
}

impl<B> fmt::Debug for CancelScope<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelScope")
            .field("is_cancelled", &self.node.is_cancelled())
            .field("deadline", &self.node.deadline())
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`CancelScope::cancelled`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Cancellation<B: Backend> {
        scope: CancelScope<B>,
        key: Option<usize>,
        #[pin]
        alarm: Alarm<B>,
    }

    impl<B: Backend> PinnedDrop for Cancellation<B> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.scope.node.unwatch(this.key);
        }
    }
}

impl<B: Backend> Future for Cancellation<B> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let scope = this.scope;
        scope.node.watch(this.key, cx.waker());
        if scope.is_cancelled() {
            return Poll::Ready(());
        }
        waits(|| Wait::Cancellation);
        let (Some((limit, _)), Some(clock)) = (scope.node.limit(), scope.clock()) else {
            return Poll::Pending;
        };
        if this.alarm.poll_passed(Some(limit), &clock, cx) {
            scope.node.expire();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
