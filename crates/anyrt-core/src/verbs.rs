//! The verbs of a group's handle, which are the same for children in tasks of their own, for borrowing children,
//! and for those that stay on their thread.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use crate::attempt::Attempt;
use crate::backend::Backend;
use crate::child::{Child, next_number};
use crate::delivery::{Delivery, Spawned};
use crate::extras::Extras;
use crate::guest::{Arrival, Guest};
use crate::hold::Hold;
use crate::nest::Nesting;
use crate::nested::Nested;
use crate::place::{self, Place};
use crate::slot::{Slot, slot};
use crate::spawn::{LocalGroup, ScopedGroup, TaskGroup, home_of};
use crate::start::{Start, StartError};
use crate::started::{Handshake, Started};
use crate::task::{ScopedTask, Task, TaskOf};
use crate::tree::Node;

/// Writes the verbs for one kind of group. A macro, since only the bounds on what is spawned differ, and bounds cannot
/// be a parameter without making every message about a child that is not `Send` unreadable.
macro_rules! verbs {
    ([$($env:lifetime)?] $group:ty, $task:ident, $house:ident($($pin:expr)?), $($bound:tt)+) => {
        impl<$($env,)? B: Backend, E: Send + 'static> $group {
            /// Starts `child` as a task of this group, and never waits.
            ///
            /// The child is polled at least once, also in a group that is being cancelled. If the group has ended, the
            /// future is dropped and the handle's `outcome()` is `Stopped::Closed`. May be called from any thread. The child
            /// inherits the [task-locals](crate::TaskLocal) that are set where it is spawned.
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
            pub fn spawn<T>(&self, child: impl Future<Output = Result<T, E>> + $($bound)+) -> $task<B, T>
            where
                T: $($bound)+,
            {
                self.spawn_or_close(None, child)
            }

            /// Starts `child` under a name, which is told when it fails; otherwise as [`spawn`](Self::spawn).
            ///
            /// With the feature `tracing` it runs in a span `task` with this name.
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
                child: impl Future<Output = Result<T, E>> + $($bound)+,
            ) -> $task<B, T>
            where
                T: $($bound)+,
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
            pub fn try_spawn<T, F>(&self, child: F) -> Result<$task<B, T>, F>
            where
                T: $($bound)+,
                F: Future<Output = Result<T, E>> + $($bound)+,
            {
                let children = self.scope().node();
                self.spawn_at(children, self.extras(None), child, Location::caller())
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
            /// If it is dropped while it waits, `child` never runs. As long as it waits, those behind it wait, too: it is not
            /// to be kept without being polled.
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
            #[expect(clippy::async_yields_async, reason = "the handle is what it is to give")]
            pub fn spawn_when_free<T>(
                &self,
                child: impl Future<Output = Result<T, E>> + $($bound)+,
            ) -> impl Future<Output = $task<B, T>>
            where
                T: $($bound)+,
            {
                let caller = Location::caller();
                async move {
                    let extras = Extras::new(self.turn().await, None);
                    self.spawn_at(self.scope().node(), extras, child, caller)
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
                child: impl Future<Output = Result<(), E>> + $($bound)+,
            ) -> $task<B, ()> {
                let caller = Location::caller();
                self.try_spawn_daemon(child, caller)
                    .unwrap_or_else(|_| self.closed(caller))
            }

            /// Starts a daemon, which may have a value, or gives it back if the group has ended.
            pub(crate) fn try_spawn_daemon<T, F>(
                &self,
                child: F,
                caller: &'static Location<'static>,
            ) -> Result<$task<B, T>, F>
            where
                T: $($bound)+,
                F: Future<Output = Result<T, E>> + $($bound)+,
            {
                // So that the group cannot end under way.
                let Some(_open) = Guest::of_open(self.scope().node()) else {
                    return Err(child);
                };
                let mut child = child;
                loop {
                    let daemons = self.scope().node().daemons_or_self();
                    match self.spawn_at(&daemons, Extras::default(), child, caller) {
                        Ok(task) => return Ok(task),
                        // The group is just looking whether it can end. It finds that it cannot, and opens again.
                        Err(back) => child = back,
                    }
                    std::thread::yield_now();
                }
            }

            /// Starts a child, waits until it says that it is ready, and gives what it says along with its handle.
            ///
            /// Until the child calls [`Started::set`] it belongs to the caller: its error and its panic come out here, and a
            /// cancellation of the caller, not one of the group, cancels it. After that it belongs to the group like any other
            /// child. The group stays open meanwhile; the scopes around the caller stay in memory until the child ends. In a
            /// group with a [limit](crate::GroupOptions::limit) it waits for its
            /// turn first. This is trio's `nursery.start`.
            ///
            /// # Cancel safety
            ///
            /// A cancelled `start` waits until the child has ended. If code that knows nothing of scopes drops it, the child is
            /// cancelled, and the enclosing group waits for it; a child that is ready is left to the group.
            ///
            /// # Errors
            ///
            /// [`StartError`] if the child ended before it was ready, or the group has ended.
            ///
            /// # Panics
            ///
            /// If the child panics before it is ready, its panic is resumed here. Panics when the runtime ends before that, and
            /// when polled on after its end, or after the end of a scope that had cut it.
            ///
            /// # Examples
            ///
            /// ```
            /// # use anyrt_sim::Sim;
            /// # use anyrt_core::Started;
            /// # anyrt_core::run(&Sim::default(), async {
            /// let group = anyrt_core::task_group::<Sim, _, (), _, _>(async |g| {
            ///     let (port, server) = g
            ///         .start(async |started: Started<u16>| {
            ///             // .. bind, which may fail ..
            ///             started.set(8080);
            ///             // .. serve, until the group has enough ..
            ///             Ok("served")
            ///         })
            ///         .await
            ///         .unwrap();
            ///     assert_eq!(port, 8080);
            ///     Ok(server.await)
            /// });
            /// assert_eq!(group.await, Ok("served"));
            /// # });
            /// ```
            #[track_caller]
            pub fn start<R, T, F, Fut>(
                &self,
                child: F,
            ) -> impl Future<Output = Result<(R, $task<B, T>), StartError<E>>>
            where
                R: $($bound)+,
                T: $($bound)+,
                F: FnOnce(Started<R>) -> Fut,
                Fut: Future<Output = Result<T, E>> + $($bound)+,
            {
                let caller = Location::caller();
                async move {
                    let children = self.scope().node();
                    let Some(arrival) = Arrival::new(children) else {
                        return Err(StartError::Closed);
                    };
                    let extras = Extras::new(self.turn().await, None);
                    let place = place::node();
                    let root = arrival.root.clone();
                    let handshake = Handshake::new(root.clone(), place.as_ref());
                    let child = child(Started::new(handshake.clone()));
                    let attempt = Attempt::new(handshake.clone(), child);
                    handshake.count_with_caller(place.as_ref());
                    arrival.hand_over();
                    let task = self.launch(children, Place::At(root), extras, attempt, caller);
                    let mut start = Start {
                        handshake: Some(handshake),
                        hold: place.clone().map(Hold::on),
                        place,
                        caller,
                        child: task.id(),
                        is_dropped_with_group: $task::<B, T>::IS_DROPPED_WITH_GROUP,
                    };
                    let value = std::future::poll_fn(|cx| start.poll(cx)).await?;
                    Ok((value, task))
                }
            }

            #[track_caller]
            fn spawn_or_close<T, F>(&self, name: Option<Arc<str>>, child: F) -> $task<B, T>
            where
                T: $($bound)+,
                F: Future<Output = Result<T, E>> + $($bound)+,
            {
                let caller = Location::caller();
                self.spawn_at(self.scope().node(), self.extras(name), child, caller)
                    .unwrap_or_else(|_| self.closed(caller))
            }

            fn spawn_at<T, F>(
                &self,
                children: &Arc<Node>,
                extras: Extras,
                child: F,
                caller: &'static Location<'static>,
            ) -> Result<$task<B, T>, F>
            where
                T: $($bound)+,
                F: Future<Output = Result<T, E>> + $($bound)+,
            {
                if !home_of(children).tally.join() {
                    return Err(child);
                }
                let seat = Place::Seat(children.clone());
                Ok(self.launch(children, seat, extras, child, caller))
            }

            /// Starts a child that the group with this children node has counted in: at a seat of it, or at a root below.
            fn launch<T, F>(
                &self,
                children: &Arc<Node>,
                place: Place,
                extras: Extras,
                child: F,
                caller: &'static Location<'static>,
            ) -> $task<B, T>
            where
                T: $($bound)+,
                F: Future<Output = Result<T, E>> + $($bound)+,
            {
                let number = next_number();
                children.child_begins(number, || extras.name().as_deref(), Some(caller));
                let child = Child::new(place, extras, number, child);
                let handle = $house(self.spawner(), children, child $(, $pin)?);
                TaskOf::new(handle, children.clone(), number, caller)
            }

            /// The handle of a child that came too late.
            pub(crate) fn closed<T: $($bound)+>(&self, caller: &'static Location<'static>) -> $task<B, T> {
                TaskOf::new(None, self.scope().node().clone(), 0, caller)
            }
        }
    };
}

