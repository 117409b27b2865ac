//! A blocking iterator, consumed by async code.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::backend::Backend;
use crate::hold::Hold;
use crate::limiter::Limiter;
use crate::lock::lock;
use crate::place;
use crate::thread::{ToThread, call_without_hold};
use crate::throw_away::{Payload, throw_away};

/// Goes through an iterator that may block, on threads, and gives its items here.
///
/// Each item is fetched by a call of its own when it is asked for, so between two items there is no thread, no token
/// is taken, and an iterator that is faster than its consumer waits.
/// [`in_chunks_of`](Iterate::in_chunks_of) fetches several with one call.
///
/// Take the items with [`next`](Iterate::next), or as a [`Stream`].
///
/// # Cancel safety
///
/// An item that was fetched is not lost when `next` is dropped: the next one gives it. Dropped while a thread is
/// fetching, it is like a call of [`to_thread`](crate::to_thread) dropped from outside: the enclosing group waits
/// for the thread. As a stream it never holds, since a stream cannot tell who asks: a cancellation drops it then,
/// and the group waits.
///
/// # Panics
///
/// A panic of the iterator is resumed by `next`, after the items before it. The iterator is dropped then, and there
/// are no more items.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # anyrt_core::run(&Sim::default(), async {
/// let text = std::io::Cursor::new("one\ntwo");
/// let mut lines = anyrt_core::iterate_in_thread::<Sim, _>(std::io::BufRead::lines(text));
/// let mut read = Vec::new();
/// while let Some(line) = lines.next().await {
///     read.push(line.unwrap());
/// }
/// assert_eq!(read, ["one", "two"]);
/// # });
/// ```
#[track_caller]
pub fn iterate_in_thread<B, I>(iterator: I) -> Iterate<B, I>
where
    B: Backend,
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    Iterate {
        limiter: None,
        chunk: 1,
        caller: Location::caller(),
        items: VecDeque::new(),
        source: Source::At(Arc::new(Mutex::new(Some(iterator)))),
    }
}

/// An iterator that goes on in threads; see [`iterate_in_thread`].
#[must_use = "nothing is fetched unless an item is asked for"]
pub struct Iterate<B: Backend, I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    limiter: Option<Limiter>,
    chunk: usize,
    caller: &'static Location<'static>,
    /// Fetched, and not taken yet.
    items: VecDeque<I::Item>,
    source: Source<B, I>,
}

enum Source<B: Backend, I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    At(Slot<I>),
    Fetching(Call<B, I>, Slot<I>),
    /// It has panicked, which is to be told after the items.
    Panicked(Payload),
    Over,
}

/// Where the iterator is between two calls. A call that never runs leaves it there.
type Slot<I> = Arc<Mutex<Option<I>>>;

type Call<B, I> = ToThread<B, Fetched<I>, Fetch<I>>;

type Fetch<I> = Box<dyn FnOnce() -> Fetched<I> + Send>;

/// What one call brings.
struct Fetched<I: Iterator> {
    items: VecDeque<I::Item>,
    /// Whether there may be more.
    rest: Result<bool, Payload>,
}

