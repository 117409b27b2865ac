//! From moments to places on the paper.

use std::time::Duration;

use crate::record::Moment;
use crate::timeline::words::time;

/// From `left` to `right`, in virtual time, or by events where none went by.
pub(super) struct Axis {
    is_timeless: bool,
    /// In nanoseconds, or events.
    length: u64,
    left: f64,
    right: f64,
}

/// A bar is at least as wide, so that it can be seen.
const LEAST: f64 = 3.0;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Axis {
    pub(super) fn new(end: Moment, left: f64, right: f64) -> Self {
        let is_timeless = end.time.is_zero();
        let length = if is_timeless {
            end.step
        } else {
            nanos(end.time)
        };
        Self {
            is_timeless,
            length: length.max(1),
            left,
            right,
        }
    }

    pub(super) fn is_timeless(&self) -> bool {
        self.is_timeless
    }

    pub(super) fn x(&self, moment: Moment) -> f64 {
        self.x_of_tick(if self.is_timeless {
            moment.step
        } else {
            nanos(moment.time)
        })
    }

    /// Where a point in time is, if it is on the paper.
    pub(super) fn x_of_time(&self, time: Duration) -> Option<f64> {
        let is_on_it = !self.is_timeless && nanos(time) <= self.length;
        is_on_it.then(|| self.x_of_tick(nanos(time)))
    }

    pub(super) fn x_of_tick(&self, tick: u64) -> f64 {
        self.left + (self.right - self.left) * (tick as f64 / self.length as f64)
    }

    pub(super) fn span(&self, from: Moment, to: Moment) -> (f64, f64) {
        let (from, to) = (self.x(from), self.x(to));
        if to - from >= LEAST {
            (from, to)
        } else {
            let from = from.min(self.right - LEAST);
            (from, from + LEAST)
        }
    }

    /// About ten of them, at round numbers.
    pub(super) fn ticks(&self) -> impl Iterator<Item = u64> {
        let wanted = self.length / 10;
        let powers = (0..).map_while(|power| 10_u64.checked_pow(power));
        let plain = powers.flat_map(|ten| [1, 2, 5].map(|times| ten.saturating_mul(times)));
        let of_time = [
            MINUTE,
            2 * MINUTE,
            5 * MINUTE,
            10 * MINUTE,
            30 * MINUTE,
            HOUR,
            2 * HOUR,
            6 * HOUR,
            12 * HOUR,
        ];
        let days = (0..5)
            .map(|power| DAY * 10_u64.pow(power))
            .flat_map(|days| [1, 2, 5].map(|times| days * times));
        let step = if self.is_timeless || wanted <= 20 * SECOND {
            plain.into_iter().find(|step| *step >= wanted)
        } else {
            of_time.into_iter().chain(days).find(|step| *step >= wanted)
        };
        let step = step.unwrap_or(self.length).max(1);
        (0..=self.length / step).map(move |tick| tick * step)
    }
}

pub(super) fn tick_text(tick: u64, is_timeless: bool) -> String {
    if is_timeless {
        tick.to_string()
    } else if tick == 0 {
        "0".into()
    } else {
        time(Duration::from_nanos(tick))
    }
}

/// Of five hundred years at the most.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
