//! The handle of a child.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::delivery::{Deliver, is_counted};
use crate::here;
use crate::kind::{Kind, Nested, Parallel};
use crate::observe::{Id, Wait};
use crate::place;
use crate::reason::Stopped;
use crate::tree::Node;
use crate::watch::waits;

/// The handle of a child of a parallel group; see [`TaskOf`].
pub type Task<B, T> = TaskOf<Parallel<B>, T>;

/// The handle of a child of a group in one task; see [`TaskOf`].
pub type ScopedTask<B, T> = TaskOf<Nested<B>, T>;

/// The future of [`TaskOf::outcome`] in a parallel group.
pub type Outcome<B, T> = OutcomeOf<Parallel<B>, T>;

/// The handle of a child; awaiting it gives the child's value.
///
/// The group owns the child, so dropping the handle changes nothing but that the value is dropped too.
/// A child that fails cancels the body and its siblings before its handle says so; therefore inside the
/// group there is no error to handle here, and awaiting gives `T` rather than a `Result`. Where the
/// outcome is wanted as a value there is [`outcome`](Self::outcome).
///
/// # Cancel safety
///
/// Awaiting `&mut task` may be given up and begun again; nothing is lost.
///
/// # Panics
///
/// Awaiting panics if the child ended without a value and the one who awaits is not being cancelled: it stands
/// outside of the group or in a shield, or the children alone were cancelled. Use `outcome` there.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # anyrt_core::run(&Sim::default(), async {
/// let sum = anyrt_core::task_group::<Sim, _, (), _, _>(async |g| {
///     let a = g.spawn(async { Ok(1) });
///     let b = g.spawn(async { Ok(2) });
///     Ok(a.await + b.await)
/// });
/// assert_eq!(sum.await, Ok(3));
/// # });
/// ```
pub struct TaskOf<K: Kind<T>, T> {
    state: State<K::Handle>,
    children: Arc<Node>,
    number: u64,
    spawned: &'static Location<'static>,
}

enum State<H> {
    Running(H),
    Stopped(Stopped),
    Taken,
}

impl<K: Kind<T>, T> TaskOf<K, T> {
    pub(crate) const IS_DROPPED_WITH_GROUP: bool = K::Handle::IS_DROPPED_WITH_GROUP;

    pub(crate) fn new(
        handle: Option<K::Handle>,
        children: Arc<Node>,
        number: u64,
        spawned: &'static Location<'static>,
    ) -> Self {
        let state = match handle {
            Some(handle) => State::Running(handle),
            None => State::Stopped(Stopped::Closed),
        };
        Self {
            state,
            children,
            number,
            spawned,
        }
    }

    /// Waits until the child has ended and says how.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the handle and with it the value; the child goes on.
    ///
    /// # Errors
    ///
    /// [`Stopped`] if the child has no value to give.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::Stopped;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let group = anyrt_core::task_group::<Sim, _, (), _, _>(async |g| {
    ///     let child = g.spawn(std::future::pending::<Result<(), ()>>());
    ///     g.cancel();
    ///     Ok(child.outcome().await)
    /// });
    /// assert!(matches!(group.await, Ok(Err(Stopped::Cancelled(_)))));
    /// # });
    /// ```
    pub fn outcome(self) -> OutcomeOf<K, T> {
        OutcomeOf(self)
    }

    /// Cancels this one child and waits until it has ended; gives its value if it was done before.
    ///
    /// A child that ends by this is no failure, and neither its siblings nor the body are touched.
    ///
    /// # Cancel safety
    ///
    /// The child stays cancelled, and the group waits for it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{checkpoint, task_group};
    /// # anyrt_core::run(&Sim::default(), async {
    /// let group = task_group::<Sim, _, (), _, _>(async |g| {
    ///     let done = g.spawn(async { Ok(7) });
    ///     let endless = g.spawn(std::future::pending::<Result<(), ()>>());
    ///     checkpoint().await;
    ///     Ok((done.cancel().await, endless.cancel().await))
    /// });
    /// assert_eq!(group.await, Ok((Some(7), None)));
    /// # });
    /// ```
    pub async fn cancel(self) -> Option<T> {
        let (children, number) = (self.children.clone(), self.number);
        if !self.is_finished() {
            children.pick(number);
        }
        let outcome = self.outcome().await;
        // It may have ended just before it was picked, and then nobody has struck it off the list.
        children.unseat(None, number);
        outcome.ok()
    }