verbs!([] TaskGroup<B, E>, Task, on_runtime(), Send + 'static);
verbs!(['env] ScopedGroup<'env, B, E>, ScopedTask, in_one_task(|child| Box::pin(child)), Send + 'env);
verbs!(['env] LocalGroup<'env, B, E>, ScopedTask, in_one_task(|child| Box::pin(child)), 'env);

/// Starts a child as a task of the runtime.
#[inline]
fn on_runtime<B, F, T, E>((): &(), children: &Node, child: Child<F, T, E>) -> Option<Spawned<B, T>>
where
    B: Backend,
    T: Send + 'static,
    Child<F, T, E>: Future<Output = Delivery<T>> + Send + 'static,
{
    Some(Spawned::new(home_of(children).backend::<B>().spawn(child)))
}

/// Starts a child in the task of its group.
#[inline]
fn in_one_task<F, T, E, C>(
    nest: &Nesting<C>,
    _: &Node,
    child: Child<F, T, E>,
    pin: impl FnOnce(Nested<F, T, E>) -> C,
) -> Option<Slot<T>>
where
    Child<F, T, E>: Future<Output = Delivery<T>>,
{
    let number = child.number();
    let (filler, slot) = slot();
    let is_in = nest.push(number, pin(Nested::new(child, filler)));
    is_in.then_some(slot)
}
