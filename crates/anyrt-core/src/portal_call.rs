//! A call from the task of one run into another run.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::abroad::Abroad;
use crate::backend::Backend;
use crate::door::{Door, PortalClosed};
use crate::hold::Hold;
use crate::place;
use crate::portal_task::{Ended, PortalTask};
use crate::reason::Stopped;
use crate::tree::{Node, Role};
use crate::waker::WakerId;

/// The caller's side, once the call has begun. It holds the scopes around it, so that a cancellation waits for the
/// end of what was called.
pub(crate) struct Calling<B: Backend, T: Send + 'static> {
    task: PortalTask<B, T>,
    door: Door<B>,
    here: Option<Here>,
    abroad: Option<Abroad<B>>,
    has_ended: bool,
}

/// The place of the caller: a node of its own hears of a cancellation and wakes the call.
struct Here {
    node: Arc<Node>,
    armed: WakerId,
    hold: Option<Hold>,
    has_told: bool,
}

impl<B: Backend, T: Send + 'static> Calling<B, T> {
    /// To be called where the call is polled; gives nothing where the caller is cancelled already.
    pub(crate) fn begin(
        door: &Door<B>,
        start: impl FnOnce(&Door<B>) -> PortalTask<B, T>,
    ) -> Option<Self> {
        let outer = place::node();
        if outer
            .as_ref()
            .is_some_and(|outer| outer.is_surely_cancelled())
        {
            return None;
        }
        Some(Self {
            task: start(door),
            door: door.clone(),
            here: outer.map(Here::below),
            abroad: door.abroad(),
            has_ended: false,
        })
    }
}

impl Here {
    fn below(outer: Arc<Node>) -> Self {
        Self {
            node: Node::new(Role::Scope, Some(outer.clone())),
            armed: WakerId::default(),
            hold: Some(Hold::on(outer)),
            has_told: false,
        }
    }

    /// Whether the caller has been cancelled since this was last asked; otherwise arranges for a wake when it is.
    fn is_newly_cancelled(&mut self, cx: &mut Context<'_>) -> bool {
        self.node.listen(cx.waker(), &mut self.armed);
        self.node.is_effectively_cancelled() && !std::mem::replace(&mut self.has_told, true)
    }
}

impl<B: Backend, T: Send + 'static> Unpin for Calling<B, T> {}

impl<B: Backend, T: Send + 'static> Future for Calling<B, T> {
    type Output = Result<T, PortalClosed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.has_ended {
            return this.cut();
        }
        let Poll::Ready(end) = this.task.poll_end(cx) else {
            let here = this.here.as_mut();
            if here.is_some_and(|here| here.is_newly_cancelled(cx)) {
                this.task.cancel();
            }
            return Poll::Pending;
        };
        this.has_ended = true;
        this.abroad = None;
        let mut has_told = false;
        if let Some(here) = &mut this.here {
            here.hold = None;
            has_told = here.has_told;
        }
        match end {
            Ok(value) => Poll::Ready(Ok(value)),
            Err(Ended::Panicked(payload)) => resume_unwind(payload),
            Err(Ended::Stopped(Stopped::Cancelled(_))) if has_told => this.cut(),
            Err(Ended::Stopped(stopped)) => Poll::Ready(Err(this.door.why(stopped))),
        }
    }
}

impl<B: Backend, T: Send + 'static> Calling<B, T> {
    /// It was cancelled with its caller: the scope that did it takes over.
    fn cut<R>(&self) -> Poll<R> {
        let here = self.here.as_ref();
        assert!(
            here.is_some_and(|here| here.node.is_surely_cancelled()),
            "anyrt: a call through a portal was polled on after its end"
        );
        Poll::Pending
    }
}

impl<B: Backend, T: Send + 'static> Drop for Calling<B, T> {
    fn drop(&mut self) {
        // From outside: it ends in its own group.
        if !self.has_ended {
            self.task.cancel();
        }
    }
}
