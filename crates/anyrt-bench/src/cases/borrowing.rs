//! Children that run in the task of their group, beside other ways to have many futures in one task.

use std::sync::atomic::{AtomicU64, Ordering};

use anyrt_tokio::Tokio;
use futures::stream::FuturesUnordered;

use super::pieces::{Child, awaited, drained, itself, task_group, tokio_spawn};
use crate::case::Case;
use crate::goal::Goal;
use crate::host::On;

const CHILD: Child = Child::Yields;

pub(super) fn cases() -> Vec<Case> {
    let sizes = [("3", 3), ("10,000", 10_000)];
    sizes.into_iter().flat_map(of_size).collect()
}

fn of_size((size, children): (&str, u64)) -> Vec<Case> {
    let goal = Goal::new(1.0, 0.8);
    let named = |what| format!("{what} of {size}, one yield");
    let one_thread = On::OneThread;
    let awaited = Case::new(named("scoped_group"), one_thread, children, scoped_group)
        .against("FuturesUnordered", goal, futures_unordered)
        .against("futures-buffered", Goal::new(1.5, 1.1), futures_buffered)
        .against_local("moro-local", Goal::REPORT, moro)
        .against("tokio::spawn", Goal::REPORT, |n| tokio_spawn(n, CHILD))
        .against("task_group", Goal::REPORT, |n| {
            task_group::<Tokio>(n, CHILD)
        });
    let dropped = named("scoped_group, handles dropped,");
    let others = [
        Case::new(dropped, one_thread, children, scoped_group_dropped),
        Case::local(named("local_group"), children, local_group),
        Case::new(named("gather"), one_thread, children, gather),
        Case::new(named("as_completed"), one_thread, children, as_completed),
    ];
    let others =
        others.map(|case| case.against("FuturesUnordered", Goal::REPORT, futures_unordered));
    std::iter::once(awaited).chain(others).collect()
}

async fn futures_unordered(children: u64) -> u64 {
    let all = (0..children).map(|n| CHILD.number(n));
    drained(all.collect::<FuturesUnordered<_>>()).await
}

async fn futures_buffered(children: u64) -> u64 {
    let all = (0..children).map(|n| CHILD.number(n));
    drained(all.collect::<futures_buffered::FuturesUnordered<_>>()).await
}

async fn moro(children: u64) -> u64 {
    moro_local::async_scope!(|scope| {
        let spawn = |n| scope.spawn(CHILD.number(n));
        awaited(children, spawn, itself).await
    })
    .await
}

async fn scoped_group(children: u64) -> u64 {
    let group = anyrt_core::scoped_group::<Tokio, _, (), _, _>(async |g| {
        Ok(awaited(children, |n| g.spawn(CHILD.result(n)), itself).await)
    });
    group.await.unwrap_or(0)
}

async fn scoped_group_dropped(children: u64) -> u64 {
    let sum = AtomicU64::new(0);
    let group = anyrt_core::scoped_group::<Tokio, _, (), _, _>(async |g| {
        for n in 0..children {
            let sum = &sum;
            g.spawn(async move {
                sum.fetch_add(CHILD.number(n).await, Ordering::Relaxed);
                Ok(())
            });
        }
        Ok(())
    });
    group.await.map_or(0, |()| sum.into_inner())
}

async fn local_group(children: u64) -> u64 {
    let group = anyrt_core::local_group::<Tokio, _, (), _, _>(async |g| {
        Ok(awaited(children, |n| g.spawn(CHILD.result(n)), itself).await)
    });
    group.await.unwrap_or(0)
}

async fn gather(children: u64) -> u64 {
    let all: Vec<_> = (0..children).map(|n| CHILD.result(n)).collect();
    let all = anyrt_core::gather::<Tokio, _>(all).await;
    all.map_or(0, |all| all.iter().sum())
}

async fn as_completed(children: u64) -> u64 {
    let all = (0..children).map(|n| CHILD.result(n));
    let sum = anyrt_core::as_completed::<Tokio, _, _, _, _, _, _, _>(all, None, async |done| {
        Ok(drained(done).await)
    });
    sum.await.unwrap_or(0)
}
