//! A connection between two hosts.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use crate::memory_stream::{MemoryStream, StreamControl};

/// A connection between two [`Host`](crate::Host)s: a [`MemoryStream`] with addresses.
///
/// It behaves as that does, over the wires of its network.
///
/// # Examples
///
/// See [`Network`](crate::Network).
#[derive(Debug)]
pub struct HostStream {
    stream: MemoryStream,
    local: Arc<str>,
    peer: Arc<str>,
}

impl HostStream {
    pub(crate) fn new(stream: MemoryStream, local: Arc<str>, peer: Arc<str>) -> Self {
        Self {
            stream,
            local,
            peer,
        }
    }

    /// The address of this side, such as `"client:49152"`.
    pub fn local_addr(&self) -> &str {
        &self.local
    }

    /// The address of the other side.
    pub fn peer_addr(&self) -> &str {
        &self.peer
    }

    /// A handle by which a test breaks this connection, or makes this end slow.
    pub fn control(&self) -> StreamControl {
        self.stream.control()
    }
}

impl AsyncRead for HostStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for HostStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
