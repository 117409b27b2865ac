//! The timer behind a deadline.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;

use crate::backend::Backend;

pin_project! {
    pub(crate) struct Alarm<B: Backend> {
        set_to: Option<Instant>,
        #[pin]
        timer: Option<B::Sleep>,
    }
}

impl<B: Backend> Alarm<B> {
    pub(crate) fn new() -> Self {
        Self {
            set_to: None,
            timer: None,
        }
    }

    /// Whether the deadline has passed; otherwise arranges for a wake when it does.
    ///
    /// The clock decides, the timer only wakes.
    pub(crate) fn poll_passed(
        self: Pin<&mut Self>,
        deadline: Option<Instant>,
        backend: &B,
        cx: &mut Context<'_>,
    ) -> bool {
        let mut this = self.project();
        let Some(deadline) = deadline else {
            if this.timer.is_some() {
                this.timer.set(None);
            }
            return false;
        };
        loop {
            if deadline <= backend.now() {
                return true;
            }
            if *this.set_to != Some(deadline) || this.timer.is_none() {
                this.timer.set(Some(backend.sleep_until(deadline)));
                *this.set_to = Some(deadline);
            }
            match this.timer.as_mut().as_pin_mut().map(|timer| timer.poll(cx)) {
                Some(Poll::Ready(())) => this.timer.set(None),
                _ => return false,
            }
        }
    }
}

impl<B: Backend> fmt::Debug for Alarm<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm")
            .field("set_to", &self.set_to)
            .finish_non_exhaustive()
    }
}
