//! Portals: the way from threads that no runtime knows into a run.

use std::fmt;
use std::future::{Future, pending};
use std::panic::{Location, resume_unwind};
use std::sync::Arc;

use crate::backend::Backend;
use crate::door::{Door, PortalClosed};
use crate::keeper::Keeper;
use crate::portal_call::Calling;
use crate::portal_task::{Ended, PortalTask};
use crate::spawn::TaskGroup;

/// A handle by which any thread, also one that no runtime knows, runs futures in a group of a run.
///
/// [`portal`] gives the one of a run, [`TaskGroup::portal`] the one of a group, and
/// [`start_portal`](crate::start_portal) starts a run for it. Clones lead to the same group.
///
/// What comes through a portal belongs to its group, like a daemon: the group does not wait for it, but cancels it when
/// the body and the children have ended, and returns when it has ended. So nothing outlives the group, and a portal that
/// somebody keeps does not keep the group open. An error is a value like any other, and a panic goes to the caller; neither
/// cancels the group. After the end a portal gives errors. This is anyio's `BlockingPortal`.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # anyrt_core::run(&Sim::default(), async {
/// let portal = anyrt_core::portal::<Sim>();
/// let work = anyrt_core::to_thread::<Sim, _, _>(move || {
///     // .. a library that calls back, and knows nothing of async ..
///     portal.call(async { 40 }).map(|value| value + 2)
/// });
/// assert_eq!(work.await, Ok(42));
/// # });
/// ```
#[must_use = "a portal does nothing by itself"]
pub struct Portal<B> {
    door: Door<B>,
    keeper: Option<Arc<Keeper>>,
}

/// The portal of the run at this place: of its outermost group.
///
/// # Panics
///
/// If there is no run or group of this crate at this place. In a runtime that you have started yourself, open a
/// group first.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// let portal = anyrt_core::run(&Sim::default(), async {
///     let portal = anyrt_core::portal::<Sim>();
///     assert_eq!(portal.call_async(async { 7 }).await, Ok(7));
///     portal
/// });
/// assert!(portal.call(async { 7 }).is_err());
/// ```
#[track_caller]
pub fn portal<B: Backend>() -> Portal<B> {
    match Door::of_run() {
        Some(door) => Portal::new(door, None),
        None => panic!("anyrt: a portal needs a run or a group at this place, which it leads into"),
    }
}

impl<B: Backend, E> TaskGroup<B, E> {
    /// The portal of this group.
    ///
    /// The group's limit is not for what comes through it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{PortalClosed, task_group};
    /// # anyrt_core::run(&Sim::default(), async {
    /// let group = task_group::<Sim, _, (), _, _>(async |g| {
    ///     let portal = g.portal();
    ///     assert_eq!(portal.call_async(async { 7 }).await, Ok(7));
    ///     Ok(portal)
    /// });
    /// let portal = group.await.unwrap();
    /// assert_eq!(portal.call_async(async { 7 }).await, Err(PortalClosed::Closed));
    /// # });
    /// ```
    pub fn portal(&self) -> Portal<B> {
        Portal::new(Door::of(self.scope().node().clone()), None)
    }
}

impl<B: Backend> Portal<B> {
    pub(crate) fn door(&self) -> &Door<B> {
        &self.door
    }

    pub(crate) fn new(door: Door<B>, keeper: Option<Arc<Keeper>>) -> Self {
        Self { door, keeper }
    }

