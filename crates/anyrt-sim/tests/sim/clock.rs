//! A clock that is moved by hand, and what it says.

use std::time::{Duration, SystemTime};

use anyrt_core::Backend;
use anyrt_sim::Sim;

use crate::kit::{HOUR, Log, panic_of, sim, sleep, yield_now};

fn by_hand() -> Sim {
    Sim::builder().autojump(false).build()
}

#[test]
fn a_clock_that_does_not_jump_says_so() {
    let message = panic_of(|| by_hand().run(sleep(HOUR)));
    for part in [
        "stands still",
        "timers armed: 1",
        "autojump(false)",
        "`Sim::advance`",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn it_goes_as_far_as_it_is_allowed_to() {
    by_hand().run(async {
        let start = sim().now();
        let sleeper = sim().spawn(sleep(HOUR * 3));
        for hours in 1..=2 {
            sim().advance(HOUR).await;
            assert_eq!(sim().now(), start + HOUR * hours);
            assert_eq!(sim().elapsed(), HOUR * hours);
        }
        sim().advance(HOUR).await;
        sleeper.await.unwrap();
        assert_eq!(sim().now(), start + HOUR * 3);
    });
}

#[test]
fn what_is_due_on_the_way_sees_its_own_time() {
    let log = Log::new();
    let written = log.clone();
    by_hand().run(async {
        let start = sim().now();
        let ticker = sim().spawn(async move {
            for _ in 0..3 {
                sleep(HOUR).await;
                log.push((sim().now() - start).as_secs() / 3600);
            }
        });
        sim().advance(HOUR * 10).await;
        ticker.await.unwrap();
        assert_eq!(sim().now() - start, HOUR * 10);
    });
    assert_eq!(written.take(), [1, 2, 3]);
}

#[test]
fn an_advance_that_is_given_up_allows_nothing_more() {
    let message = panic_of(|| {
        by_hand().run(async {
            let advance = sim().advance(HOUR);
            yield_now().await;
            drop(advance);
            sleep(HOUR).await;
        })
    });
    assert!(message.contains("stands still"), "{message}");
}

#[test]
fn by_two_hands_it_goes_as_far_as_the_further_one() {
    by_hand().run(async {
        let start = sim().now();
        let near = sim().spawn(sim().advance(HOUR));
        sim().advance(HOUR * 2).await;
        near.await.unwrap();
        assert_eq!(sim().now(), start + HOUR * 2);
    });
}

#[test]
fn where_the_clock_jumps_anyway_an_advance_is_a_sleep() {
    Sim::default().run(async {
        let start = sim().now();
        sim().advance(HOUR).await;
        assert_eq!(sim().now(), start + HOUR);
    });
}

#[test]
fn the_time_of_day_begins_where_it_is_told_to() {
    let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(43_200);
    let sim_like_this = Sim::builder().start_time(noon).build();
    sim_like_this.run(async {
        assert_eq!(sim().system_time(), noon);
        sleep(HOUR).await;
        assert_eq!(sim().system_time(), noon + HOUR);
    });
    Sim::default().run(async { assert_eq!(sim().system_time(), SystemTime::UNIX_EPOCH) });
}

#[test]
fn the_classic_test_of_450_seconds_takes_no_time() {
    let real = std::time::Instant::now();
    Sim::default().run(async {
        for n in 0..10 {
            let before = sim().now();
            sleep(Duration::from_secs(10 * n)).await;
            assert_eq!(sim().now() - before, Duration::from_secs(10 * n));
        }
        assert_eq!(sim().elapsed(), Duration::from_secs(450));
    });
    // Half a millisecond would do.
    assert!(real.elapsed() < Duration::from_secs(5));
}

#[test]
#[ignore = "slow"]
fn a_million_timers_are_no_trouble() {
    const TASKS: u64 = 1_000;
    const EACH: u64 = 1_000;
    let sim = Sim::default().run(async {
        let tasks: Vec<_> = (0..TASKS)
            .map(|n| {
                sim().spawn(async move {
                    for _ in 0..EACH {
                        sleep(Duration::from_millis(1 + n)).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        sim()
    });
    assert_eq!(sim.elapsed(), Duration::from_millis(TASKS * EACH));
    assert!(sim.steps() > TASKS * EACH);
}
