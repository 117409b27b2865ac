//! `as_completed`: results in the order in which they come.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::backend::Backend;
use crate::crew::{Crew, OwnNest, run};
use crate::error::GroupError;
use crate::extras::Extras;
use crate::feed::{Gate, feed};
use crate::landing::{Land, Landing};
use crate::limiter::Permit;
use crate::lock::lock;
use crate::nest::{Housing, Nest};
use crate::observe::Wait;
use crate::place;
use crate::reason::Reason;
use crate::scope::CancelScope;
use crate::scoped::Run;
use crate::source::Source;
use crate::spawn::GroupOf;
use crate::tree::Node;
use crate::watch::waits;

/// Runs the futures of an iterator or a stream, at most `limit` at once, and gives `body` their values in the order in
/// which they come.
///
/// The body asks [`Completed`] for the next value. It, the source and the futures run side by side in the task of the
/// caller: the futures go on while the body waits for something else, and may share a lock with it. So they may borrow
/// and need not be `Send`; [`parallel::as_completed`](crate::parallel::as_completed) runs them as tasks of the runtime.
/// The limit counts the futures that run and the values that have not been taken, so a body that is slow holds them
/// up; `None` is no limit.
///
/// When the body ends, or drops its [`Completed`], the source and the futures that are left are cancelled; the value of
/// the body is given when all have ended. The first error of a future or the body cancels everything.
///
/// This is `FuturesUnordered` and `buffer_unordered` of `futures`, without their trap: there the futures stand still
/// while the loop that asks for them does something else.
///
/// # Cancel safety
///
/// Body and futures are cancelled too, and waited for. If the body had ended with a value, that is still given. Code
/// that knows nothing of scopes (`select!`, another crate's timeout) may drop it, and drops the body and then the futures.
///
/// # Errors
///
/// [`GroupError`] with all errors in the order of time, if the body or one of the futures failed.
///
/// # Panics
///
/// If the source, the body or a future panics: after all have ended, the first panic is resumed here. If `limit` is 0.
/// And where there is no runtime.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # use anyrt_sim::Sim;
/// # use anyrt_core::{as_completed, sleep};
/// # anyrt_core::run(&Sim::default(), async {
/// let waits = [3, 1, 2].map(|seconds| async move {
///     sleep::<Sim>(Duration::from_secs(seconds)).await;
///     Ok::<_, ()>(seconds)
/// });
/// let order = as_completed::<Sim, _, _, _, _, _, _, _>(waits, None, async |mut done| {
///     let mut order = Vec::new();
///     while let Some(seconds) = done.next().await {
///         order.push(seconds);
///     }
///     Ok(order)
/// });
/// assert_eq!(order.await, Ok(vec![1, 2, 3]));
/// # });
/// ```
#[track_caller]
pub fn as_completed<B, M, S, T, E, R, F, Fut>(
    source: S,
    limit: impl Into<Option<usize>>,
    body: F,
) -> impl Future<Output = Result<R, GroupError<E>>>
where
    B: Backend,
    S: Source<M>,
    S::Item: Future<Output = Result<T, E>>,
    E: Send + 'static,
    F: FnOnce(Completed<T>) -> Fut,
    Fut: Future<Output = Result<R, E>>,
{
    let gate = Gate::new("as_completed", limit.into());
    let nest: OwnNest<_, _> = Nest::default();
    as_completed_in::<B, _, _, M, S, T, E, R, F, Fut>(nest, source, gate, body, Location::caller())
}

pub(crate) async fn as_completed_in<B, N, P, M, S, T, E, R, F, Fut>(
    nest: N,
    source: S,
    gate: Gate,
    body: F,
    caller: &'static Location<'static>,
) -> Result<R, GroupError<E>>
where
    B: Backend,
    N: Housing<Spawner = P>,
    S: Source<M>,
    S::Item: Future<Output = Result<T, E>>,
    E: Send + 'static,
    F: FnOnce(Completed<T>) -> Fut,
    Fut: Future<Output = Result<R, E>>,
    GroupOf<B, E, P>: Crew<Landing<S::Item, Ticket<T>>>,
{
    let value = Arc::new(Mutex::new(None));
    let beside = |group: GroupOf<B, E, P>| {
        let children = group.scope().node().clone();
        let desk = Desk::new();
        let (opened, over) = (desk.clone(), children.clone());
        let is_over = move || over.is_effectively_cancelled();
        let feed = feed(source, gate, is_over, move |permit, future| {
            let ticket = opened.ticket(permit);
            group.take_in(Extras::default(), Landing::new(future, ticket));
        });
        let source = CancelScope::<B>::new();
        let done = Completed {
            desk: desk.clone(),
            children: children.clone(),
        };
        Beside {
            body: body(done),
            end: None,
            feed: Some(source.run(feed)),
            has_fed: false,
            is_over: false,
            source,
            desk,
            children,
            value: value.clone(),
        }
    };
    run(nest, beside, || lock(&value).is_some(), caller).await?;
    let value = lock(&value).take();
    match value {
        Some(value) => Ok(value),
        None => unreachable!("a body that has ended in order has a value"),
    }
}

