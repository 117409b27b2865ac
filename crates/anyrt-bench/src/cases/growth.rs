//! What becomes of time and memory when there are many children, at once or one after the other.

use anyrt_core::TaskGroup;
use anyrt_tokio::Tokio;
use tokio::task::JoinSet;

use super::pieces::{Child, Waiting, itself, one_by_one, task_group, tokio_spawn};
use crate::case::{Case, Metric};
use crate::goal::Goal;
use crate::host::On;

const ON: On = On::OneThread;
const MANY: u64 = 1_000_000;

pub(super) fn cases() -> Vec<Case> {
    let sizes = [
        ("10", 10),
        ("100", 100),
        ("10,000", 10_000),
        ("100,000", 100_000),
        ("1,000,000", MANY),
    ];
    let mut cases: Vec<_> = sizes.into_iter().map(of_size).collect();
    cases.push(in_turn("1,000,000 through one group, one after the other"));
    cases.push(in_turn("memory of that").comparing(Metric::PeakBytes));
    cases.push(waiting("1,000,000 alive at once", MANY, Goal::REPORT));
    for (name, metric, goal) in [
        (
            "memory of 100,000 that wait",
            Metric::PeakBytes,
            Goal::new(0.9, 0.9),
        ),
        // One fewer than two.
        (
            "allocations of 100,000 that wait",
            Metric::Allocations,
            Goal::new(0.51, 0.51),
        ),
    ] {
        cases.push(waiting(name, 100_000, goal).comparing(metric));
    }
    cases
}

fn of_size((size, children): (&str, u64)) -> Case {
    let name = format!("group of {size}, one yield, handles awaited");
    Case::new(name, ON, children, |n| {
        task_group::<Tokio>(n, Child::Yields)
    })
    .against("tokio::spawn", Goal::REPORT, |n| {
        tokio_spawn(n, Child::Yields)
    })
}

fn in_turn(name: &str) -> Case {
    Case::new(name, ON, MANY, group_in_turn).against("JoinSet", Goal::REPORT, join_set_in_turn)
}

async fn group_in_turn(children: u64) -> u64 {
    let group = anyrt_core::task_group::<Tokio, _, (), _, _>(async |g| {
        let spawn = |n| g.spawn(Child::Ready.result(n));
        Ok(one_by_one(children, spawn, itself).await)
    });
    group.await.unwrap_or(0)
}

async fn join_set_in_turn(children: u64) -> u64 {
    let mut all = JoinSet::new();
    let mut sum = 0;
    for n in 0..children {
        all.spawn(Child::Ready.number(n));
        sum += all.join_next().await.map_or(0, Result::unwrap_or_default);
    }
    sum
}

fn waiting(name: &str, children: u64, goal: Goal) -> Case {
    Case::new(name, ON, children, group_that_waits).against("JoinSet", goal, join_set_that_waits)
}

async fn group_that_waits(children: u64) -> u64 {
    let waiting = Waiting::default();
    let group = anyrt_core::task_group(async |g: TaskGroup<Tokio, ()>| {
        for _ in 0..children {
            g.spawn(waiting.clone().wait::<Result<(), ()>>());
        }
        waiting.are(children).await;
        g.cancel();
        Ok(())
    });
    group.await.map_or(0, |()| children * (children - 1) / 2)
}

async fn join_set_that_waits(children: u64) -> u64 {
    let waiting = Waiting::default();
    let mut all = JoinSet::new();
    for _ in 0..children {
        all.spawn(waiting.clone().wait::<()>());
    }
    waiting.are(children).await;
    all.shutdown().await;
    children * (children - 1) / 2
}
