//! A future that another thread brings along, driven there as if it stood where its host stands.
//!
//! It is polled by that thread itself, so it may borrow from it and need not be `Send`; the tree is what it shares
//! with its host. A visit is the root of a task of its own: what holds in it keeps the visit, and not the host.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::backend::Backend;
use crate::followed::{End, Followed};
use crate::home::Shared;
use crate::place::Place;
use crate::reason::Reason;
use crate::tree::{Node, Role};
use crate::waker::WakerId;

/// Why a visit ended without a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    /// A scope around the host was cancelled, or the host is gone.
    Cancelled(Reason),
    /// The run of the host has ended.
    RunEnded,
}

/// Drives `future` on the calling thread, on `backend` and below `host`, in the run that `shared` belongs to.
///
/// A cancellation of `host`, or of what is around it, interrupts the future as it would a child: only where it waits,
/// and when nothing in it holds. The end of the run interrupts it in any case. A panic is resumed here.
pub(crate) fn visit<B: Backend, F: Future>(
    backend: &B,
    shared: &Arc<Shared>,
    host: &Arc<Node>,
    future: F,
) -> Result<F::Output, Farewell> {
    if shared.has_ended() {
        return Err(Farewell::RunEnded);
    }
    let node = Node::new(Role::Root, Some(host.clone()));
    let visit = Visit {
        body: Followed::new(Place::At(node.clone()), future),
        node: Some(node),
        armed: WakerId::default(),
        listening: Listening {
            shared: shared.clone(),
            key: None,
        },
    };
    match backend.block_on(visit, None) {
        Some(Ok(End::Value(value))) => Ok(value),
        Some(Ok(End::Panicked(payload))) => resume_unwind(payload),
        Some(Ok(End::Cut)) => unreachable!("told as a farewell"),
        Some(Err(farewell)) => Err(farewell),
        None => unreachable!("it has waited without a limit"),
    }
}

pin_project! {
    struct Visit<F, T> {
        #[pin]
        body: Followed<F, T>,
        // Until it has ended.
        node: Option<Arc<Node>>,
        armed: WakerId,
        listening: Listening,
    }
}

/// Whoever waits for the end of a run; no more when it is dropped.
struct Listening {
    shared: Arc<Shared>,
    key: Option<usize>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.shared.listen_no_more(key);
        }
    }
}

impl<F: Future<Output = T>, T> Future for Visit<F, T> {
    type Output = Result<End<T>, Farewell>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(node) = this.node.clone() else {
            panic!("anyrt: a visit was polled after its end");
        };
        let is_to_be_cut = |_: &mut Place, cx: &mut Context<'_>| {
            node.listen(cx.waker(), this.armed);
            node.is_to_be_cut()
        };
        let end = match this.body.as_mut().poll(cx, is_to_be_cut) {
            Poll::Ready(End::Cut) => Err(Farewell::Cancelled(node.cause())),
            Poll::Ready(end) => Ok(end),
            Poll::Pending if this.listening.shared.listen(&mut this.listening.key, cx) => {
                this.body.as_mut().abandon();
                Err(Farewell::RunEnded)
            }
            Poll::Pending => return Poll::Pending,
        };
        *this.body.place() = Place::Nowhere;
        *this.node = None;
        // What was first polled in it and lives on is free of it.
        node.retire_if_shared();
        Poll::Ready(end)
    }
}
