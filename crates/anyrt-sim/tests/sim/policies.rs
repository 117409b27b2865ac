//! By which rule the one that goes on is chosen.

use anyrt_core::Backend;
use anyrt_sim::{Policy, Replay, Sim, SimBuilder};

use crate::kit::{Log, panic_of, sim, yield_now};

/// The order in which three tasks take three turns each.
fn turns(sim_like_this: SimBuilder) -> String {
    let log = Log::new();
    let written = log.clone();
    sim_like_this.build().run(async move {
        let task = |name: char| {
            let log = log.clone();
            sim().spawn(async move {
                for _ in 0..3 {
                    log.push(name);
                    yield_now().await;
                }
            })
        };
        for task in ['a', 'b', 'c'].map(task) {
            task.await.unwrap();
        }
    });
    written.take().into_iter().collect()
}

const PCT: Policy = Policy::Pct {
    depth: 1,
    steps: 12,
};

#[test]
fn first_come_is_first_served_whatever_the_seed() {
    for seed in 0..10 {
        let sim = Sim::builder().seed(seed).policy(Policy::Fifo);
        assert_eq!(turns(sim), "abcabcabc");
    }
}

#[test]
fn choices_are_random_unless_it_is_said() {
    let all: Vec<_> = (0..50)
        .map(|seed| turns(Sim::builder().seed(seed)))
        .collect();
    let mut different = all.clone();
    different.sort();
    different.dedup();
    assert!(different.len() > 40, "{different:?}");
    let again = |seed| turns(Sim::builder().seed(seed).policy(Policy::Random));
    assert_eq!((0..50).map(again).collect::<Vec<_>>(), all);
}

#[test]
fn without_change_points_the_highest_priority_goes_on_to_its_end() {
    let mut seen = Vec::new();
    for seed in 0..50 {
        let order = turns(Sim::builder().seed(seed).policy(PCT));
        let mut names: Vec<_> = order.chars().collect();
        names.dedup();
        assert_eq!(names.len(), 3, "{order}");
        seen.push(order);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6, "all orders of three: {seen:?}");
}

#[test]
fn a_change_point_lets_others_go_on_once() {
    let policy = Policy::Pct {
        depth: 2,
        steps: 12,
    };
    let mut most = 0;
    for seed in 0..50 {
        let order = turns(Sim::builder().seed(seed).policy(policy));
        let mut names: Vec<_> = order.chars().collect();
        names.dedup();
        assert!(names.len() <= 4, "{order}");
        most = most.max(names.len());
    }
    assert_eq!(most, 4);
}

#[test]
fn a_priority_is_no_reason_to_go_on_for_ever() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    for seed in 0..20 {
        let sim_like_this = Sim::builder().seed(seed).policy(PCT).max_steps(1_000);
        sim_like_this.build().run(async {
            let is_set = Arc::new(AtomicBool::new(false));
            let spins = is_set.clone();
            let spins = sim().spawn(async move {
                while !spins.load(SeqCst) {
                    yield_now().await;
                }
            });
            let sets = sim().spawn(async move { is_set.store(true, SeqCst) });
            spins.await.unwrap();
            sets.await.unwrap();
        });
    }
}

#[test]
fn a_replay_takes_detours_and_nothing_else() {
    let replaying = |text: &str| {
        let replay: Replay = text.parse().unwrap();
        turns(Sim::builder().replay(&replay))
    };
    assert_eq!(replaying("7:fifo"), "abcabcabc");
    // Main goes on in step 0, and waits.
    assert_eq!(replaying("7:1.2"), "cabcabcab");
    assert_eq!(replaying("7:1.1,2.1"), "bcabcabca");
    // There are no more than three.
    assert_eq!(replaying("7:1.99"), replaying("7:1.2"));
    let random = turns(Sim::builder().seed(7));
    assert_eq!(replaying("7"), random);
}

#[test]
fn what_names_no_order_is_refused() {
    for text in [
        "",
        "x",
        "-1",
        "7:",
        "7:x",
        "7:1",
        "7:1.",
        "7:2.1,1.1",
        "7:1.1,1.1",
        "7 ",
    ] {
        let error = text.parse::<Replay>().unwrap_err();
        assert!(
            error.to_string().starts_with(&format!("`{text}` ")),
            "{error}"
        );
    }
}

#[test]
fn priorities_without_a_depth_are_refused() {
    for (depth, steps) in [(0, 1), (1, 0)] {
        let message = panic_of(|| Sim::builder().policy(Policy::Pct { depth, steps }));
        assert!(message.contains("at least 1"), "{message}");
    }
}

#[test]
fn many_that_can_go_on_are_no_trouble() {
    for policy in [Policy::Random, Policy::Fifo, PCT] {
        let sum = Sim::builder().policy(policy).build().run(async {
            let tasks: Vec<_> = (0..20_000_u64)
                .map(|n| sim().spawn(async move { n }))
                .collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await.unwrap();
            }
            sum
        });
        assert_eq!(sum, 19_999 * 10_000);
    }
}
