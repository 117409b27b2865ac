//! Exploring orders of events.

use std::cell::Cell;
use std::env;
use std::future::{Future, pending};
use std::panic::panic_any;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use anyrt_core::Backend;
use anyrt_sim::{Explore, Sim, explore};

use crate::kit::{Drops, message, panic_of, sim, yield_now};

fn exploring<F, Fut>(program: F) -> Explore<Sim, F>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = ()>,
{
    explore(program)
}

/// Two tasks count up; the later one is later by some turns.
async fn lose_a_count() {
    let count = Arc::new(AtomicU32::new(0));
    let add = |turns| {
        let count = count.clone();
        sim().spawn(async move {
            for _ in 0..turns {
                yield_now().await;
            }
            let before = count.load(SeqCst);
            yield_now().await;
            count.store(before + 1, SeqCst);
        })
    };
    for task in [0, 4].map(add) {
        task.await.unwrap();
    }
    assert_eq!(count.load(SeqCst), 2, "a count was lost");
}

#[test]
fn it_stops_at_the_first_seed_that_fails() {
    let runs = Cell::new(0);
    let program = || {
        runs.set(runs.get() + 1);
        async { assert!(sim().seed() < 5, "five") }
    };
    let failure = exploring(program).first_failure(0..10).unwrap();
    assert_eq!((failure.seed(), failure.tried()), (5, 6));
    assert_eq!(failure.message(), "five");
    // Six seeds; the failing one again; without any detour; and what was found, for the report.
    assert_eq!(runs.get(), 9);
}

#[test]
fn what_fails_always_fails_at_the_first_seed() {
    let failure = exploring(|| async { panic!("always") })
        .first_failure(3..)
        .unwrap();
    assert_eq!((failure.seed(), failure.tried()), (3, 1));
    assert_eq!(failure.replay().to_string(), "3:fifo");
}

#[test]
fn all_seeds_are_run_where_none_fails() {
    let runs = Cell::new(0);
    exploring(|| {
        runs.set(runs.get() + 1);
        async {}
    })
    .seeds(0..100);
    assert_eq!(runs.get(), 100);
}

#[test]
fn a_schedule_is_shrunk_to_what_matters() {
    // Much that has nothing to do with it.
    let program = || async {
        let noise: Vec<_> = (0..20).map(|_| sim().spawn(yield_now())).collect();
        lose_a_count().await;
        for task in noise {
            task.await.unwrap();
        }
    };
    let failure = exploring(program).first_failure(0..100).unwrap();
    let replay = failure.replay().to_string();
    let detours = replay.split(',').count();
    assert!(detours <= 5, "{failure}");
}

#[test]
fn a_replay_fails_in_the_same_way() {
    let failure = exploring(lose_a_count).first_failure(0..100).unwrap();
    let replaying = Sim::builder().replay(failure.replay()).build();
    let said = panic_of(|| replaying.run(lose_a_count()));
    assert_eq!(said, failure.message());
}

#[test]
fn priorities_find_it_too() {
    let failure = exploring(lose_a_count)
        .pct(2)
        .first_failure(0..100)
        .unwrap();
    assert!(failure.message().contains("a count was lost"), "{failure}");
}

#[test]
fn a_deadlock_and_a_limit_are_failures() {
    let failure = exploring(pending::<()>).first_failure(0..10).unwrap();
    assert!(failure.message().starts_with("deadlock"), "{failure}");

    let spins = || async {
        loop {
            yield_now().await;
        }
    };
    let failure = exploring(spins)
        .max_steps(100)
        .first_failure(0..10)
        .unwrap();
    assert!(failure.message().contains("`max_steps`"), "{failure}");

    let sleeps = || async {
        sim()
            .sleep_until(sim().now() + Duration::from_secs(2))
            .await
    };
    let limited = exploring(sleeps).max_time(Duration::from_secs(1));
    let failure = limited.first_failure(0..10).unwrap();
    assert!(failure.message().contains("`max_time`"), "{failure}");
    exploring(sleeps)
        .max_time(Duration::from_secs(2))
        .seeds(0..10);
}

