//! Where a run is given up because it was not to go on.

use std::fmt;
use std::time::Duration;

/// What a run is not to go beyond.
#[derive(Debug)]
pub(crate) enum What {
    Steps(u64),
    Time(Duration),
    /// The clock is not to jump by itself, and nobody lets it.
    Clock {
        timers: usize,
    },
}

/// A run is at one of its limits.
#[derive(Debug)]
pub(crate) struct Limit {
    pub(crate) what: What,
    pub(crate) tasks: usize,
    pub(crate) steps: u64,
    pub(crate) elapsed: Duration,
    pub(crate) seed: u64,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Steps(limit) => write!(
                f,
                "step limit: the main future is not done after {limit} steps; if the program only needs longer, \
                 raise `max_steps`"
            )?,
            What::Time(limit) => write!(
                f,
                "time limit: the main future is not done, and nothing is going to happen within {limit:?} of \
                 virtual time; if the program only needs longer, raise `max_time`"
            )?,
            What::Clock { timers } => write!(
                f,
                "the clock stands still: nothing is runnable, and no timer is due (timers armed: {timers}), \
                 because of `autojump(false)`; let a task await `Sim::advance`"
            )?,
        }
        let Self {
            tasks,
            steps,
            elapsed,
            seed,
            ..
        } = self;
        write!(
            f,
            " (tasks alive: {tasks}, steps: {steps}, virtual time since the start: {elapsed:?}, seed: {seed})"
        )
    }
}
