//! What neutrality costs: with one feature on, the facade's backend is that of the runtime itself; with several on, it
//! is an enum of all.

use std::future::ready;
use std::hint::black_box;
use std::pin::pin;

use anyrt_core::{Backend, backend, now, sleep};
use anyrt_tokio::Tokio;
use futures::poll;
use tokio::time::Instant;

use super::pieces::{Child, HOUR, in_a_run, itself, one_by_one};
use crate::case::Case;
use crate::goal::Goal;
use crate::host::On;

const CALLS: u64 = 1_000;

pub(super) fn cases() -> Vec<Case> {
    let one = ours::<Tokio>("one feature on", Goal::new(1.02, 1.0));
    let several = ours::<anyrt::Current>("several features on", Goal::new(1.15, 1.05));
    one.into_iter().chain(several).flatten().collect()
}

/// Each below a group of ours, and in a task of tokio that knows of none.
fn ours<B: Backend>(features: &str, goal: Goal) -> [[Case; 3]; 2] {
    let inside = |what| format!("`{what}`, {features}");
    let outside = |what| format!("`{what}`, {features}, outside of a run");
    [
        [
            case(inside("spawn"), |calls| in_a_run::<B>(spawned::<B>(calls))).against(
                "tokio::spawn",
                goal,
                tokio_spawned,
            ),
            case(inside("sleep"), |calls| in_a_run::<B>(slept::<B>(calls))).against(
                "tokio::time::sleep",
                goal,
                tokio_slept,
            ),
            case(inside("now"), |calls| in_a_run::<B>(asked::<B>(calls))).against(
                "tokio's Instant::now",
                goal,
                tokio_asked,
            ),
        ],
        [
            case(outside("spawn"), spawned::<B>).against(
                "tokio::spawn",
                Goal::REPORT,
                tokio_spawned,
            ),
            case(outside("sleep"), slept::<B>).against(
                "tokio::time::sleep",
                Goal::REPORT,
                tokio_slept,
            ),
            case(outside("now"), asked::<B>).against(
                "tokio's Instant::now",
                Goal::REPORT,
                tokio_asked,
            ),
        ],
    ]
}

fn case<F>(name: String, work: impl Fn(u64) -> F + Clone + Send + 'static) -> Case
where
    F: Future<Output = u64> + Send + 'static,
{
    Case::new(name, On::OneThread, CALLS, work)
}

async fn spawned<B: Backend>(calls: u64) -> u64 {
    let spawn = |n| backend::<B>().spawn(Child::Ready.number(n));
    one_by_one(calls, spawn, Option::unwrap_or_default).await
}

async fn slept<B: Backend>(calls: u64) -> u64 {
    one_by_one(calls, |n| begun(sleep::<B>(HOUR), n), itself).await
}

async fn asked<B: Backend>(calls: u64) -> u64 {
    let make = |n| {
        black_box(now::<B>());
        ready(n)
    };
    one_by_one(calls, make, itself).await
}

async fn tokio_spawned(calls: u64) -> u64 {
    let spawn = |n| tokio::spawn(Child::Ready.number(n));
    one_by_one(calls, spawn, Result::unwrap_or_default).await
}

async fn tokio_slept(calls: u64) -> u64 {
    one_by_one(calls, |n| begun(tokio::time::sleep(HOUR), n), itself).await
}

async fn tokio_asked(calls: u64) -> u64 {
    let make = |n| {
        black_box(Instant::now());
        ready(n)
    };
    one_by_one(calls, make, itself).await
}

/// A wait that has begun is given up.
async fn begun(wait: impl Future, n: u64) -> u64 {
    let _ = poll!(pin!(wait));
    n
}
