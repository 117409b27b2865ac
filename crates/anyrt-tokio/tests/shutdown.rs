//! What `Backend` promises of the end of a runtime, one test per promise.
#![expect(
    clippy::async_yields_async,
    reason = "handles are to leave the runtime here"
)]

use std::future::pending;
use std::panic::{catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use anyrt_core::{Backend, Join};
use anyrt_tokio::Tokio;

const LONG: Duration = Duration::from_secs(10);

fn flavours() -> [Tokio; 2] {
    [
        Tokio::multi_thread().worker_threads(3),
        Tokio::current_thread(),
    ]
}

/// Notes its drop, and whether the runtime could be seen then.
struct Left(Arc<AtomicBool>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.store(Tokio::current().is_some(), Ordering::SeqCst);
    }
}

/// Leaves pending tasks in the current runtime; each flag is set by the destructor of one.
async fn leave_tasks() -> Vec<Arc<AtomicBool>> {
    let here = Tokio::current().unwrap();
    let mut flags = Vec::new();
    for _ in 0..20 {
        let flag = Arc::new(AtomicBool::new(false));
        let left = Left(Arc::clone(&flag));
        let (polled, was_polled) = mpsc::channel();
        let mut task = here.spawn(async move {
            let _left = left;
            polled.send(()).unwrap();
            pending::<()>().await;
        });
        // Some of them polled at least once, some perhaps not.
        if flags.len() % 2 == 0 {
            while was_polled.try_recv().is_err() {
                here.sleep_until(here.now()).await;
            }
            assert!(!task.is_finished());
            assert!(
                std::future::poll_fn(|cx| {
                    std::task::Poll::Ready(std::pin::Pin::new(&mut task).poll(cx).is_pending())
                })
                .await
            );
        }
        flags.push(flag);
    }
    flags
}

fn all_dropped(flags: &[Arc<AtomicBool>]) -> bool {
    !flags.is_empty() && flags.iter().all(|flag| flag.load(Ordering::SeqCst))
}

#[test]
fn tasks_left_are_dropped_when_run_returns() {
    for flavour in flavours() {
        let flags = flavour.run(leave_tasks());
        assert!(all_dropped(&flags), "{flavour:?}");
    }
}

#[test]
fn tasks_left_are_dropped_when_main_panics() {
    for flavour in flavours() {
        let mut flags = Vec::new();
        let panic = catch_unwind(std::panic::AssertUnwindSafe(|| {
            flavour.run(async {
                flags = leave_tasks().await;
                resume_unwind(Box::new("main"))
            })
        }));
        assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "main");
        assert!(all_dropped(&flags), "{flavour:?}");
    }
}

#[test]
fn running_blocking_calls_are_not_waited_for_but_tasks_are_dropped() {
    for flavour in flavours() {
        let (release, released) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let flags = flavour.run(async {
            drop(Tokio::current().unwrap().spawn_blocking(move || {
                begin.send(()).unwrap();
                released.recv().unwrap();
                end.send(()).unwrap();
            }));
            begun.recv_timeout(LONG).unwrap();
            leave_tasks().await
        });
        assert!(all_dropped(&flags), "{flavour:?}");
        assert!(ended.try_recv().is_err());
        release.send(()).unwrap();
        ended.recv_timeout(LONG).unwrap();
    }
}

#[test]
fn blocking_call_at_the_very_start_is_not_taken_for_a_worker() {
    for _ in 0..100 {
        let (release, released) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        Tokio::multi_thread().worker_threads(2).run(async {
            drop(Tokio::current().unwrap().spawn_blocking(move || {
                begin.send(()).unwrap();
                end.send(released.recv_timeout(LONG)).unwrap();
            }));
            begun.recv_timeout(LONG).unwrap();
        });
        assert!(ended.try_recv().is_err());
        release.send(()).unwrap();
        assert_eq!(ended.recv_timeout(LONG), Ok(Ok(())));
    }
}

#[test]
fn worker_whose_thread_went_on_to_a_blocking_call_is_not_waited_for() {
    let (release, released) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    let (end, ended) = mpsc::channel();
    let flags = Tokio::multi_thread().worker_threads(1).run(async {
        let here = Tokio::current().unwrap();
        let (go, gone) = mpsc::channel();
        let in_place = here.spawn(async move {
            tokio::task::block_in_place(|| gone.recv_timeout(LONG).unwrap());
        });
        drop(here.spawn(async move { go.send(()) }));
        in_place.await.unwrap();
        // The first worker's thread is idle now and takes the call, or may take it.
        drop(here.spawn_blocking(move || {
            begin.send(()).unwrap();
            end.send(released.recv_timeout(LONG)).unwrap();
        }));
        begun.recv_timeout(LONG).unwrap();
        leave_tasks().await
    });
    assert!(all_dropped(&flags));
    assert!(ended.try_recv().is_err());
    release.send(()).unwrap();
    assert_eq!(ended.recv_timeout(LONG), Ok(Ok(())));
}

#[test]
fn escaped_handle_resolves_to_none() {
    for flavour in flavours() {
        let task = flavour.run(async { Tokio::current().unwrap().spawn(pending::<()>()) });
        assert!(task.is_finished());
        assert_eq!(Tokio::current_thread().run(task), None);
    }
}

#[test]
fn spawn_after_the_end_gives_none_and_drops_the_future() {
    for flavour in flavours() {
        let escaped = flavour.run(async { Tokio::current().unwrap() });
        let captured = Arc::new(());
        let (in_task, in_call) = (Arc::clone(&captured), Arc::clone(&captured));
        let task = escaped.spawn(async move { in_task });
        let call = escaped.spawn_blocking(move || in_call);
        assert_eq!(Arc::strong_count(&captured), 1);
        assert_eq!(Tokio::current_thread().run(task), None);
        assert_eq!(Tokio::current_thread().run(call), None);
        let now = escaped.now();
        assert!(escaped.now() >= now);
    }
}

#[test]
fn run_inside_a_runtime_panics_and_does_not_abort() {
    let panicked = Tokio::current_thread()
        .run(async { catch_unwind(|| Tokio::multi_thread().run(async {})).is_err() });
    assert!(panicked);
}

#[test]
fn many_runs_in_a_row_end() {
    for _ in 0..50 {
        assert_eq!(flavours()[0].run(async { 1 }), 1);
    }
}
