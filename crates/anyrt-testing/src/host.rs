//! A host of a network: it connects and listens.

use std::fmt;
use std::io::{self, ErrorKind};
use std::marker::PhantomData;
use std::sync::Arc;

use anyrt_core::{Backend, fail_after, sleep};

use crate::host_listener::HostListener;
use crate::host_stream::HostStream;
use crate::net::Net;
use crate::wires::Shared;

/// A host of a [`Network`](crate::Network), which connects to others and listens; clones are the same one.
///
/// # Examples
///
/// See [`Network`](crate::Network).
pub struct Host<B> {
    shared: Arc<Shared>,
    name: Arc<str>,
    backend: PhantomData<fn() -> B>,
}

impl<B: Backend> Host<B> {
    pub(crate) fn new(shared: Arc<Shared>, name: Arc<str>) -> Self {
        Self {
            shared,
            name,
            backend: PhantomData,
        }
    }

    /// The name by which others connect to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Listens on a port of this host; on one that is free, if it is 0.
    ///
    /// It takes no time; it is `async` because it is so with sockets.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](ErrorKind::AddrInUse) while another listener has the port.
    pub async fn listen(&self, port: u16) -> io::Result<HostListener> {
        HostListener::bind(&self.shared, &self.name, port)
    }

    /// Connects to an address, such as `"server:80"`; that takes the time of a way there and back.
    ///
    /// While the hosts are parted it waits, and goes on when they are not.
    ///
    /// # Cancel safety
    ///
    /// The connection is given up; the other side may have accepted it, and then reads its end.
    ///
    /// # Errors
    ///
    /// [`ConnectionRefused`](ErrorKind::ConnectionRefused) if nobody listens there, once the answer is back.
    /// [`TimedOut`](ErrorKind::TimedOut) if it takes longer than the network's `connect_timeout`.
    /// [`NotFound`](ErrorKind::NotFound) if there is no host of that name, and
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the address is none; both at once.
    ///
    /// # Panics
    ///
    /// If there is no runtime at this place.
    pub async fn connect(&self, address: &str) -> io::Result<HostStream> {
        let (to, port) = split(address)?;
        let limit = {
            let wires = self.shared.lock();
            if !wires.has_host(to) {
                let message = format!("the network has no host `{to}`");
                return Err(io::Error::new(ErrorKind::NotFound, message));
            }
            wires.connect_timeout
        };
        let dialled = fail_after::<B, _>(limit, self.dial(to, port)).await;
        dialled.unwrap_or_else(|_| {
            let message = format!("no answer from {to}:{port} to {} for {limit:?}", self.name);
            Err(io::Error::new(ErrorKind::TimedOut, message))
        })
    }

    async fn dial(&self, to: &str, port: u16) -> io::Result<HostStream> {
        self.travel(to).await;
        let opened = self.shared.open(&self.name, to, port);
        self.travel(to).await;
        opened
    }

    /// One way. What is under way when the wire is cut is sent again when that is mended.
    async fn travel(&self, to: &str) {
        loop {
            // Before the wires are asked, so that no mending is missed.
            let mended = self.shared.mended.listen();
            if self.shared.lock().is_cut(&self.name, to) {
                mended.await;
                continue;
            }
            let latency = self.shared.lock().latency();
            if !latency.is_zero() {
                sleep::<B>(latency).await;
            }
            if !self.shared.lock().is_cut(&self.name, to) {
                return;
            }
        }
    }
}

/// An address is a name and a port.
fn split(address: &str) -> io::Result<(&str, u16)> {
    let parts = address.rsplit_once(':');
    let parsed = parts.and_then(|(name, port)| Some((name, port.parse().ok()?)));
    parsed.filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
        let message = format!("`{address}` is no address; write `name:port`");
        io::Error::new(ErrorKind::InvalidInput, message)
    })
}

impl<B: Backend> Net for Host<B> {
    type Stream = HostStream;
    type Listener = HostListener;

    async fn connect(&self, address: &str) -> io::Result<HostStream> {
        self.connect(address).await
    }

    async fn listen(&self, port: u16) -> io::Result<HostListener> {
        self.listen(port).await
    }
}

impl<B> Clone for Host<B> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            name: Arc::clone(&self.name),
            backend: PhantomData,
        }
    }
}

impl<B> fmt::Debug for Host<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
