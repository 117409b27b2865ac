//! One case: the same work done by several contenders in turns.

use std::time::{Duration, Instant};

use allocation_counter::{AllocationInfo, measure};
use tokio::runtime::{Builder, Runtime};

/// How long to measure.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    rounds: usize,
    /// How long one contender works in one round, about.
    turn: Duration,
}

impl Effort {
    pub(crate) const QUICK: Self = Self {
        rounds: 21,
        turn: Duration::from_millis(10),
    };
    pub(crate) const FULL: Self = Self {
        rounds: 101,
        turn: Duration::from_millis(20),
    };
}

pub(crate) struct Case {
    pub(crate) name: String,
    /// How many children each piece of work has; times are told per child.
    children: u64,
    /// The first one is the peer that the others are compared with.
    contenders: Vec<Contender>,
}

struct Contender {
    name: &'static str,
    work: Box<Work>,
}

/// Does the work so many times.
type Work = dyn Fn(&Runtime, u32);

/// What one contender has been measured to take.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    /// Per child, sorted.
    pub(crate) nanoseconds: Vec<f64>,
    pub(crate) allocations_per_child: f64,
    pub(crate) bytes_per_child: f64,
}

pub(crate) struct Result {
    pub(crate) case: String,
    pub(crate) contenders: Vec<Measured>,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, children: u64) -> Self {
        Self {
            name: name.into(),
            children,
            contenders: Vec::new(),
        }
    }

    /// Adds a contender; `work` is to give the sum of the numbers below that of the children.
    pub(crate) fn with<F: Future<Output = u64>>(
        mut self,
        name: &'static str,
        work: impl Fn(u64) -> F + 'static,
    ) -> Self {
        let children = self.children;
        let sum = children * (children - 1) / 2;
        let work = move |runtime: &Runtime, times| {
            runtime.block_on(async {
                for _ in 0..times {
                    assert_eq!(work(children).await, sum, "{name} has not done its work");
                }
            });
        };
        self.contenders.push(Contender {
            name,
            work: Box::new(work),
        });
        self
    }

    pub(crate) fn measure(&self, effort: Effort) -> std::result::Result<Result, String> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|why| format!("cannot start a runtime: {why}"))?;
        let times: Vec<_> = self
            .contenders
            .iter()
            .map(|contender| contender.times_in(&runtime, effort.turn))
            .collect();
        let mut measured: Vec<_> = self
            .contenders
            .iter()
            .map(|contender| self.count(contender, &runtime))
            .collect();
        for round in 0..effort.rounds {
            // Nobody always comes after the same one.
            for turn in 0..self.contenders.len() {
                let at = (round + turn) % self.contenders.len();
                let took = self.contenders[at].take_turn(&runtime, times[at]);
                let pieces = f64::from(times[at]) * self.children as f64;
                let per_child = took.as_nanos() as f64 / pieces;
                measured[at].nanoseconds.push(per_child);
            }
        }
        for measured in &mut measured {
            measured.nanoseconds.sort_by(f64::total_cmp);
        }
        Ok(Result {
            case: self.name.clone(),
            contenders: measured,
        })
    }

    fn count(&self, contender: &Contender, runtime: &Runtime) -> Measured {
        let AllocationInfo {
            count_total,
            bytes_total,
            ..
        } = measure(|| (contender.work)(runtime, 1));
        Measured {
            name: contender.name,
            nanoseconds: Vec::new(),
            allocations_per_child: count_total as f64 / self.children as f64,
            bytes_per_child: bytes_total as f64 / self.children as f64,
        }
    }
}

impl Contender {
    fn take_turn(&self, runtime: &Runtime, times: u32) -> Duration {
        let start = Instant::now();
        (self.work)(runtime, times);
        start.elapsed()
    }

    /// How often it can do its work in about this time. Warms it up as well.
    fn times_in(&self, runtime: &Runtime, turn: Duration) -> u32 {
        let mut times = 1;
        while self.take_turn(runtime, times) < turn {
            times *= 2;
        }
        times
    }
}
