//! Measuring a case: contenders take turns, for many short rounds.

use std::time::{Duration, Instant};

use allocation_counter::{AllocationInfo, measure};

use crate::case::{Case, Contender, Metric};
use crate::host::{Hosts, On};
use crate::row::{Row, Side};
use crate::spread::Spread;

/// How long to measure.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    rounds: usize,
    /// How long one contender works in one round, about.
    turn: Duration,
    /// How long the rounds of a case may take; work that takes long gets fewer of them.
    case: Duration,
}

impl Effort {
    pub(crate) const QUICK: Self = Self {
        rounds: 21,
        turn: Duration::from_millis(5),
        case: Duration::from_secs(1),
    };
    pub(crate) const FULL: Self = Self {
        rounds: 101,
        turn: Duration::from_millis(15),
        case: Duration::from_secs(15),
    };
}

/// There has to be a middle.
const FEWEST_ROUNDS: usize = 3;

impl Case {
    /// A row for each peer.
    pub(crate) fn measure(&self, hosts: &Hosts, effort: Effort) -> Vec<Row> {
        let counts: Vec<_> = self
            .contenders()
            .into_iter()
            .map(|contender| self.count(hosts, contender))
            .collect();
        let values = match self.metric {
            Metric::Time => self.times(hosts, effort),
            Metric::Allocations => self.counted(&counts, |counts| counts.count_total),
            Metric::PeakBytes => self.counted(&counts, |counts| counts.bytes_max),
        };
        let mut sides = values.iter().zip(&counts).map(|(values, counts)| {
            let counts = counts.as_ref();
            Side {
                value: Spread::of(values.clone()).middle,
                allocations: counts.map(|counts| self.each(counts.count_total)),
                bytes: counts.map(|counts| self.each(counts.bytes_total)),
            }
        });
        let Some(ours) = sides.next() else {
            return Vec::new();
        };
        let peers = self.peers.iter().zip(sides).zip(&values[1..]);
        peers
            .map(|((peer, theirs), their_values)| {
                // What disturbs a round disturbs both, so the ratio is taken in each of them.
                let ratios = values[0].iter().zip(their_values);
                Row {
                    case: self.name.clone(),
                    on: self.on.name(),
                    unit: self.metric.unit(),
                    peer: peer.name,
                    goal: peer.goal,
                    ratio: Spread::of(ratios.map(|(ours, theirs)| ours / theirs).collect()),
                    ours: ours.clone(),
                    theirs,
                }
            })
            .collect()
    }

    /// The nanoseconds for a piece, in each round, of each contender.
    fn times(&self, hosts: &Hosts, effort: Effort) -> Vec<Vec<f64>> {
        let contenders = self.contenders();
        let mut round = Duration::ZERO;
        let times: Vec<_> = contenders
            .iter()
            .map(|contender| {
                let (times, took) = self.warm_up(hosts, contender, effort.turn);
                round += took;
                times
            })
            .collect();
        let affordable = effort.case.as_nanos() / round.as_nanos().max(1);
        let rounds = usize::try_from(affordable).unwrap_or(usize::MAX);
        let mut values = vec![Vec::new(); contenders.len()];
        for round in 0..rounds.clamp(FEWEST_ROUNDS, effort.rounds) {
            // Nobody always comes after the same one.
            for turn in 0..contenders.len() {
                let at = (round + turn) % contenders.len();
                let took = hosts.run(self.on, contenders[at].work(times[at]));
                let pieces = f64::from(times[at]) * self.pieces as f64;
                values[at].push(took.as_nanos() as f64 / pieces);
            }
        }
        values
    }

    /// How often it can do its work in a turn, and how long that really takes.
    fn warm_up(&self, hosts: &Hosts, contender: &Contender, turn: Duration) -> (u32, Duration) {
        let mut times = 1;
        loop {
            let start = Instant::now();
            hosts.run(self.on, contender.work(times));
            let took = start.elapsed();
            if took >= turn {
                return (times, took);
            }
            times *= 2;
        }
    }

    /// What it allocates, in a round of its own since counting takes time. Only the allocations of one thread can be
    /// counted.
    fn count(&self, hosts: &Hosts, contender: &Contender) -> Option<AllocationInfo> {
        if self.on != On::OneThread {
            return None;
        }
        hosts.run(self.on, contender.work(1));
        Some(measure(|| {
            hosts.run(self.on, contender.work(1));
        }))
    }

    fn counted(
        &self,
        counts: &[Option<AllocationInfo>],
        what: impl Fn(&AllocationInfo) -> u64,
    ) -> Vec<Vec<f64>> {
        let value = |counts: &Option<AllocationInfo>| {
            let counts = counts.as_ref();
            counts.map_or(f64::NAN, |counts| self.each(what(counts)))
        };
        counts.iter().map(|counts| vec![value(counts)]).collect()
    }

    fn each(&self, total: u64) -> f64 {
        total as f64 / self.pieces as f64
    }
}
