//! A child's turn in a group that bounds how many run at once.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::limiter::{Acquire, Permit};

pub(crate) enum Turn {
    Waiting(Acquire),
    /// The child may run, and others may not as long as this is there.
    Come {
        _permit: Permit,
    },
}

impl Turn {
    pub(crate) fn come(permit: Permit) -> Self {
        Self::Come { _permit: permit }
    }

    /// Whether the child may run; otherwise it is woken when it may.
    pub(crate) fn has_come(&mut self, cx: &mut Context<'_>) -> bool {
        if let Self::Waiting(wait) = self {
            match Pin::new(wait).poll(cx) {
                Poll::Ready(permit) => *self = Self::come(permit),
                Poll::Pending => return false,
            }
        }
        true
    }
}
