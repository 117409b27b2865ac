//! What neutrality costs: with one feature on, the facade's backend is that of the runtime itself; with several on, it
//! is an enum of all.

use std::future::ready;
use std::hint::black_box;
use std::pin::pin;

use anyrt_core::{Backend, backend, now, sleep};
use anyrt_tokio::Tokio;
use futures::poll;
use tokio::time::Instant;

use super::pieces::{Child, HOUR, itself, one_by_one};
use crate::case::Case;
use crate::goal::Goal;
use crate::host::On;

const CALLS: u64 = 1_000;

pub(super) fn cases() -> Vec<Case> {
    let one = ours::<Tokio>("one feature on", Goal::new(1.02, 1.0));
    let several = ours::<anyrt::Current>("several features on", Goal::new(1.15, 1.05));
    one.into_iter().chain(several).collect()
}

fn ours<B: Backend>(features: &str, goal: Goal) -> [Case; 3] {
    let named = |what| format!("`{what}`, {features}");
    let spawn = |n| backend::<B>().spawn(Child::Ready.number(n));
    let spawned = move |calls| one_by_one(calls, spawn, Option::unwrap_or_default);
    let slept = |calls| one_by_one(calls, |n| begun(sleep::<B>(HOUR), n), itself);
    let asked = |calls| {
        let make = |n| {
            black_box(now::<B>());
            ready(n)
        };
        one_by_one(calls, make, itself)
    };
    let on = On::OneThread;
    [
        Case::new(named("spawn"), on, CALLS, spawned).against("tokio::spawn", goal, tokio_spawned),
        Case::new(named("sleep"), on, CALLS, slept).against("tokio::time::sleep", goal, |calls| {
            one_by_one(calls, |n| begun(tokio::time::sleep(HOUR), n), itself)
        }),
        Case::new(named("now"), on, CALLS, asked).against("tokio's Instant::now", goal, |calls| {
            let make = |n| {
                black_box(Instant::now());
                ready(n)
            };
            one_by_one(calls, make, itself)
        }),
    ]
}

async fn tokio_spawned(calls: u64) -> u64 {
    let spawn = |n| tokio::spawn(Child::Ready.number(n));
    one_by_one(calls, spawn, Result::unwrap_or_default).await
}

/// A wait that has begun is given up.
async fn begun(wait: impl Future, n: u64) -> u64 {
    let _ = poll!(pin!(wait));
    n
}
