//! Cancel scopes: the handle that cancels, and the future that is cancelled.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::alarm::Alarm;
use crate::backend::Backend;
use crate::inside::Inside;
use crate::place::{self, Place};
use crate::reason::{Cancelled, Reason};
use crate::tree::{Node, Role};
use crate::waker::WakerId;

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
        Self::of(Node::new(Role::Scope, None), place::find_backend())
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
    /// Dropping the future drops the body. The scope itself is not cancelled by that.
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
    pub fn run<F: Future>(&self, body: F) -> Run<B, F> {
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
        let passed = match (self.node.limit(), self.clock()) {
            (Some((limit, _)), Some(clock)) => limit <= clock.now(),
            _ => false,
        };
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
            .or_else(place::find_backend)
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

/// When a run ends by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    None,
    After(Duration),
    At(Instant),
}

impl Limit {
    fn deadline<B: Backend>(self, backend: &B) -> Option<Instant> {
        match self {
            Self::None => None,
            Self::After(time) => backend.now().checked_add(time),
            Self::At(deadline) => Some(deadline),
        }
    }
}

pin_project! {
    /// The future of [`CancelScope::run`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Run<B: Backend, F> {
        limit: Limit,
        handle: Option<Arc<Node>>,
        caller: &'static Location<'static>,
        #[pin]
        alarm: Alarm<B>,
        // The body is dropped before the scope ends.
        #[pin]
        body: Inside<F>,
        entered: Option<Entered<B>>,
    }
}

/// What is known from the first poll on.
#[derive(Debug)]
struct Entered<B> {
    node: Arc<Node>,
    backend: B,
    armed: WakerId,
    /// The deadline, if it is for this run to watch it.
    due: Option<Instant>,
}

impl<B: Backend, F: Future> Run<B, F> {
    #[track_caller]
    pub(crate) fn new(limit: Limit, handle: Option<Arc<Node>>, body: F) -> Self {
        Self {
            limit,
            handle,
            caller: Location::caller(),
            entered: None,
            alarm: Alarm::new(),
            body: Inside::new(Place::Nowhere, Some(body)),
        }
    }
}

impl<B: Backend> Entered<B> {
    fn new(limit: Limit, handle: Option<Arc<Node>>, caller: &Location<'_>) -> Self {
        let Some(backend) = place::find_backend::<B>() else {
            panic!(
                "anyrt: there is no runtime for the scope of {caller}; {}",
                place::ADVICE
            );
        };
        let outer = place::node();
        if let (Some(handle), Some(outer)) = (&handle, &outer) {
            let mut scopes = outer.around().filter_map(|node| node.handle.as_ref());
            if scopes.any(|scope| Arc::ptr_eq(handle, scope)) {
                panic!(
                    "anyrt: the cancel scope of {caller} is run inside itself; use one scope for each"
                );
            }
        }
        let node = Node::new_run(outer, handle, limit.deadline(&backend));
        node.enter_handle(|| backend.now());
        Self {
            node,
            backend,
            armed: WakerId::default(),
            due: None,
        }
    }
}

impl<B> Drop for Entered<B> {
    fn drop(&mut self) {
        // Most often nothing below is left, and the node goes with this.
        if Arc::strong_count(&self.node) > 1 {
            self.node.retire();
        }
    }
}

impl<B: Backend, F: Future> Future for Run<B, F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.entered.is_none() {
            assert!(this.body.is_live(), "anyrt: a run was polled after its end");
            let entered = Entered::new(*this.limit, this.handle.take(), this.caller);
            *this.body.as_mut().place() = Place::At(entered.node.clone());
            *this.entered = Some(entered);
        }
        let Some(entered) = this.entered else {
            unreachable!("it has been entered above");
        };
        let ended = if this.body.is_live() {
            match this.body.as_mut().poll(cx) {
                Poll::Ready(value) => {
                    this.body.as_mut().clear();
                    Poll::Ready(Ok(value))
                }
                Poll::Pending if !entered.is_to_be_cut(this.alarm, cx) => Poll::Pending,
                Poll::Pending => {
                    this.body.as_mut().clear();
                    entered.catch(this.caller, cx)
                }
            }
        } else {
            entered.catch(this.caller, cx)
        };
        if ended.is_ready() {
            *this.body.place() = Place::Nowhere;
            *this.entered = None;
        }
        ended
    }
}

impl<B: Backend> Entered<B> {
    /// Whether the body, which waits, is to be dropped now; otherwise arranges for a wake when it is.
    fn is_to_be_cut(&mut self, alarm: Pin<&mut Alarm<B>>, cx: &mut Context<'_>) -> bool {
        let node = &self.node;
        node.attach();
        node.arm(cx.waker(), &mut self.armed);
        if node.take_moved() {
            node.governor().begin_grace(|| self.backend.now());
            self.due = node.deadline_to_watch();
        }
        if alarm.poll_passed(self.due, &self.backend, cx) {
            node.governor().expire();
        }
        node.is_effectively_cancelled() && !node.is_held()
    }

    /// After the body was cut: reports it, or leaves that to a scope around this one.
    fn catch<T>(
        &mut self,
        caller: &Location<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Cancelled>> {
        // The scope around it may end without catching; then it is for this one to do so.
        self.node.arm(cx.waker(), &mut self.armed);
        if self.node.is_cancelled() && !self.node.is_overruled(|| self.backend.now()) {
            return Poll::Ready(Err(Cancelled::new(self.node.cause())));
        }
        assert!(
            self.node.is_surely_cancelled(),
            "anyrt: the run of {caller} was polled on after a scope that had cancelled it had ended"
        );
        Poll::Pending
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