/// The values of [`as_completed`], as they come.
///
/// It is a [`Stream`] too. Dropping it cancels the futures that are left, and takes no more of them from the source.
pub struct Completed<T> {
    desk: Desk<T>,
    children: Arc<Node>,
}

impl<T> Completed<T> {
    /// Waits for the next value; gives `None` when there are no more.
    ///
    /// If the futures have been cancelled it gives `None` too. That can be seen in a shield alone, and the value of the
    /// body is not given then.
    ///
    /// # Cancel safety
    ///
    /// It may be given up and begun again; nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::as_completed;
    /// # use std::future::ready;
    /// # anyrt_core::run(&Sim::default(), async {
    /// // The first three that come are enough; the others are cancelled.
    /// let all = (0..).map(|n| ready(Ok::<u32, ()>(n)));
    /// let three = as_completed::<Sim, _, _, _, _, _, _, _>(all, 8, async |mut done| {
    ///     Ok([done.next().await, done.next().await, done.next().await])
    /// });
    /// assert_eq!(three.await, Ok([Some(0), Some(1), Some(2)]));
    /// # });
    /// ```
    pub async fn next(&mut self) -> Option<T> {
        poll_fn(|cx| self.desk.poll_next(cx)).await
    }
}

impl<T> Stream for Completed<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.desk.poll_next(cx)
    }
}

impl<T> Drop for Completed<T> {
    fn drop(&mut self) {
        self.desk.close(&self.children);
    }
}

impl<T> fmt::Debug for Completed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Completed")
    }
}

/// Where values wait to be taken.
struct Desk<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    /// Each with its permit, so that it counts as long as it is here.
    landed: VecDeque<(T, Option<Permit>)>,
    running: usize,
    taker: Option<Waker>,
    /// Nothing more comes out of the source.
    is_fed: bool,
    /// Something was cancelled before its value could be taken.
    is_cut: bool,
    /// Whoever takes was told of an end that was none.
    is_misled: bool,
    /// Nobody takes any more.
    is_closed: bool,
}

