//! What a child's task puts out, and how it gets to the child's handle.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::backend::{Backend, Join};
use crate::guest::{fail, leave};
use crate::home::Failure;
use crate::reason::Stopped;
use crate::tree::Node;

/// What a child's task puts out: the outcome, and the duty to count it out should nobody take it.
pub struct Delivery<T> {
    outcome: Option<Result<T, Stopped>>,
    /// None if the output is not [counted](is_counted), or has been taken.
    children: Option<Arc<Node>>,
}

/// Whether a group waits until a value of this type has been dropped. Nobody can see that happen to one without a
/// destructor.
#[inline]
pub(crate) const fn is_counted<T>() -> bool {
    std::mem::needs_drop::<T>()
}

impl<T> fmt::Debug for Delivery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Delivery")
    }
}

impl<T> Delivery<T> {
    #[inline]
    pub(crate) fn new(outcome: Result<T, Stopped>, children: Arc<Node>) -> Self {
        Self {
            outcome: Some(outcome),
            children: Some(children).filter(|_| is_counted::<T>()),
        }
    }

    pub(crate) fn take(mut self) -> Result<T, Stopped> {
        self.children = None;
        self.outcome.take().unwrap_or(Err(Stopped::RuntimeEnded))
    }

    fn count_out(&mut self, children: &Arc<Node>) {
        // A runtime may abort on a panic here, and the panic belongs to the group.
        let dropped = catch_unwind(AssertUnwindSafe(|| self.outcome = None));
        if let Err(payload) = dropped {
            fail(children, &None, Failure::Panic(payload));
        }
        if let Some(home) = &children.home {
            leave(children, home.tally.output_dropped());
        }
    }
}

impl<T> Drop for Delivery<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(children) = self.children.take() {
            self.count_out(&children);
        }
    }
}

/// The way from a child's task to its handle.
pub trait Deliver<T>: Unpin {
    /// Whether a child is dropped with its group. Otherwise only the end of the runtime drops one.
    #[doc(hidden)]
    const IS_DROPPED_WITH_GROUP: bool;

    /// Gives what the child has put out, or `None` if the child was dropped before there was anything.
    #[doc(hidden)]
    fn poll_delivery(&mut self, cx: &mut Context<'_>) -> Poll<Option<Delivery<T>>>;

    /// Whether the child's task has ended.
    #[doc(hidden)]
    fn is_finished(&self) -> bool;
}

/// The runtime's own handle of a task.
pub struct Spawned<B: Backend, T: Send + 'static>(B::Task<Delivery<T>>);

impl<B: Backend, T: Send + 'static> Spawned<B, T> {
    pub(crate) fn new(handle: B::Task<Delivery<T>>) -> Self {
        Self(handle)
    }
}

impl<B: Backend, T: Send + 'static> fmt::Debug for Spawned<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spawned")
    }
}

impl<B: Backend, T: Send + 'static> Deliver<T> for Spawned<B, T> {
    const IS_DROPPED_WITH_GROUP: bool = false;

    fn poll_delivery(&mut self, cx: &mut Context<'_>) -> Poll<Option<Delivery<T>>> {
        Pin::new(&mut self.0).poll(cx)
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}
