//! Starting a child and waiting until it is ready.

use std::error::Error;
use std::fmt;
use std::panic::{Location, resume_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::hold::Hold;
use crate::observe::{Id, Wait};
use crate::started::{AttemptEnd, Handshake, News};
use crate::tree::Node;
use crate::watch::waits;

/// Why a child could not be started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError<E> {
    /// The child failed before it was ready.
    Failed(E),
    /// The child ended without having said that it is ready.
    NotStarted,
    /// The group had ended before; the child never ran.
    Closed,
}

impl<E: fmt::Display> fmt::Display for StartError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "the child failed before it was ready: {error}"),
            Self::NotStarted => f.write_str("the child ended without calling `Started::set`"),
            Self::Closed => f.write_str("the group had ended before the child was started"),
        }
    }
}

impl<E: Error + 'static> Error for StartError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Its own text is in this one's already.
            Self::Failed(error) => error.source(),
            _ => None,
        }
    }
}

/// The caller's side, while it waits.
pub(crate) struct Start<R> {
    /// Gone when the child has started or ended.
    pub(crate) handshake: Option<Arc<Handshake<R>>>,
    pub(crate) place: Option<Arc<Node>>,
    pub(crate) hold: Option<Hold>,
    pub(crate) caller: &'static Location<'static>,
    /// What the child is called in events.
    pub(crate) child: Id,
    /// Whether the child is dropped with its group. Otherwise only the end of the runtime drops it.
    pub(crate) is_dropped_with_group: bool,
}

impl<R> Start<R> {
    pub(crate) fn poll<E: 'static>(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<R, StartError<E>>> {
        if let Some(handshake) = &self.handshake {
            let Some(news) = handshake.news(cx.waker()) else {
                waits(|| Wait::Ready(self.child));
                return Poll::Pending;
            };
            self.handshake = None;
            self.hold = None;
            match news {
                News::Started(value) => return Poll::Ready(Ok(value)),
                News::Ended(AttemptEnd::NotStarted) => {
                    return Poll::Ready(Err(StartError::NotStarted));
                }
                News::Ended(AttemptEnd::Lost) if self.is_dropped_with_group => {
                    return Poll::Ready(Err(StartError::NotStarted));
                }
                News::Ended(AttemptEnd::Failed(error)) => match error.downcast() {
                    Ok(error) => return Poll::Ready(Err(StartError::Failed(*error))),
                    Err(_) => unreachable!("a child fails with the error of its group"),
                },
                News::Ended(AttemptEnd::Panicked(payload)) => resume_unwind(payload),
                News::Ended(AttemptEnd::Lost) => panic!(
                    "anyrt: the runtime ended before the child of {} was ready",
                    self.caller
                ),
                News::Ended(AttemptEnd::Cut) => {}
            }
        }
        let is_cancelled = self
            .place
            .as_ref()
            .is_some_and(|place| place.is_surely_cancelled());
        assert!(
            is_cancelled,
            "anyrt: the start of {} was polled on after a scope that had cut it had ended",
            self.caller
        );
        Poll::Pending
    }
}

impl<R> Drop for Start<R> {
    fn drop(&mut self) {
        if let Some(handshake) = &self.handshake {
            handshake.lose_caller(self.place.as_ref());
        }
    }
}
