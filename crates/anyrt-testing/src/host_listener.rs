//! A port of a host, and the connections that wait there.

use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use async_channel::Receiver;

use crate::host_stream::HostStream;
use crate::net::Listener;
use crate::wires::Shared;

/// A port of a [`Host`](crate::Host), and the connections that wait there to be accepted.
///
/// There may be any number of these. Dropping it resets them, and gives the port free.
///
/// # Examples
///
/// See [`Network`](crate::Network).
pub struct HostListener {
    shared: Arc<Shared>,
    host: Arc<str>,
    port: u16,
    backlog: Receiver<HostStream>,
}

impl HostListener {
    /// Listens there, unless somebody does.
    pub(crate) fn bind(shared: &Arc<Shared>, host: &Arc<str>, port: u16) -> io::Result<Self> {
        let (sender, backlog) = async_channel::unbounded();
        let bound = shared.lock().listen(host, port, sender);
        let port = bound.ok_or_else(|| {
            let message = format!("somebody listens on {host}:{port} already");
            io::Error::new(ErrorKind::AddrInUse, message)
        })?;
        Ok(Self {
            shared: Arc::clone(shared),
            host: Arc::clone(host),
            port,
            backlog,
        })
    }

    /// Waits for the next connection, and gives it with the address of the other side.
    ///
    /// # Cancel safety
    ///
    /// No connection is lost when it is dropped.
    ///
    /// # Errors
    ///
    /// None so far.
    pub async fn accept(&self) -> io::Result<(HostStream, String)> {
        let next = self.backlog.recv().await;
        // The sender is with the network for as long as there is this receiver.
        let stream = next.map_err(|_| io::Error::from(ErrorKind::NotConnected))?;
        let peer = stream.peer_addr().to_owned();
        Ok((stream, peer))
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Listener for HostListener {
    type Stream = HostStream;

    async fn accept(&self) -> io::Result<(HostStream, String)> {
        self.accept().await
    }

    fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for HostListener {
    fn drop(&mut self) {
        self.shared.lock().stop_listening(&self.host, self.port);
        self.backlog.close();
        while let Ok(stream) = self.backlog.try_recv() {
            stream.control().reset();
        }
    }
}

impl fmt::Debug for HostListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostListener")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
