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
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Run<B: Backend, F, T = <F as Future>::Output> {
        limit: Limit,
        handle: Option<Arc<Node>>,
        caller: &'static Location<'static>,
        #[pin]
        alarm: Alarm<B>,
        #[pin]
        body: Followed<F, T>,
        // Until the run has ended.
        entered: Option<Entered<B>>,
    }

    impl<B: Backend, F, T> PinnedDrop for Run<B, F, T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(entered) = this.entered.take() else {
                return;
            };
            // The body is dropped before the scope ends.
            let dropped = catch_unwind(AssertUnwindSafe(|| this.body.as_mut().abandon()));
            entered.leave(this.body.place());
            if let Err(payload) = dropped {
                resume_unwind(payload);
            }
        }
    }
}

/// What there is from the first poll on.
#[derive(Debug)]
struct Entered<B> {
    /// Known as soon as the body waits.
    backend: Option<B>,
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

impl<B> Default for Entered<B> {
    fn default() -> Self {
        Self {
            backend: None,
            armed: WakerId::default(),
            due: None,
            end: None,
        }
    }
}

/// The place of a run that begins here.
fn enter<B: Backend>(
    limit: Limit,
    handle: Option<Arc<Node>>,
    caller: &'static Location<'static>,
) -> Place {
    let entered =
        place::with_run(|backend: &B, is_observed| (limit.deadline(backend), is_observed));
    let Some((deadline, is_observed)) = entered else {
        panic!(
            "anyrt: there is no runtime for the scope of {caller}; {}",
            place::ADVICE
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

impl<B: Backend, F: Future<Output = T>, T> Future for Run<B, F, T> {
    type Output = Result<T, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.entered.is_none() {
            assert!(this.body.is_live(), "anyrt: a run was polled after its end");
            *this.body.as_mut().place() = enter::<B>(*this.limit, this.handle.take(), this.caller);
            *this.entered = Some(Entered::default());
        }
        let Some(entered) = this.entered else {
            unreachable!("it has been entered above");
        };
        let polling = this.body.as_mut().place().made().and_then(Node::polls);
        let end = if this.body.is_live() {
            let is_to_be_cut = |place: &mut Place, cx: &mut Context<'_>| {
                entered.is_to_be_cut(place, this.alarm, cx)
            };
            let polled = this.body.as_mut().poll(cx, is_to_be_cut);
            if let (Poll::Pending, Some(node)) = (&polled, this.body.as_mut().place().made()) {
                node.tell_pending(&polling);
            }
            ready!(polled)
        } else {
            End::Cut
        };
        let ended = match end {
            End::Value(value) => {
                entered.end = Some(Ending::Value);
                Ok(Ok(value))
            }
            End::Cut => {
                let place = this.body.as_mut().place();
                Ok(Err(ready!(entered.catch(place, this.caller, cx))))
            }
            End::Panicked(payload) => {
                entered.end = Some(Ending::Panic);
                Err(payload)
            }
        };
        if let Some(entered) = this.entered.take() {
            entered.leave(this.body.place());
        }
        Poll::Ready(ended.unwrap_or_else(|payload| resume_unwind(payload)))
    }
}

impl<B: Backend> Entered<B> {
    /// Whether the body, which waits, is to be dropped now; otherwise arranges for a wake when it is.
    fn is_to_be_cut(
        &mut self,
        place: &mut Place,
        mut alarm: Pin<&mut Alarm<B>>,
        cx: &mut Context<'_>,
    ) -> bool {
        if let Place::Bare(Bare::Limit(deadline)) = *place {
            let around = place::surroundings(cx);
            let is_first = |deadline: &Instant| around.limit.is_none_or(|limit| *deadline < limit);
            let due = deadline.filter(is_first);
            if around.hears && !self.is_over(due, alarm.as_mut(), cx) {
                return false;
            }
        }
        let Some(node) = place.scope(place::node) else {
            unreachable!("a run is in its scope");
        };
        node.listen(cx.waker(), &mut self.armed);
        if node.take_moved() {
            node.governor().begin_grace(now::<B>);
            self.due = node.deadline_to_watch();
        }
        if self.is_over(self.due, alarm, cx) {
            node.governor().expire();
        }
        node.is_to_be_cut()
    }

    /// Whether the time is up; otherwise arranges for a wake when it is.
    fn is_over(
        &mut self,
        due: Option<Instant>,
        alarm: Pin<&mut Alarm<B>>,
        cx: &mut Context<'_>,
    ) -> bool {
        if due.is_none() && self.backend.is_none() {
            return false;
        }
        let backend = self.backend.get_or_insert_with(place::backend);
        alarm.poll_passed(due, backend, cx)
    }

    /// After the body was cut: reports it, or leaves that to a scope around this one.
    fn catch(
        &mut self,
        place: &Place,
        caller: &Location<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<Cancelled> {
        let Place::At(node) = place else {
            unreachable!("what is cut has a node");
        };
        // The scope around it may end without catching; then it is for this one to do so.
        node.arm(cx.waker(), &mut self.armed);
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

    /// The run has ended, or was dropped.
    fn leave(self, place: &mut Place) {
        if let Place::At(node) = std::mem::take(place) {
            match self.end {
                Some(end) => node.ends(|| end),
                None => node.ends_cut(),
            }
            node.retire_if_shared();
        }
    }
}
