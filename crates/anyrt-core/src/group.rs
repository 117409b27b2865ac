//! The heart: a group of tasks that has ended when the group's future has.
//!
//! ```text
//!   task_group(async |g| {          body │ g ──┬─────────────┐
//!       g.spawn(a);                      │     a             b          run in parallel
//!       g.spawn(b);                      │     │             │
//!       Ok(())                           ▼     ▼             ▼
//!   }).await                             ───── join ──────────          returns after all three
//! ```
//!
//! A group is two nodes of the scope tree. Below the first (`Body`) are the body and all else: it is
//! cancelled when something fails. Below the second (`Children`) are the children alone: it is cancelled by
//! `g.cancel()`. What they share (the count, the failures) is in their `Home`. Where there are daemons they are
//! a third node, below `Children`, with a count of its own.

use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;

use crate::alarm::Alarm;
use crate::backend::Backend;
use crate::error::GroupError;
use crate::guest::{self, Guest, abandon, fail, leave_as_guest, take_over};
use crate::here;
use crate::hold::{give_back, hold};
use crate::home::{Failure, Home, Shared};
use crate::inside::Inside;
use crate::leaving::Leaving;
use crate::nest::Housing;
use crate::observe::{Ending, Wait, What};
use crate::place::{self, Place};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::spawn::{GroupOf, TaskGroup, home_of};
use crate::throw_away::throw_away;
use crate::tree::{Node, Role};
use crate::waker::WakerId;
use crate::watch::waits;
use crate::worker;

/// Runs `body` with a fresh group and returns when the body and every child have ended.
///
/// The body gets a [`TaskGroup`] to spawn children with; they run in parallel, as tasks of the runtime. The
/// first error or panic, of the body or of a child, cancels all the others. The group always waits for all of
/// them, and when it returns their values and captures have been dropped.
///
/// A cancellation from outside cancels the children and the body; the group waits, and then the outer scope
/// takes over. It gives its value only if neither the body nor a child was interrupted by that.
///
/// This is trio's nursery and anyio's task group; Nathaniel J. Smith's "Notes on structured concurrency"
/// is the place to read why.
///
/// # Cancel safety
///
/// Code that knows nothing of scopes (`select!`, another crate's timeout) may drop the group. It cannot wait
/// then: the children are cancelled at once, and the enclosing group adopts them and waits for them. With no
/// group around at all they are cancelled and end on their own. The errors of a dropped group are dropped; a
/// panic goes to the enclosing group.
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if the body or a child failed.
///
/// # Panics
///
/// If the body or a child panics: after all children have ended, the first panic is resumed here, also if there
/// were errors too. And when polled where there is no runtime, when the runtime ends under the children, and when
/// polled on after its end, or after the end of a scope around it that had cut it.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # anyrt_core::run(&Sim::default(), async {
/// let group = anyrt_core::task_group::<Sim, _, std::num::ParseIntError, _, _>(async |g| {
///     let a = g.spawn(async { "20".parse::<i32>() });
///     let b = g.spawn(async { "22".parse::<i32>() });
///     Ok(a.await + b.await)
/// });
/// assert_eq!(group.await.unwrap(), 42);
/// # });
/// ```
#[track_caller]
pub fn task_group<B, T, E, F, Fut>(body: F) -> impl Future<Output = Result<T, GroupError<E>>>
where
    B: Backend,
    E: Send + 'static,
    F: FnOnce(TaskGroup<B, E>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let caller = Location::caller();
    async move { Running::<B, T, E, F, Fut, ()>::new(body, (), None, caller).await }
}

