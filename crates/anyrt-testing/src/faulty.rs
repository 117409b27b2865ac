//! A stream with faults on purpose.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};
use pin_project_lite::pin_project;

use crate::plan::{Plans, Verdict};

pin_project! {
    /// A stream that goes wrong now and then, by a seed; made by [`Faults::wrap`](crate::Faults::wrap).
    ///
    /// It takes any [`AsyncRead`] and [`AsyncWrite`], and is one itself: code that gets everything across a stream that
    /// reads and writes in odd pieces, waits where it need not, and breaks, is ready for a network. A stream that only
    /// reads or only writes will do, too.
    ///
    /// # Cancel safety
    ///
    /// As that of the stream inside. A fault that has begun, such as a delay, goes on with the next operation.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io::ErrorKind;
    /// use anyrt_sim::Sim;
    /// use anyrt_testing::{Faults, memory_stream_pair};
    /// use futures::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # futures::executor::block_on(async {
    /// let (mut client, server) = memory_stream_pair::<Sim>();
    /// let faults = Faults::<Sim>::new(7).short_reads(1.0).spurious_pending(0.5);
    /// let mut server = faults.wrap(server);
    ///
    /// client.write_all(b"in one piece").await.unwrap();
    /// let mut buf = [0; 12];
    /// assert!(server.read(&mut buf).await.unwrap() < 12);
    ///
    /// let mut server = Faults::<Sim>::new(7).resets(1.0).wrap(server);
    /// let reset = server.write_all(b"answer").await.unwrap_err();
    /// assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    /// # });
    /// ```
    #[derive(Debug)]
    pub struct Faulty<S> {
        // None once the connection was reset.
        #[pin]
        stream: Option<S>,
        reads: Plans,
        writes: Plans,
    }
}

impl<S> Faulty<S> {
    pub(crate) fn new(stream: S, reads: Plans, writes: Plans) -> Self {
        Self {
            stream: Some(stream),
            reads,
            writes,
        }
    }

    /// The stream inside, unless it was reset.
    pub fn get_ref(&self) -> Option<&S> {
        self.stream.as_ref()
    }

    /// Takes the stream out again, unless it was reset.
    pub fn into_inner(self) -> Option<S> {
        self.stream
    }
}

/// Does one operation on `stream` under the plans of its direction.
fn poll_with<S, T>(
    mut stream: Pin<&mut Option<S>>,
    plans: &mut Plans,
    cx: &mut Context<'_>,
    operate: impl FnOnce(Pin<&mut S>, &Plans, &mut Context<'_>) -> Poll<io::Result<T>>,
) -> Poll<io::Result<T>> {
    let reset = || Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
    let Some(live) = stream.as_mut().as_pin_mut() else {
        return reset();
    };
    match ready!(plans.poll_begin(cx)) {
        Verdict::Reset => {
            stream.set(None);
            reset()
        }
        Verdict::GoOn => {
            let done = ready!(operate(live, plans, cx));
            plans.end();
            Poll::Ready(done)
        }
    }
}

impl<S: AsyncRead> AsyncRead for Faulty<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        poll_with(this.stream, this.reads, cx, |stream, plans, cx| {
            let bytes = plans.shorten(buf.len());
            stream.poll_read(cx, &mut buf[..bytes])
        })
    }
}

impl<S: AsyncWrite> AsyncWrite for Faulty<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        poll_with(this.stream, this.writes, cx, |stream, plans, cx| {
            stream.poll_write(cx, &buf[..plans.shorten(buf.len())])
        })
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        poll_with(this.stream, this.writes, cx, |stream, _, cx| {
            stream.poll_flush(cx)
        })
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        poll_with(this.stream, this.writes, cx, |stream, _, cx| {
            stream.poll_close(cx)
        })
    }
}
