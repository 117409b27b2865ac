//! Where the items of a combinator come from: an iterator or a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

/// An iterator or a stream; `M`, which the compiler finds, says which of them.
///
/// It is implemented for all that is `IntoIterator` and for all that is a [`Stream`], and there is no need to
/// implement it for anything else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an iterator nor a stream",
    note = "a `futures_core::Stream` or an `IntoIterator` is needed; a receiver of tokio is made one by `tokio-stream`"
)]
pub trait Source<M> {
    /// What it gives.
    type Item;
    #[doc(hidden)]
    type Items: Stream<Item = Self::Item>;

    #[doc(hidden)]
    fn items(self) -> Self::Items;
}

/// Marks a [`Source`] that is an iterator.
#[derive(Debug)]
pub struct ByIterator(());

/// Marks a [`Source`] that is a stream.
#[derive(Debug)]
pub struct ByStream(());

impl<I: IntoIterator> Source<ByIterator> for I {
    type Item = I::Item;
    type Items = AlwaysReady<I::IntoIter>;

    fn items(self) -> AlwaysReady<I::IntoIter> {
        AlwaysReady(self.into_iter())
    }
}

impl<S: Stream> Source<ByStream> for S {
    type Item = S::Item;
    type Items = S;

    fn items(self) -> S {
        self
    }
}

/// An iterator as a stream that is always ready.
pub struct AlwaysReady<I>(I);

impl<I> Unpin for AlwaysReady<I> {}

impl<I: Iterator> Stream for AlwaysReady<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.0.next())
    }
}

impl<I> fmt::Debug for AlwaysReady<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AlwaysReady")
    }
}