pin_project! {
    /// A group from its first poll to its end.
    pub(crate) struct Running<B: Backend, T, E, F, Fut, N: Housing> {
        // Gone after the first poll, which calls it.
        make: Option<F>,
        #[pin]
        body: Inside<Fut>,
        value: Option<T>,
        // The children, where they are not tasks of their own.
        nest: N,
        children: Arc<Node>,
        armed: WakerId,
        // Where the group has to watch a deadline of the children's scope, or the end of a grace period.
        due: Option<Instant>,
        alarm: Option<Pin<Box<Alarm<B>>>>,
        // The cleanups of the body, once all else has ended.
        leaving: Option<Box<Leaving>>,
        // Until then it is a guest of the group around it, and holds the scopes around it.
        has_ended: bool,
        errors: PhantomData<fn(E)>,
    }

    impl<B: Backend, T, E, F, Fut, N: Housing> PinnedDrop for Running<B, T, E, F, Fut, N> {
        fn drop(this: Pin<&mut Self>) {
            this.abandon();
        }
    }
}

impl<B: Backend, T, E, F, Fut, N: Housing> Running<B, T, E, F, Fut, N> {
    pub(crate) fn new(
        body: F,
        nest: N,
        policy: Option<Box<Policy>>,
        caller: &'static Location<'static>,
    ) -> Self {
        let outer = place::node();
        let inherited = worker::run_of::<B>(outer.as_ref());
        let is_outermost = inherited.is_none();
        let here = || here::find_backend::<B>().map(Shared::new);
        let Some(shared) = inherited.or_else(here) else {
            panic!(
                "anyrt: there is no runtime for the task group of {caller}; {}",
                here::ADVICE
            );
        };
        if let Some(outer) = &outer {
            guest::join(outer);
            hold(outer);
        }
        let home = Home::new(shared, is_outermost, policy);
        let node = Node::with(Role::Body, outer, Some(home.clone()));
        let children = Node::with(Role::Children, Some(node.clone()), Some(home));
        let home = home_of(&children);
        if is_outermost {
            home.shared.begin(&children);
        }
        let what = if is_outermost { What::Run } else { What::Group };
        node.begins(what, home.name().as_deref(), Some(caller));
        Self {
            make: Some(body),
            body: Inside::new(Place::At(node), None),
            value: None,
            nest,
            children,
            armed: WakerId::default(),
            due: None,
            alarm: None,
            leaving: None,
            has_ended: false,
            errors: PhantomData,
        }
    }

    /// Whether all has ended. If it was cut it is pending all the same.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Dropped from outside before its end: cancels what is left, which the enclosing group waits for.
    fn abandon(self: Pin<&mut Self>) {
        struct Abandon<'a>(&'a Arc<Node>);
        impl Drop for Abandon<'_> {
            fn drop(&mut self) {
                if let Some(outer) = body_of(self.0).parent() {
                    give_back(outer);
                }
                abandon(self.0);
            }
        }
        let this = self.project();
        if std::mem::replace(this.has_ended, true) {
            return;
        }
        let node = body_of(this.children);
        node.cancel(&Reason::Dropped);
        if let Some(leaving) = this.leaving.take() {
            take_over(*leaving, Guest::of(Some(node)));
        }
        // Also if the body's destructors panic. The last one who leaves counts the group out.
        let _after_the_body = Abandon(this.children);
        this.body.clear();
        this.nest.clear();
        throw_away(this.value.take());
    }
}