impl<B: Backend, I> Iterate<B, I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    /// Takes the tokens of this limiter instead of the run's own.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::{Limiter, iterate_in_thread};
    /// # anyrt_core::run(&Sim::default(), async {
    /// let disk = Limiter::new(1);
    /// let mut items = iterate_in_thread::<Sim, _>(0..3).limiter(&disk);
    /// assert_eq!(items.next().await, Some(0));
    /// assert_eq!(disk.available(), 1); // between two items
    /// # });
    /// ```
    pub fn limiter(mut self, limiter: &Limiter) -> Self {
        self.limiter = Some(limiter.clone());
        self
    }

    /// Fetches up to `size` items with one call: cheaper, but the first waits until the last is there.
    ///
    /// # Panics
    ///
    /// If `size` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::iterate_in_thread;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let mut sum = 0;
    /// let mut items = iterate_in_thread::<Sim, _>(1..=1000).in_chunks_of(100);
    /// while let Some(item) = items.next().await {
    ///     sum += item;
    /// }
    /// assert_eq!(sum, 500_500);
    /// # });
    /// ```
    #[track_caller]
    pub fn in_chunks_of(mut self, size: usize) -> Self {
        assert!(
            size > 0,
            "anyrt: a chunk of no items; fetch at least 1 at a time"
        );
        self.chunk = size;
        self
    }

    /// The next item; `None` when the iterator is over.
    ///
    /// While a thread is fetching, a cancellation waits for it, as for [`to_thread`](crate::to_thread); the item is
    /// given all the same, and the next `Pending` delivers.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a thread that is fetching goes on, and the next call of `next` gives what it brings.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # anyrt_core::run(&Sim::default(), async {
    /// let mut items = anyrt_core::iterate_in_thread::<Sim, _>(0..1);
    /// assert_eq!((items.next().await, items.next().await), (Some(0), None));
    /// # });
    /// ```
    #[expect(
        clippy::should_implement_trait,
        reason = "the name that streams have; no iterator can wait"
    )]
    pub fn next(&mut self) -> NextItem<'_, B, I> {
        NextItem {
            iterate: self,
            hold: None,
        }
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<I::Item>> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Poll::Ready(Some(item));
            }
            match std::mem::replace(&mut self.source, Source::Over) {
                Source::At(slot) => {
                    self.source = Source::Fetching(self.fetch(slot.clone()), slot);
                }
                Source::Fetching(mut call, slot) => {
                    let Poll::Ready(fetched) = Pin::new(&mut call).poll(cx) else {
                        self.source = if call.is_over() {
                            // The scope is cancelled, and the call is not going to run.
                            Source::At(slot)
                        } else {
                            Source::Fetching(call, slot)
                        };
                        return Poll::Pending;
                    };
                    self.items = fetched.items;
                    self.source = match fetched.rest {
                        Ok(true) => Source::At(slot),
                        Ok(false) => Source::Over,
                        Err(payload) => Source::Panicked(payload),
                    };
                }
                Source::Panicked(payload) => resume_unwind(payload),
                Source::Over => return Poll::Ready(None),
            }
        }
    }

    fn fetch(&self, slot: Slot<I>) -> Call<B, I> {
        let chunk = self.chunk;
        let fetch: Fetch<I> = Box::new(move || Fetched::from(&slot, chunk));
        let call = call_without_hold(fetch, self.caller);
        match &self.limiter {
            Some(limiter) => call.limiter(limiter),
            None => call,
        }
    }

    fn is_fetching(&self) -> bool {
        matches!(&self.source, Source::Fetching(call, _) if call.is_running())
    }

    /// Nobody asks any more: leaves the queue of the limiter, but not a thread that is fetching.
    fn give_up(&mut self) {
        if self.is_fetching() {
            return;
        }
        match std::mem::replace(&mut self.source, Source::Over) {
            Source::Fetching(_, slot) => self.source = Source::At(slot),
            other => self.source = other,
        }
    }
}

impl<I: Iterator> Fetched<I> {
    fn from(slot: &Mutex<Option<I>>, chunk: usize) -> Self {
        let mut items = VecDeque::new();
        let mut rest = lock(slot).take();
        let fetch = || {
            while let Some(iterator) = rest.as_mut().filter(|_| items.len() < chunk) {
                match iterator.next() {
                    Some(item) => items.push_back(item),
                    // Dropped here, on the thread.
                    None => rest = None,
                }
            }
        };
        let panic = catch_unwind(AssertUnwindSafe(fetch)).err();
        let rest = match panic {
            None => {
                let has_more = rest.is_some();
                *lock(slot) = rest;
                Ok(has_more)
            }
            Some(payload) => {
                throw_away(rest);
                if items.is_empty() {
                    // The usual way, which leads to the enclosing group if nobody waits any more.
                    resume_unwind(payload);
                }
                Err(payload)
            }
        };
        Self { items, rest }
    }
}

impl<B: Backend, I> Unpin for Iterate<B, I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
}

impl<B: Backend, I> Stream for Iterate<B, I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<I::Item>> {
        self.poll_item(cx)
    }
}

impl<B: Backend, I> fmt::Debug for Iterate<B, I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iterate")
            .field("items", &self.items.len())
            .field("is_fetching", &self.is_fetching())
            .finish_non_exhaustive()
    }
}

/// The future of [`Iterate::next`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct NextItem<'a, B: Backend, I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    iterate: &'a mut Iterate<B, I>,
    /// As long as it is asked for; an iterator that somebody merely keeps holds nothing.
    hold: Option<Hold>,
}

impl<B: Backend, I> Future for NextItem<'_, B, I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    type Output = Option<I::Item>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let polled = this.iterate.poll_item(cx);
        if polled.is_ready() {
            this.hold = None;
        } else if this.hold.is_none() && this.iterate.is_fetching() {
            this.hold = place::node().map(Hold::on);
        }
        polled
    }
}

impl<B: Backend, I> Drop for NextItem<'_, B, I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    fn drop(&mut self) {
        self.iterate.give_up();
    }
}