    /// Whether the child has ended, with or without a value.
    ///
    /// Awaiting the handle then does not wait for the child any more, but a runtime may take a moment to
    /// hand its value over.
    pub fn is_finished(&self) -> bool {
        match &self.state {
            // A runtime knows it a moment later than the group.
            State::Running(handle) => handle.is_finished() || self.is_group_closed(),
            State::Stopped(_) | State::Taken => true,
        }
    }

    /// What the child is called in events.
    pub(crate) fn id(&self) -> Id {
        Id::of_child(self.number)
    }

    pub(crate) fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Stopped>> {
        let id = self.id();
        let outcome = match &mut self.state {
            State::Running(handle) => match ready!(or_wait(handle.poll_delivery(cx), id)) {
                Some(delivery) => delivery.take(),
                None => {
                    // There is no output that could be counted against the handle.
                    self.count_handle_out();
                    Err(if Self::IS_DROPPED_WITH_GROUP {
                        Stopped::Cancelled(self.children.cause())
                    } else {
                        Stopped::RuntimeEnded
                    })
                }
            },
            State::Stopped(stopped) => return Poll::Ready(Err(stopped.clone())),
            State::Taken => panic!("anyrt: a task was polled after it had given its value"),
        };
        self.state = match &outcome {
            Ok(_) => State::Taken,
            Err(stopped) => State::Stopped(stopped.clone()),
        };
        Poll::Ready(outcome)
    }

    fn is_group_closed(&self) -> bool {
        let home = self.children.home.as_ref();
        home.is_some_and(|home| home.tally.is_closed())
    }

    #[inline]
    fn count_handle_out(&self) {
        if let (Some(home), true) = (&self.children.home, is_counted::<T>()) {
            home.tally.handle_dropped();
        }
    }
}

/// Tells an observer that a child is waited for, where it is.
fn or_wait<T>(polled: Poll<T>, child: Id) -> Poll<T> {
    if polled.is_pending() {
        waits(|| Wait::Task(child));
    }
    polled
}

impl<K: Kind<T>, T> Unpin for TaskOf<K, T> {}

impl<K: Kind<T>, T> Future for TaskOf<K, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let stopped = match ready!(self.poll_outcome(cx)) {
            Ok(value) => return Poll::Ready(value),
            Err(stopped) => stopped,
        };
        if here::is_cancelled::<K::Backend>() || place::look(|node| node.is_doomed()) == Some(true)
        {
            return Poll::Pending; // The one who awaits is being cancelled and will be dropped.
        }
        let spawned = self.spawned;
        panic!(
            "anyrt: awaited a task that has no value: {stopped} (spawned at {spawned}); \
             use `outcome()` where that may happen"
        );
    }
}

impl<K: Kind<T>, T> Drop for TaskOf<K, T> {
    fn drop(&mut self) {
        if matches!(self.state, State::Running(_)) {
            self.count_handle_out();
        }
    }
}

impl<K: Kind<T>, T> fmt::Debug for TaskOf<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("is_finished", &self.is_finished())
            .field("spawned", &self.spawned)
            .finish_non_exhaustive()
    }
}

/// The future of [`TaskOf::outcome`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct OutcomeOf<K: Kind<T>, T>(TaskOf<K, T>);

impl<K: Kind<T>, T> fmt::Debug for OutcomeOf<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Outcome").field(&self.0).finish()
    }
}

impl<K: Kind<T>, T> Future for OutcomeOf<K, T> {
    type Output = Result<T, Stopped>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_outcome(cx)
    }
}