impl<B, T, E, F, Fut, N> Running<B, T, E, F, Fut, N>
where
    B: Backend,
    E: Send + 'static,
    F: FnOnce(GroupOf<B, E, N::Spawner>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    N: Housing,
{
    /// Polls the body, and drops it if it has ended or is to be cut.
    fn poll_body(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let this = self.project();
        let node = body_of(this.children);
        let mut body = this.body;
        let first = this.make.take().map(|make| (make, this.nest.spawner()));
        let polled = this.nest.poll_body(cx, |cx| {
            let polled = catch_unwind(AssertUnwindSafe(|| {
                if let Some((make, spawner)) = first {
                    let group = GroupOf::of(this.children.clone(), spawner);
                    body.as_mut().fill(|| make(group));
                }
                body.as_mut().poll(cx)
            }));
            if let Ok(Poll::Pending) = polled {
                node.listen(cx.waker(), this.armed);
            }
            polled
        });
        let Some(polled) = polled else { return };
        match polled {
            Ok(Poll::Ready(Ok(value))) => *this.value = Some(value),
            Ok(Poll::Ready(Err(error))) => {
                fail(node, &None, Failure::Error(Box::new(error)));
            }
            Err(payload) => fail(node, &None, Failure::Panic(payload)),
            Ok(Poll::Pending) if node.is_to_be_cut() => {}
            Ok(Poll::Pending) => return,
        }
        let dropped = catch_unwind(AssertUnwindSafe(|| body.as_mut().clear()));
        if let Err(payload) = dropped {
            fail(node, &None, Failure::Panic(payload));
        }
        this.nest.end_body();
    }

    /// Polls the children that run in this task, and gives whether it is the turn of the body then.
    fn poll_children(self: Pin<&mut Self>) -> bool {
        let this = self.project();
        let backend = home_of(this.children).backend::<B>();
        this.nest
            .poll_children(this.children, || backend.has_budget())
    }

    /// Watches the deadline that the children's scope may have been given, and the end of a grace period.
    fn poll_deadline(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let this = self.project();
        let node = body_of(this.children);
        if !this.body.is_live() {
            node.listen(cx.waker(), this.armed);
        }
        this.children.attach();
        let backend = home_of(this.children).backend::<B>();
        let nodes = [node, &*this.children];
        // Both are to be asked.
        if nodes.map(|node| node.take_moved()).contains(&true) {
            for node in nodes {
                node.begin_grace(|| backend.now());
            }
            *this.due = earliest(nodes);
        }
        while this.due.is_some() {
            let alarm = this.alarm.get_or_insert_with(|| Box::pin(Alarm::new()));
            if !alarm.as_mut().poll_passed(*this.due, backend, cx) {
                return;
            }
            for node in nodes {
                node.expire_if_passed(|| backend.now());
            }
            *this.due = earliest(nodes);
        }
        *this.alarm = None;
    }

    /// Runs the cleanups of the body, and gives whether they have ended.
    fn poll_leaving(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        let this = self.project();
        let Some(leaving) = this.leaving else {
            return true;
        };
        let Poll::Ready(panic) = leaving.poll(cx) else {
            return false;
        };
        *this.leaving = None;
        if let Some(payload) = panic {
            fail(body_of(this.children), &None, Failure::Panic(payload));
        }
        true
    }

    /// Everything else has ended: begins with the cleanups of the body, if there are any. They may still spawn.
    fn begin_leaving(self: Pin<&mut Self>) -> bool {
        let this = self.project();
        *this.leaving = Leaving::begin(body_of(this.children)).map(Box::new);
        this.leaving.is_some()
    }

    /// Whether nothing is left in the group, as of now; cancels the daemons if nothing else is.
    fn is_empty(&self, cx: &mut Context<'_>) -> bool {
        let home = home_of(&self.children);
        let daemons = self.children.daemons();
        // Most often the children have ended before the body, and nobody need be told of the waker.
        if daemons.is_none() && home.tally.is_empty() {
            return true;
        }
        home.tally.start_joining();
        home.joiner.register(cx.waker());
        let Some(daemons) = daemons else {
            return home.tally.is_empty();
        };
        let ledger = home_of(&daemons);
        ledger.tally.start_joining();
        ledger.joiner.register(cx.waker());
        if !home.tally.is_empty() {
            return false;
        }
        daemons.cancel(&Reason::Done);
        ledger.tally.is_empty()
    }

    /// Ends the group if nothing is left in it.
    fn try_close(&self) -> bool {
        let home = home_of(&self.children);
        let Some(daemons) = self.children.daemons() else {
            return home.tally.try_close();
        };
        let ledger = home_of(&daemons);
        if !ledger.tally.try_close() {
            return false;
        }
        let closed = home.tally.try_close();
        if !closed {
            ledger.tally.reopen();
        }
        closed
    }

    fn finish(self: Pin<&mut Self>) -> Poll<Result<T, GroupError<E>>> {
        let this = self.project();
        let value = this.value.take();
        let node = body_of(this.children);
        let home = home_of(this.children);
        if let Some(daemons) = this.children.daemons() {
            this.children.take_daemons();
            daemons.retire();
        }
        *this.body.place() = Place::Nowhere;
        this.children.retire_if_shared();
        // Most often nothing else is left below.
        node.retire_if_shared();
        *this.has_ended = true;
        if let Some(outer) = node.parent() {
            give_back(outer);
            leave_as_guest(outer);
        }
        home.end();
        let failures = home.take_failures();
        let (cut, lost) = (&home.cut, &home.lost);
        let is_whole = !cut.load(Ordering::Acquire) && !lost.load(Ordering::Acquire);
        if !failures.panics.is_empty() {
            node.ends(|| Ending::Panic);
        } else if !failures.errors.is_empty() {
            node.ends(|| Ending::Error);
        } else if is_whole && value.is_some() {
            node.ends(|| Ending::Value);
        } else {
            node.ends_cut();
        }
        let mut panics = failures.panics.into_iter();
        if let Some(first) = panics.next() {
            // Only one panic can go on. A payload that panics when dropped must not replace it.
            panics.for_each(throw_away);
            failures.errors.into_iter().for_each(throw_away);
            throw_away(value);
            resume_unwind(first);
        }
        let errors = failures.errors.into_iter();
        let errors = errors.filter_map(|error| error.downcast().ok().map(|error| *error));
        if let Some(error) = GroupError::from_vec(errors.collect(), home.name()) {
            return Poll::Ready(Err(error));
        }
        match value {
            Some(value) if is_whole => Poll::Ready(Ok(value)),
            _ if node.is_surely_cancelled() => Poll::Pending, // The outer scope takes over.
            _ if lost.load(Ordering::Acquire) => {
                panic!("anyrt: the runtime ended while children of a task group were running")
            }
            _ => {
                panic!("anyrt: a task group was polled on after a scope that had cut it had ended")
            }
        }
    }
}

impl<B, T, E, F, Fut, N> Future for Running<B, T, E, F, Fut, N>
where
    B: Backend,
    E: Send + 'static,
    F: FnOnce(GroupOf<B, E, N::Spawner>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    N: Housing,
{
    type Output = Result<T, GroupError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.has_ended {
            // It was cut and has ended; the outer scope takes over.
            assert!(
                body_of(&self.children).is_surely_cancelled(),
                "anyrt: a task group was polled on after its end"
            );
            return Poll::Pending;
        }
        let polling = body_of(&self.children).polls();
        if self.make.is_some() || self.body.is_live() {
            self.as_mut().poll_body(cx);
        }
        if self.as_mut().poll_children() {
            self.as_mut().poll_body(cx);
        }
        while !self.body.is_live() && self.as_mut().poll_leaving(cx) && self.is_empty(cx) {
            if self.as_mut().begin_leaving() {
                continue;
            }
            if self.try_close() {
                return self.finish();
            }
            // Somebody has just come in.
        }
        self.as_mut().poll_deadline(cx);
        let this = self.project();
        this.nest.rest(this.children, cx.waker());
        if !this.body.is_live() && this.leaving.is_none() {
            waits(|| Wait::Children);
        }
        body_of(this.children).tell_pending(&polling);
        Poll::Pending
    }
}

/// The body node of the group with this children node.
fn body_of(children: &Node) -> &Arc<Node> {
    match children.parent() {
        Some(body) => body,
        None => unreachable!("the children of a group are below its body"),
    }
}

fn earliest(nodes: [&Arc<Node>; 2]) -> Option<Instant> {
    nodes
        .into_iter()
        .filter_map(|node| node.deadline_to_watch())
        .min()
}
