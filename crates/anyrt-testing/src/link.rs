//! When what is sent arrives.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::chance::Chance;
use crate::delay::Delay;

/// As on an Ethernet.
const PACKET: usize = 1460;

/// The wire below one direction of a stream.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) latency: Delay,
    pub(crate) bytes_per_second: Option<NonZeroU64>,
    /// That the connection is reset by a write.
    pub(crate) resets: Chance,
    rng: Rng,
    /// Until when the bytes before are being sent.
    busy_until: Option<Instant>,
}

impl Link {
    pub(crate) fn new(
        latency: Delay,
        bytes_per_second: Option<NonZeroU64>,
        resets: Chance,
        rng: Rng,
    ) -> Self {
        Self {
            latency,
            bytes_per_second,
            resets,
            rng,
            busy_until: None,
        }
    }

    /// Whether it takes any time, so that it has to be told the time.
    pub(crate) fn is_timed(&self) -> bool {
        !self.latency.is_zero() || self.bytes_per_second.is_some()
    }

    /// How many bytes arrive together, where it matters that they do not all.
    pub(crate) fn packet(&self) -> Option<usize> {
        self.bytes_per_second.map(|_| PACKET)
    }

    pub(crate) fn is_reset(&mut self) -> bool {
        self.resets.strikes(&mut self.rng)
    }

    /// When so many bytes arrive that are sent now; `None` if the clock does not go that far.
    ///
    /// It may be earlier than for what was sent before; the order is up to the one who asks.
    pub(crate) fn arrival(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let begin = self.busy_until.map_or(now, |until| until.max(now));
        let sent = begin.checked_add(self.sending(bytes))?;
        self.busy_until = Some(sent);
        sent.checked_add(self.latency.draw(&mut self.rng))
    }

    /// What was on its way is lost, and is sent again.
    pub(crate) fn forget(&mut self) {
        self.busy_until = None;
    }

    fn sending(&self, bytes: usize) -> Duration {
        let Some(per_second) = self.bytes_per_second else {
            return Duration::ZERO;
        };
        let nanos = bytes as u128 * 1_000_000_000 / u128::from(per_second.get());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
