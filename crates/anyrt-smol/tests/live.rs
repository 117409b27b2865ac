//! Values that stand for a live runtime or for the global one.

use anyrt_core::Backend;
use anyrt_smol::Smol;

#[test]
fn plain_block_on_is_not_guessed_at() {
    smol::block_on(async {
        assert!(Smol::in_sight().is_none());
        smol::spawn(async { assert!(Smol::in_sight().is_none()) }).await;
    });
}

#[test]
fn global_is_current_in_what_it_runs() {
    let is_current =
        async || matches!(Smol::current(), Some(smol) if smol.spawn(async { true }).await.unwrap());
    Smol::global().run(async {
        assert!(is_current().await);
    });
    let task = Smol::global().spawn(async { Smol::in_sight().is_some() });
    assert_eq!(smol::block_on(task), Some(true));
    assert_eq!(smol::block_on(Smol::global().spawn_blocking(|| 1)), Some(1));
    assert!(Smol::in_sight().is_none());
}

#[test]
fn value_that_is_not_live_uses_the_global_executor() {
    assert_eq!(smol::block_on(Smol::default().spawn(async { 1 })), Some(1));
    assert_eq!(
        smol::block_on(Smol::default().spawn_blocking(|| 2)),
        Some(2)
    );
}

#[test]
fn run_of_a_live_value_uses_its_runtime() {
    let same = Smol::with_threads(1).run(async {
        let here = Smol::current().unwrap();
        let there = here.clone();
        here.spawn_blocking(move || {
            there.run(async { Smol::current().unwrap().spawn(async { 3 }).await })
        })
        .await
    });
    assert_eq!(same, Some(Some(3)));
}

#[test]
fn tasks_run_in_parallel_with_main() {
    use std::sync::mpsc;
    use std::time::Duration;

    // Each waits for the other on its thread: this takes one worker, and this thread.
    let (to_task, in_task) = mpsc::channel();
    let (to_main, in_main) = mpsc::channel();
    Smol::with_threads(1).run(async {
        drop(Smol::current().unwrap().spawn(async move {
            in_task.recv_timeout(Duration::from_secs(10)).unwrap();
            to_main.send(()).unwrap();
        }));
        to_task.send(()).unwrap();
        in_main.recv_timeout(Duration::from_secs(10)).unwrap();
    });
}

#[test]
#[should_panic = "at least one worker"]
fn zero_workers_panic_at_the_caller() {
    let _ = Smol::with_threads(0);
}
