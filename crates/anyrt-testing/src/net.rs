//! What a program asks of a network, be it a real one or [`Network`](crate::Network).

use std::future::Future;
use std::io;

use futures_io::{AsyncRead, AsyncWrite};

/// A place in a network from which one can connect, and where one can listen.
///
/// Client and server code that takes one of these runs in memory as well as on sockets. In memory it is a
/// [`Host`](crate::Host). For sockets it is a few lines around the `TcpStream` and `TcpListener` of smol or async-std, or
/// of tokio with `tokio_util`'s adapters.
///
/// # Examples
///
/// ```
/// use std::io;
/// use anyrt_sim::Sim;
/// use anyrt_testing::{Listener, Net, Network};
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// async fn serve_one(net: impl Net) -> io::Result<()> {
///     let listener = net.listen(80).await?;
///     let (mut stream, _) = listener.accept().await?;
///     stream.write_all(b"hello").await
/// }
///
/// async fn ask(net: impl Net, server: &str) -> io::Result<String> {
///     let mut answer = String::new();
///     net.connect(server).await?.read_to_string(&mut answer).await?;
///     Ok(answer)
/// }
///
/// # anyrt_core::run(&Sim::default(), async {
/// let network = Network::<Sim>::new(7);
/// let server = serve_one(network.host("server"));
/// let client = ask(network.host("client"), "server:80"); // is polled second
/// let (served, answer) = futures::join!(server, client);
/// assert_eq!((served.unwrap(), answer.unwrap().as_str()), ((), "hello"));
/// # });
/// ```
pub trait Net: Clone + Send + Sync + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// What [`listen`](Self::listen) gives.
    type Listener: Listener<Stream = Self::Stream>;

    /// Connects to an address, such as `"server:80"`.
    fn connect(&self, address: &str) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Listens on a port here; on any that is free, if it is 0.
    fn listen(&self, port: u16) -> impl Future<Output = io::Result<Self::Listener>> + Send;
}

/// A port on which somebody listens; dropping it ends that.
///
/// # Examples
///
/// See [`Net`].
pub trait Listener: Send + Sync + 'static {
    /// A connection.
    type Stream;

    /// Waits for the next connection, and gives it with the address of the other side.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, String)>> + Send;

    /// The port.
    fn port(&self) -> u16;
}
