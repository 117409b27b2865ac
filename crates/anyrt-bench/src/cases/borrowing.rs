//! Children that run in the task of their group, beside other ways to have many futures in one task.

use std::sync::atomic::{AtomicU64, Ordering};

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::task::yield_now;

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    [3, 10_000].map(children_that_yield_once).into()
}

fn children_that_yield_once(children: u64) -> Case {
    Case::new(
        format!("{children} borrowing children that yield once"),
        children,
    )
    .with("FuturesUnordered", futures_unordered)
    .with("futures-buffered", futures_buffered)
    .with("moro-local", moro)
    .with("tokio::spawn, awaited", tokio_spawn)
    .with("task_group, handles awaited", task_group)
    .with("scoped_group, handles awaited", scoped_group)
    .with("scoped_group, handles dropped", scoped_group_dropped)
    .with("local_group, handles awaited", local_group)
    .with("gather", gather)
    .with("as_completed", as_completed)
}

async fn child(n: u64) -> u64 {
    yield_now().await;
    n
}

async fn futures_unordered(children: u64) -> u64 {
    let mut all: FuturesUnordered<_> = (0..children).map(child).collect();
    let mut sum = 0;
    while let Some(n) = all.next().await {
        sum += n;
    }
    sum
}

async fn futures_buffered(children: u64) -> u64 {
    let mut all: futures_buffered::FuturesUnordered<_> = (0..children).map(child).collect();
    let mut sum = 0;
    while let Some(n) = all.next().await {
        sum += n;
    }
    sum
}

async fn moro(children: u64) -> u64 {
    moro_local::async_scope!(|scope| {
        let all: Vec<_> = (0..children).map(|n| scope.spawn(child(n))).collect();
        let mut sum = 0;
        for task in all {
            sum += task.await;
        }
        sum
    })
    .await
}

async fn tokio_spawn(children: u64) -> u64 {
    let all: Vec<_> = (0..children).map(|n| tokio::spawn(child(n))).collect();
    let mut sum = 0;
    for task in all {
        sum += task.await.unwrap_or(0);
    }
    sum
}

async fn task_group(children: u64) -> u64 {
    let group = anyrt::task_group(async |g| {
        let spawn = |n| g.spawn(async move { Ok::<_, ()>(child(n).await) });
        let all: Vec<_> = (0..children).map(spawn).collect();
        let mut sum = 0;
        for task in all {
            sum += task.await;
        }
        Ok(sum)
    });
    group.await.unwrap_or(0)
}

async fn scoped_group(children: u64) -> u64 {
    let group = anyrt::scoped_group(async |g| {
        let spawn = |n| g.spawn(async move { Ok::<_, ()>(child(n).await) });
        let all: Vec<_> = (0..children).map(spawn).collect();
        let mut sum = 0;
        for task in all {
            sum += task.await;
        }
        Ok(sum)
    });
    group.await.unwrap_or(0)
}

async fn scoped_group_dropped(children: u64) -> u64 {
    let sum = AtomicU64::new(0);
    let group = anyrt::scoped_group(async |g| {
        for n in 0..children {
            let sum = &sum;
            g.spawn(async move {
                sum.fetch_add(child(n).await, Ordering::Relaxed);
                Ok::<_, ()>(())
            });
        }
        Ok(())
    });
    group.await.map_or(0, |()| sum.into_inner())
}

async fn local_group(children: u64) -> u64 {
    let group = anyrt::local_group(async |g| {
        let spawn = |n| g.spawn(async move { Ok::<_, ()>(child(n).await) });
        let all: Vec<_> = (0..children).map(spawn).collect();
        let mut sum = 0;
        for task in all {
            sum += task.await;
        }
        Ok(sum)
    });
    group.await.unwrap_or(0)
}

async fn gather(children: u64) -> u64 {
    let all: Vec<_> = (0..children)
        .map(async |n| Ok::<_, ()>(child(n).await))
        .collect();
    anyrt::gather(all).await.map_or(0, |all| all.iter().sum())
}

async fn as_completed(children: u64) -> u64 {
    let all = (0..children).map(async |n| Ok::<_, ()>(child(n).await));
    let sum = anyrt::as_completed(all, None, async |mut done| {
        let mut sum = 0;
        while let Some(n) = done.next().await {
            sum += n;
        }
        Ok(sum)
    });
    sum.await.unwrap_or(0)
}
