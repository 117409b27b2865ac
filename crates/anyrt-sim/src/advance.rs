//! The future that moves the clock by hand.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::clock::TimerKey;
use crate::simulation::Simulation;
use crate::sleep::Sleep;

/// Lets the clock of a simulation go on to an instant, and is ready when it has come there.
///
/// It comes from [`Sim::advance`](crate::Sim::advance).
///
/// # Cancel safety
///
/// Nothing is lost: the clock stays where it is by then.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Advance {
    simulation: Arc<Simulation>,
    sleep: Sleep,
    allowed: TimerKey,
}

impl Advance {
    pub(crate) fn new(simulation: Arc<Simulation>, to: Instant) -> Self {
        let sleep = Sleep::new(Arc::clone(&simulation), to);
        let mut state = simulation.lock();
        let allowed = state.clock.key(to);
        state.clock.allow(allowed);
        drop(state);
        Self {
            simulation,
            sleep,
            allowed,
        }
    }
}

impl Future for Advance {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.sleep).poll(cx)
    }
}

impl Drop for Advance {
    fn drop(&mut self) {
        self.simulation.lock().clock.allow_no_more(self.allowed);
    }
}

impl fmt::Debug for Advance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Advance").finish_non_exhaustive()
    }
}
