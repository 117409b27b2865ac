//! A network in memory.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use anyrt_core::Backend;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::delay::Delay;
use crate::host::Host;
use crate::memory_stream::at_least_one;
use crate::stream_options::BUFFER;
use crate::wires::Shared;

/// A network in memory: hosts with names, between them wires with a latency, which can be cut and mended.
///
/// [`host`](Self::host) gives a place to connect from and to listen at. Each connection is a stream in memory whose
/// bytes take the wire's time. Whatever is drawn comes from the seed, for each connection from a generator of its own.
/// On the simulator that makes a run the same each time, in virtual time; on the other backends delays take real time,
/// and the order between connections is up to the machine.
///
/// What it models is what a program sees of TCP: bytes arrive in order and once, or the connection breaks. So a
/// [`partition`](Self::partition) delays what is sent, and connecting times out; to have a limit on a conversation is up to
/// the program, as it is with TCP, where it takes a quarter of an hour until the system gives up.
///
/// Those who make it say by the methods that take `self` how it is to be; they hold for what begins after them.
/// Clones are the same network.
///
/// # Examples
///
/// ```
/// use std::io::ErrorKind;
/// use std::time::Duration;
/// use anyrt_core::{now, task_group};
/// use anyrt_sim::Sim;
/// use anyrt_testing::Network;
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// # anyrt_core::run(&Sim::default(), async {
/// let network = Network::<Sim>::new(7).latency(Duration::from_millis(20));
/// let (client, server) = (network.host("client"), network.host("server"));
/// let listener = server.listen(80).await.unwrap();
///
/// let group = task_group::<Sim, _, _, _, _>(async |g| {
///     g.spawn_daemon(async move {
///         while let Ok((mut stream, _)) = listener.accept().await {
///             stream.write_all(b"hello").await?;
///         }
///         Ok(())
///     });
///     let start = now::<Sim>();
///     let mut stream = client.connect("server:80").await?;
///     assert_eq!(now::<Sim>() - start, Duration::from_millis(40)); // there and back
///     let mut answer = String::new();
///     stream.read_to_string(&mut answer).await?;
///     assert_eq!(answer, "hello");
///
///     network.partition("client", "server");
///     let error = client.connect("server:80").await.unwrap_err();
///     assert_eq!(error.kind(), ErrorKind::TimedOut);
///     network.heal("client", "server");
///     client.connect("server:80").await?;
///     Ok::<_, std::io::Error>(())
/// });
/// group.await.unwrap();
/// # });
/// ```
pub struct Network<B> {
    shared: Arc<Shared>,
    backend: PhantomData<fn() -> B>,
}

impl<B: Backend> Network<B> {
    /// A network without hosts, in which nothing takes time and nothing breaks by itself.
    pub fn new(seed: u64) -> Self {
        Self {
            shared: Arc::new(Shared::new(seed, BUFFER, Clock::of::<B>())),
            backend: PhantomData,
        }
    }

    /// What is sent takes so long to arrive: a duration, or a range to draw from.
    pub fn latency(self, latency: impl Into<Delay>) -> Self {
        self.shared.lock().latency = latency.into();
        self
    }

    /// Each direction of a connection takes no more bytes in a second, and they arrive packet by packet.
    pub fn bytes_per_second(self, bytes: NonZeroU64) -> Self {
        self.shared.lock().bytes_per_second = Some(bytes);
        self
    }

    /// How likely a write breaks its connection: from 0.0, never, to 1.0, always.
    ///
    /// Both sides then fail with `ConnectionReset`, and what was under way is lost.
    ///
    /// # Panics
    ///
    /// If it is not in that range.
    #[track_caller]
    pub fn resets(self, chance: f64) -> Self {
        self.shared.lock().resets = Chance::new(chance);
        self
    }

    /// So many bytes are under way at most, in each direction of a connection; 64 KiB if nothing else is said.
    ///
    /// # Panics
    ///
    /// If that is 0.
    #[track_caller]
    pub fn buffer(self, bytes: usize) -> Self {
        self.shared.lock().buffer = at_least_one(bytes, "buffer");
        self
    }

    /// For how long connecting is tried; 30 seconds if nothing else is said.
    pub fn connect_timeout(self, limit: Duration) -> Self {
        self.shared.lock().connect_timeout = limit;
        self
    }

    /// The host of this name, which is made if there is none.
    pub fn host(&self, name: &str) -> Host<B> {
        let name = self.shared.lock().host(name);
        Host::new(Arc::clone(&self.shared), name)
    }

    /// Cuts the wire between two hosts: what has not arrived does not arrive until they are [healed](Self::heal).
    ///
    /// Nobody is told. Connections stay, and who reads or connects waits.
    ///
    /// # Panics
    ///
    /// If there is no host of that name.
    #[track_caller]
    pub fn partition(&self, a: &str, b: &str) {
        self.shared.cut(a, b);
    }

    /// Mends the wire between two hosts: what could not arrive is sent again now.
    ///
    /// # Panics
    ///
    /// If there is no host of that name.
    #[track_caller]
    pub fn heal(&self, a: &str, b: &str) {
        self.shared.mend(a, b);
    }

    /// Breaks all connections between two hosts: both sides fail with `ConnectionReset` at once.
    ///
    /// # Panics
    ///
    /// If there is no host of that name.
    #[track_caller]
    pub fn reset(&self, a: &str, b: &str) {
        self.shared.reset(a, b);
    }
}

impl<B> Clone for Network<B> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            backend: PhantomData,
        }
    }
}

impl<B> fmt::Debug for Network<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}
