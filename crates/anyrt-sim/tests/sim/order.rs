//! The seed names the order.

use std::collections::HashSet;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use anyrt_core::Backend;
use anyrt_sim::Sim;

use crate::kit::{Log, sim, sleep, yield_now};

/// Main and 50 tasks that give way and sleep; who took which step when.
fn trace(seed: u64) -> Vec<(u64, u32)> {
    let log = Log::new();
    let written = log.clone();
    Sim::with_seed(seed).run(async move {
        let tasks: Vec<_> = (1..=50)
            .map(|task| {
                let log = log.clone();
                sim().spawn(async move {
                    for step in 0..5 {
                        log.push((task, step));
                        yield_now().await;
                    }
                    sleep(Duration::from_secs(task % 7)).await;
                    log.push((task, 5));
                })
            })
            .collect();
        for step in 0..5 {
            log.push((0, step));
            yield_now().await;
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
    written.take()
}

#[test]
fn one_seed_gives_one_order() {
    for seed in 0..20 {
        let first = trace(seed);
        assert_eq!(first.len(), 50 * 6 + 5);
        assert_eq!(first, trace(seed), "seed {seed}");
    }
}

#[test]
fn other_seeds_give_other_orders() {
    let traces: HashSet<_> = (0..20).map(trace).collect();
    assert!(traces.len() > 10, "{} orders of 20 seeds", traces.len());
}

#[test]
fn a_description_starts_over_with_every_run() {
    let first_of = |sim: &Sim| {
        let log = Log::new();
        sim.run(async {
            let tasks: Vec<_> = (0..10)
                .map(|n| {
                    let log = log.clone();
                    self::sim().spawn(async move { log.push(n) })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        log.take()
    };
    let sim = Sim::with_seed(3);
    assert_eq!(first_of(&sim), first_of(&sim));
}

#[test]
fn main_takes_part_in_the_choice() {
    // Main wakes itself and spawns one task: either may be the next.
    let first = |seed| {
        Sim::with_seed(seed).run(async {
            let task = sim().spawn(async {});
            yield_now().await;
            anyrt_core::Join::is_finished(&task)
        })
    };
    let results: HashSet<bool> = (0..20).map(first).collect();
    assert_eq!(results.len(), 2);
}

#[test]
fn several_wakes_are_one_poll() {
    async fn polls() -> u32 {
        let mut polls = 0;
        let counted = poll_fn(|cx| {
            polls += 1;
            if polls > 1 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        counted.await;
        // What the second wake left behind would come before the clock moves.
        let mut sleep = sim().sleep_until(sim().now() + Duration::from_secs(1));
        poll_fn(|cx| {
            polls += 1;
            std::pin::Pin::new(&mut sleep).poll(cx)
        })
        .await;
        polls
    }
    Sim::default().run(async {
        assert_eq!(polls().await, 4);
        assert_eq!(sim().spawn(polls()).await, Some(4));
    });
}
