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
use anyrt_smol::Smol;

const LONG: Duration = Duration::from_secs(10);

fn flavours() -> [Smol; 2] {
    [Smol::with_threads(3), Smol::with_threads(1)]
}

/// Notes its drop, and whether the runtime could be seen then.
struct Left(Arc<AtomicBool>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.store(Smol::in_sight().is_some(), Ordering::SeqCst);
    }
}

/// Leaves pending tasks in the current runtime; each flag is set by the destructor of one.
async fn leave_tasks() -> Vec<Arc<AtomicBool>> {
    let here = Smol::current().unwrap();
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
            drop(Smol::current().unwrap().spawn_blocking(move || {
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
fn escaped_handle_resolves_to_none() {
    for flavour in flavours() {
        let task = flavour.run(async { Smol::current().unwrap().spawn(pending::<()>()) });
        assert!(task.is_finished());
        assert_eq!(smol::block_on(task), None);
    }
}

#[test]
fn spawn_after_the_end_gives_none_and_drops_the_future() {
    for flavour in flavours() {
        let escaped = flavour.run(async { Smol::current().unwrap() });
        let captured = Arc::new(());
        let (in_task, in_call) = (Arc::clone(&captured), Arc::clone(&captured));
        let task = escaped.spawn(async move { in_task });
        let call = escaped.spawn_blocking(move || in_call);
        assert_eq!(Arc::strong_count(&captured), 1);
        assert_eq!(smol::block_on(task), None);
        assert_eq!(smol::block_on(call), None);
        let now = escaped.now();
        assert!(escaped.now() >= now);
    }
}

#[test]
fn spawns_during_the_end_are_refused_or_dropped_but_never_lost() {
    for _ in 0..20 {
        let captured = Arc::new(());
        let (begin, begun) = mpsc::channel();
        let spawner = Smol::with_threads(2).run(async {
            let here = Smol::current().unwrap();
            let captured = Arc::clone(&captured);
            let spawner = std::thread::spawn(move || {
                let tasks = (0..200).map(|i| {
                    let captured = Arc::clone(&captured);
                    let task = here.spawn(async move {
                        let _captured = captured;
                        pending::<()>().await;
                    });
                    if i == 20 {
                        begin.send(()).unwrap();
                    }
                    task
                });
                Vec::from_iter(tasks)
            });
            begun.recv_timeout(LONG).unwrap();
            spawner
        });
        for task in spawner.join().unwrap() {
            assert_eq!(smol::block_on(task), None);
        }
        assert_eq!(Arc::strong_count(&captured), 1);
    }
}

#[test]
fn destructors_of_tasks_left_may_spawn() {
    struct Spawns(mpsc::Sender<bool>);
    impl Drop for Spawns {
        fn drop(&mut self) {
            let task = Smol::current().unwrap().spawn(async {});
            self.0.send(smol::block_on(task).is_none()).unwrap();
        }
    }
    let (tx, rx) = mpsc::channel();
    Smol::with_threads(1).run(async {
        let spawns = Spawns(tx);
        drop(Smol::current().unwrap().spawn(async move {
            let _spawns = spawns;
            pending::<()>().await;
        }));
    });
    assert_eq!(rx.try_recv(), Ok(true));
}

#[test]
fn workers_are_gone_when_run_returns() {
    thread_local! {
        static ON_THREAD: std::cell::RefCell<Vec<Arc<()>>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    let seen = Arc::new(());
    let main = std::thread::current().id();
    Smol::with_threads(3).run(async {
        let here = Smol::current().unwrap();
        let (tx, rx) = mpsc::channel();
        for _ in 0..20 {
            let (seen, tx) = (Arc::clone(&seen), tx.clone());
            drop(here.spawn(async move {
                let thread = std::thread::current().id();
                if thread != main {
                    ON_THREAD.with_borrow_mut(|on_thread| on_thread.push(seen));
                    tx.send(thread).unwrap();
                }
            }));
        }
        // This thread is kept from running tasks, so that a worker runs them.
        rx.recv_timeout(LONG).unwrap();
    });
    // Destructors of thread-locals run at the very end of a thread.
    assert_eq!(Arc::strong_count(&seen), 1);
}

#[test]
fn runs_nest_and_restore_the_outer_one() {
    Smol::with_threads(1).run(async {
        let outer = format!("{:?}", Smol::current());
        assert_eq!(Smol::with_threads(1).run(async { 1 }), 1);
        assert_eq!(format!("{:?}", Smol::current()), outer);
        assert_eq!(Smol::current().unwrap().spawn(async { 2 }).await, Some(2));
    });
}

#[test]
fn many_runs_in_a_row_end() {
    for _ in 0..50 {
        assert_eq!(flavours()[0].run(async { 1 }), 1);
    }
}
