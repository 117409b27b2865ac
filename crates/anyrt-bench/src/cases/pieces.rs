//! What the work is made of: children that give their number, and the ways to have many of them.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyrt_core::{Backend, TaskGroup};
use futures::stream::{Stream, StreamExt};
use tokio::task::{JoinHandle, JoinSet, yield_now};

/// A time that nobody waits for.
pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// A child gives its number, and before that way to others if it is to.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Child {
    Ready,
    Yields,
}

impl Child {
    pub(super) const ALL: [Self; 2] = [Self::Ready, Self::Yields];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ready => "no yield",
            Self::Yields => "one yield",
        }
    }

    pub(super) async fn number(self, n: u64) -> u64 {
        if self == Self::Yields {
            yield_now().await;
        }
        n
    }

    pub(super) async fn result(self, n: u64) -> Result<u64, ()> {
        Ok(self.number(n).await)
    }
}

/// Makes all, then awaits one after the other.
pub(super) async fn awaited<H: Future>(
    children: u64,
    spawn: impl Fn(u64) -> H,
    value: impl Fn(H::Output) -> u64,
) -> u64 {
    let all: Vec<_> = (0..children).map(spawn).collect();
    let mut sum = 0;
    for handle in all {
        sum += value(handle.await);
    }
    sum
}

/// Makes and awaits one, then the next.
pub(super) async fn one_by_one<F: Future>(
    calls: u64,
    make: impl Fn(u64) -> F,
    value: impl Fn(F::Output) -> u64,
) -> u64 {
    let mut sum = 0;
    for n in 0..calls {
        sum += value(make(n).await);
    }
    sum
}

/// The work below a group, where our programs mostly are; the runtime is known from that.
pub(super) async fn in_a_run<B: Backend>(work: impl Future<Output = u64>) -> u64 {
    let run = anyrt_core::task_group(async |_: TaskGroup<B, ()>| Ok(work.await));
    run.await.unwrap_or(0)
}

pub(super) fn itself(n: u64) -> u64 {
    n
}

pub(super) async fn drained(mut all: impl Stream<Item = u64> + Unpin) -> u64 {
    let mut sum = 0;
    while let Some(n) = all.next().await {
        sum += n;
    }
    sum
}

pub(super) async fn task_group<B: Backend>(children: u64, child: Child) -> u64 {
    let group = anyrt_core::task_group::<B, _, (), _, _>(async |g| {
        Ok(awaited(children, |n| g.spawn(child.result(n)), itself).await)
    });
    group.await.unwrap_or(0)
}

pub(super) async fn tokio_spawn(children: u64, child: Child) -> u64 {
    let spawn = |n| -> JoinHandle<u64> { tokio::spawn(child.number(n)) };
    awaited(children, spawn, Result::unwrap_or_default).await
}

pub(super) async fn join_set(children: u64, child: Child) -> u64 {
    let mut all = JoinSet::new();
    for n in 0..children {
        all.spawn(child.number(n));
    }
    let mut sum = 0;
    while let Some(n) = all.join_next().await {
        sum += n.unwrap_or(0);
    }
    sum
}

/// Counts children that wait to be cancelled.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<AtomicU64>);

impl Waiting {
    pub(super) async fn wait<T>(self) -> T {
        self.0.fetch_add(1, Ordering::Relaxed);
        pending().await
    }

    /// Returns when all have been polled.
    pub(super) async fn are(&self, children: u64) {
        while self.0.load(Ordering::Relaxed) < children {
            yield_now().await;
        }
    }
}