#[test]
fn a_payload_comes_out_as_it_is() {
    struct Payload(u64);
    let search = exploring(|| async { panic_any(Payload(sim().seed())) });
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| search.seeds(7..9)));
    let payload = payload.unwrap_err();
    assert_eq!(payload.downcast_ref::<Payload>().unwrap().0, 7);

    let payload = std::panic::catch_unwind(|| exploring(lose_a_count).seeds(0..100));
    assert!(message(&*payload.unwrap_err()).contains("a count was lost"));
}

#[test]
fn what_fails_only_once_is_said_not_to_come_again() {
    let runs = Cell::new(0);
    let program = || {
        runs.set(runs.get() + 1);
        let run = runs.get();
        async move { assert!(run != 3, "the third") }
    };
    let failure = exploring(program).first_failure(0..10).unwrap();
    let report = failure.to_string();
    assert_eq!(failure.seed(), 2);
    assert!(report.contains("not when it ran again"), "{report}");
}

#[test]
fn a_report_has_the_line_that_replays_it() {
    let failure = exploring(lose_a_count).first_failure(0..100).unwrap();
    let report = failure.to_string();
    let line = report.lines().last().unwrap();
    let replay = failure.replay();
    let test = "explore::a_report_has_the_line_that_replays_it";
    assert_eq!(
        line,
        format!("replay: ANYRT_SEED={replay} cargo test {test}")
    );
}

#[test]
fn the_environment_names_the_one_order_that_is_run() {
    const MARK: &str = "ANYRT_SIM_IS_REPLAYING";
    if env::var_os(MARK).is_some() {
        return exploring(lose_a_count).seeds(0..100);
    }
    let run = |order: &str| {
        let output = Command::new(env::current_exe().unwrap())
            .args(["explore::the_environment_names_the_one_order_that_is_run"])
            .args(["--exact", "--nocapture"])
            .env(MARK, "yes")
            .env("ANYRT_SEED", order)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), said)
    };
    let failure = exploring(lose_a_count).first_failure(0..100).unwrap();
    let order = failure.replay().to_string();
    let (passes, said) = run(&order);
    assert!(!passes && said.contains("a count was lost"), "{said}");
    assert!(said.contains(&format!("{order} fails")), "{said}");

    let (passes, said) = run("7:fifo");
    assert!(passes && said.contains("7:fifo does not fail"), "{said}");
    let (passes, said) = run("often");
    assert!(!passes && said.contains("neither a seed"), "{said}");
}

#[test]
fn a_program_is_dropped_before_the_next_one_begins() {
    let drops = Drops::default();
    let runs = Cell::new(0);
    exploring(|| {
        assert_eq!(drops.count(), runs.get());
        runs.set(runs.get() + 1);
        let guard = drops.one();
        async move {
            let _detached = sim().spawn(async move {
                let _guard = guard;
                pending::<()>().await;
            });
        }
    })
    .seeds(0..20);
    assert_eq!(drops.count(), 20);
}

#[test]
fn to_explore_nothing_is_refused() {
    let said = panic_of(|| exploring(|| async {}).seeds([]));
    assert!(said.contains("no seeds"), "{said}");
    let said = panic_of(|| exploring(|| async {}).pct(0));
    assert!(said.contains("at least 1"), "{said}");
}

#[test]
fn it_is_refused_inside_a_run() {
    let said = panic_of(|| {
        Sim::default().run(async { exploring(|| async {}).seeds(0..10) });
    });
    assert!(said.contains("inside a run"), "{said}");
}

#[test]
fn threads_take_part_in_the_order() {
    use anyrt_core::{checkpoint, from_thread, parallel, to_thread};

    let program = || async {
        let count = Arc::new(AtomicU32::new(0));
        let add = |turns| {
            let count = count.clone();
            to_thread::<Sim, _, _>(move || {
                let give_way = || from_thread::block_on::<Sim, _>(checkpoint());
                (0..turns).try_for_each(|_| give_way())?;
                let before = count.load(SeqCst);
                give_way()?;
                count.store(before + 1, SeqCst);
                Ok::<_, from_thread::FromThreadError>(())
            })
        };
        parallel::gather::<Sim, _>([add(0), add(4)]).await.unwrap();
        assert_eq!(count.load(SeqCst), 2, "a count was lost");
    };
    let failure = exploring(program).first_failure(0..100).unwrap();
    let replaying = Sim::builder().replay(failure.replay()).build();
    let said = panic_of(|| anyrt_core::run(&replaying, program()));
    assert_eq!(said, failure.message());
}
