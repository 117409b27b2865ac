//! Spawning children into a group: the handle that its body gets.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use crate::backend::Backend;
use crate::child::{Child, children_of, next_number};
use crate::guest::Guest;
use crate::home::Home;
use crate::limiter::Limiter;
use crate::place::Place;
use crate::scope::CancelScope;
use crate::task::Task;
use crate::tree::Node;
use crate::turn::Turn;

/// Spawns children into a group, cancels them, and counts them.
///
/// A clone is the same group; children may own one and spawn siblings. Once the group has ended nothing can be
/// spawned into it any more.
pub struct TaskGroup<B, E> {
    /// Its node is the group's children node.
    scope: CancelScope<B>,
    errors: PhantomData<fn(E)>,
}

impl<B: Backend, E: Send + 'static> TaskGroup<B, E> {
    /// The group with this children node.
    pub(crate) fn of(children: Arc<Node>) -> Self {
        Self {
            scope: CancelScope::of(children, None),
            errors: PhantomData,
        }
    }

    /// Starts `child` as a task of this group, and never waits.
    ///
    /// The child is polled at least once, also in a group that is being cancelled. If the group has ended, the
    /// future is dropped and the handle's `outcome()` is `Stopped::Closed`. May be called from any thread.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let group = anyrt_core::task_group::<Sim, _, (), _, _>(async |g| {
    ///     let sibling = g.clone();
    ///     let child = g.spawn(async move { Ok(sibling.spawn(async { Ok(2) }).await + 1) });
    ///     Ok(child.await)
    /// });
    /// assert_eq!(group.await, Ok(3));
    /// # });
    /// ```
    #[track_caller]
    pub fn spawn<T>(&self, child: impl Future<Output = Result<T, E>> + Send + 'static) -> Task<B, T>
    where
        T: Send + 'static,
    {
        self.spawn_or_close(None, child)
    }

    /// Starts `child` under a name, which is told when it fails; otherwise as [`spawn`](Self::spawn).
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::task_group;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let group = task_group::<Sim, _, _, _, _>(async |g| {
    ///     let other = g.spawn(std::future::pending::<Result<(), &str>>());
    ///     g.spawn_named("fetch", async { Err::<(), _>("no route") });
    ///     assert_eq!(
    ///         other.outcome().await.unwrap_err().to_string(),
    ///         "the child was cancelled: task `fetch` of the group failed"
    ///     );
    ///     Ok(())
    /// });
    /// assert_eq!(group.await.unwrap_err().into_first(), "no route");
    /// # });
    /// ```
    #[track_caller]
    pub fn spawn_named<T>(
        &self,
        name: impl Into<Arc<str>>,
        child: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Task<B, T>
    where
        T: Send + 'static,
    {
        self.spawn_or_close(Some(name.into()), child)
    }

    /// Starts `child` as [`spawn`](Self::spawn) does, or gives it back if the group has ended.
    ///
    /// # Errors
    ///
    /// The child's own future, untouched.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::task_group;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let escaped = task_group::<Sim, _, (), _, _>(async |g| Ok(g)).await.unwrap();
    /// assert!(escaped.try_spawn(async { Ok(7) }).is_err());
    /// # });
    /// ```
    #[track_caller]
    pub fn try_spawn<T, F>(&self, child: F) -> Result<Task<B, T>, F>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        self.spawn_at(
            self.seat(),
            self.queue_up(),
            None,
            child,
            Location::caller(),
        )
    }

    /// Waits until the group's limit allows one child more to run, and then starts `child` as
    /// [`spawn`](Self::spawn) does.
    ///
    /// For a producer that is not to run ahead of the children. Those that were spawned before have their turn
    /// first. In a group without a [limit](crate::GroupOptions::limit) it does not wait. A child that waits for this
    /// keeps its own turn, so with a limit of 1 it would wait for ever.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped while it waits, `child` never runs.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{GroupOptions, sleep};
    /// # anyrt_core::run(&Sim::default(), async {
    /// # let second = std::time::Duration::from_secs(1);
    /// let group = GroupOptions::<Sim, ()>::new().limit(2).run(async |g| {
    ///     for _ in 0..10 {
    ///         g.spawn_when_free(async move { Ok(sleep::<Sim>(second).await) }).await;
    ///         assert!(g.len() <= 2);
    ///     }
    ///     Ok(())
    /// });
    /// assert!(group.await.is_ok());
    /// # });
    /// ```
    #[track_caller]
    pub fn spawn_when_free<T>(
        &self,
        child: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> impl Future<Output = Task<B, T>>
    where
        T: Send + 'static,
    {
        let caller = Location::caller();
        async move {
            let turn = self.turn().await;
            self.spawn_at(self.seat(), turn, None, child, caller)
                .unwrap_or_else(|_| self.closed(caller))
        }
    }

    /// Starts `child` as a daemon: it is cancelled when the body and all children but the daemons have ended.
    ///
    /// For what serves the others and has no end of its own: a ticker, a connection that is kept alive. Its
    /// errors and panics count like any other's; being cancelled is no failure. A daemon may spawn both
    /// children, which are waited for, and daemons. It has no value, so that an endless loop will do. Otherwise as
    /// [`spawn`](Self::spawn).
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let group = anyrt_core::task_group::<Sim, _, (), _, _>(async |g| {
    ///     g.spawn_daemon(std::future::pending::<Result<(), ()>>());
    ///     Ok("done")
    /// });
    /// assert_eq!(group.await, Ok("done"));
    /// # });
    /// ```
    #[track_caller]
    pub fn spawn_daemon(
        &self,
        child: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> Task<B, ()> {
        let caller = Location::caller();
        // So that the group cannot end under way.
        let Some(_open) = Guest::of_open(self.scope.node()) else {
            return self.closed(caller);
        };
        let mut child = child;
        loop {
            let seat = Place::Seat(self.scope.node().daemons_or_self());
            match self.spawn_at(seat, None, None, child, caller) {
                Ok(task) => return task,
                // The group is just looking whether it can end. It finds that it cannot, and opens again.
                Err(back) => child = back,
            }
            std::thread::yield_now();
        }
    }

    #[track_caller]
    fn spawn_or_close<T, F>(&self, name: Option<Arc<str>>, child: F) -> Task<B, T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let caller = Location::caller();
        self.spawn_at(self.seat(), self.queue_up(), name, child, caller)
            .unwrap_or_else(|_| self.closed(caller))
    }

    fn spawn_at<T, F>(
        &self,
        seat: Place,
        turn: Option<Box<Turn>>,
        name: Option<Arc<str>>,
        child: F,
        caller: &'static Location<'static>,
    ) -> Result<Task<B, T>, F>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let is_open = children_of(&seat).is_some_and(|children| home_of(children).tally.join());
        if !is_open {
            return Err(child);
        }
        Ok(launch(seat, turn, name, child, caller))
    }

    fn seat(&self) -> Place {
        Place::Seat(self.scope.node().clone())
    }

    /// A place in the queue of those that wait to run, if the group has a limit.
    fn queue_up(&self) -> Option<Box<Turn>> {
        let limit = self.limit()?;
        Some(Box::new(Turn::Waiting(limit.enqueue())))
    }

    /// Waits until one child more may run.
    pub(crate) async fn turn(&self) -> Option<Box<Turn>> {
        let permit = self.limit()?.acquire().await;
        Some(Box::new(Turn::come(permit)))
    }

    fn limit(&self) -> Option<&Limiter> {
        self.home().policy.as_ref()?.limit.as_ref()
    }

    /// The handle of a child that came too late.
    fn closed<T: Send + 'static>(&self, caller: &'static Location<'static>) -> Task<B, T> {
        Task::new(None, self.scope.node().clone(), 0, caller)
    }

    /// Cancels the children, present and future, but not the body, which has a value to give.
    ///
    /// A cancelled child is no failure, so the group still gives the body's value. To stop the body as well,
    /// put the group into a [`CancelScope`]. May be called from any thread.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let group = anyrt_core::task_group::<Sim, _, (), _, _>(async |g| {
    ///     g.spawn(std::future::pending::<Result<(), ()>>());
    ///     g.cancel();
    ///     Ok("stopped in order")
    /// });
    /// assert_eq!(group.await, Ok("stopped in order"));
    /// # });
    /// ```
    pub fn cancel(&self) {
        self.scope.cancel();
    }

    /// The scope of the children: to cancel them with a reason, or to give them a deadline.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use std::time::Duration;
    /// # use anyrt_core::{now, task_group};
    /// # anyrt_core::run(&Sim::default(), async {
    /// let group = task_group::<Sim, _, (), _, _>(async |g| {
    ///     g.spawn(std::future::pending::<Result<(), ()>>());
    ///     g.scope().set_deadline(Some(now::<Sim>() + Duration::from_secs(1)));
    ///     Ok("the children had one second")
    /// });
    /// assert!(group.await.is_ok());
    /// # });
    /// ```
    pub fn scope(&self) -> &CancelScope<B> {
        &self.scope
    }

    /// The name that the group was given.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::GroupOptions;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let options = GroupOptions::<Sim, ()>::new().name("workers");
    /// let group = options.run(async |g| Ok(g.name().map(str::to_owned)));
    /// assert_eq!(group.await.unwrap().as_deref(), Some("workers"));
    /// # });
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.home().policy.as_ref()?.name.as_deref()
    }

    /// How many children have not ended.
    pub fn len(&self) -> usize {
        let daemons = self.scope.node().daemons();
        let daemons = daemons.map_or(0, |daemons| home_of(&daemons).children());
        self.home().children() + daemons
    }

    /// Whether all children have ended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn home(&self) -> &Home {
        home_of(self.scope.node())
    }
}

/// Starts a child that its group has counted in: at a seat of a children node, or at a root below one.
pub(crate) fn launch<B, T, E, F>(
    place: Place,
    turn: Option<Box<Turn>>,
    name: Option<Arc<str>>,
    child: F,
    caller: &'static Location<'static>,
) -> Task<B, T>
where
    B: Backend,
    T: Send + 'static,
    E: Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    let Some(children) = children_of(&place).cloned() else {
        unreachable!("a child has its place in a group");
    };
    let number = next_number();
    let child = Child::new(place, turn, number, name, child);
    let handle = home_of(&children).backend::<B>().spawn(child);
    Task::new(Some(handle), children, number, caller)
}

/// The ledger that a children node, of the daemons or of the others, belongs to.
pub(crate) fn home_of(children: &Node) -> &Home {
    match &children.home {
        Some(home) => home,
        None => unreachable!("the children node of a group has the group's home"),
    }
}

impl<B: Clone, E> Clone for TaskGroup<B, E> {
    fn clone(&self) -> Self {
        Self {
            scope: self.scope.clone(),
            errors: PhantomData,
        }
    }
}

impl<B: Backend, E: Send + 'static> fmt::Debug for TaskGroup<B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("name", &self.name())
            .field("len", &self.len())
            .field("scope", &self.scope)
            .finish()
    }
}
