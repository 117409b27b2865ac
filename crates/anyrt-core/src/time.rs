//! Time on the backend's clock, and the two plain waits: until an instant, and for one turn.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::backend::Backend;
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
    place::backend::<B>().now()
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
    let backend = place::backend::<B>();
    let until = backend.now().checked_add(duration);
    Sleep::new(backend, until)
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
    Sleep::new(place::backend::<B>(), Some(at))
}

pin_project! {
    /// The future of [`sleep`] and [`sleep_until`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Sleep<B: Backend> {
        backend: B,
        // `None` is never.
        until: Option<Instant>,
        turn: Checkpoint,
        #[pin]
        timer: Option<B::Sleep>,
    }
}

impl<B: Backend> Sleep<B> {
    fn new(backend: B, until: Option<Instant>) -> Self {
        Self {
            backend,
            until,
            turn: checkpoint(),
            timer: None,
        }
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
        if this.timer.is_none() {
            // Runtimes round their timers up, so what has passed already is not given to them.
            if until <= this.backend.now() {
                return Pin::new(this.turn).poll(cx);
            }
            this.timer.set(Some(this.backend.sleep_until(until)));
        }
        let polled = match this.timer.as_mut().as_pin_mut() {
            Some(timer) => timer.poll(cx),
            None => Poll::Pending,
        };
        if polled.is_pending() {
            waits(|| Wait::Until(Some(until)));
        }
        polled
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
    let now = place::backend::<B>().now();
    place::look(|node| node.effective_deadline(now)).flatten()
}
