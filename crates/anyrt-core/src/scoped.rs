//! The future that is cancelled: one run of a scope.

use std::future::Future;
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::alarm::Alarm;
use crate::backend::Backend;
use crate::followed::{End, Followed};
use crate::observe::{Ending, What};
use crate::place::{self, Place};
use crate::reason::Cancelled;
use crate::tree::Node;
use crate::waker::WakerId;

/// When a run ends by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    None,
    After(Duration),
    At(Instant),
}

impl Limit {
    fn deadline<B: Backend>(self, backend: &B) -> Option<Instant> {
        match self {
            Self::None => None,
            Self::After(time) => backend.now().checked_add(time),
            Self::At(deadline) => Some(deadline),
        }
    }
}

pin_project! {
    /// The future of [`CancelScope::run`](crate::CancelScope::run).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Run<B: Backend, F, T = <F as Future>::Output> {
        limit: Limit,
        handle: Option<Arc<Node>>,
        caller: &'static Location<'static>,
        #[pin]
        alarm: Alarm<B>,
        // The body is dropped before the scope ends.
        #[pin]
        body: Followed<F, T>,
        entered: Option<Entered<B>>,
    }
}

/// What is known from the first poll on.
#[derive(Debug)]
struct Entered<B> {
    node: Arc<Node>,
    backend: B,
    armed: WakerId,
    /// The deadline, if it is for this run to watch it.
    due: Option<Instant>,
    /// What an observer is told in the end, unless it was interrupted.
    end: Option<Ending<'static>>,
}

impl<B: Backend, F: Future<Output = T>, T> Run<B, F, T> {
    #[track_caller]
    pub(crate) fn new(limit: Limit, handle: Option<Arc<Node>>, body: F) -> Self {
        Self {
            limit,
            handle,
            caller: Location::caller(),
            entered: None,
            alarm: Alarm::new(),
            body: Followed::new(Place::Nowhere, body),
        }
    }
}

impl<B: Backend> Entered<B> {
    fn new(limit: Limit, handle: Option<Arc<Node>>, caller: &'static Location<'static>) -> Self {
        let Some(backend) = place::find_backend::<B>() else {
            panic!(
                "anyrt: there is no runtime for the scope of {caller}; {}",
                place::ADVICE
            );
        };
        let outer = place::node();
        if let (Some(handle), Some(outer)) = (&handle, &outer) {
            let mut scopes = outer.around().filter_map(|node| node.handle.as_ref());
            if scopes.any(|scope| Arc::ptr_eq(handle, scope)) {
                panic!(
                    "anyrt: the cancel scope of {caller} is run inside itself; use one scope for each"
                );
            }
        }
        let node = Node::new_run(outer, handle, limit.deadline(&backend));
        node.enter_handle(|| backend.now());
        if node.observer().is_some() {
            let deadline = node.deadline();
            node.begins(What::Scope { deadline }, None, Some(caller));
        }
        Self {
            node,
            backend,
            armed: WakerId::default(),
            due: None,
            end: None,
        }
    }
}

impl<B> Drop for Entered<B> {
    fn drop(&mut self) {
        match self.end {
            Some(end) => self.node.ends(|| end),
            None => self.node.ends_cut(),
        }
        self.node.retire_if_shared();
    }
}

impl<B: Backend, F: Future<Output = T>, T> Future for Run<B, F, T> {
    type Output = Result<T, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.entered.is_none() {
            assert!(this.body.is_live(), "anyrt: a run was polled after its end");
            let entered = Entered::new(*this.limit, this.handle.take(), this.caller);
            *this.body.as_mut().place() = Place::At(entered.node.clone());
            *this.entered = Some(entered);
        }
        let Some(entered) = this.entered else {
            unreachable!("it has been entered above");
        };
        let polling = entered.node.polls();
        let ended = if this.body.is_live() {
            let is_to_be_cut =
                |_: &mut Place, cx: &mut Context<'_>| entered.is_to_be_cut(this.alarm, cx);
            let polled = this.body.as_mut().poll(cx, is_to_be_cut);
            if polled.is_pending() {
                entered.node.tell_pending(&polling);
            }
            match ready!(polled) {
                End::Value(value) => {
                    entered.end = Some(Ending::Value);
                    Poll::Ready(Ok(value))
                }
                End::Cut => entered.catch(this.caller, cx),
                End::Panicked(payload) => {
                    entered.end = Some(Ending::Panic);
                    *this.body.place() = Place::Nowhere;
                    *this.entered = None;
                    resume_unwind(payload);
                }
            }
        } else {
            entered.catch(this.caller, cx)
        };
        if ended.is_ready() {
            *this.body.place() = Place::Nowhere;
            *this.entered = None;
        }
        ended
    }
}

impl<B: Backend> Entered<B> {
    /// Whether the body, which waits, is to be dropped now; otherwise arranges for a wake when it is.
    fn is_to_be_cut(&mut self, alarm: Pin<&mut Alarm<B>>, cx: &mut Context<'_>) -> bool {
        let node = &self.node;
        node.listen(cx.waker(), &mut self.armed);
        if node.take_moved() {
            node.governor().begin_grace(|| self.backend.now());
            self.due = node.deadline_to_watch();
        }
        if alarm.poll_passed(self.due, &self.backend, cx) {
            node.governor().expire();
        }
        node.is_to_be_cut()
    }

    /// After the body was cut: reports it, or leaves that to a scope around this one.
    fn catch<T>(
        &mut self,
        caller: &Location<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, Cancelled>> {
        // The scope around it may end without catching; then it is for this one to do so.
        self.node.arm(cx.waker(), &mut self.armed);
        if self.node.is_cancelled() && !self.node.is_overruled(|| self.backend.now()) {
            let reason = self.node.governor().cause();
            return Poll::Ready(Err(Cancelled::new(reason)));
        }
        assert!(
            self.node.is_surely_cancelled(),
            "anyrt: the run of {caller} was polled on after a scope that had cancelled it had ended"
        );
        Poll::Pending
    }
}
