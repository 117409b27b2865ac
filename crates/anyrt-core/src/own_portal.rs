//! Portals into runs of their own, for programs that are not async.

use std::fmt::{self, Display};
use std::panic::Location;
use std::sync::{Arc, Mutex, Weak};

use crate::backend::Backend;
use crate::door::Door;
use crate::keeper::Keeper;
use crate::lock::lock;
use crate::portal::Portal;

/// Starts a run of `backend` on a thread of its own, and gives the portal that leads into it.
///
/// For programs whose `main` is not async. The clones of the portal are the users of the run, also those that its own
/// tasks own; they take [`portal`](crate::portal) instead. When the last one is dropped, what is pending is cancelled, and
/// the run ends. The thread that started it waits for that end, unless futures are polled on it; other threads do not.
///
/// # Panics
///
/// If there is no such backend, and if its runtime or the thread cannot be started.
///
/// # Backends
///
/// On the simulator, virtual time moves on only while somebody waits for a call or a task of the portal.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// let portal = anyrt_core::start_portal::<Sim>("sim");
/// assert_eq!(portal.call(async { 20 + 22 }), Ok(42));
/// ```
#[track_caller]
pub fn start_portal<B: Backend>(backend: impl TryInto<B, Error: Display>) -> Portal<B> {
    let (keeper, door) = Keeper::start(chosen(backend), Location::caller());
    Portal::new(door, Some(Arc::new(keeper)))
}

#[track_caller]
fn chosen<B>(backend: impl TryInto<B, Error: Display>) -> B {
    match backend.try_into() {
        Ok(backend) => backend,
        Err(error) => panic!("anyrt: {error}"),
    }
}

/// Starts a run on a thread of its own when somebody needs one, and shares it as long as somebody does.
///
/// For libraries with a blocking face: each call takes a [`portal`](Self::portal), and there is one thread however many
/// do so at once. This is anyio's `BlockingPortalProvider`. Clones share the run.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// let provider = anyrt_core::PortalProvider::<Sim>::new("sim");
/// let (one, other) = (provider.portal(), provider.portal()); // one thread
/// assert_eq!(one.call(async { 20 }).unwrap() + other.call(async { 22 }).unwrap(), 42);
/// drop((one, other)); // the thread ends
/// assert_eq!(provider.portal().call(async { 7 }), Ok(7)); // another thread
/// ```
#[derive(Clone)]
pub struct PortalProvider<B> {
    backend: B,
    running: Arc<Mutex<Option<Running<B>>>>,
}

struct Running<B> {
    keeper: Weak<Keeper>,
    door: Door<B>,
}

impl<B: Backend> PortalProvider<B> {
    /// A provider of portals into runs of `backend`. It starts nothing yet.
    ///
    /// # Panics
    ///
    /// If there is no such backend.
    #[track_caller]
    pub fn new(backend: impl TryInto<B, Error: Display>) -> Self {
        Self {
            backend: chosen(backend),
            running: Arc::default(),
        }
    }

    /// A portal into the run that is going on, or else into a new one; as by [`start_portal`].
    ///
    /// # Panics
    ///
    /// If the runtime or the thread cannot be started.
    #[track_caller]
    pub fn portal(&self) -> Portal<B> {
        let caller = Location::caller();
        // Those who come while it is being started wait, so that there is one.
        let mut running = lock(&self.running);
        let shared = running.as_ref().and_then(Running::share);
        shared.unwrap_or_else(|| {
            let (keeper, door) = Keeper::start(self.backend.clone(), caller);
            let keeper = Arc::new(keeper);
            *running = Some(Running {
                keeper: Arc::downgrade(&keeper),
                door: door.clone(),
            });
            Portal::new(door, Some(keeper))
        })
    }
}

impl<B: Backend> Running<B> {
    /// A further user, unless the run has ended or is about to.
    fn share(&self) -> Option<Portal<B>> {
        let keeper = self.keeper.upgrade().filter(|_| !self.door.is_closed())?;
        Some(Portal::new(self.door.clone(), Some(keeper)))
    }
}

impl<B: Backend> fmt::Debug for PortalProvider<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalProvider")
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}
