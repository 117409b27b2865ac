//! What a search has found.

use std::error::Error;
use std::fmt;
use std::thread;

use crate::replay::Replay;

/// A seed with which a program fails, and the shortest schedule that was found for it.
///
/// It prints as a report, with the line that replays it. It comes from [`Explore::first_failure`].
///
/// [`Explore::first_failure`]: crate::Explore::first_failure
#[derive(Clone, Debug)]
pub struct Failure {
    pub(crate) replay: Replay,
    pub(crate) tried: u64,
    pub(crate) message: String,
    pub(crate) way: Way,
}

/// How a failure was come by.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// It was asked for, by `ANYRT_SEED`.
    Replayed,
    /// It was searched for, and had so many detours at first; so many runs were needed to make them fewer.
    Shrunk { detours: usize, runs: u64 },
    /// It did not come again.
    Vanished,
}

impl Failure {
    /// The seed.
    pub fn seed(&self) -> u64 {
        self.replay.seed
    }

    /// The seed with the schedule, for [`SimBuilder::replay`](crate::SimBuilder::replay).
    pub fn replay(&self) -> &Replay {
        &self.replay
    }

    /// How many seeds were tried, this one among them.
    pub fn tried(&self) -> u64 {
        self.tried
    }

    /// What the panic said: of the program, of a deadlock or of a limit.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            replay,
            tried,
            message,
            way,
        } = self;
        let seed = replay.seed;
        match way {
            Way::Replayed => writeln!(f, "anyrt: {replay} fails: {message}")?,
            Way::Shrunk { detours, runs } => {
                let left = replay.schedule.as_ref().map_or(*detours, |it| it.0.len());
                writeln!(
                    f,
                    "anyrt: seed {seed} fails (seeds tried: {tried}): {message}\n\
                     {detours} of its choices were not first come, first served; {left} are enough for it to fail ({runs} \
                     runs to find out)"
                )?;
            }
            Way::Vanished => writeln!(
                f,
                "anyrt: seed {seed} failed (seeds tried: {tried}), but not when it ran again: {message}\n\
                 The program depends on more than the simulation: on threads of its own, a real clock, or random \
                 numbers, such as the order in a `HashMap`."
            )?,
        }
        write!(f, "replay: ANYRT_SEED={replay} cargo test")?;
        // The test harness names its threads after the tests.
        match thread::current().name() {
            Some(test) if test != "main" => write!(f, " {test}"),
            _ => Ok(()),
        }
    }
}

impl Error for Failure {}
