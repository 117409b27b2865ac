//! The future that is cancelled: one run of a scope.

use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::alarm::Alarm;
use crate::backend::Backend;
use crate::followed::{End, Followed};
use crate::here;
use crate::observe::{Ending, What};
use crate::place::{self, Bare, Place};
use crate::reason::Cancelled;
use crate::time::now;
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
    // The body is somewhere from the first poll to its end.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Run<B: Backend, F, T = <F as Future>::Output> {
        limit: Limit,
        handle: Option<Arc<Node>>,
        caller: &'static Location<'static>,
        #[pin]
        body: Followed<F, T>,
        #[pin]
        watch: Watch<B>,
    }

    impl<B: Backend, F, T> PinnedDrop for Run<B, F, T> {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if matches!(this.body.as_mut().place(), Place::Nowhere) {
                return;
            }
            // The body is dropped before the scope ends.
            let dropped = catch_unwind(AssertUnwindSafe(|| this.body.as_mut().abandon()));
            leave(this.body.place(), None);
            if let Err(payload) = dropped {
                resume_unwind(payload);
            }
        }
    }
}

pin_project! {
    /// How a run whose body waits hears that it is over.
    #[derive(Debug)]
    struct Watch<B: Backend> {
        armed: WakerId,
        // The deadline, if it is for this run to watch it.
        due: Option<Instant>,
        // Asked for with the first deadline to watch.
        backend: Option<B>,
        #[pin]
        alarm: Alarm<B>,
    }
}

impl<B: Backend, F: Future<Output = T>, T> Run<B, F, T> {
    #[track_caller]
    pub(crate) fn new(limit: Limit, handle: Option<Arc<Node>>, body: F) -> Self {
        Self {
            limit,
            handle,
            caller: Location::caller(),
            body: Followed::new(Place::Nowhere, body),
            watch: Watch {
                armed: WakerId::default(),
                due: None,
                backend: None,
                alarm: Alarm::new(),
            },
        }
    }
}

/// The place of a run that begins here.
fn enter<B: Backend>(
    limit: Limit,
    handle: Option<Arc<Node>>,
    caller: &'static Location<'static>,
) -> Place {
    let entered = here::with_run(|backend: &B, is_observed| (limit.deadline(backend), is_observed));
    let Some((deadline, is_observed)) = entered else {
        panic!(
            "anyrt: there is no runtime for the scope of {caller}; {}",
            here::ADVICE
        );
    };
    let bare = match handle {
        None => Bare::Limit(deadline),
        Some(handle) => {
            assert!(
                !place::is_in_run_of(&handle),
                "anyrt: the cancel scope of {caller} is run inside itself; use one scope for each"
            );
            handle.begin_timeout(now::<B>);
            Bare::Run(handle)
        }
    };
    let mut place = Place::Bare(bare);
    if is_observed {
        if let Some(node) = place.scope(place::node) {
            let deadline = node.deadline();
            node.begins(What::Scope { deadline }, None, Some(caller));
        }
    }
    place
}

/// The run has ended, or was dropped or interrupted, which is no [`Ending`] yet.
#[inline]
fn leave(place: &mut Place, end: Option<Ending<'static>>) {
    if let Place::At(node) = std::mem::take(place) {
        end_at(&node, end);
    }
}

fn end_at(node: &Arc<Node>, end: Option<Ending<'static>>) {
    match end {
        Some(end) => node.ends(|| end),
        None => node.ends_cut(),
    }
    node.retire_if_shared();
}

impl<B: Backend, F: Future<Output = T>, T> Future for Run<B, F, T> {
    type Output = Result<T, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Place::Nowhere = this.body.as_mut().place() {
            assert!(this.body.is_live(), "anyrt: a run was polled after its end");
            *this.body.as_mut().place() = enter::<B>(*this.limit, this.handle.take(), this.caller);
        }
        let polling = this.body.as_mut().place().made().and_then(Node::polls);
        let end = if this.body.is_live() {
            let watch = this.watch.as_mut();
            let polled = this
                .body
                .as_mut()
                .poll(cx, |place, cx| watch.is_over(place, cx));
            if let (Poll::Pending, Some(node)) = (&polled, this.body.as_mut().place().made()) {
                node.tell_pending(&polling);
            }
            ready!(polled)
        } else {
            End::Cut
        };
        let place = this.body.place();
        match end {
            End::Value(value) => {
                leave(place, Some(Ending::Value));
                Poll::Ready(Ok(value))
            }
            End::Cut => {
                let cancelled = ready!(this.watch.catch(place, this.caller, cx));
                leave(place, None);
                Poll::Ready(Err(cancelled))
            }
            End::Panicked(payload) => {
                leave(place, Some(Ending::Panic));
                resume_unwind(payload);
            }
        }
    }
}

impl<B: Backend> Watch<B> {
    /// Whether the body, which waits, is to be dropped now; otherwise arranges for a wake when it is.
    fn is_over(mut self: Pin<&mut Self>, place: &mut Place, cx: &mut Context<'_>) -> bool {
        if let Place::Bare(Bare::Limit(deadline)) = *place {
            let around = place::surroundings(cx);
            let is_first = |deadline: &Instant| around.limit.is_none_or(|limit| *deadline < limit);
            let due = deadline.filter(is_first);
            if around.hears && !self.as_mut().has_passed(due, cx) {
                return false;
            }
        }
        let Some(node) = place.scope(place::node) else {
            unreachable!("a run is in its scope");
        };
        let this = self.as_mut().project();
        node.listen(cx.waker(), this.armed);
        if node.take_moved() {
            node.governor().begin_grace(now::<B>);
            *this.due = node.deadline_to_watch();
        }
        let due = *this.due;
        if self.has_passed(due, cx) {
            node.governor().expire();
        }
        node.is_to_be_cut()
    }

    /// Whether the time is up; otherwise arranges for a wake when it is.
    fn has_passed(self: Pin<&mut Self>, due: Option<Instant>, cx: &mut Context<'_>) -> bool {
        let this = self.project();
        if due.is_none() && this.backend.is_none() {
            return false;
        }
        let backend = this.backend.get_or_insert_with(here::backend);
        this.alarm.poll_passed(due, backend, cx)
    }

    /// After the body was cut: reports it, or leaves that to a scope around this one.
    fn catch(
        self: Pin<&mut Self>,
        place: &Place,
        caller: &Location<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<Cancelled> {
        let Some(node) = place.made() else {
            unreachable!("what is cut has a node");
        };
        // The scope around it may end without catching; then it is for this one to do so.
        node.arm(cx.waker(), self.project().armed);
        if node.is_cancelled() && !node.is_overruled(now::<B>) {
            let reason = node.governor().cause();
            return Poll::Ready(Cancelled::new(reason));
        }
        assert!(
            node.is_surely_cancelled(),
            "anyrt: the run of {caller} was polled on after a scope that had cancelled it had ended"
        );
        Poll::Pending
    }
}
