//! A stream in memory: two pipes, one for each direction.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};

use crate::clock::{Alarm, Clock};
use crate::delay::Delay;
use crate::pipe::{Pipe, Write};

/// One end of a stream in memory: what is written here is read at the other end.
///
/// It comes from [`memory_stream_pair`](crate::memory_stream_pair) or [`StreamOptions`](crate::StreamOptions), and
/// behaves like a connection of TCP:
///
/// - The buffer of each direction is bounded. A write takes as much as there is room for, and waits when there is none.
/// - [`close`](AsyncWrite::poll_close) closes the direction from here: the other end reads what is left, and then the end.
///   The other direction stays open. To drop the end closes both; the other end then writes in vain, which is
///   [`BrokenPipe`](ErrorKind::BrokenPipe), and so is to write after closing.
/// - To flush does nothing, as each write sends its bytes off.
///
/// [`control`](Self::control) is a handle for the test that has given the stream away. Only where a delay was asked
/// for is a runtime needed.
///
/// # Cancel safety
///
/// A read or a write that is `Pending` has moved nothing, so no byte is lost or doubled when it is dropped.
///
/// # Examples
///
/// ```
/// use anyrt_sim::Sim;
/// use anyrt_testing::memory_stream_pair;
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// # futures::executor::block_on(async {
/// let (mut client, mut server) = memory_stream_pair::<Sim>();
/// client.write_all(b"are you there?").await.unwrap();
/// client.close().await.unwrap();
///
/// let mut question = String::new();
/// server.read_to_string(&mut question).await.unwrap();
/// assert_eq!(question, "are you there?");
/// server.write_all(b"yes").await.unwrap();
/// drop(server);
///
/// let mut answer = String::new();
/// client.read_to_string(&mut answer).await.unwrap();
/// assert_eq!(answer, "yes");
/// # });
/// ```
#[derive(Debug)]
pub struct MemoryStream {
    ends: StreamControl,
    alarm: Alarm,
}

impl MemoryStream {
    /// The two ends; the first writes into `there` and the second into `back`.
    pub(crate) fn pair(there: Pipe, back: Pipe, clock: Clock) -> (Self, Self) {
        let (there, back) = (Arc::new(there), Arc::new(back));
        let end = |incoming: &Arc<Pipe>, outgoing: &Arc<Pipe>| Self {
            ends: StreamControl {
                incoming: Arc::clone(incoming),
                outgoing: Arc::clone(outgoing),
            },
            alarm: Alarm::new(clock),
        };
        (end(&back, &there), end(&there, &back))
    }

    /// A handle by which a test changes this end while somebody else uses it.
    ///
    /// # Examples
    ///
    /// See [`StreamControl`].
    pub fn control(&self) -> StreamControl {
        self.ends.clone()
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Self { ends, alarm } = &mut *self;
        ends.incoming.poll_read(cx, buf, alarm)
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let clock = self.alarm.clock();
        match ready!(self.ends.outgoing.poll_write(cx, buf, clock)) {
            Write::Done(result) => Poll::Ready(result),
            Write::Reset => {
                self.ends.reset();
                Poll::Ready(Err(ErrorKind::ConnectionReset.into()))
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.ends.outgoing.check())
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let checked = self.ends.outgoing.check();
        self.ends.outgoing.close(self.alarm.clock());
        Poll::Ready(checked)
    }
}

impl Drop for MemoryStream {
    fn drop(&mut self) {
        self.ends.outgoing.close(self.alarm.clock());
        self.ends.incoming.abandon();
    }
}

/// A handle to one end of a stream in memory: makes it slow, or makes it fail.
///
/// It comes from [`MemoryStream::control`]. "Here" is the end that it was taken from.
///
/// # Examples
///
/// ```
/// use std::io::ErrorKind;
/// use std::time::Duration;
/// use anyrt_core::now;
/// use anyrt_sim::Sim;
/// use anyrt_testing::memory_stream_pair;
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// # anyrt_core::run(&Sim::default(), async {
/// let (mut client, mut server) = memory_stream_pair::<Sim>();
/// let control = client.control();
///
/// control.set_delay(Duration::from_secs(1));
/// let sent = now::<Sim>();
/// client.write_all(b"slow").await.unwrap();
/// let mut buf = [0; 4];
/// server.read_exact(&mut buf).await.unwrap();
/// assert_eq!(now::<Sim>() - sent, Duration::from_secs(1));
///
/// control.fail_writes(2, ErrorKind::TimedOut); // two bytes more
/// assert_eq!(client.write(b"lost").await.unwrap(), 2);
/// assert_eq!(client.write(b"st").await.unwrap_err().kind(), ErrorKind::TimedOut);
///
/// control.reset();
/// assert_eq!(server.read(&mut buf).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct StreamControl {
    incoming: Arc<Pipe>,
    outgoing: Arc<Pipe>,
}

impl StreamControl {
    /// What is written here from now on takes so long to arrive, and never overtakes what was written before.
    pub fn set_delay(&self, delay: impl Into<Delay>) {
        let delay = delay.into();
        self.outgoing.rewire(|link| link.latency = delay);
    }

    /// One read here gives so many bytes at most from now on.
    ///
    /// # Panics
    ///
    /// If that is 0, which would be the end of the stream.
    #[track_caller]
    pub fn set_chunk(&self, bytes: usize) {
        self.incoming.set_chunk(at_least_one(bytes, "chunk"));
    }

    /// Reads here fail from now on, once `after` more bytes have been read.
    pub fn fail_reads(&self, after: usize, kind: ErrorKind) {
        self.incoming.fail_reads(after, kind);
    }

    /// Writes here fail from now on, once `after` more bytes have been written.
    pub fn fail_writes(&self, after: usize, kind: ErrorKind) {
        self.outgoing.fail_writes(after, kind);
    }

    /// Breaks the connection: what is under way is lost, and both ends fail with `ConnectionReset` at once.
    pub fn reset(&self) {
        self.incoming.fail(ErrorKind::ConnectionReset);
        self.outgoing.fail(ErrorKind::ConnectionReset);
    }

    pub(crate) fn pipes(&self) -> [&Arc<Pipe>; 2] {
        [&self.incoming, &self.outgoing]
    }
}

#[track_caller]
pub(crate) fn at_least_one(bytes: usize, what: &str) -> usize {
    assert!(
        bytes > 0,
        "anyrt: a {what} of 0 bytes lets nothing through; give at least 1"
    );
    bytes
}
