//! The seam for schedules: which of those in the line goes on.

use fastrand::Rng;

use crate::line::Line;
use crate::pct::Pct;
use crate::policy::Policy;
use crate::schedule::{Detour, Schedule};

/// A rule, and what it has to remember.
#[derive(Debug)]
pub(crate) enum Chooser {
    Random(Rng),
    Fifo,
    Pct(Box<Pct>),
    /// As was written down; the detours that are still to come, the next one last.
    Replay(Vec<Detour>),
}

impl Chooser {
    pub(crate) fn new(policy: Policy, seed: u64) -> Self {
        match policy {
            Policy::Random => Self::Random(Rng::with_seed(seed)),
            Policy::Fifo => Self::Fifo,
            Policy::Pct { depth, steps } => Self::Pct(Box::new(Pct::new(seed, depth, steps))),
        }
    }

    pub(crate) fn replay(schedule: &Schedule) -> Self {
        Self::Replay(schedule.0.iter().rev().copied().collect())
    }

    /// Somebody has come into the line under this number.
    pub(crate) fn came(&mut self, who: u64, number: u64) {
        if let Self::Pct(pct) = self {
            pct.came(who, number);
        }
    }

    /// Gives the rank of the one that goes on in this step. Nobody else decides that.
    pub(crate) fn choose<T>(&mut self, step: u64, line: &Line<T>) -> usize {
        match self {
            // Not `rng.usize(..)`: it draws differently where pointers have 32 bits, and a seed has to name
            // the same order on every machine.
            Self::Random(rng) => rng.u64(..line.len() as u64) as usize,
            Self::Fifo => 0,
            Self::Pct(pct) => pct.choose(step).map_or(0, |number| line.rank_of(number)),
            Self::Replay(detours) => {
                while let Some(&Detour { step: at, rank }) = detours.last() {
                    if at > step {
                        break;
                    }
                    detours.pop();
                    if at == step {
                        return rank.min(line.len() - 1);
                    }
                }
                0
            }
        }
    }

    /// Somebody has ended.
    pub(crate) fn forget(&mut self, who: u64) {
        if let Self::Pct(pct) = self {
            pct.forget(who);
        }
    }
}
