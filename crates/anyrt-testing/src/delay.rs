//! How long something takes: always the same, or drawn from a range.

use std::ops::RangeInclusive;
use std::time::Duration;

use fastrand::Rng;

/// A duration, or a range of them from which one is drawn each time.
///
/// Made by `into` from a [`Duration`] or from `shortest..=longest`.
///
/// # Panics
///
/// When it is made, if the range is empty.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use anyrt_testing::Delay;
///
/// let fixed = Delay::from(Duration::from_millis(5));
/// let drawn = Delay::from(Duration::from_millis(5)..=Duration::from_millis(50));
/// assert_ne!(fixed, drawn);
/// assert_eq!(Delay::default(), Delay::from(Duration::ZERO));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delay {
    shortest: Duration,
    longest: Duration,
}

impl Delay {
    pub(crate) fn is_zero(self) -> bool {
        self.longest.is_zero()
    }

    /// A range of one length draws nothing.
    pub(crate) fn draw(self, rng: &mut Rng) -> Duration {
        let span = (self.longest - self.shortest).as_nanos();
        if span == 0 {
            return self.shortest;
        }
        let span = u64::try_from(span).unwrap_or(u64::MAX);
        self.shortest + Duration::from_nanos(rng.u64(..=span))
    }
}

impl From<Duration> for Delay {
    fn from(duration: Duration) -> Self {
        Self {
            shortest: duration,
            longest: duration,
        }
    }
}

impl From<RangeInclusive<Duration>> for Delay {
    #[track_caller]
    fn from(range: RangeInclusive<Duration>) -> Self {
        let (shortest, longest) = range.into_inner();
        assert!(
            shortest <= longest,
            "anyrt: a delay of {shortest:?} to {longest:?} is an empty range; put the shorter one first"
        );
        Self { shortest, longest }
    }
}
