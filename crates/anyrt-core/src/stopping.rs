//! Taking notice of a graceful stop.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::observe::Wait;
use crate::place;
use crate::tree::Node;
use crate::watch::waits;

/// Waits until a scope around this place is asked to stop, or is cancelled.
///
/// Shields do not hide a stop; a cancellation outside of a shield does not count in it. With no scope around it
/// never ends. A stop is sticky, so the future is ready at once wherever one was asked for.
///
/// # Cancel safety
///
/// Nothing is lost when it is dropped.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # use anyrt_sim::Sim;
/// # use anyrt_core::{sleep, stopping, task_group};
/// # anyrt_core::run(&Sim::default(), async {
/// let second = Duration::from_secs(1);
/// let group = task_group::<Sim, _, (), _, _>(async |g| {
///     let worker = g.spawn(async {
///         stopping().await;
///         Ok("finished the work at hand")
///     });
///     sleep::<Sim>(second).await;
///     g.scope().stop(10 * second);
///     Ok(worker.await)
/// });
/// assert_eq!(group.await, Ok("finished the work at hand"));
/// # });
/// ```
pub fn stopping() -> Stopping {
    Stopping {
        node: None,
        key: None,
    }
}

/// Whether a scope around this place was asked to stop, or is cancelled.
///
/// # Examples
///
/// ```
/// assert!(!anyrt_core::is_stopping()); // outside of every scope
/// ```
pub fn is_stopping() -> bool {
    place::look(Node::is_stopping) == Some(true)
}

/// The future of [`stopping`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Stopping {
    node: Option<Arc<Node>>,
    key: Option<usize>,
}

impl Future for Stopping {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.node.is_none() {
            this.node = place::node();
        }
        let Some(node) = &this.node else {
            return Poll::Pending;
        };
        node.attach();
        node.watch(&mut this.key, cx.waker());
        if node.is_stopping() {
            Poll::Ready(())
        } else {
            waits(|| Wait::Stop);
            Poll::Pending
        }
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        if let Some(node) = &self.node {
            node.unwatch(&mut self.key);
        }
    }
}
