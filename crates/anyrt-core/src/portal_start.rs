//! Starting something through a portal that says when it is ready.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

use crate::backend::Backend;
use crate::door::PortalClosed;
use crate::lock::lock;
use crate::parcel::{Packed, Parcel, Sent};
use crate::portal::Portal;
use crate::portal_task::PortalTask;
use crate::scope::CancelScope;
use crate::start::StartError;
use crate::started::Started;

impl<B: Backend> Portal<B> {
    /// Starts what `child` gives, blocks until it says that it is ready, and gives what it says along with its handle.
    ///
    /// As [`TaskGroup::start`](crate::TaskGroup::start); what is started belongs to the group of the portal, like all that
    /// comes through it.
    ///
    /// # Errors
    ///
    /// [`PortalClosed`], which says why there is no value; it is `NotStarted` if the future ended without calling
    /// [`Started::set`].
    ///
    /// # Panics
    ///
    /// If the future panics before it is ready.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{Started, Stopped, start_portal};
    /// let portal = start_portal::<Sim>(Sim::default());
    /// let server = portal.start(async |started: Started<u16>| {
    ///     // .. bind, which may fail ..
    ///     started.set(8080);
    ///     // .. serve, until somebody cancels it ..
    ///     std::future::pending::<()>().await
    /// });
    /// let (port, server) = server.unwrap();
    /// assert_eq!(port, 8080);
    /// server.cancel();
    /// assert!(matches!(server.wait(), Err(Stopped::Cancelled(_))));
    /// ```
    #[track_caller]
    pub fn start<R, F, Fut>(
        &self,
        child: F,
    ) -> Result<(R, PortalTask<B, Fut::Output>), PortalClosed>
    where
        R: Send + 'static,
        F: FnOnce(Started<R>) -> Fut + Send + 'static,
        Fut: Future<Output: Send + 'static> + Send + 'static,
    {
        let scope = CancelScope::new();
        let Some(group) = self.door().daemons() else {
            return Err(self.door().closed());
        };
        let inner = scope.clone();
        let starter = async move {
            let panic = Arc::new(Mutex::new(None));
            let aside = panic.clone();
            let attempt = group.start(|started| {
                let run = Packed::new(inner.run(child(started)));
                async move { Ok(set_aside(run.await, &aside)) }
            });
            match attempt.await {
                Ok(started) => Ok(started),
                Err(StartError::Closed) => Err(None),
                Err(StartError::NotStarted) => {
                    let parcel = lock(&panic).take();
                    match parcel.and_then(Parcel::open) {
                        Some(Sent::Panicked(payload)) => resume_unwind(payload),
                        _ => Err(Some(PortalClosed::NotStarted)),
                    }
                }
                Err(StartError::Failed(never)) => match never {},
            }
        };
        let (value, task) = self
            .call(starter)?
            .map_err(|error| error.unwrap_or_else(|| self.door().closed()))?;
        Ok((value, PortalTask::of(self.door(), task, scope)))
    }
}

/// A panic belongs to who starts it if it is not ready yet, and only the starter knows that.
fn set_aside<T>(parcel: Parcel<T>, aside: &Mutex<Option<Parcel<()>>>) -> Parcel<T> {
    Parcel::new(match parcel.open() {
        Some(Sent::Panicked(payload)) => {
            *lock(aside) = Some(Parcel::new(Sent::Panicked(payload)));
            Sent::Panicked(Box::new("it panicked, and was not awaited"))
        }
        Some(sent) => sent,
        None => unreachable!("a parcel is opened once"),
    })
}
