//! Probabilistic concurrency testing; what it is stands at [`Policy::Pct`](crate::Policy::Pct).
//!
//! Invariant: everyone in the line stands in `ready` under the priority that it has now.

use std::collections::BTreeMap;

use fastrand::Rng;

/// Who has not fallen is above this, who has fallen at a change point above the next.
const USUAL: u64 = 1 << 63;
const CHANGED: u64 = 1 << 62;

/// How often in a row a task may wake itself before it gives way: to wait in a loop for what another task is to do
/// would last for ever, and to give way each time would be no priority.
const PATIENCE: u32 = 64;

/// The priorities.
#[derive(Debug)]
pub(crate) struct Pct {
    seed: u64,
    /// Those in the line, by priority and who they are, with their number in the line.
    ready: BTreeMap<(u64, u64), u64>,
    /// The priorities of those who have fallen.
    fallen: BTreeMap<u64, u64>,
    /// The change points that are still to come, the next one last, and the priority that is given there.
    changes: Vec<(u64, u64)>,
    /// Below all who have given way so far.
    lowest: u64,
    /// Who went on last, and how often in a row.
    last: (u64, u32),
}

impl Pct {
    pub(crate) fn new(seed: u64, depth: u32, steps: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let change = |value| (rng.u64(1..=steps), CHANGED + u64::from(value));
        let mut changes: Vec<_> = (1..depth).map(change).collect();
        changes.sort_unstable_by(|a, b| b.cmp(a));
        Self {
            seed,
            ready: BTreeMap::new(),
            fallen: BTreeMap::new(),
            changes,
            lowest: CHANGED,
            last: (0, 0),
        }
    }

    fn priority(&self, who: u64) -> u64 {
        let drawn = || {
            let seed = self.seed ^ who.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            Rng::with_seed(seed).u64(..) | USUAL
        };
        self.fallen.get(&who).copied().unwrap_or_else(drawn)
    }

    /// Somebody has come into the line.
    pub(crate) fn came(&mut self, who: u64, number: u64) {
        if self.last.0 == who && self.last.1 >= PATIENCE {
            self.lowest -= 1;
            self.fallen.insert(who, self.lowest);
        }
        self.ready.insert((self.priority(who), who), number);
    }

    /// Gives the number in the line of the one that goes on.
    pub(crate) fn choose(&mut self, step: u64) -> Option<u64> {
        while let Some(&(at, priority)) = self.changes.last() {
            if at > step {
                break;
            }
            self.changes.pop();
            let ((_, who), number) = self.ready.pop_last()?;
            self.fallen.insert(who, priority);
            self.ready.insert((priority, who), number);
        }
        let ((_, who), number) = self.ready.pop_last()?;
        self.last = match self.last {
            (last, times) if last == who => (who, times + 1),
            _ => (who, 1),
        };
        Some(number)
    }

    /// Somebody has ended.
    pub(crate) fn forget(&mut self, who: u64) {
        self.fallen.remove(&who);
    }
}
