//! Which faults a stream is to have, and how often.

use std::fmt;
use std::marker::PhantomData;

use anyrt_core::Backend;
use fastrand::Rng;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::delay::Delay;
use crate::faulty::Faulty;
use crate::plan::{Plans, Rates};

/// Which faults a [`Faulty`] stream has, and how often; it begins with none.
///
/// A chance is a number from 0.0, never, to 1.0, always, and is asked once for each read, write, flush or close that
/// is to be done; not for each poll. Reads draw from a generator of their own, so that what they come to does not
/// depend on what is written meanwhile. So the same seed means the same faults, on every backend, for code that reads
/// and writes the same.
///
/// # Panics
///
/// The methods that take a chance: if it is not in 0.0..=1.0.
///
/// # Examples
///
/// See [`Faulty`].
pub struct Faults<B> {
    rates: Rates,
    seed: u64,
    backend: PhantomData<fn() -> B>,
}

impl<B: Backend> Faults<B> {
    /// No faults yet; those to come are drawn by this seed.
    pub fn new(seed: u64) -> Self {
        Self {
            rates: Rates::default(),
            seed,
            backend: PhantomData,
        }
    }

    /// A read gives fewer bytes than it could, but at least one.
    #[track_caller]
    pub fn short_reads(mut self, chance: f64) -> Self {
        self.rates.short_reads = Chance::new(chance);
        self
    }

    /// A write takes fewer bytes than it could, but at least one.
    #[track_caller]
    pub fn short_writes(mut self, chance: f64) -> Self {
        self.rates.short_writes = Chance::new(chance);
        self
    }

    /// The first poll is `Pending` and wakes its task at once, whether or not the stream is ready.
    #[track_caller]
    pub fn spurious_pending(mut self, chance: f64) -> Self {
        self.rates.pending = Chance::new(chance);
        self
    }

    /// It takes some time before it begins: a duration, or a range to draw from.
    #[track_caller]
    pub fn delays(mut self, chance: f64, delay: impl Into<Delay>) -> Self {
        self.rates.delays = Chance::new(chance);
        self.rates.delay = delay.into();
        self
    }

    /// It fails with `ConnectionReset`, and so does everything after it. The stream itself is dropped, so that the
    /// other end hears of it.
    #[track_caller]
    pub fn resets(mut self, chance: f64) -> Self {
        self.rates.resets = Chance::new(chance);
        self
    }

    /// Gives `stream` these faults; another stream with the same seed has the same ones.
    pub fn wrap<S>(&self, stream: S) -> Faulty<S> {
        let mut rng = Rng::with_seed(self.seed);
        let rates = self.rates;
        let clock = Clock::of::<B>();
        let reads = Plans::new(rates, rates.short_reads, rng.fork(), clock);
        let writes = Plans::new(rates, rates.short_writes, rng.fork(), clock);
        Faulty::new(stream, reads, writes)
    }
}

impl<B> fmt::Debug for Faults<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("rates", &self.rates)
            .field("seed", &self.seed)
            .finish()
    }
}
