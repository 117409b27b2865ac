//! The clock of the backend at this place, for types that do not name their backend.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use anyrt_core::Backend;

type Timer = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Asks the backend of the code that is running, at each call.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    now: fn() -> Option<Instant>,
    sleep_until: fn(Instant) -> Timer,
}

impl Clock {
    pub(crate) fn of<B: Backend>() -> Self {
        Self {
            now: || anyrt_core::find_backend::<B>().map(|backend| backend.now()),
            sleep_until: |at| Box::pin(anyrt_core::sleep_until::<B>(at)),
        }
    }

    /// The time; `None` where nothing runs, as in a destructor after the end.
    pub(crate) fn now(self) -> Option<Instant> {
        (self.now)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").finish_non_exhaustive()
    }
}

/// A timer that is armed for one instant at a time.
pub(crate) struct Alarm {
    clock: Clock,
    armed: Option<(Instant, Timer)>,
}

impl Alarm {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, armed: None }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Is ready when it is `at` or later.
    pub(crate) fn poll_until(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if self.clock.now().is_some_and(|now| at <= now) {
            self.armed = None;
            return Poll::Ready(());
        }
        let timer = match &mut self.armed {
            Some((armed_for, timer)) if *armed_for == at => timer,
            armed => &mut armed.insert((at, (self.clock.sleep_until)(at))).1,
        };
        let polled = timer.as_mut().poll(cx);
        if polled.is_ready() {
            self.armed = None;
        }
        polled
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let armed_for = self.armed.as_ref().map(|(at, _)| at);
        f.debug_struct("Alarm")
            .field("armed_for", &armed_for)
            .finish_non_exhaustive()
    }
}
