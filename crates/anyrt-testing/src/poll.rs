//! Polling a future by hand, to see whether it waits.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Polls `future` once in the running task, and gives its value if it is ready.
///
/// As `poll_once` of futures-lite. Where it gives `None`, the running task is woken when the future can go on; to ask
/// without being woken, also where nothing async runs, take [`assert_pending!`](crate::assert_pending).
///
/// # Examples
///
/// ```
/// use std::pin::pin;
/// use anyrt_testing::poll_once;
///
/// # anyrt_core::run(&anyrt_sim::Sim::default(), async {
/// let (sender, receiver) = async_channel::unbounded();
/// let mut item = pin!(receiver.recv());
/// assert_eq!(poll_once(&mut item).await, None);
/// sender.try_send(7).unwrap();
/// assert_eq!(poll_once(&mut item).await, Some(Ok(7)));
/// # });
/// ```
pub async fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Asserts that a future is not ready when it is polled once.
///
/// It takes a variable, which is used again afterwards, so that it has to be `mut` and `Unpin`: a future that is not
/// goes through [`pin!`] or [`Box::pin`] first. The waker does nothing, so this works in a plain `#[test]` too; whoever
/// polls the future later gives it another one. Further arguments are the message, as with `assert!`. tokio-test has
/// a macro of this name, which takes the result of a poll.
///
/// # Panics
///
/// If the future is ready.
///
/// # Examples
///
/// ```
/// use std::pin::pin;
/// use anyrt_testing::{assert_pending, assert_ready};
///
/// let (sender, receiver) = async_channel::unbounded();
/// let mut sum = pin!(async { receiver.recv().await.unwrap() + 1 });
/// assert_pending!(sum);
/// sender.try_send(7).unwrap();
/// assert_eq!(assert_ready!(sum), 8);
/// ```
#[macro_export]
macro_rules! assert_pending {
    ($future:expr $(,)?) => {
        $crate::assert_pending!($future, "`{}` is ready", ::core::stringify!($future))
    };
    ($future:expr, $($message:tt)+) => {
        ::core::assert!($crate::poll_now(&mut $future).is_pending(), $($message)+)
    };
}

/// Asserts that a future is ready when it is polled once, and gives its value.
///
/// All else is as with [`assert_pending!`].
///
/// # Panics
///
/// If the future is not ready.
///
/// # Examples
///
/// ```
/// use std::future::ready;
/// use anyrt_testing::assert_ready;
///
/// assert_eq!(assert_ready!(ready(7)), 7);
/// ```
#[macro_export]
macro_rules! assert_ready {
    ($future:expr $(,)?) => {
        $crate::assert_ready!($future, "`{}` is not ready", ::core::stringify!($future))
    };
    ($future:expr, $($message:tt)+) => {
        $crate::expect_ready($crate::poll_now(&mut $future), ::core::format_args!($($message)+))
    };
}

/// What the macros call.
#[doc(hidden)]
pub fn poll_now<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// What [`assert_ready!`](crate::assert_ready) calls, so that the type of the value comes from the future alone.
#[doc(hidden)]
#[track_caller]
pub fn expect_ready<T>(poll: Poll<T>, message: fmt::Arguments<'_>) -> T {
    match poll {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("{message}"),
    }
}
