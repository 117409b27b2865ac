//! A seed and a schedule as one line of text.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use crate::schedule::Schedule;

/// Names an order of events: a seed, or a seed and a schedule that was found for it.
///
/// The text is `17`, or `17:` and the schedule: `17:3.1,12.2` says that everybody goes on in the order in which they
/// were woken, except that in step 3 the one after the first does, and in step 12 the one after two others. `17:fifo`
/// is without exception. With a schedule the seed no longer decides about the order; it stays what
/// [`Sim::seed`](crate::Sim::seed) gives.
///
/// # Examples
///
/// ```
/// use anyrt_core::Backend;
/// use anyrt_sim::{Replay, Sim};
///
/// let replay: Replay = "17:3.1,12.2".parse()?;
/// assert_eq!(replay.seed(), 17);
/// assert_eq!(replay.to_string(), "17:3.1,12.2");
/// assert_eq!(Sim::builder().replay(&replay).build().run(async { 7 }), 7);
///
/// assert!("17:every day".parse::<Replay>().is_err());
/// # Ok::<(), anyrt_sim::BadReplay>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replay {
    pub(crate) seed: u64,
    pub(crate) schedule: Option<Schedule>,
}

impl Replay {
    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schedule {
            Some(schedule) => write!(f, "{}:{schedule}", self.seed),
            None => write!(f, "{}", self.seed),
        }
    }
}

impl FromStr for Replay {
    type Err = BadReplay;

    fn from_str(text: &str) -> Result<Self, BadReplay> {
        let (seed, schedule) = match text.split_once(':') {
            Some((seed, schedule)) => (seed, Some(schedule)),
            None => (text, None),
        };
        let bad = || BadReplay(text.into());
        Ok(Self {
            seed: seed.parse().map_err(|_| bad())?,
            schedule: schedule.map(str::parse).transpose().map_err(|()| bad())?,
        })
    }
}

/// A text that names no order of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadReplay(Box<str>);

impl fmt::Display for BadReplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is neither a seed, such as `17`, nor a seed with a schedule, such as `17:3.1,12.2`",
            self.0
        )
    }
}

impl Error for BadReplay {}
