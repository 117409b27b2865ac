//! The way into a group for threads that no runtime knows: what a portal and its tasks have in common.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::thread::{self, ThreadId};

use crate::abroad::Abroad;
use crate::backend::Backend;
use crate::guest::Guest;
use crate::home::Home;
use crate::parcel::{Packed, Parcel};
use crate::place;
use crate::reason::{Reason, Stopped};
use crate::scope::CancelScope;
use crate::spawn::TaskGroup;
use crate::task::Task;
use crate::tree::{Node, Role};
use crate::worker;

/// Why a call through a portal gave no value.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// use anyrt_core::{PortalClosed, portal, run};
///
/// let portal = run(&Sim::default(), async { portal::<Sim>() });
/// assert_eq!(portal.call(async { 7 }), Err(PortalClosed::RunEnded));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortalClosed {
    /// The group of the portal has ended, before the call or during it.
    Closed,
    /// The run that the portal leads into has ended, before the call or during it.
    RunEnded,
    /// The call was cancelled before it was done, as its group was.
    Cancelled(Reason),
    /// The call would have blocked a thread on which futures are polled. Nothing was started.
    OwnThread,
    /// The future ended without having said that it is ready.
    NotStarted,
}

impl fmt::Display for PortalClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the group of the portal has ended"),
            Self::RunEnded => f.write_str("the run of the portal has ended"),
            Self::Cancelled(reason) => write!(f, "the call was cancelled: {reason}"),
            Self::OwnThread => f.write_str(
                "a call through a portal blocks, and futures are polled on this thread; use `call_async`",
            ),
            Self::NotStarted => f.write_str("the future ended without calling `Started::set`"),
        }
    }
}

impl Error for PortalClosed {}

/// A group as its portals see it.
#[derive(Clone)]
pub(crate) struct Door<B> {
    /// Its errors are of no concern here: what comes through a portal has none.
    group: TaskGroup<B, Infallible>,
    /// Its daemons, unless it had ended before this door was made. They are there from then on, so that a call need not
    /// keep the group open while it comes in: many calls at once would keep it from ever finding itself empty.
    daemons: Option<TaskGroup<B, Infallible>>,
    is_of_run: bool,
    /// If somebody was polled there, one of the threads of the runtime, and perhaps the only one.
    made_on: ThreadId,
}

impl<B: Backend> Door<B> {
    /// The door of the group with this children node.
    pub(crate) fn of(children: Arc<Node>) -> Self {
        let outermost = children.home.as_ref().map(|home| home.shared.outermost());
        let is_of_run = outermost
            .is_none_or(|run| run.is_none_or(|run: Arc<Node>| Arc::ptr_eq(&run, &children)));
        let open = Guest::of_open(&children);
        let daemons = open.map(|_open| TaskGroup::of(children.daemons_or_self(), ()));
        Self {
            group: TaskGroup::of(children, ()),
            daemons,
            is_of_run,
            made_on: thread::current().id(),
        }
    }

    /// The door of the outermost group at this place.
    pub(crate) fn of_run() -> Option<Self> {
        let home = place::look(|node| node.home.clone()).flatten()?;
        home.shared.backend::<B>()?;
        let closed = || Node::new(Role::Children, None);
        Some(Self::of(home.shared.outermost().unwrap_or_else(closed)))
    }

    fn home(&self) -> Option<&Arc<Home>> {
        self.group.scope().node().home.as_ref()
    }

    /// What the group runs on; `None` if it had ended before this door was made.
    pub(crate) fn backend(&self) -> Option<&B> {
        self.home()?.shared.backend()
    }

    /// Whether the group has ended, or waits for nothing but its daemons, which have been cancelled.
    pub(crate) fn is_closed(&self) -> bool {
        let is_ending = self
            .daemons
            .as_ref()
            .is_none_or(|daemons| daemons.scope().node().is_cancelled());
        is_ending || self.home().is_none_or(|home| home.tally.is_closed())
    }

    /// Whether to wait on this thread would block what is waited for.
    pub(crate) fn is_own_thread(&self) -> bool {
        // A future that is not ours may be polled on the only thread of the runtime. A thread that runs a call is none of
        // those, and may have made the portal itself.
        let is_made_here = || thread::current().id() == self.made_on;
        let runs_a_call = || worker::current().is_some();
        place::is_inside() || (is_made_here() && B::in_sight().is_some() && !runs_a_call())
    }

    /// To be kept by who waits without blocking, as long as that waits.
    pub(crate) fn abroad(&self) -> Option<Abroad<B>> {
        Abroad::in_the_run_of(self.home()?)
    }

    pub(crate) fn closed(&self) -> PortalClosed {
        if self.is_of_run {
            PortalClosed::RunEnded
        } else {
            PortalClosed::Closed
        }
    }

    /// Why a task that ended so gave no value.
    pub(crate) fn why(&self, stopped: Stopped) -> PortalClosed {
        match stopped {
            Stopped::Closed | Stopped::Cancelled(Reason::Done) => self.closed(),
            Stopped::Cancelled(reason) => PortalClosed::Cancelled(reason),
            Stopped::RuntimeEnded => PortalClosed::RunEnded,
            // The panic of what no parcel holds is the group's.
            Stopped::Failed | Stopped::Panicked => {
                PortalClosed::Cancelled(Reason::ChildFailed(None))
            }
        }
    }

    pub(crate) fn daemons(&self) -> Option<TaskGroup<B, Infallible>> {
        self.daemons.clone()
    }

    /// Starts `future` in `scope`. As a daemon, so that the group does not wait for it, but cancels it in the end.
    pub(crate) fn start<F>(
        &self,
        scope: &CancelScope<B>,
        future: F,
        caller: &'static Location<'static>,
    ) -> Task<B, Parcel<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let run = Packed::new(scope.run(future));
        let Some(daemons) = self.daemons.as_ref().filter(|_| !self.is_closed()) else {
            return self.group.closed(caller);
        };
        daemons
            .try_spawn(async { Ok(run.await) })
            // It is looking whether it can end, or was given up.
            .or_else(|task| self.group.try_spawn_daemon(task, caller))
            .unwrap_or_else(|_| self.group.closed(caller))
    }
}
