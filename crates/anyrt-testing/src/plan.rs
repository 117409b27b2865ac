//! What is going to go wrong with one read or write.
//!
//! It is drawn when the operation begins and kept until that is done, however often it is polled. So what a seed comes
//! to does not depend on who wakes whom how often.

use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::chance::Chance;
use crate::clock::{Alarm, Clock};
use crate::delay::Delay;

/// Longer than any test, and short enough for every clock.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);

/// How likely each fault is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rates {
    pub(crate) short_reads: Chance,
    pub(crate) short_writes: Chance,
    pub(crate) pending: Chance,
    pub(crate) delays: Chance,
    pub(crate) delay: Delay,
    pub(crate) resets: Chance,
}

/// The plans for one direction, one after the other.
#[derive(Debug)]
pub(crate) struct Plans {
    rates: Rates,
    short: Chance,
    rng: Rng,
    current: Option<Plan>,
    alarm: Alarm,
}

/// What is left to come of one operation.
#[derive(Debug)]
struct Plan {
    resets: bool,
    is_pending: bool,
    delay: Option<Duration>,
    not_before: Option<Instant>,
    /// Decides how many bytes, if not all of them.
    short: Option<u64>,
}

/// An operation goes on, unless the connection is reset.
pub(crate) enum Verdict {
    GoOn,
    Reset,
}

impl Plans {
    pub(crate) fn new(rates: Rates, short: Chance, rng: Rng, clock: Clock) -> Self {
        Self {
            rates,
            short,
            rng,
            current: None,
            alarm: Alarm::new(clock),
        }
    }

    /// Begins an operation, or goes on with the one that has begun, up to where the stream itself is to be polled.
    pub(crate) fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<Verdict> {
        let plan = match &mut self.current {
            Some(plan) => plan,
            none => none.insert(Plan::draw(&self.rates, self.short, &mut self.rng)),
        };
        let alarm = &mut self.alarm;
        if std::mem::take(&mut plan.is_pending) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(delay) = plan.delay.take() {
            // Without a runtime there is no time, and nothing takes any.
            let now = alarm.clock().now();
            plan.not_before = now.and_then(|now| now.checked_add(delay.min(FAR)));
        }
        if let Some(at) = plan.not_before {
            ready!(alarm.poll_until(at, cx));
            plan.not_before = None;
        }
        if plan.resets {
            return Poll::Ready(Verdict::Reset);
        }
        Poll::Ready(Verdict::GoOn)
    }

    /// How many of so many bytes are moved: fewer, but at least one if there are any.
    pub(crate) fn shorten(&self, bytes: usize) -> usize {
        match self.current.as_ref().and_then(|plan| plan.short) {
            Some(drawn) if bytes > 1 => {
                // Every other time only a few, since buffers are often much larger than what is in them.
                let most = if drawn % 2 == 0 { bytes.min(8) } else { bytes };
                1 + (drawn / 2 % (most as u64 - 1)) as usize
            }
            _ => bytes,
        }
    }

    /// The operation is done.
    pub(crate) fn end(&mut self) {
        self.current = None;
    }
}

impl Plan {
    fn draw(rates: &Rates, short: Chance, rng: &mut Rng) -> Self {
        let is_delayed = rates.delays.strikes(rng);
        Self {
            resets: rates.resets.strikes(rng),
            is_pending: rates.pending.strikes(rng),
            delay: is_delayed.then(|| rates.delay.draw(rng)),
            not_before: None,
            short: short.strikes(rng).then(|| rng.u64(..)),
        }
    }
}
