//! Which value stands for what, and what is said when it stands for nothing.

use std::thread;

use anyrt_core::Backend;
use anyrt_sim::{Sim, Sleep};

use crate::kit::{HOUR, panic_of, sim};

#[test]
fn a_description_stands_for_the_simulation_of_the_thread() {
    let described = Sim::with_seed(1);
    Sim::with_seed(2).run(async {
        assert_eq!(described.now(), sim().now());
        assert_eq!(described.spawn(async { 3 }).await, Some(3));
        assert_eq!(described.spawn_blocking(|| 4).await, Some(4));
        described.sleep_until(sim().now() + HOUR).await;
    });
}

#[test]
fn a_description_outside_of_a_run_is_told_so() {
    let sim = Sim::default();
    for message in [
        panic_of(|| sim.spawn(async {})),
        panic_of(|| sim.spawn_blocking(|| ())),
        panic_of(|| sim.now()),
    ] {
        assert!(message.contains("only describes a simulation"), "{message}");
    }
}

#[test]
fn a_run_in_a_run_is_told_so() {
    let message = panic_of(|| Sim::default().run(async { Sim::with_seed(1).run(async {}) }));
    assert!(message.contains("drives a simulation already"), "{message}");
    assert!(Sim::current().is_none());
}

#[test]
fn a_run_on_a_thread_of_its_own_is_fine() {
    let inner = || Sim::with_seed(1).run(async { Sim::current().is_some() });
    let answer = Sim::default().run(async move { sim().spawn_blocking(inner).await });
    assert_eq!(answer, Some(true));
}

#[test]
fn current_is_of_this_thread_only() {
    Sim::default().run(async {
        assert!(Sim::current().is_some());
        let elsewhere = thread::spawn(|| Sim::current().is_none());
        assert!(elsewhere.join().unwrap());
        assert!(
            sim()
                .spawn(async { Sim::current().is_some() })
                .await
                .unwrap()
        );
    });
    assert!(Sim::current().is_none());
}

#[test]
fn debug_says_what_it_is() {
    assert_eq!(
        format!("{:?}", Sim::with_seed(5)),
        "Sim { seed: 5, live: None }"
    );
    let live = Sim::with_seed(5).run(async {
        assert_eq!(
            format!("{:?}", sim()),
            "Sim { seed: 5, live: Some(Running) }"
        );
        sim()
    });
    assert_eq!(format!("{live:?}"), "Sim { seed: 5, live: Some(Ended) }");
}

#[test]
fn everything_can_be_sent() {
    fn sent<T: Send + Sync + 'static>() {}
    sent::<Sim>();
    sent::<Sleep>();
}
