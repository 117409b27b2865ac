//! What can never go on is reported, and nothing else is.

use std::cell::Cell;
use std::panic;
use std::sync::mpsc;
use std::task::Poll;

use anyrt_core::Backend;
use anyrt_sim::Sim;

use crate::kit::{Drops, HOUR, panic_of, sim, sleep, yield_now};

#[test]
fn a_deadlock_is_reported_with_what_is_known() {
    let message = panic_of(|| {
        Sim::with_seed(7).run(async {
            let _a = sim().spawn(std::future::pending::<()>());
            let _b = sim().spawn(std::future::pending::<()>());
            sleep(HOUR).await;
            std::future::pending::<()>().await;
        })
    });
    assert!(message.starts_with("deadlock: "), "{message}");
    for part in ["tasks alive: 2", "since the start: 3600s", "seed: 7"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_deadlock_drops_everything_before_it_is_reported() {
    let drops = Drops::default();
    let (in_main, in_task) = (drops.one(), drops.one());
    panic_of(|| {
        Sim::default().run(async move {
            let _held = in_main;
            let _task = sim().spawn(async move {
                let _held = in_task;
                std::future::pending::<()>().await;
            });
            std::future::pending::<()>().await;
        })
    });
    assert_eq!(drops.count(), 2);
    assert!(Sim::current().is_none());
}

#[test]
fn a_deadlock_points_at_the_caller_of_run() {
    thread_local! {
        static LINE: Cell<Option<(bool, u32)>> = const { Cell::new(None) };
    }
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let place = info.location().unwrap();
        LINE.set(Some((place.file().ends_with("deadlock.rs"), place.line())));
        before(info);
    }));
    let line = line!() + 1;
    panic_of(|| Sim::default().run(std::future::pending::<()>()));
    assert_eq!(LINE.get(), Some((true, line)));
}

#[test]
fn a_running_call_is_no_deadlock() {
    let served = Sim::default().run(async {
        let (tx, rx) = mpsc::channel();
        let call = sim().spawn_blocking(move || Sim::wait_outside(|| rx.recv().unwrap()));
        let _server = sim().spawn(async move {
            for _ in 0..100 {
                yield_now().await;
            }
            tx.send(5).unwrap();
        });
        call.await
    });
    assert_eq!(served, Some(5));
}

#[test]
fn the_end_of_a_call_and_its_wake_are_one_step() {
    Sim::default().run(async {
        for n in 0..1000 {
            assert_eq!(sim().spawn_blocking(move || n).await, Some(n));
        }
    });
}

#[test]
fn a_deadlock_is_reported_once_the_call_is_done() {
    let message = panic_of(|| {
        Sim::default().run(async {
            drop(sim().spawn_blocking(|| ()));
            std::future::poll_fn(|_| Poll::<()>::Pending).await;
        })
    });
    assert!(message.contains("deadlock"), "{message}");
}
