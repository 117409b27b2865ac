//! Time on the backend's clock, and the two plain waits: until an instant, and for one turn.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::backend::Backend;
use crate::here;
use crate::observe::Wait;
use crate::place;
use crate::watch::waits;

/// The time on the clock of the backend at this place.
///
/// # Panics
///
/// If there is no runtime at this place.
#[track_caller]
pub fn now<B: Backend>() -> Instant {
    here::ask_backend(B::now)
}

/// Waits for `duration`, counted from this call.
///
/// A duration that overflows the clock is never over. One of zero gives way to other tasks once.
///
/// # Cancel safety
///
/// Nothing is lost when it is dropped.
///
/// # Panics
///
/// If there is no runtime at this place.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # use anyrt_sim::Sim;
/// # anyrt_core::run(&Sim::default(), async {
/// let before = anyrt_core::now::<Sim>();
/// anyrt_core::sleep::<Sim>(Duration::from_secs(3600)).await; // virtual time
/// assert_eq!(anyrt_core::now::<Sim>() - before, Duration::from_secs(3600));
/// # });
/// ```
#[track_caller]
pub fn sleep<B: Backend>(duration: Duration) -> Sleep<B> {
    Sleep::begin(|now| now.checked_add(duration))
}

/// Waits until `at`; one that has passed gives way to other tasks once.
///
/// # Cancel safety
///
/// Nothing is lost when it is dropped.
///
/// # Panics
///
/// If there is no runtime at this place.
#[track_caller]
pub fn sleep_until<B: Backend>(at: Instant) -> Sleep<B> {
    Sleep::begin(|_| Some(at))
}

pin_project! {
    /// The future of [`sleep`] and [`sleep_until`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Sleep<B: Backend> {
        // `None` is never.
        until: Option<Instant>,
        // `None` if there is nothing to wait for, or no longer.
        #[pin]
        timer: Option<B::Sleep>,
        turn: Checkpoint,
    }
}

impl<B: Backend> Sleep<B> {
    /// Asks the clock once; where it is to end may depend on that.
    #[track_caller]
    fn begin(end: impl Fn(Instant) -> Option<Instant>) -> Self {
        let mut sleep = Self {
            until: None,
            timer: None,
            turn: checkpoint(),
        };
        // The timer is put where it stays. Given back through the closures it would be moved by each of them.
        here::ask_backend(|backend: &B| {
            let now = backend.now();
            sleep.until = end(now);
            // Runtimes round their timers up, so what has passed already is not given to them.
            let ahead = sleep.until.filter(|until| *until > now);
            sleep.timer = ahead.map(|until| backend.sleep_until(until));
        });
        sleep
    }
}

impl<B: Backend> Future for Sleep<B> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(until) = *this.until else {
            waits(|| Wait::Until(None));
            return Poll::Pending;
        };
        if let Some(timer) = this.timer.as_mut().as_pin_mut() {
            if timer.poll(cx).is_pending() {
                this.turn.given_way = true;
                waits(|| Wait::Until(Some(until)));
                return Poll::Pending;
            }
            this.timer.set(None);
        }
        // Has anybody else had a turn? Not if it was over when it was made, or by the first poll.
        Pin::new(this.turn).poll(cx)
    }
}

/// Gives way to other tasks once, and lets a cancellation be delivered.
///
/// This is trio's checkpoint: a loop that computes for a long time and awaits nothing else calls it
/// to stay cancellable.
///
/// # Examples
///
/// ```
/// # anyrt_core::run(&anyrt_sim::Sim::default(), async {
/// for block in [1, 2, 3] {
///     // .. compute ..
///     anyrt_core::checkpoint().await;
/// }
/// # });
/// ```
pub fn checkpoint() -> Checkpoint {
    Checkpoint { given_way: false }
}

/// The future of [`checkpoint`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Checkpoint {
    given_way: bool,
}

impl Future for Checkpoint {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.given_way, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The earliest deadline that applies here, up to the nearest shield; `None` if there is none.
///
/// Where the scope is cancelled already it is an instant that has passed. This is trio's function of
/// the same name; use it to hand a time limit on to something that wants a number.
///
/// # Panics
///
/// If there is no runtime at this place.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # use anyrt_sim::Sim;
/// # use anyrt_core::{current_effective_deadline, fail_after, now};
/// # anyrt_core::run(&Sim::default(), async {
/// let limit = Duration::from_secs(5);
/// let left = fail_after::<Sim, _>(limit, async {
///     current_effective_deadline::<Sim>().unwrap() - now::<Sim>()
/// });
/// assert_eq!(left.await, Ok(limit));
/// # });
/// ```
#[track_caller]
pub fn current_effective_deadline<B: Backend>() -> Option<Instant> {
    let now = here::ask_backend(B::now);
    place::look(|node| node.effective_deadline(now)).flatten()
}
