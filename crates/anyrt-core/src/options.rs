//! Groups that are not as usual.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::backend::Backend;
use crate::error::GroupError;
use crate::group::Running;
use crate::limiter::Limiter;
use crate::nest::{Housing, Nest};
use crate::policy::{Handler, OnError, Policy};
use crate::span::Span;
use crate::spawn::{GroupOf, LocalGroup, ScopedGroup, TaskGroup};

/// Options of a task group, and the way to run it with them.
///
/// Without any it is [`task_group`](crate::task_group). They apply to this one group and not to groups inside it.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # use anyrt_core::GroupOptions;
/// # anyrt_core::run(&Sim::default(), async {
/// let group = GroupOptions::<Sim, ()>::new().name("squares").limit(4).run(async |g| {
///     let squares: Vec<_> = (0..10).map(|n| g.spawn(async move { Ok(n * n) })).collect();
///     let mut sum = 0;
///     for square in squares {
///         sum += square.await;
///     }
///     Ok(sum)
/// });
/// assert_eq!(group.await, Ok(285));
/// # });
/// ```
#[must_use = "options do nothing until a group is `run` with them"]
pub struct GroupOptions<B, E> {
    policy: Policy,
    kind: PhantomData<fn(B, E)>,
}

impl<B: Backend, E: Send + 'static> GroupOptions<B, E> {
    /// The options of a usual group.
    pub fn new() -> Self {
        Self {
            policy: Policy::default(),
            kind: PhantomData,
        }
    }

    /// Gives the group a name, which its errors tell.
    ///
    /// With the feature `tracing` it runs in a span `task_group` with this name.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let options = anyrt_core::GroupOptions::<Sim, _>::new().name("mail");
    /// let error = options.run(async |_| Err::<(), _>("no route")).await.unwrap_err();
    /// assert_eq!(error.to_string(), "1 error in task group `mail`\n- no route");
    /// # });
    /// ```
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.policy.name = Some(name.into());
        self
    }

    /// Lets at most `children` of the group run at once; the others wait for their turn in the order in which they
    /// were spawned.
    ///
    /// `spawn` still never waits; [`spawn_when_free`](TaskGroup::spawn_when_free) does. A child has its turn until it
    /// has ended, also while it waits for something else: children that wait for further children can use the
    /// limit up and wait for ever. A child that is cancelled before its turn never runs; what it owns is dropped.
    /// Daemons have no turn to wait for.
    ///
    /// # Panics
    ///
    /// If `children` is 0: nothing could ever run.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{GroupOptions, now, sleep};
    /// # anyrt_core::run(&Sim::default(), async {
    /// let second = Duration::from_secs(1);
    /// let before = now::<Sim>();
    /// let group = GroupOptions::<Sim, ()>::new().limit(2).run(async |g| {
    ///     for _ in 0..6 {
    ///         g.spawn(async move { Ok(sleep::<Sim>(second).await) });
    ///     }
    ///     Ok(())
    /// });
    /// group.await.unwrap();
    /// assert_eq!(now::<Sim>() - before, 3 * second); // two at a time
    /// # });
    /// ```
    #[track_caller]
    pub fn limit(mut self, children: usize) -> Self {
        assert!(
            children > 0,
            "anyrt: a task group with a limit of 0 could never run a child; give it at least 1"
        );
        self.policy.limit = Some(Limiter::new(children));
        self
    }

    /// Keeps the other children and the body running when a child fails; the errors are in the group's result.
    ///
    /// An error of the body itself, and every panic, cancels the group as usual. A child that has failed has no value,
    /// so awaiting its handle panics; ask for its [`outcome`](crate::Task::outcome) here.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{GroupOptions, checkpoint};
    /// # anyrt_core::run(&Sim::default(), async {
    /// let group = GroupOptions::<Sim, _>::new().supervise().run(async |g| {
    ///     for n in 0..3 {
    ///         g.spawn(async move { Err::<(), _>(n) });
    ///     }
    ///     checkpoint().await;
    ///     Ok(())
    /// });
    /// assert_eq!(group.await.unwrap_err().len(), 3);
    /// # });
    /// ```
    pub fn supervise(mut self) -> Self {
        self.policy.on_error = OnError::Keep;
        self
    }

    /// Hands the errors of children to `handler`, with the name of the child; they do not cancel the group, and are
    /// not in its result. Otherwise as [`supervise`](Self::supervise).
    ///
    /// The handler runs in the task of the child that has failed, when that has ended and before its handle says so.
    /// A panic of the handler is a panic of the child. The handler is dropped when the group has ended.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::GroupOptions;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let (report, reports) = std::sync::mpsc::channel();
    /// let options = GroupOptions::<Sim, &str>::new().supervise_with(move |name, error| {
    ///     report.send(format!("{}: {error}", name.unwrap_or("?"))).unwrap();
    /// });
    /// let group = options.run(async |g| {
    ///     g.spawn_named("fetch", async { Err::<(), _>("no route") });
    ///     Ok(())
    /// });
    /// assert_eq!(group.await, Ok(()));
    /// assert_eq!(reports.recv().unwrap(), "fetch: no route");
    /// # });
    /// ```
    pub fn supervise_with(
        mut self,
        handler: impl Fn(Option<&str>, E) + Send + Sync + 'static,
    ) -> Self {
        let handler: Handler = Arc::new(move |name, error| {
            if let Ok(error) = error.downcast() {
                handler(name, *error);
            }
        });
        self.policy.on_error = OnError::Handle(Mutex::new(Some(handler)));
        self
    }

    /// Gives the others `grace` to come to an end in good order when something in the group fails.
    ///
    /// What would be cancelled at once without it is asked to stop first, as by
    /// [`CancelScope::stop`](crate::CancelScope::stop), and is cancelled when `grace` has gone by. Who awaits the
    /// handle of the child that has failed waits as long.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{GroupOptions, stopping};
    /// # anyrt_core::run(&Sim::default(), async {
    /// let (saved, report) = std::sync::mpsc::channel();
    /// let options = GroupOptions::<Sim, _>::new().grace(Duration::from_secs(5));
    /// let group = options.run(async |g| {
    ///     g.spawn(async move {
    ///         stopping().await;
    ///         Ok(saved.send("saved").unwrap())
    ///     });
    ///     g.spawn(async { Err::<(), _>("no route") });
    ///     Ok(())
    /// });
    /// assert!(group.await.is_err());
    /// assert_eq!(report.recv(), Ok("saved"));
    /// # });
    /// ```
    pub fn grace(mut self, grace: Duration) -> Self {
        self.policy.grace = Some(grace).filter(|grace| !grace.is_zero());
        self
    }

    /// Runs `body` with a fresh group that has these options; otherwise as [`task_group`](crate::task_group).
    ///
    /// # Cancel safety
    ///
    /// As for [`task_group`](crate::task_group).
    ///
    /// # Errors
    ///
    /// [`GroupError`] with all errors in the order of time, if the body or a child failed and no handler took the
    /// error.
    ///
    /// # Panics
    ///
    /// As [`task_group`](crate::task_group).
    #[track_caller]
    pub fn run<T, F, Fut>(self, body: F) -> impl Future<Output = Result<T, GroupError<E>>>
    where
        F: FnOnce(TaskGroup<B, E>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.run_in((), body, Location::caller())
    }

    /// Runs `body` with a fresh group whose children may borrow, and that has these options; otherwise as
    /// [`scoped_group`](crate::scoped_group).
    ///
    /// # Cancel safety
    ///
    /// As for [`scoped_group`](crate::scoped_group).
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    ///
    /// # Panics
    ///
    /// As [`task_group`](crate::task_group).
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::GroupOptions;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let words = ["to", "be", "or", "not"];
    /// let group = GroupOptions::<Sim, ()>::new().limit(2).run_scoped(async |g| {
    ///     for word in &words {
    ///         g.spawn(async move { Ok(assert!(word.len() < 4)) });
    ///     }
    ///     Ok(())
    /// });
    /// assert!(group.await.is_ok());
    /// # });
    /// ```
    #[track_caller]
    pub fn run_scoped<'env, T, F, Fut>(
        self,
        body: F,
    ) -> impl Future<Output = Result<T, GroupError<E>>>
    where
        F: FnOnce(ScopedGroup<'env, B, E>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.run_in(Nest::default(), body, Location::caller())
    }

    /// Runs `body` with a fresh group whose children may borrow and need not be `Send`; otherwise as
    /// [`run_scoped`](Self::run_scoped).
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    ///
    /// # Panics
    ///
    /// As [`task_group`](crate::task_group).
    #[track_caller]
    pub fn run_local<'env, T, F, Fut>(
        self,
        body: F,
    ) -> impl Future<Output = Result<T, GroupError<E>>>
    where
        F: FnOnce(LocalGroup<'env, B, E>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.run_in(Nest::default(), body, Location::caller())
    }

    async fn run_in<T, F, Fut, N>(
        self,
        nest: N,
        body: F,
        caller: &'static Location<'static>,
    ) -> Result<T, GroupError<E>>
    where
        N: Housing,
        F: FnOnce(GroupOf<B, E, N::Spawner>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let span = Span::of_group(self.policy.name.as_deref());
        let policy = Some(Box::new(self.policy));
        let running = Running::<B, T, E, F, Fut, N>::new(body, nest, policy, caller);
        span.around(running).await
    }
}

impl<B: Backend, E: Send + 'static> Default for GroupOptions<B, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B, E> fmt::Debug for GroupOptions<B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupOptions")
            .field("name", &self.policy.name)
            .field("limit", &self.policy.limit.as_ref().map(Limiter::total))
            .field("on_error", &self.policy.on_error)
            .field("grace", &self.policy.grace)
            .finish()
    }
}
