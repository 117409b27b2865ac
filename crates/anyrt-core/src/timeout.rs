//! Time limits around a future, in trio's four forms.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use std::{error, fmt};

use pin_project_lite::pin_project;

use crate::backend::Backend;
use crate::scoped::{Limit, Run};

/// Runs `body` for at most `limit`: gives its value, or `None` if the time was up.
///
/// The time counts from the first poll. What the limit interrupts has ended when this returns: it
/// waits for shields, groups and threads inside `body`. A value that is ready is never thrown away,
/// also with a limit of zero. A limit that overflows the clock is never.
///
/// # Cancel safety
///
/// Dropping the future drops the body.
///
/// # Panics
///
/// When polled where there is no runtime.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # use anyrt_sim::Sim;
/// # use anyrt_core::{move_on_after, sleep};
/// # anyrt_core::run(&Sim::default(), async {
/// let limit = Duration::from_secs(1);
/// assert_eq!(move_on_after::<Sim, _>(limit, async { 7 }).await, Some(7));
/// assert_eq!(move_on_after::<Sim, _>(limit, sleep::<Sim>(2 * limit)).await, None);
/// # });
/// ```
#[track_caller]
pub fn move_on_after<B: Backend, F: Future>(limit: Duration, body: F) -> MoveOn<B, F, F::Output> {
    MoveOn {
        run: Run::new(Limit::After(limit), None, body),
    }
}

/// Runs `body` until `deadline` at the latest; otherwise as [`move_on_after`].
#[track_caller]
pub fn move_on_at<B: Backend, F: Future>(deadline: Instant, body: F) -> MoveOn<B, F, F::Output> {
    MoveOn {
        run: Run::new(Limit::At(deadline), None, body),
    }
}

/// Runs `body` for at most `limit`, and fails if the time was up; otherwise as [`move_on_after`].
///
/// # Errors
///
/// `Elapsed`, only if this very limit interrupted the body. A body that finishes late without having
/// been interrupted has not failed.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # use anyrt_sim::Sim;
/// # use anyrt_core::{fail_after, sleep};
/// # anyrt_core::run(&Sim::default(), async {
/// let limit = Duration::from_secs(1);
/// assert!(fail_after::<Sim, _>(limit, sleep::<Sim>(2 * limit)).await.is_err());
/// # });
/// ```
#[track_caller]
pub fn fail_after<B: Backend, F: Future>(limit: Duration, body: F) -> FailAt<B, F, F::Output> {
    FailAt {
        run: Run::new(Limit::After(limit), None, body),
    }
}

/// Runs `body` until `deadline` at the latest, and fails then; otherwise as [`fail_after`].
///
/// # Errors
///
/// `Elapsed`, only if this very deadline interrupted the body.
#[track_caller]
pub fn fail_at<B: Backend, F: Future>(deadline: Instant, body: F) -> FailAt<B, F, F::Output> {
    FailAt {
        run: Run::new(Limit::At(deadline), None, body),
    }
}

/// The time limit of [`fail_after`] or [`fail_at`] has interrupted its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadline has elapsed")
    }
}

impl error::Error for Elapsed {}

impl From<Elapsed> for std::io::Error {
    fn from(elapsed: Elapsed) -> Self {
        Self::new(std::io::ErrorKind::TimedOut, elapsed)
    }
}

pin_project! {
    /// The future of [`move_on_after`] and [`move_on_at`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct MoveOn<B: Backend, F, T = <F as Future>::Output> {
        #[pin]
        run: Run<B, F, T>,
    }
}

impl<B: Backend, F: Future<Output = T>, T> Future for MoveOn<B, F, T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll(cx).map(Result::ok)
    }
}

pin_project! {
    /// The future of [`fail_after`] and [`fail_at`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct FailAt<B: Backend, F, T = <F as Future>::Output> {
        #[pin]
        run: Run<B, F, T>,
    }
}

impl<B: Backend, F: Future<Output = T>, T> Future for FailAt<B, F, T> {
    type Output = Result<T, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Nobody else has the handle of this scope, so only its deadline can have cancelled it.
        let result = ready!(self.project().run.poll(cx));
        Poll::Ready(result.map_err(|_| Elapsed(())))
    }
}
