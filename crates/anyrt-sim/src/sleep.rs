//! The future that waits for an instant of virtual time.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::clock::TimerKey;
use crate::simulation::{Phase, Simulation};

/// Waits until the clock of a simulation has reached an instant.
///
/// It comes from [`sleep_until`](anyrt_core::Backend::sleep_until) and may be polled on any thread. Of
/// several that are due at the same instant, the one created first is woken first; who goes on first is
/// then chosen by the seed, as always. A simulation that has ended has no more time to come, so what has
/// not been reached by then is never ready.
///
/// # Cancel safety
///
/// Nothing is lost: dropping it takes the timer back, and the clock does not stop at its instant.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt_core::Backend;
/// use anyrt_sim::{Sim, Sleep};
///
/// Sim::default().run(async {
///     let sim = Sim::current().unwrap();
///     let noon = sim.now() + Duration::from_secs(12 * 3600);
///     let sleep: Sleep = sim.sleep_until(noon);
///     sleep.await;
///     assert_eq!(sim.now(), noon);
/// });
/// ```
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Sleep {
    simulation: Arc<Simulation>,
    at: Instant,
    key: TimerKey,
    is_armed: bool,
}

impl Sleep {
    pub(crate) fn new(simulation: Arc<Simulation>, at: Instant) -> Self {
        let key = simulation.lock().clock.key(at);
        Self {
            simulation,
            at,
            key,
            is_armed: false,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // A waker is user code: cloned before the lock is taken, and what is replaced is dropped after it.
        let waker = cx.waker().clone();
        let mut state = self.simulation.lock();
        if state.clock.is_due(self.key) {
            return Poll::Ready(());
        }
        if state.phase == Phase::Ended {
            return Poll::Pending;
        }
        let replaced = state.clock.arm(self.key, waker);
        drop(state);
        drop(replaced);
        self.is_armed = true;
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if self.is_armed {
            let waker = self.simulation.lock().clock.disarm(self.key);
            drop(waker);
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
