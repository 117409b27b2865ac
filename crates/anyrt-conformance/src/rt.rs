//! The functions of the core with the backend filled in, as the facade does it for users, and with the kind of groups.

use std::future::Future;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use anyrt_core::from_thread::{self, FromThreadError};
use anyrt_core::{
    Backend, CancelScope, FailAt, GroupError, GroupOptions, Iterate, LocalGroup, MoveOn, Portal,
    Run, ScopedGroup, Sleep, TaskGroup, ToThread,
};

use crate::scoped_options::ScopedOptions;

/// The API on one backend, with one kind of groups; what every promise gets.
#[derive(Debug)]
pub struct Rt<B, K = Parallel>(PhantomData<fn() -> (B, K)>);

/// Groups are `task_group`s: each child is a task of its own.
#[derive(Debug)]
pub struct Parallel;

/// Groups are `scoped_group`s: the children run in the task of their group.
#[derive(Debug)]
pub struct InOneTask;

impl<B, K> Clone for Rt<B, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B, K> Copy for Rt<B, K> {}

impl<B: Backend> Rt<B, Parallel> {
    #[track_caller]
    pub(crate) fn task_group<T, E, F, Fut>(
        self,
        body: F,
    ) -> impl Future<Output = Result<T, GroupError<E>>>
    where
        E: Send + 'static,
        F: FnOnce(TaskGroup<B, E>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        anyrt_core::task_group::<B, T, E, F, Fut>(body)
    }

    #[track_caller]
    pub(crate) fn scoped_group<'env, T, E, F, Fut>(
        self,
        body: F,
    ) -> impl Future<Output = Result<T, GroupError<E>>>
    where
        E: Send + 'static,
        F: FnOnce(ScopedGroup<'env, B, E>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        anyrt_core::scoped_group::<B, T, E, F, Fut>(body)
    }

    #[track_caller]
    pub(crate) fn local_group<'env, T, E, F, Fut>(
        self,
        body: F,
    ) -> impl Future<Output = Result<T, GroupError<E>>>
    where
        E: Send + 'static,
        F: FnOnce(LocalGroup<'env, B, E>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        anyrt_core::local_group::<B, T, E, F, Fut>(body)
    }

    pub(crate) fn group_options<E: Send + 'static>(self) -> GroupOptions<B, E> {
        GroupOptions::new()
    }
}

impl<B: Backend> Rt<B, InOneTask> {
    #[track_caller]
    pub(crate) fn task_group<'env, T, E, F, Fut>(
        self,
        body: F,
    ) -> impl Future<Output = Result<T, GroupError<E>>>
    where
        E: Send + 'static,
        F: FnOnce(ScopedGroup<'env, B, E>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        anyrt_core::scoped_group::<B, T, E, F, Fut>(body)
    }

    pub(crate) fn group_options<E: Send + 'static>(self) -> ScopedOptions<B, E> {
        ScopedOptions(GroupOptions::new())
    }
}

impl<B: Backend, K> Rt<B, K> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }

    /// For groups whose children outlive them when they are dropped from outside.
    pub(crate) fn parallel(self) -> Rt<B, Parallel> {
        Rt::new()
    }

    /// A short time: long enough for timers to tell apart, short enough to wait for.
    pub(crate) fn tick(self) -> Duration {
        Duration::from_millis(5)
    }

    /// A time that no promise waits for.
    pub(crate) fn hour(self) -> Duration {
        Duration::from_secs(3600)
    }

    #[track_caller]
    pub(crate) fn on_exit(self, cleanup: impl Future<Output = ()> + Send + 'static) {
        anyrt_core::on_exit::<B>(cleanup);
    }

    pub(crate) fn scope(self) -> CancelScope<B> {
        CancelScope::new()
    }

    /// A scope that is cancelled before anything runs in it.
    pub(crate) fn cancelled<F: Future>(self, body: F) -> Run<B, F> {
        let scope = CancelScope::new();
        scope.cancel();
        scope.run(body)
    }

    #[track_caller]
    pub(crate) fn move_on_after<F: Future>(self, limit: Duration, body: F) -> MoveOn<B, F> {
        anyrt_core::move_on_after(limit, body)
    }

    #[track_caller]
    pub(crate) fn fail_after<F: Future>(self, limit: Duration, body: F) -> FailAt<B, F> {
        anyrt_core::fail_after(limit, body)
    }

    #[track_caller]
    pub(crate) fn sleep(self, duration: Duration) -> Sleep<B> {
        anyrt_core::sleep(duration)
    }

    #[track_caller]
    pub(crate) fn move_on_at<F: Future>(self, deadline: Instant, body: F) -> MoveOn<B, F> {
        anyrt_core::move_on_at(deadline, body)
    }

    #[track_caller]
    pub(crate) fn fail_at<F: Future>(self, deadline: Instant, body: F) -> FailAt<B, F> {
        anyrt_core::fail_at(deadline, body)
    }

    #[track_caller]
    pub(crate) fn sleep_until(self, at: Instant) -> Sleep<B> {
        anyrt_core::sleep_until(at)
    }

    #[track_caller]
    pub(crate) fn effective_deadline(self) -> Option<Instant> {
        anyrt_core::current_effective_deadline::<B>()
    }

    #[track_caller]
    pub(crate) fn now(self) -> Instant {
        anyrt_core::now::<B>()
    }

    #[track_caller]
    pub(crate) fn to_thread<T, F>(self, call: F) -> ToThread<B, T, F>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        anyrt_core::to_thread(call)
    }

    pub(crate) fn block_on<F: Future>(self, future: F) -> Result<F::Output, FromThreadError> {
        from_thread::block_on::<B, F>(future)
    }

    pub(crate) fn check_cancelled(self) -> Result<(), FromThreadError> {
        from_thread::check_cancelled::<B>()
    }

    #[track_caller]
    pub(crate) fn iterate<I>(self, iterator: I) -> Iterate<B, I>
    where
        I: Iterator + Send + 'static,
        I::Item: Send + 'static,
    {
        anyrt_core::iterate_in_thread(iterator)
    }

    /// Waits a moment for threads, also where time is virtual.
    pub(crate) async fn sleep_really(self) {
        std::thread::sleep(Duration::from_micros(100));
        anyrt_core::checkpoint().await;
    }

    #[track_caller]
    pub(crate) fn portal(self) -> Portal<B> {
        anyrt_core::portal()
    }

    /// Gives way `times` times.
    pub(crate) async fn yields(self, times: usize) {
        for _ in 0..times {
            anyrt_core::checkpoint().await;
        }
    }
}