    /// Runs `future` in the group of the portal, and blocks until it has ended.
    ///
    /// Nothing else ends the wait. In a closure of [`to_thread`](crate::to_thread) there is
    /// [`from_thread::block_on`](crate::from_thread::block_on), which hears when the caller is cancelled.
    ///
    /// # Errors
    ///
    /// [`PortalClosed`], which says why there is no value. On a thread on which futures are polled it is an error at
    /// once, since blocking there may keep `future` itself from going on; there is [`call_async`](Self::call_async).
    /// On a multi-threaded runtime, a thread that polls futures of another crate is not always recognised; on tokio's,
    /// `tokio::task::block_in_place` makes room there.
    ///
    /// # Panics
    ///
    /// If `future` panics.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{sleep, start_portal};
    /// # use std::time::Duration;
    /// let portal = start_portal::<Sim>(Sim::default());
    /// let slept = portal.call(async {
    ///     sleep::<Sim>(Duration::from_secs(3600)).await;
    ///     "an hour of virtual time"
    /// });
    /// assert_eq!(slept, Ok("an hour of virtual time"));
    /// ```
    #[track_caller]
    pub fn call<F>(&self, future: F) -> Result<F::Output, PortalClosed>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.may_block()?;
        let mut task = self.spawn(future);
        match task.block(None) {
            Some(Ok(value)) => Ok(value),
            Some(Err(Ended::Stopped(stopped))) => Err(self.door.why(stopped)),
            Some(Err(Ended::Panicked(payload))) => resume_unwind(payload),
            None => unreachable!("it has waited without a limit"),
        }
    }

    /// Runs `future` in the group of the portal, and waits for it without blocking: from the tasks of any runtime.
    ///
    /// A cancellation of the caller cancels `future`, waits until it has ended, and is then delivered. In a cancelled
    /// scope `future` never runs.
    ///
    /// # Cancel safety
    ///
    /// If code that knows nothing of scopes drops the call, `future` is cancelled and ends in the group of the portal.
    ///
    /// # Errors
    ///
    /// [`PortalClosed`], which says why there is no value.
    ///
    /// # Panics
    ///
    /// If `future` panics.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{run, start_portal};
    /// let other = start_portal::<Sim>(Sim::default());
    /// assert_eq!(run(&Sim::default(), async {
    ///     let portal = anyrt_core::portal::<Sim>();
    ///     // .. a thread stands for the other run here, of which this one's virtual time knows nothing ..
    ///     let call = move || other.call(portal.call_async(async { 7 }));
    ///     anyrt_core::to_thread::<Sim, _, _>(call).await
    /// }), Ok(Ok(7)));
    /// ```
    #[track_caller]
    pub fn call_async<F>(
        &self,
        future: F,
    ) -> impl Future<Output = Result<F::Output, PortalClosed>> + Send + use<B, F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (portal, caller) = (self.clone(), Location::caller());
        async move {
            let start = |door: &Door<B>| PortalTask::new(door, future, caller);
            match Calling::begin(&portal.door, start) {
                Some(calling) => calling.await,
                None => pending().await,
            }
        }
    }

    /// Starts `future` in the group of the portal, and never waits.
    ///
    /// If the group has ended, `future` is dropped, and the handle says `Stopped::Closed`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// let portal = anyrt_core::start_portal::<Sim>(Sim::default());
    /// let tasks: Vec<_> = (0..10).map(|n| portal.spawn(async move { n })).collect();
    /// let sum: i32 = tasks.into_iter().map(|task| task.wait().unwrap()).sum();
    /// assert_eq!(sum, 45);
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> PortalTask<B, F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        PortalTask::new(&self.door, future, Location::caller())
    }

    /// Whether the group of the portal has ended, or all in it that it waits for.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{portal, run};
    /// let portal = run(&Sim::default(), async {
    ///     let portal = portal::<Sim>();
    ///     assert!(!portal.is_closed());
    ///     portal
    /// });
    /// assert!(portal.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.door.is_closed()
    }

    /// Whether this thread may block for what is behind the door.
    fn may_block(&self) -> Result<(), PortalClosed> {
        if self.is_closed() {
            Err(self.door.closed())
        } else if self.door.is_own_thread() {
            Err(PortalClosed::OwnThread)
        } else {
            Ok(())
        }
    }
}

impl<B: Backend> Clone for Portal<B> {
    fn clone(&self) -> Self {
        Self {
            door: self.door.clone(),
            keeper: self.keeper.clone(),
        }
    }
}

impl<B: Backend> fmt::Debug for Portal<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Portal")
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
