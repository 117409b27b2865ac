//! Looking for the shortest schedule with which a program still fails.
//!
//! This is delta debugging (Zeller and Hildebrandt 2002) over the detours of a schedule: parts of it are left out, large
//! ones first, and what still fails in the same way is gone on with. Nobody knows what a detour means once another
//! one is gone, so what counts is what was recorded when the candidate ran.

use crate::schedule::{Detour, Schedule};
use crate::settings::Recording;

/// No more runs than this, and no more steps in all of them.
const MAX_RUNS: u64 = 3_000;
const MAX_STEPS: u64 = 10_000_000;

/// The shortest schedule that was found, and after how many runs.
pub(crate) struct Shrunk {
    pub(crate) schedule: Schedule,
    pub(crate) runs: u64,
}

/// Shrinks a schedule. `run` runs one, and says whether it failed in the same way.
pub(crate) fn shrink(
    schedule: Schedule,
    run: &mut dyn FnMut(Schedule) -> (bool, Recording),
) -> Shrunk {
    let mut search = Search {
        best: schedule,
        runs: 0,
        steps: 0,
        run,
    };
    search.is_better_with(Vec::new());
    search.leave_out();
    search.make_small();
    Shrunk {
        schedule: search.best,
        runs: search.runs,
    }
}

struct Search<'a> {
    best: Schedule,
    runs: u64,
    steps: u64,
    run: &'a mut dyn FnMut(Schedule) -> (bool, Recording),
}

impl Search<'_> {
    /// Runs a candidate, and goes on with what came of it if that is shorter and fails.
    fn is_better_with(&mut self, detours: Vec<Detour>) -> bool {
        if self.runs >= MAX_RUNS || self.steps >= MAX_STEPS {
            return false;
        }
        let (fails, recording) = (self.run)(Schedule(detours));
        self.runs += 1;
        self.steps += recording.steps;
        let is_better = fails && size(&recording.schedule) < size(&self.best);
        if is_better {
            self.best = recording.schedule;
        }
        is_better
    }

    /// Leaves out parts, from the end, since what comes later depends on what was before.
    fn leave_out(&mut self) {
        let mut length = self.best.0.len().div_ceil(2);
        while length > 0 {
            let mut has_shrunk = false;
            let mut end = self.best.0.len();
            while end > 0 {
                let begin = end.saturating_sub(length);
                let mut detours = self.best.0.clone();
                detours.drain(begin..end.min(detours.len()));
                has_shrunk |= self.is_better_with(detours);
                end = begin.min(self.best.0.len());
            }
            if length > 1 {
                length = length.div_ceil(2);
            } else if !has_shrunk {
                length = 0;
            }
        }
    }

    /// Lets those go on that are not so far back in the line.
    fn make_small(&mut self) {
        let mut at = 0;
        while let Some(&Detour { rank, .. }) = self.best.0.get(at) {
            let smaller = [1, rank / 2, rank - 1];
            let is_better = smaller.into_iter().any(|smaller| {
                let mut detours = self.best.0.clone();
                detours[at].rank = smaller;
                0 < smaller && smaller < rank && self.is_better_with(detours)
            });
            if !is_better {
                at += 1;
            }
        }
    }
}

/// Fewer detours are shorter, then smaller ones.
fn size(schedule: &Schedule) -> (usize, usize) {
    let ranks = schedule.0.iter().map(|detour| detour.rank);
    (schedule.0.len(), ranks.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let detour = |step| Detour { step, rank: 5 };
        let schedule = Schedule((0..1000).map(detour).collect());
        let mut run = |schedule: Schedule| {
            let has = |step, least| {
                let is_it = |detour: &Detour| detour.step == step && detour.rank >= least;
                schedule.0.iter().any(is_it)
            };
            let fails = has(17, 2) && has(612, 1) && has(998, 4);
            let recording = Recording { steps: 1, schedule };
            (fails, recording)
        };
        let shrunk = shrink(schedule, &mut run);
        assert_eq!(shrunk.schedule.to_string(), "17.2,612.1,998.4");
        assert!(shrunk.runs < 200, "{}", shrunk.runs);
    }
}
