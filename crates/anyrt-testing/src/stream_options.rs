//! Pairs of streams in memory, and how they are to be.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU64;

use anyrt_core::Backend;
use fastrand::Rng;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::delay::Delay;
use crate::link::Link;
use crate::memory_stream::{MemoryStream, at_least_one};
use crate::pipe::Pipe;

/// The room in each direction, if nothing else is said.
pub(crate) const BUFFER: usize = 64 * 1024;

/// Makes two streams in memory that are connected: what is written into one is read from the other.
///
/// This is trio's function of the same name. There is room for 64 KiB in each direction, nothing takes
/// any time, and nothing fails; [`StreamOptions`] makes other pairs, and [`MemoryStream::control`] changes them later.
///
/// # Examples
///
/// See [`MemoryStream`].
pub fn memory_stream_pair<B: Backend>() -> (MemoryStream, MemoryStream) {
    StreamOptions::<B>::new().pair()
}

/// Pairs of streams in memory that are not as usual: slow, in small pieces, with little room.
///
/// All of it holds for both directions.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use anyrt_core::now;
/// use anyrt_sim::Sim;
/// use anyrt_testing::{StreamOptions, assert_pending};
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// # anyrt_core::run(&Sim::default(), async {
/// let options = StreamOptions::<Sim>::new();
/// let (mut client, mut server) = options.buffer(8).chunk(3).delay(Duration::from_secs(1)).pair();
/// let start = now::<Sim>();
///
/// client.write_all(b"12345678").await.unwrap();
/// assert_pending!(client.write(b"9")); // no room
///
/// let mut buf = [0; 8];
/// assert_eq!(server.read(&mut buf).await.unwrap(), 3);
/// assert_eq!(now::<Sim>() - start, Duration::from_secs(1));
/// # });
/// ```
pub struct StreamOptions<B> {
    buffer: usize,
    chunk: usize,
    delay: Delay,
    bytes_per_second: Option<NonZeroU64>,
    seed: u64,
    backend: PhantomData<fn() -> B>,
}

impl<B: Backend> StreamOptions<B> {
    /// The usual pair: room for 64 KiB, nothing takes time.
    pub fn new() -> Self {
        Self {
            buffer: BUFFER,
            chunk: usize::MAX,
            delay: Delay::default(),
            bytes_per_second: None,
            seed: 0,
            backend: PhantomData,
        }
    }

    /// So many bytes are under way at most; a writer waits for room.
    ///
    /// # Panics
    ///
    /// If that is 0.
    #[track_caller]
    pub fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = at_least_one(bytes, "buffer");
        self
    }

    /// One read gives so many bytes at most.
    ///
    /// # Panics
    ///
    /// If that is 0.
    #[track_caller]
    pub fn chunk(mut self, bytes: usize) -> Self {
        self.chunk = at_least_one(bytes, "chunk");
        self
    }

    /// What is written takes so long to arrive: a duration, or a range to draw from. Nothing overtakes.
    pub fn delay(mut self, delay: impl Into<Delay>) -> Self {
        self.delay = delay.into();
        self
    }

    /// No more bytes go through in a second.
    pub fn bytes_per_second(mut self, bytes: NonZeroU64) -> Self {
        self.bytes_per_second = Some(bytes);
        self
    }

    /// The seed by which delays are drawn; 0 if nothing else is said.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Makes a pair.
    pub fn pair(&self) -> (MemoryStream, MemoryStream) {
        let mut rng = Rng::with_seed(self.seed);
        let mut pipe = || {
            let link = Link::new(
                self.delay,
                self.bytes_per_second,
                Chance::default(),
                rng.fork(),
            );
            Pipe::new(link, self.buffer, self.chunk)
        };
        MemoryStream::pair(pipe(), pipe(), Clock::of::<B>())
    }
}

impl<B: Backend> Default for StreamOptions<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B> fmt::Debug for StreamOptions<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamOptions")
            .field("buffer", &self.buffer)
            .field("chunk", &self.chunk)
            .field("delay", &self.delay)
            .field("bytes_per_second", &self.bytes_per_second)
            .field("seed", &self.seed)
            .finish()
    }
}
