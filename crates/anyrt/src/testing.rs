//! The test kit, on the current backend: order between tasks, streams and a network in memory, faults on purpose.
//!
//! It comes with the feature `testing`, which belongs among the development dependencies. The terms are those of the
//! testing modules of trio and anyio.
//!
//! - [`wait_all_blocked`] waits until everything else waits; [`Sequencer`] forces an order between tasks.
//! - [`poll_once`], [`assert_pending!`] and [`assert_ready!`] poll a future by hand.
//! - [`memory_stream_pair`] makes a stream in memory; [`StreamOptions`] one that is slow, or comes in small pieces, and
//!   [`MemoryStream::control`] makes it fail.
//! - [`Faults`] make any stream go wrong now and then, by a seed.
//! - [`Network`] is a network in memory, with hosts that connect, latency, and wires that are cut and mended. [`Net`] is
//!   what code asks of it that runs on sockets, too.
//!
//! All of it runs on every backend, but [`wait_all_blocked`], which needs the simulator. Only there delays take no
//! real time, and only there a test that uses seeds does the same each time.

pub use anyrt_testing::{
    At, Delay, Faulty, HostListener, HostStream, Listener, MemoryStream, Net, Sequencer,
    StreamControl, Turn, assert_pending, assert_ready, poll_once,
};

use crate::current::Current;

/// The future of [`wait_all_blocked`]; see [`anyrt_testing::WaitAllBlocked`].
pub type WaitAllBlocked = anyrt_testing::WaitAllBlocked<Current>;

/// Pairs of streams in memory that are not as usual; see [`anyrt_testing::StreamOptions`].
pub type StreamOptions = anyrt_testing::StreamOptions<Current>;

/// Which faults a stream has, and how often; see [`anyrt_testing::Faults`].
pub type Faults = anyrt_testing::Faults<Current>;

/// A network in memory; see [`anyrt_testing::Network`].
pub type Network = anyrt_testing::Network<Current>;

/// A host of a network in memory; see [`anyrt_testing::Host`].
pub type Host = anyrt_testing::Host<Current>;

/// Waits until every other task waits, and nothing but the passing of time would bring one further.
///
/// All rules are at [`anyrt_testing::wait_all_blocked`].
///
/// # Panics
///
/// If there is no runtime at this place. When it is polled, if the runtime cannot know.
///
/// # Backends
///
/// It needs the simulator; on the others there is no such moment.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")]
/// # anyrt::run_on(anyrt::Sim::default(), async {
/// use anyrt::testing::{Sequencer, wait_all_blocked};
///
/// let seq = Sequencer::new();
/// let first = seq.at(0).await;
/// let second = seq.at(1);
/// let group = anyrt::task_group(async |g| {
///     let task = g.spawn(async {
///         second.await;
///         Ok::<_, ()>(())
///     });
///     wait_all_blocked().await;
///     assert!(!task.is_finished());
///     drop(first);
///     wait_all_blocked().await;
///     assert!(task.is_finished());
///     Ok(())
/// });
/// group.await.unwrap();
/// # });
/// ```
#[track_caller]
pub fn wait_all_blocked() -> WaitAllBlocked {
    anyrt_testing::wait_all_blocked()
}

/// Makes two streams in memory that are connected: what is written into one is read from the other.
///
/// All rules are at [`MemoryStream`].
///
/// # Examples
///
/// ```
/// use anyrt::testing::{assert_pending, assert_ready, memory_stream_pair};
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// let (mut a, mut b) = memory_stream_pair();
/// let mut buf = [0; 4];
/// assert_pending!(b.read(&mut buf));
/// assert_eq!(assert_ready!(a.write(b"data")).unwrap(), 4);
/// assert_eq!(assert_ready!(b.read(&mut buf)).unwrap(), 4);
/// ```
pub fn memory_stream_pair() -> (MemoryStream, MemoryStream) {
    anyrt_testing::memory_stream_pair::<Current>()
}
