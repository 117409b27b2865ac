//! Runs that are given up.

use std::future::pending;
use std::time::Duration;

use anyrt_core::Backend;
use anyrt_sim::Sim;

use crate::kit::{HOUR, panic_of, sim, sleep, yield_now};

#[test]
fn a_run_that_takes_too_many_steps_is_given_up() {
    let message = panic_of(|| {
        Sim::builder().seed(17).max_steps(100).build().run(async {
            let _detached = sim().spawn(pending::<()>());
            loop {
                yield_now().await;
            }
        })
    });
    for part in [
        "step limit",
        "100 steps",
        "`max_steps`",
        "seed: 17",
        "tasks alive: 1",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn as_many_steps_as_are_allowed_may_be_taken() {
    let run = |limit| {
        Sim::builder().max_steps(limit).build().run(async {
            for _ in 0..9 {
                yield_now().await;
            }
        });
    };
    run(10);
    let message = panic_of(|| run(9));
    assert!(message.contains("9 steps"), "{message}");
}

#[test]
fn a_run_that_takes_too_much_time_is_given_up() {
    let message = panic_of(|| {
        Sim::builder().seed(17).max_time(HOUR).build().run(async {
            loop {
                sleep(Duration::from_secs(7)).await;
            }
        })
    });
    for part in ["time limit", "3600s", "`max_time`", "seed: 17", "3598s"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn as_much_time_as_is_allowed_may_be_taken() {
    Sim::builder().max_time(HOUR).build().run(sleep_hour());
    let message = panic_of(|| Sim::builder().max_time(HOUR / 2).build().run(sleep_hour()));
    assert!(message.contains("time limit"), "{message}");
}

async fn sleep_hour() {
    sleep(HOUR).await;
}

#[test]
fn a_deadlock_stays_a_deadlock_under_limits() {
    let limited = Sim::builder().max_time(HOUR).max_steps(100).autojump(false);
    let message = panic_of(|| limited.build().run(pending::<()>()));
    assert!(message.starts_with("deadlock"), "{message}");
}

#[test]
fn what_is_left_is_dropped_when_a_run_is_given_up() {
    let drops = crate::kit::Drops::default();
    let guard = drops.one();
    panic_of(|| {
        Sim::builder().max_steps(5).build().run(async {
            let _detached = sim().spawn(async {
                let _guard = guard;
                pending::<()>().await;
            });
            loop {
                yield_now().await;
            }
        })
    });
    assert_eq!(drops.count(), 1);
}
