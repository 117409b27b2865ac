//! Children that are tasks of the runtime, beside other ways to spawn and wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyrt_async_std::AsyncStd;
use anyrt_core::Backend;
use anyrt_smol::Smol;
use anyrt_tokio::Tokio;
use tokio_util::task::TaskTracker;

use super::pieces::{Child, awaited, itself, join_set, one_by_one, task_group, tokio_spawn};
use crate::case::Case;
use crate::goal::Goal;
use crate::host::On;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for on in On::TOKIO {
        for child in Child::ALL {
            cases.extend(on_tokio(on, child));
        }
        cases.extend(of_three(on));
    }
    for child in Child::ALL {
        cases.extend(elsewhere(child));
    }
    cases
}

fn named(child: Child, handles: &str) -> String {
    format!("group of 1,000, {}, handles {handles}", child.name())
}

fn on_tokio(on: On, child: Child) -> [Case; 2] {
    let kept = Case::new(named(child, "awaited"), on, 1_000, move |n| {
        task_group::<Tokio>(n, child)
    })
    .against("JoinSet", Goal::new(0.85, 0.7), move |n| join_set(n, child))
    .against("tokio::spawn", Goal::new(1.15, 1.05), move |n| {
        tokio_spawn(n, child)
    });
    let dropped = Case::new(named(child, "dropped"), on, 1_000, move |n| {
        task_group_dropped::<Tokio>(n, child)
    })
    .against("TaskTracker", Goal::new(1.05, 0.95), move |n| {
        task_tracker(n, child)
    });
    [kept, dropped]
}

/// By itself, and where most are: inside another one.
fn of_three(on: On) -> [Case; 2] {
    let child = Child::Yields;
    let goal = Goal::new(1.0, 0.75);
    let ours = move |n| task_group::<Tokio>(n, child);
    let alone = Case::new("group of 3, one yield, handles awaited", on, 3, ours)
        .against("JoinSet", goal, move |n| join_set(n, child))
        .against("tokio::join!", Goal::REPORT, move |_| join_macro(child));
    let inside = Case::new("groups of 3 inside a group", on, 300, move |n| {
        let group = anyrt_core::task_group::<Tokio, _, (), _, _>(async move |_| {
            Ok(in_threes(n, || task_group::<Tokio>(3, child)).await)
        });
        async { group.await.unwrap_or(0) }
    })
    .against("JoinSet", goal, move |n| {
        in_threes(n, move || join_set(3, child))
    });
    [alone, inside]
}

async fn in_threes<F: Future<Output = u64>>(children: u64, three: impl Fn() -> F) -> u64 {
    let make = async |group| {
        let numbers_before = 3 * 3 * group;
        numbers_before + three().await
    };
    one_by_one(children / 3, make, itself).await
}

fn elsewhere(child: Child) -> [Case; 2] {
    let goal = Goal::new(1.15, 1.05);
    let name = named(child, "awaited");
    let smol = Case::new(name.clone(), On::Smol, 1_000, move |n| {
        task_group::<Smol>(n, child)
    })
    .against("smol::spawn", goal, move |n| {
        awaited(n, move |n| smol::spawn(child.number(n)), itself)
    });
    let async_std = Case::new(name, On::AsyncStd, 1_000, move |n| {
        task_group::<AsyncStd>(n, child)
    })
    .against("async_std::task::spawn", goal, move |n| {
        let spawn = move |n| async_std::task::spawn(child.number(n));
        awaited(n, spawn, itself)
    });
    [smol, async_std]
}

/// What children add to whose handles nobody has.
#[derive(Clone, Default)]
struct Sum(Arc<AtomicU64>);

impl Sum {
    async fn add(self, child: Child, n: u64) {
        self.0.fetch_add(child.number(n).await, Ordering::Relaxed);
    }

    fn total(self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

async fn task_group_dropped<B: Backend>(children: u64, child: Child) -> u64 {
    let sum = Sum::default();
    let group = anyrt_core::task_group::<B, _, (), _, _>(async |g| {
        for n in 0..children {
            let added = sum.clone().add(child, n);
            g.spawn(async {
                added.await;
                Ok(())
            });
        }
        Ok(())
    });
    group.await.map_or(0, |()| sum.total())
}

async fn task_tracker(children: u64, child: Child) -> u64 {
    let sum = Sum::default();
    let tracker = TaskTracker::new();
    for n in 0..children {
        tracker.spawn(sum.clone().add(child, n));
    }
    tracker.close();
    tracker.wait().await;
    sum.total()
}

async fn join_macro(child: Child) -> u64 {
    let (a, b, c) = tokio::join!(child.number(0), child.number(1), child.number(2));
    a + b + c
}
