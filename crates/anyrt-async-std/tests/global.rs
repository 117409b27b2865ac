//! What follows from an executor that is global.
#![expect(
    clippy::async_yields_async,
    reason = "handles are to leave the runtime here"
)]

use std::future::pending;
use std::panic::{catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::time::Duration;

use anyrt_async_std::AsyncStd;
use anyrt_core::{Backend, Join};

const LONG: Duration = Duration::from_secs(10);

#[test]
fn tasks_go_on_after_run() {
    let (release, released) = mpsc::channel();
    let task = AsyncStd.run(async { AsyncStd.spawn(async move { released.recv_timeout(LONG) }) });
    release.send(1).unwrap();
    assert_eq!(AsyncStd.run(task), Some(Ok(1)));
}

#[test]
fn tasks_left_stay() {
    let task = AsyncStd.run(async { AsyncStd.spawn(pending::<()>()) });
    assert!(!task.is_finished());
}

#[test]
fn running_blocking_calls_are_not_waited_for() {
    let (release, released) = mpsc::channel::<()>();
    let (end, ended) = mpsc::channel();
    AsyncStd.run(async {
        drop(AsyncStd.spawn_blocking(move || {
            released.recv_timeout(LONG).unwrap();
            end.send(()).unwrap();
        }));
    });
    assert!(ended.try_recv().is_err());
    release.send(()).unwrap();
    ended.recv_timeout(LONG).unwrap();
}

#[test]
fn plain_async_std_is_seen() {
    async_std::task::block_on(async { assert!(AsyncStd::in_sight().is_some()) });
}

#[test]
fn run_works_again_after_main_has_panicked() {
    let panic = catch_unwind(|| AsyncStd.run(async { resume_unwind(Box::new("main")) }));
    assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "main");
    assert_eq!(
        AsyncStd.run(async { AsyncStd.spawn(async { 1 }).await }),
        Some(1)
    );
}
