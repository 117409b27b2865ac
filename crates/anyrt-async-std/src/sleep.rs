//! The timer: async-io's, which async-std uses too; it works on every thread and as long as the process lives.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use async_io::Timer;

/// A future that is ready once an instant has been reached.
///
/// # Cancel safety
///
/// Dropping it takes the timer back; nothing is lost.
///
/// # Examples
///
/// ```
/// use anyrt_async_std::{AsyncStd, Sleep};
/// use anyrt_core::Backend;
/// use std::time::Duration;
///
/// let at = AsyncStd.now() + Duration::from_millis(1);
/// let sleep: Sleep = AsyncStd.sleep_until(at);
/// AsyncStd.run(sleep);
/// assert!(AsyncStd.now() >= at);
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Sleep(Timer);

impl Sleep {
    pub(crate) fn until(at: Instant) -> Self {
        Self(Timer::at(at))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}
