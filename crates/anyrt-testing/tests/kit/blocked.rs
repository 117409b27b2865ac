//! `wait_all_blocked`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Instant;

use anyrt_core::{checkpoint, move_on_after, now, sleep, task_group, to_thread};
use anyrt_sim::Sim;
use anyrt_testing::{poll_once, wait_all_blocked};

use crate::support::{SEEDS, ms, run, run_with};

async fn yields(times: usize) {
    for _ in 0..times {
        checkpoint().await;
    }
}

#[test]
fn it_returns_when_all_have_gone_as_far_as_they_can_and_time_stands_still() {
    for seed in SEEDS {
        run_with(seed, async {
            let steps = Arc::new(AtomicUsize::new(0));
            let group = task_group::<Sim, _, (), _, _>(async |g| {
                for n in 0..10 {
                    let steps = steps.clone();
                    g.spawn(async move {
                        yields(n).await;
                        steps.fetch_add(1, SeqCst);
                        sleep::<Sim>(ms(1)).await;
                        steps.fetch_add(1, SeqCst);
                        Ok(())
                    });
                }
                let start = now::<Sim>();
                for _ in 0..3 {
                    wait_all_blocked::<Sim>().await;
                    assert_eq!((steps.load(SeqCst), now::<Sim>()), (10, start));
                }
                sleep::<Sim>(ms(1)).await;
                wait_all_blocked::<Sim>().await;
                assert_eq!(steps.load(SeqCst), 20);
                Ok(())
            });
            group.await.unwrap();
        });
    }
}

#[test]
fn a_thread_that_computes_is_waited_for_and_one_that_waits_is_not() {
    run(async {
        let (sender, receiver) = async_channel::bounded::<()>(1);
        let computed = Arc::new(AtomicUsize::new(0));
        let group = task_group::<Sim, _, (), _, _>(async |g| {
            let counted = computed.clone();
            g.spawn(async move {
                to_thread::<Sim, _, _>(move || {
                    let busy = Instant::now();
                    while busy.elapsed() < ms(2) {}
                    counted.fetch_add(1, SeqCst);
                    let waits = receiver.recv();
                    anyrt_core::from_thread::block_on::<Sim, _>(waits)
                        .unwrap()
                        .ok()
                })
                .await;
                Ok(())
            });
            wait_all_blocked::<Sim>().await;
            assert_eq!(computed.load(SeqCst), 1);
            drop(sender);
            Ok(())
        });
        group.await.unwrap();
    });
}

#[test]
fn several_wait_at_once_and_go_on_together() {
    run(async {
        let group = task_group::<Sim, _, (), _, _>(async |g| {
            let tasks: Vec<_> = (0..5)
                .map(|_| {
                    g.spawn(async {
                        let start = now::<Sim>();
                        wait_all_blocked::<Sim>().await;
                        Ok(now::<Sim>() - start)
                    })
                })
                .collect();
            for task in tasks {
                assert_eq!(task.await, ms(0));
            }
            Ok(())
        });
        group.await.unwrap();
    });
}

#[test]
fn it_counts_from_its_first_poll() {
    run(async {
        let wait = wait_all_blocked::<Sim>();
        sleep::<Sim>(ms(1)).await; // all wait meanwhile
        let mut wait = std::pin::pin!(wait);
        assert_eq!(poll_once(&mut wait).await, None);
        wait.await;
    });
}

#[test]
fn one_that_is_given_up_wakes_nobody() {
    run(async {
        let mut polls = 0;
        let group = task_group::<Sim, _, (), _, _>(async |_| {
            assert_eq!(poll_once(wait_all_blocked::<Sim>()).await, None);
            let mut sleep = std::pin::pin!(sleep::<Sim>(ms(5)));
            std::future::poll_fn(|cx| {
                polls += 1;
                sleep.as_mut().poll(cx)
            })
            .await;
            Ok(())
        });
        group.await.unwrap();
        assert_eq!(polls, 2);
    });
}

#[test]
fn a_task_that_never_waits_is_waited_for_until_somebody_ends_it() {
    run(async {
        let group = task_group::<Sim, _, (), _, _>(async |g| {
            g.spawn_daemon(async {
                for _ in 0..1000 {
                    checkpoint().await;
                }
                sleep::<Sim>(ms(5)).await;
                loop {
                    checkpoint().await;
                }
            });
            wait_all_blocked::<Sim>().await; // behind the thousand
            let limited = move_on_after::<Sim, _>(ms(0), wait_all_blocked::<Sim>());
            assert_eq!(limited.await, None);
            Ok(())
        });
        group.await.unwrap();
    });
}
