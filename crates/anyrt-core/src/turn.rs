//! A child's turn in a group that bounds how many run at once.

use std::task::Context;

use crate::limiter::{Acquire, Limiter, Permit};
use crate::observe::Wait;
use crate::watch::waits;

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

    /// A turn of this limiter: at once if there is one free, or else a place in its queue.
    pub(crate) fn of(limit: &Limiter) -> Self {
        match limit.enqueue() {
            Ok(permit) => Self::come(permit),
            Err(wait) => Self::Waiting(wait),
        }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting(_))
    }

    /// Whether the child may run; otherwise it is woken when it may.
    pub(crate) fn has_come(&mut self, cx: &mut Context<'_>) -> bool {
        if let Self::Waiting(wait) = self {
            match wait.poll_quietly(cx) {
                Ok(permit) => *self = Self::come(permit),
                Err(limit) => {
                    waits(|| Wait::Turn { limit });
                    return false;
                }
            }
        }
        true
    }
}
