//! What the children of a combinator are: futures whose output goes somewhere, and not to a handle.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::lock::lock;

/// Where the output of a child goes.
pub trait Land<O> {
    /// What the child fails with.
    type Error;

    /// Puts the output there, or gives the error that it was.
    #[doc(hidden)]
    fn land(self, output: O) -> Result<(), Self::Error>;
}

pin_project! {
    /// A future, and where its output goes.
    pub struct Landing<F, L> {
        #[pin]
        future: Option<F>,
        place: Option<L>,
    }
}

impl<F, L> Landing<F, L> {
    pub(crate) fn new(future: F, place: L) -> Self {
        Self {
            future: Some(future),
            place: Some(place),
        }
    }
}

impl<F: Future, L: Land<F::Output>> Future for Landing<F, L> {
    type Output = Result<(), L::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            panic!("anyrt: a future was polled after its end");
        };
        let output = ready!(future.poll(cx));
        // Whoever sees the output finds nothing left of the future.
        this.future.set(None);
        match this.place.take() {
            Some(place) => Poll::Ready(place.land(output)),
            None => unreachable!("a future has one output"),
        }
    }
}

impl<F, L> fmt::Debug for Landing<F, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Landing")
    }
}

/// The place of one value among those of all the children.
pub struct Seat<T> {
    seats: Seats<T>,
    index: usize,
}

/// The values of all the children, in the order of the children.
pub struct Seats<T>(Arc<Mutex<Vec<Option<T>>>>);

impl<T> Seats<T> {
    pub(crate) fn new(number: usize) -> Self {
        let seats = std::iter::repeat_with(|| None).take(number);
        Self(Arc::new(Mutex::new(seats.collect())))
    }

    /// One of the seats; the first is number 0.
    pub(crate) fn seat(&self, index: usize) -> Seat<T> {
        let seats = self.clone();
        Seat { seats, index }
    }

    /// One seat more, behind the others.
    pub(crate) fn add(&self) -> Seat<T> {
        let mut seats = lock(&self.0);
        seats.push(None);
        self.seat(seats.len() - 1)
    }

    /// The values, once all the children have landed.
    pub(crate) fn take(self) -> Vec<T> {
        let seats = std::mem::take(&mut *lock(&self.0));
        let values = seats.into_iter().map(|seat| match seat {
            Some(value) => value,
            None => unreachable!("a group gives its value only if no child was cut"),
        });
        values.collect()
    }

    /// The value of the only child.
    pub(crate) fn take_one(self) -> T {
        match self.take().pop() {
            Some(value) => value,
            None => unreachable!("there is a seat for each child"),
        }
    }
}

impl<T> Clone for Seats<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T, E> Land<Result<T, E>> for Seat<T> {
    type Error = E;

    fn land(self, output: Result<T, E>) -> Result<(), E> {
        let value = output?;
        lock(&self.seats.0)[self.index] = Some(value);
        Ok(())
    }
}

impl<T> fmt::Debug for Seat<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seat")
    }
}

impl<T> fmt::Debug for Seats<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seats")
    }
}

pin_project! {
    /// One of two futures with the same output; nested, one of several.
    pub struct Either<A, B> {
        #[pin]
        which: Which<A, B>,
    }
}

pin_project! {
    #[project = WhichPinned]
    enum Which<A, B> {
        Left { #[pin] future: A },
        Right { #[pin] future: B },
    }
}

impl<A, B> Either<A, B> {
    pub(crate) fn left(future: A) -> Self {
        let which = Which::Left { future };
        Self { which }
    }

    pub(crate) fn right(future: B) -> Self {
        let which = Which::Right { future };
        Self { which }
    }
}

impl<A: Future, B: Future<Output = A::Output>> Future for Either<A, B> {
    type Output = A::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<A::Output> {
        match self.project().which.project() {
            WhichPinned::Left { future } => future.poll(cx),
            WhichPinned::Right { future } => future.poll(cx),
        }
    }
}

impl<A, B> fmt::Debug for Either<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Either")
    }
}

/// The type that is one of several futures.
macro_rules! one_of {
    ($only:ty) => { $only };
    ($first:ty, $($rest:ty),+) => { Either<$first, one_of!($($rest),+)> };
}

/// Each of several futures as one of them, in a `Vec`.
macro_rules! each_of {
    ($($future:expr),+) => { each_of!(@next [] [] $($future),+) };
    (@next [$($done:expr,)*] [$($right:ident)*] $last:expr) => {
        vec![$($done,)* each_of!(@wrap [$($right)*] $last)]
    };
    (@next [$($done:expr,)*] [$($right:ident)*] $first:expr, $($rest:expr),+) => {
        each_of!(
            @next
            [$($done,)* each_of!(@wrap [$($right)*] Either::left($first)),]
            [$($right)* right]
            $($rest),+
        )
    };
    (@wrap [] $future:expr) => { $future };
    (@wrap [right $($right:ident)*] $future:expr) => {
        Either::right(each_of!(@wrap [$($right)*] $future))
    };
}

/// Calls a macro with the first of these, with the first two, and so on to all of them.
macro_rules! with_first {
    ($call:ident: $($all:tt)+) => { with_first!(@next $call [] $($all)+); };
    (@next $call:ident [$($first:tt)*]) => {};
    (@next $call:ident [$($first:tt)*] $next:tt $($rest:tt)*) => {
        $call!($($first)* $next);
        with_first!(@next $call [$($first)* $next] $($rest)*);
    };
}

pub(crate) use {each_of, one_of, with_first};
