//! The handle that the body of a group gets: what is the same however the children run.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::backend::Backend;
use crate::extras::Extras;
use crate::home::Home;
use crate::limiter::Limiter;
use crate::nest::{LocalChild, Nesting, SendChild};
use crate::place::Place;
use crate::scope::CancelScope;
use crate::tree::Node;
use crate::turn::Turn;

/// Spawns children into a [`task_group`](crate::task_group); they are tasks of the runtime and run in parallel.
///
/// All that it does is at [`GroupOf`].
pub type TaskGroup<B, E> = GroupOf<B, E, ()>;

/// Spawns children into a [`scoped_group`](crate::scoped_group); they may borrow, and run in the task of the group.
///
/// All that it does is at [`GroupOf`].
pub type ScopedGroup<'env, B, E> = GroupOf<B, E, Nesting<SendChild<'env>>>;

/// Spawns children into a [`local_group`](crate::local_group); they may borrow and need not be `Send`.
///
/// All that it does is at [`GroupOf`].
pub type LocalGroup<'env, B, E> = GroupOf<B, E, Nesting<LocalChild<'env>>>;

/// Spawns children into a group, cancels them, and counts them.
///
/// A clone is the same group; children may own one and spawn siblings. Once the group has ended nothing can be
/// spawned into it any more. `S` is how children are spawned: [`TaskGroup`], [`ScopedGroup`] and [`LocalGroup`] have the
/// same verbs, and differ in what they ask of a child.
pub struct GroupOf<B, E, S> {
    /// Its node is the group's children node.
    scope: CancelScope<B>,
    spawner: S,
    errors: PhantomData<fn(E)>,
}

impl<B: Backend, E, S> GroupOf<B, E, S> {
    /// The group with this children node.
    pub(crate) fn of(children: Arc<Node>, spawner: S) -> Self {
        Self {
            scope: CancelScope::of(children, None),
            spawner,
            errors: PhantomData,
        }
    }

    pub(crate) fn spawner(&self) -> &S {
        &self.spawner
    }

    pub(crate) fn seat(&self) -> Place {
        Place::Seat(self.scope.node().clone())
    }

    /// What a child with this name has: if the group has a limit, a place in the queue of those that wait to run.
    #[inline]
    pub(crate) fn extras(&self, name: Option<Arc<str>>) -> Extras {
        match (self.limit_of_children(), name) {
            (None, None) => Extras::default(),
            (limit, name) => Extras::new(limit.map(Turn::of), name),
        }
    }

    /// Waits until one child more may run.
    pub(crate) async fn turn(&self) -> Option<Turn> {
        let permit = self.limit_of_children()?.acquire().await;
        Some(Turn::come(permit))
    }

    #[inline]
    fn limit_of_children(&self) -> Option<&Limiter> {
        self.home().policy.as_ref()?.limit.as_ref()
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

/// The ledger that a children node, of the daemons or of the others, belongs to.
#[inline]
pub(crate) fn home_of(children: &Node) -> &Home {
    match &children.home {
        Some(home) => home,
        None => unreachable!("the children node of a group has the group's home"),
    }
}

impl<B: Clone, E, S: Clone> Clone for GroupOf<B, E, S> {
    fn clone(&self) -> Self {
        Self {
            scope: self.scope.clone(),
            spawner: self.spawner.clone(),
            errors: PhantomData,
        }
    }
}

impl<B: Backend, E, S> fmt::Debug for GroupOf<B, E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("name", &self.name())
            .field("len", &self.len())
            .field("scope", &self.scope)
            .finish()
    }
}
