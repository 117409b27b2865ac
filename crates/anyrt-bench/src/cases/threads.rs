//! Calls into threads, beside those of each runtime.

use anyrt_async_std::AsyncStd;
use anyrt_core::{Backend, to_thread};
use anyrt_smol::Smol;
use anyrt_tokio::Tokio;
use futures::future::join_all;
use tokio::task::JoinHandle;

use super::pieces::itself;
use crate::case::Case;
use crate::goal::Goal;
use crate::host::On;

pub(super) fn cases() -> Vec<Case> {
    const GOAL: Goal = Goal::new(1.2, 1.05);
    let sizes = [
        ("1", 1, GOAL),
        ("10", 10, Goal::REPORT),
        ("1,000", 1_000, GOAL),
    ];
    let mut cases = Vec::new();
    for (size, calls, goal) in sizes {
        let name = format!("to_thread, {size} in flight");
        for on in On::TOKIO {
            let spawn = |n| -> JoinHandle<u64> { tokio::task::spawn_blocking(move || n) };
            cases.push(ours::<Tokio>(&name, on, calls).against(
                "spawn_blocking",
                goal,
                move |calls| in_flight(calls, spawn, Result::unwrap_or_default),
            ));
        }
        cases.push(ours::<Smol>(&name, On::Smol, calls).against(
            "blocking::unblock",
            Goal::REPORT,
            |calls| in_flight(calls, |n| blocking::unblock(move || n), itself),
        ));
        cases.push(ours::<AsyncStd>(&name, On::AsyncStd, calls).against(
            "async_std::task::spawn_blocking",
            Goal::REPORT,
            |calls| {
                let spawn = |n| async_std::task::spawn_blocking(move || n);
                in_flight(calls, spawn, itself)
            },
        ));
    }
    cases
}

fn ours<B: Backend>(name: &str, on: On, calls: u64) -> Case {
    Case::new(name, on, calls, |calls| {
        in_flight(calls, |n| to_thread::<B, _, _>(move || n), itself)
    })
}

async fn in_flight<F: Future>(
    calls: u64,
    make: impl Fn(u64) -> F,
    value: impl Fn(F::Output) -> u64,
) -> u64 {
    let all = join_all((0..calls).map(make)).await;
    all.into_iter().map(value).sum()
}