impl<T> Clone for Desk<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Desk<T> {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            landed: VecDeque::new(),
            running: 0,
            taker: None,
            is_fed: false,
            is_cut: false,
            is_misled: false,
            is_closed: false,
        })))
    }

    fn ticket(&self, permit: Option<Permit>) -> Ticket<T> {
        lock(&self.0).running += 1;
        Ticket {
            desk: self.clone(),
            permit,
            is_handed_in: false,
        }
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let waker = cx.waker().clone();
        let mut state = lock(&self.0);
        if let Some((value, permit)) = state.landed.pop_front() {
            drop(state);
            drop(permit);
            return Poll::Ready(Some(value));
        }
        if state.is_fed && state.running == 0 {
            state.is_misled = state.is_cut;
            return Poll::Ready(None);
        }
        let before = state.taker.replace(waker);
        drop(state);
        drop(before);
        waits(|| Wait::Children);
        Poll::Pending
    }

    /// The source has ended, or is cut and gives no more.
    fn end_feed(&self, is_cut: bool) {
        let mut state = lock(&self.0);
        state.is_fed = true;
        state.is_cut |= is_cut && !state.is_closed;
        // Otherwise the next child that ends wakes it.
        let is_over = state.running == 0;
        let taker = state.taker.take_if(|_| is_over);
        drop(state);
        wake(taker);
    }

    fn is_misled(&self) -> bool {
        lock(&self.0).is_misled
    }

    /// Nobody wants the rest.
    fn close(&self, children: &Arc<Node>) {
        let mut state = lock(&self.0);
        if state.is_closed {
            return;
        }
        state.is_closed = true;
        let is_over = state.is_fed && state.running == 0;
        let (landed, taker) = (std::mem::take(&mut state.landed), state.taker.take());
        drop(state);
        drop(taker);
        if !is_over {
            let reason = "nobody takes the results any more";
            children.cancel(&Reason::Explicit(Some(reason.into())));
        }
        drop(landed);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Where the value of a future goes.
pub(crate) struct Ticket<T> {
    desk: Desk<T>,
    permit: Option<Permit>,
    is_handed_in: bool,
}

impl<T, E> Land<Result<T, E>> for Ticket<T> {
    type Error = E;

    fn land(mut self, output: Result<T, E>) -> Result<(), E> {
        let value = output?;
        let permit = self.permit.take();
        self.hand_in(Some((value, permit)));
        Ok(())
    }
}

impl<T> Ticket<T> {
    /// Its child is over, and has given this.
    fn hand_in(&mut self, mut landed: Option<(T, Option<Permit>)>) {
        self.is_handed_in = true;
        let mut state = lock(&self.desk.0);
        state.running -= 1;
        if !state.is_closed {
            state.is_cut |= landed.is_none();
            state.landed.extend(landed.take());
        }
        let taker = state.taker.take();
        drop(state);
        drop(landed);
        wake(taker);
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        if !self.is_handed_in {
            self.hand_in(None);
        }
    }
}

pin_project! {
    /// The body, and what takes futures from the source, side by side.
    struct Beside<B: Backend, F, G, T, R, E> {
        #[pin]
        body: F,
        end: Option<End<E>>,
        // In a scope of its own, so that what it shields is waited for when the body leaves early.
        #[pin]
        feed: Option<Run<B, G, ()>>,
        has_fed: bool,
        is_over: bool,
        source: CancelScope<B>,
        desk: Desk<T>,
        children: Arc<Node>,
        value: Arc<Mutex<Option<R>>>,
    }
}

/// How the body has ended.
enum End<E> {
    /// With a value, or an error.
    Result(Result<(), E>),
    /// With a value, but it has not seen all that there was to come: it is to be cut.
    Cut,
}

impl<B, F, G, T, R, E> Future for Beside<B, F, G, T, R, E>
where
    B: Backend,
    F: Future<Output = Result<R, E>>,
    G: Future<Output = ()>,
{
    type Output = Result<(), E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        let this = self.as_mut().project();
        if this.end.is_none() {
            if let Poll::Ready(result) = this.body.poll(cx) {
                *this.end = Some(match result {
                    Ok(_) if this.desk.is_misled() && this.children.is_effectively_cancelled() => {
                        End::Cut
                    }
                    Ok(value) => {
                        this.desk.close(this.children);
                        *lock(this.value) = Some(value);
                        End::Result(Ok(()))
                    }
                    Err(error) => {
                        this.desk.close(this.children);
                        End::Result(Err(error))
                    }
                });
            }
        }
        let is_fed = self.as_mut().poll_feed(cx).is_ready();
        let this = self.project();
        match this.end.take() {
            // Whoever is to be cut has dropped what it does not hold; there is no other poll.
            Some(End::Result(result))
                if is_fed || place::look(|node| node.is_to_be_cut()) == Some(true) =>
            {
                Poll::Ready(result)
            }
            end => {
                *this.end = end;
                Poll::Pending
            }
        }
    }
}

impl<B, F, G, T, R, E> Beside<B, F, G, T, R, E>
where
    B: Backend,
    G: Future<Output = ()>,
{
    /// Ready when nothing more comes out of the source.
    fn poll_feed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(feed) = this.feed.as_mut().as_pin_mut() else {
            return Poll::Ready(());
        };
        // Once: it wakes the body.
        if !*this.is_over && this.children.is_effectively_cancelled() {
            *this.is_over = true;
            this.source.cancel();
            this.desk.end_feed(true);
        }
        if *this.is_over && !*this.has_fed {
            this.feed.set(None);
            return Poll::Ready(());
        }
        *this.has_fed = true;
        ready!(feed.poll(cx)).ok();
        this.feed.set(None);
        this.desk.end_feed(false);
        Poll::Ready(())
    }
}
