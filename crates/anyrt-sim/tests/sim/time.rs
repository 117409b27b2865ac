//! Virtual time and its timers.

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use anyrt_core::Backend;
use anyrt_sim::Sim;

use crate::kit::{HOUR, Log, LogWaker, panic_of, poll_once, poll_with, sim, sleep, yield_now};

#[test]
fn an_hour_takes_no_time() {
    let real = Instant::now();
    Sim::default().run(async {
        let start = sim().now();
        sleep(HOUR).await;
        assert_eq!(sim().now(), start + HOUR);
    });
    assert!(real.elapsed() < HOUR / 100);
}

#[test]
fn time_moves_only_when_nothing_can_go_on() {
    Sim::default().run(async {
        let start = sim().now();
        let sleeper = sim().spawn(sleep(HOUR));
        for _ in 0..1000 {
            yield_now().await;
            assert_eq!(sim().now(), start);
        }
        sleeper.await.unwrap();
        assert_eq!(sim().now(), start + HOUR);
    });
}

#[test]
fn a_sleep_into_the_past_is_ready_at_once() {
    Sim::default().run(async {
        let now = sim().now();
        assert_eq!(poll_once(&mut sim().sleep_until(now)), Poll::Ready(()));
        sleep(HOUR).await;
        assert_eq!(poll_once(&mut sim().sleep_until(now)), Poll::Ready(()));
        assert_eq!(sim().now(), now + HOUR);
    });
}

#[test]
fn timers_fire_in_order() {
    for seed in 0..20 {
        let log = Log::new();
        let written = log.clone();
        Sim::with_seed(seed).run(async move {
            let tasks: Vec<_> = [5_u32, 1, 4, 2, 3]
                .map(|n| {
                    let log = log.clone();
                    sim().spawn(async move {
                        sleep(HOUR * n).await;
                        log.push(n);
                    })
                })
                .into();
            for task in tasks {
                task.await.unwrap();
            }
        });
        assert_eq!(written.take(), [1, 2, 3, 4, 5]);
    }
}

#[test]
fn timers_of_one_instant_wake_in_order_of_creation() {
    let log = Log::new();
    Sim::default().run(async {
        let at = sim().now() + HOUR;
        let mut sleeps: Vec<_> = (0..10).map(|n| (n, sim().sleep_until(at))).collect();
        // Armed in another order than created.
        for (n, sleep) in sleeps.iter_mut().rev() {
            let waker = Waker::from(Arc::new(LogWaker(log.clone(), *n)));
            assert!(poll_with(sleep, &waker).is_pending());
        }
        sim().sleep_until(at).await;
    });
    assert_eq!(log.take(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn a_dropped_sleep_leaves_no_timer() {
    let message = panic_of(|| {
        Sim::default().run(async {
            let mut sleep = sim().sleep_until(sim().now() + HOUR);
            assert!(poll_once(&mut sleep).is_pending());
            drop(sleep);
            std::future::pending::<()>().await;
        })
    });
    assert!(
        message.contains("virtual time since the start: 0ns"),
        "{message}"
    );
}

#[test]
fn another_poll_brings_another_waker() {
    let log = Log::new();
    Sim::default().run(async {
        let mut sleep = sim().sleep_until(sim().now() + HOUR);
        let waker = Waker::from(Arc::new(LogWaker(log.clone(), 1)));
        assert!(poll_with(&mut sleep, &waker).is_pending());
        sleep.await;
    });
    assert_eq!(log.take(), []);
}

#[test]
fn the_clock_can_be_read_after_the_end() {
    let (live, end) = Sim::default().run(async {
        sleep(HOUR).await;
        (sim(), sim().now())
    });
    assert_eq!(live.now(), end);
    assert_eq!(poll_once(&mut live.sleep_until(end)), Poll::Ready(()));
    assert!(poll_once(&mut live.sleep_until(end + HOUR)).is_pending());
}

#[test]
fn many_timers_in_sequence() {
    Sim::default().run(async {
        let start = sim().now();
        for _ in 0..200_000 {
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(sim().now() - start, Duration::from_secs(200));
    });
}
