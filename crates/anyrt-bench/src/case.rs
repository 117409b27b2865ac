//! One case: the same work done by us and by peers.

use std::time::{Duration, Instant};

use crate::goal::Goal;
use crate::host::{On, Work};

/// What is compared; instead of the time it can be the instructions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    Time,
    Allocations,
    /// The most that is allocated at one time.
    PeakBytes,
}

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) on: On,
    /// How many children, calls or scopes the work has; all is told for one of them.
    pub(crate) pieces: u64,
    pub(crate) metric: Metric,
    pub(crate) ours: Contender,
    pub(crate) peers: Vec<Peer>,
}

pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) goal: Goal,
    pub(crate) contender: Contender,
}

/// Makes the work of doing it so many times.
pub(crate) struct Contender {
    make: Box<dyn Fn(u32) -> Work>,
    /// Whether all of the work is what is measured.
    pub(crate) is_all_measured: bool,
}

/// How a piece of work says that it has been done.
pub(crate) trait Done: Send {
    const IS_ALL_MEASURED: bool;

    /// The time that counts, or `None` if all of it does.
    fn check(self, pieces: u64) -> Option<Duration>;
}

/// The sum of the numbers below that of the pieces.
impl Done for u64 {
    const IS_ALL_MEASURED: bool = true;

    fn check(self, pieces: u64) -> Option<Duration> {
        assert_eq!(
            self,
            pieces * (pieces - 1) / 2,
            "the work has not been done"
        );
        None
    }
}

impl Done for Duration {
    const IS_ALL_MEASURED: bool = false;

    fn check(self, _: u64) -> Option<Duration> {
        Some(self)
    }
}

impl Metric {
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Time => "ns",
            Self::Allocations => "allocations",
            Self::PeakBytes => "B",
        }
    }
}

impl Case {
    pub(crate) fn new<F, D>(
        name: impl Into<String>,
        on: On,
        pieces: u64,
        ours: impl Fn(u64) -> F + Clone + Send + 'static,
    ) -> Self
    where
        F: Future<Output = D> + Send + 'static,
        D: Done,
    {
        Self::of(name.into(), on, pieces, Contender::new(pieces, ours))
    }

    /// A case of ours that is not `Send`.
    pub(crate) fn local<F: Future<Output = u64> + 'static>(
        name: impl Into<String>,
        pieces: u64,
        ours: impl Fn(u64) -> F + Clone + 'static,
    ) -> Self {
        Self::of(
            name.into(),
            On::OneThread,
            pieces,
            Contender::local(pieces, ours),
        )
    }

    fn of(name: String, on: On, pieces: u64, ours: Contender) -> Self {
        Self {
            name,
            on,
            pieces,
            metric: Metric::Time,
            ours,
            peers: Vec::new(),
        }
    }

    pub(crate) fn comparing(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    pub(crate) fn against<F, D>(
        self,
        name: &'static str,
        goal: Goal,
        work: impl Fn(u64) -> F + Clone + Send + 'static,
    ) -> Self
    where
        F: Future<Output = D> + Send + 'static,
        D: Done,
    {
        let contender = Contender::new(self.pieces, work);
        self.with(name, goal, contender)
    }

    /// A peer that is not `Send`.
    pub(crate) fn against_local<F: Future<Output = u64> + 'static>(
        self,
        name: &'static str,
        goal: Goal,
        work: impl Fn(u64) -> F + Clone + 'static,
    ) -> Self {
        let contender = Contender::local(self.pieces, work);
        self.with(name, goal, contender)
    }

    fn with(mut self, name: &'static str, goal: Goal, contender: Contender) -> Self {
        self.peers.push(Peer {
            name,
            goal,
            contender,
        });
        self
    }

    pub(crate) fn title(&self) -> String {
        format!("{}, {}", self.name, self.on.name())
    }

    /// Ours first, then the peers.
    pub(crate) fn contenders(&self) -> Vec<&Contender> {
        let peers = self.peers.iter().map(|peer| &peer.contender);
        std::iter::once(&self.ours).chain(peers).collect()
    }
}

impl Contender {
    fn new<F, D>(pieces: u64, work: impl Fn(u64) -> F + Clone + Send + 'static) -> Self
    where
        F: Future<Output = D> + Send + 'static,
        D: Done,
    {
        Self {
            make: Box::new(move |times| Work::Send(Box::pin(repeat(times, pieces, work.clone())))),
            is_all_measured: D::IS_ALL_MEASURED,
        }
    }

    fn local<F: Future<Output = u64> + 'static>(
        pieces: u64,
        work: impl Fn(u64) -> F + Clone + 'static,
    ) -> Self {
        Self {
            make: Box::new(move |times| Work::Local(Box::pin(repeat(times, pieces, work.clone())))),
            is_all_measured: true,
        }
    }

    pub(crate) fn work(&self, times: u32) -> Work {
        (self.make)(times)
    }
}

async fn repeat<F: Future<Output: Done>>(
    times: u32,
    pieces: u64,
    work: impl Fn(u64) -> F,
) -> Duration {
    let mut took = Duration::ZERO;
    for _ in 0..times {
        let start = Instant::now();
        let counts = work(pieces).await.check(pieces);
        took += counts.unwrap_or_else(|| start.elapsed());
    }
    took
}
