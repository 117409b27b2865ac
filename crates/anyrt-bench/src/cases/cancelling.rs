//! Trees of groups and scopes beside trees of tokens.

use std::future::{pending, ready};
use std::pin::pin;
use std::time::{Duration, Instant};

use anyrt_core::{CancelScope, TaskGroup, task_group};
use anyrt_tokio::Tokio;
use futures::poll;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::pieces::{Waiting, one_by_one};
use crate::case::Case;
use crate::goal::Goal;
use crate::host::On;

const PEER: &str = "CancellationToken";
const GOAL: Goal = Goal::new(0.8, 0.5);
const MANY: u64 = 100_000;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for on in On::TOKIO {
        let name = "cancel 100,000 tasks in 1,000 groups";
        cases.push(Case::new(name, on, MANY, group_tree).against(PEER, GOAL, token_tree));
    }
    let on = On::OneThread;
    cases.extend([
        Case::new("cancel 1,000 tasks in a group", on, 1_000, |tasks| {
            cancel_after(0, tasks)
        })
        .against("after 100,000 that have ended", Goal::REPORT, |tasks| {
            cancel_after(MANY, tasks)
        }),
        Case::new("100,000 scopes, one after the other", on, MANY, scopes)
            .against(PEER, GOAL, tokens),
        Case::new("100,000 scopes at once, dropped", on, MANY, scopes_at_once).against(
            PEER,
            GOAL,
            tokens_at_once,
        ),
    ]);
    cases
}

const IN_GROUP: u64 = 100;

/// From the cancellation until all have ended.
async fn group_tree(tasks: u64) -> Duration {
    let waiting = Waiting::default();
    let tree = task_group(async |g: TaskGroup<Tokio, ()>| {
        for _ in 0..tasks / IN_GROUP {
            let waiting = waiting.clone();
            let inner = task_group(async move |g: TaskGroup<Tokio, ()>| {
                for _ in 0..IN_GROUP {
                    g.spawn(waiting.clone().wait::<Result<(), ()>>());
                }
                Ok(())
            });
            g.spawn(async { inner.await.map_err(drop) });
        }
        waiting.are(tasks).await;
        let start = Instant::now();
        g.cancel();
        Ok(start)
    });
    tree.await.map_or(Duration::ZERO, |start| start.elapsed())
}

async fn token_tree(tasks: u64) -> Duration {
    let waiting = Waiting::default();
    let tracker = TaskTracker::new();
    let root = CancellationToken::new();
    for _ in 0..tasks / IN_GROUP {
        let group = root.child_token();
        for _ in 0..IN_GROUP {
            let task = group
                .clone()
                .run_until_cancelled_owned(waiting.clone().wait::<()>());
            tracker.spawn(task);
        }
    }
    waiting.are(tasks).await;
    let start = Instant::now();
    root.cancel();
    tracker.close();
    tracker.wait().await;
    start.elapsed()
}

async fn cancel_after(ended: u64, tasks: u64) -> Duration {
    let waiting = Waiting::default();
    let group = task_group(async |g: TaskGroup<Tokio, ()>| {
        for _ in 0..ended {
            g.spawn(async { Ok(()) }).await;
        }
        for _ in 0..tasks {
            g.spawn(waiting.clone().wait::<Result<(), ()>>());
        }
        waiting.are(tasks).await;
        let start = Instant::now();
        g.cancel();
        Ok(start)
    });
    group.await.map_or(Duration::ZERO, |start| start.elapsed())
}

async fn scopes(count: u64) -> u64 {
    let make = |n| CancelScope::<Tokio>::new().run(ready(n));
    let all = one_by_one(count, make, Result::unwrap_or_default);
    CancelScope::<Tokio>::new().run(all).await.unwrap_or(0)
}

async fn tokens(count: u64) -> u64 {
    let root = CancellationToken::new();
    let make = |n| root.child_token().run_until_cancelled_owned(ready(n));
    one_by_one(count, make, Option::unwrap_or_default).await
}

async fn scopes_at_once(count: u64) -> u64 {
    let all = at_once(count, || CancelScope::<Tokio>::new().run(pending::<()>()));
    CancelScope::<Tokio>::new().run(all).await.unwrap_or(0)
}

async fn tokens_at_once(count: u64) -> u64 {
    let root = CancellationToken::new();
    let make = || {
        root.child_token()
            .run_until_cancelled_owned(pending::<()>())
    };
    at_once(count, make).await
}

/// Enters all and leaves them unfinished.
async fn at_once<F: Future>(count: u64, make: impl Fn() -> F) -> u64 {
    let mut all = Vec::new();
    for _ in 0..count {
        let mut one = Box::pin(make());
        let _ = poll!(pin!(one.as_mut()));
        all.push(one);
    }
    count * (count - 1) / 2
}
