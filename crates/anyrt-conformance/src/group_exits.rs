//! Cleanups that are registered in the body of a group or in a child, where the group has to wait for them.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyrt_core::{Backend, StartError, Started, Stopped, shield};
use futures::channel::oneshot;

use super::flavour::Rt;
use crate::exits::{panics, slow};
use crate::probe::{Alive, Log, because, on_drop, panic_of};

/// Those of a group's body run after all children and daemons have ended, and before the group returns.
pub async fn the_exits_of_a_group_run_after_its_children<B: Backend>(rt: Rt<B>) {
    for fails in [false, true] {
        let (alive, log) = (Alive::default(), Log::default());
        let group = rt.task_group(async |g| {
            let (seen, there) = (alive.clone(), log.clone());
            rt.on_exit(async move {
                assert_eq!(seen.count(), 0);
                rt.yields(3).await;
                there.add("cleanup");
            });
            let (child, daemon) = (alive.born(), alive.born());
            g.spawn(async move {
                let _child = child;
                shield(rt.yields(5)).await;
                Ok(())
            });
            g.spawn_daemon(async move {
                let _daemon = daemon;
                shield(rt.yields(5)).await;
                pending().await
            });
            log.add("body");
            if fails { Err("body") } else { Ok(7) }
        });
        match group.await {
            Ok(value) => assert_eq!((value, fails), (7, false)),
            Err(error) => assert_eq!((error.into_first(), fails), ("body", true)),
        }
        assert_eq!(log.marks(), ["body", "cleanup"]);
    }
}

/// The same if the body panics, or the closure before there is a body, or the group is cancelled from outside.
pub async fn the_exits_of_a_group_run_however_it_ends<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |_| {
        rt.on_exit(slow(rt, &log, "after a panic"));
        rt.yields(1).await;
        panic!("body") as Result<(), ()>
    });
    assert_eq!(panic_of(group).await.unwrap_err(), "body");
    let group = rt.task_group(|_| {
        rt.on_exit(slow(rt, &log, "before there is a body"));
        if true {
            panic!("closure");
        }
        async { Ok::<(), ()>(()) }
    });
    assert_eq!(panic_of(group).await.unwrap_err(), "closure");
    let group = rt.task_group(async |g| {
        rt.on_exit(slow(rt, &log, "cancelled"));
        g.spawn(pending::<Result<(), ()>>());
        pending::<Result<(), ()>>().await
    });
    assert!(rt.cancelled(group).await.is_err());
    let group = rt.task_group(async |g| {
        rt.on_exit(slow(rt, &log, "a child failed"));
        g.spawn(async { Err::<(), _>("child") });
        pending::<Result<(), _>>().await
    });
    assert_eq!(group.await.unwrap_err().into_first(), "child");
    let marks = [
        "after a panic",
        "before there is a body",
        "cancelled",
        "a child failed",
    ];
    assert_eq!(log.marks(), marks);
}

/// A live group can always be spawned into: those of the body may do so, and the group waits for it, and for the
/// cleanups that come from it.
pub async fn an_exit_of_a_group_may_spawn_into_it<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let (there, last) = (g.clone(), log.clone());
        rt.on_exit(async move {
            // Nobody awaits this one but the group.
            there.spawn(async move {
                rt.on_exit(slow(rt, &last, "of the last child"));
                rt.yields(5).await;
                let _: () = last.add("last child");
                Ok(())
            });
        });
        let (there, next) = (g.clone(), log.clone());
        rt.on_exit(async move {
            let child = there.spawn(async move {
                rt.yields(2).await;
                let _: () = next.add("child");
                Ok::<_, ()>(())
            });
            child.await;
        });
        g.spawn_daemon(pending());
        Ok(7)
    });
    assert_eq!(group.await, Ok(7));
    assert_eq!(log.marks(), ["child", "last child", "of the last child"]);
}

/// Nothing is swallowed: a child that a cleanup has spawned fails the group as any other.
pub async fn a_child_spawned_by_an_exit_may_fail_the_group<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        rt.on_exit(slow(rt, &log, "next"));
        let there = g.clone();
        rt.on_exit(async move {
            there.spawn(async { Err::<(), _>("child") });
        });
        Ok(())
    });
    assert_eq!(group.await.unwrap_err().into_first(), "child");
    assert_eq!(log.marks(), ["next"]);
}

/// "The child starts cancelled; it gets its one poll": so does one that is spawned by a cleanup of a failed group.
pub async fn a_child_spawned_by_an_exit_of_a_failed_group_is_cancelled<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let (there, log) = (g.clone(), log.clone());
        rt.on_exit(async move {
            let polled = log.clone();
            let child = there.spawn(async move {
                polled.add("polled");
                pending::<Result<(), _>>().await
            });
            assert!(matches!(child.outcome().await, Err(Stopped::Cancelled(_))));
            log.add("cancelled");
        });
        Err::<(), _>("body")
    });
    assert_eq!(group.await.unwrap_err().into_first(), "body");
    assert_eq!(log.marks(), ["polled", "cancelled"]);
}

/// A cancellation from outside that comes when all but the cleanups of the body has ended has cut nothing: the group
/// gives its value.
pub async fn a_group_cancelled_during_its_exits_gives_its_value<B: Backend>(rt: Rt<B>) {
    let (scope, log) = (rt.scope(), Log::default());
    let group = rt.task_group(async |g| {
        let (scope, log) = (scope.clone(), log.clone());
        rt.on_exit(async move {
            rt.yields(1).await;
            scope.cancel();
            rt.yields(3).await;
            log.add("cleanup");
        });
        g.spawn(rt_ok(rt));
        Ok(7)
    });
    assert_eq!(scope.run(group).await, Ok(Ok(7)));
    assert_eq!(log.marks(), ["cleanup"]);
}

async fn rt_ok<B: Backend>(rt: Rt<B>) -> Result<(), ()> {
    rt.yields(2).await;
    Ok(())
}

/// "Task roots are scopes": those of a child run before its handle gives the value, and before the group ends.
pub async fn the_exits_of_a_child_run_before_its_value_arrives<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let there = log.clone();
        let child = g.spawn(async move {
            rt.on_exit(slow(rt, &there, "cleanup"));
            there.add("child");
            Ok::<_, ()>(7)
        });
        let value = child.await;
        log.add("value");
        let there = log.clone();
        g.spawn_named("named", async move {
            rt.on_exit(slow(rt, &there, "of a named one"));
            Ok(())
        });
        Ok(value)
    });
    assert_eq!(group.await, Ok(7));
    assert_eq!(log.marks(), ["child", "cleanup", "value", "of a named one"]);
}

/// The same for a child that fails, that panics, and that is cancelled.
pub async fn the_exits_of_a_child_run_however_it_ends<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let there = log.clone();
        g.spawn(async move {
            rt.on_exit(slow(rt, &there, "error"));
            Err::<(), _>("child")
        });
        Ok(())
    });
    assert_eq!(group.await.unwrap_err().into_first(), "child");
    let group = rt.task_group(async |g| {
        let there = log.clone();
        g.spawn(async move {
            rt.on_exit(slow(rt, &there, "panic"));
            panic!("child") as Result<(), ()>
        });
        Ok(())
    });
    assert_eq!(panic_of(group).await.unwrap_err(), "child");
    let group = rt.task_group(async |g| {
        let there = log.clone();
        let child = g.spawn(async move {
            rt.on_exit(slow(rt, &there, "cancelled"));
            pending::<Result<(), ()>>().await
        });
        // It begins in a group that is cancelled already, and has its one poll.
        g.cancel();
        assert!(matches!(child.outcome().await, Err(Stopped::Cancelled(_))));
        log.add("outcome");
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["error", "panic", "cancelled", "outcome"]);
}

/// A daemon is cancelled when the rest is done; the group waits for its cleanups.
pub async fn the_exits_of_a_daemon_run_when_the_rest_is_done<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        rt.on_exit(slow(rt, &log, "of the body"));
        let there = log.clone();
        g.spawn_daemon(async move {
            rt.on_exit(slow(rt, &there, "of the daemon"));
            pending::<Result<(), ()>>().await
        });
        let there = log.clone();
        g.spawn(async move {
            rt.on_exit(slow(rt, &there, "of the child"));
            Ok(())
        });
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(
        log.marks(),
        ["of the child", "of the daemon", "of the body"]
    );
}

/// `g.cancel()` cancels the children, and not their cleanups; the body is not touched.
pub async fn cancelling_the_children_does_not_cut_their_exits<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let (open, gate) = oneshot::channel::<()>();
    let group = rt.task_group(async |g| {
        let (begun, has_begun) = oneshot::channel();
        let there = log.clone();
        let child = g.spawn(async move {
            rt.on_exit(async move {
                begun.send(()).unwrap();
                gate.await.ok();
                there.add("cleanup");
            });
            Ok::<_, ()>(7)
        });
        has_begun.await.unwrap();
        g.cancel();
        rt.yields(3).await;
        assert!(!child.is_finished() && log.marks().is_empty());
        open.send(()).unwrap();
        // It was done before it was cancelled.
        Ok(child.await)
    });
    assert_eq!(group.await, Ok(7));
    assert_eq!(log.marks(), ["cleanup"]);
}

/// The outcome of a cancelled child says why it was cancelled, also if its cleanups take their time.
pub async fn the_reason_of_a_cancelled_child_outlives_its_exits<B: Backend>(rt: Rt<B>) {
    for waits in [0, 3] {
        let group = rt.task_group(async |g| {
            let child = g.spawn(async move {
                rt.on_exit(rt.yields(waits));
                pending::<Result<(), ()>>().await
            });
            g.scope().cancel_with("enough");
            Ok(child.outcome().await)
        });
        let cancelled = Stopped::Cancelled(because("enough"));
        assert_eq!(group.await, Ok(Err(cancelled)), "after {waits} waits");
    }
}

/// `Task::cancel` waits until the child has ended, cleanups included; a child that was done keeps its value.
pub async fn to_cancel_a_child_waits_for_its_exits<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let (begun, has_begun) = oneshot::channel();
        let there = log.clone();
        let endless = g.spawn(async move {
            rt.on_exit(slow(rt, &there, "of the endless"));
            begun.send(()).unwrap();
            pending::<Result<(), ()>>().await
        });
        has_begun.await.unwrap();
        assert_eq!(endless.cancel().await, None);
        log.add("cancelled");
        let (begun, has_begun) = oneshot::channel();
        let there = log.clone();
        let done = g.spawn(async move {
            rt.on_exit(async move {
                begun.send(()).unwrap();
                rt.yields(5).await;
                there.add("of the done");
            });
            Ok(7)
        });
        has_begun.await.unwrap();
        assert_eq!(done.cancel().await, Some(7));
        log.add("done");
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    let marks = ["of the endless", "cancelled", "of the done", "done"];
    assert_eq!(log.marks(), marks);
}

/// A child that is done when a cancellation from outside comes, but for its cleanups, was not cut.
pub async fn a_child_in_its_exits_is_not_cut_from_outside<B: Backend>(rt: Rt<B>) {
    let (scope, log) = (rt.scope(), Log::default());
    let group = rt.task_group(async |g| {
        let (scope, log) = (scope.clone(), log.clone());
        let child = g.spawn(async move {
            rt.on_exit(async move {
                rt.yields(1).await;
                scope.cancel();
                rt.yields(3).await;
                log.add("cleanup");
            });
            Ok::<_, ()>(7)
        });
        Ok(child)
    });
    let child = scope.run(group).await.unwrap().unwrap();
    assert_eq!(child.outcome().await, Ok(7));
    assert_eq!(log.marks(), ["cleanup"]);
}

/// "A child has its turn until it has ended", and it has not before its cleanups have.
pub async fn a_child_keeps_its_turn_during_its_exits<B: Backend>(rt: Rt<B>) {
    let running = Arc::new(AtomicUsize::new(0));
    let group = rt.group_options::<()>().limit(1).run(async |g| {
        for _ in 0..3 {
            let running = running.clone();
            g.spawn(async move {
                assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
                rt.on_exit(async move {
                    rt.yields(3).await;
                    running.fetch_sub(1, Ordering::SeqCst);
                });
                Ok(())
            });
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// "A child that is cancelled before its turn never runs; what it owns is dropped." A cleanup that a destructor
/// registers then runs to its end before the child has ended, whoever's turn it is meanwhile.
pub async fn the_exits_of_a_child_that_never_had_its_turn_run<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let (open, gate) = oneshot::channel::<()>();
    let group = rt.group_options::<()>().limit(1).run(async |g| {
        let (begun, has_begun) = oneshot::channel();
        g.spawn(async move {
            begun.send(()).unwrap();
            shield(gate).await.ok();
            Ok(())
        });
        has_begun.await.unwrap();
        let there = log.clone();
        let register = on_drop(move || {
            rt.on_exit(slow(rt, &there, "second"));
            rt.on_exit(async move {
                // Nobody is to spin meanwhile: with a virtual clock this would take for ever.
                rt.sleep(rt.tick()).await;
                there.add("first");
            });
        });
        let queued = g.spawn(async move {
            drop(register);
            Ok(())
        });
        rt.yields(2).await;
        g.cancel();
        assert!(matches!(queued.outcome().await, Err(Stopped::Cancelled(_))));
        log.add("outcome");
        open.send(()).unwrap();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["first", "second", "outcome"]);
}

/// The handler of a supervised group runs when the child has ended, cleanups included, and belongs to the group.
pub async fn the_exits_of_a_supervised_child_come_before_the_handler<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let there = log.clone();
    let options = rt.group_options::<()>().supervise_with(move |_, ()| {
        rt.on_exit(slow(rt, &there, "of the handler"));
        there.add("handler");
    });
    let group = options.run(async |g| {
        let there = log.clone();
        let child = g.spawn(async move {
            rt.on_exit(slow(rt, &there, "of the child"));
            Err::<(), _>(())
        });
        assert!(child.outcome().await.is_err());
        rt.yields(3).await;
        log.add("body");
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    let marks = ["of the child", "handler", "body", "of the handler"];
    assert_eq!(log.marks(), marks);
}

/// A started child has a root too: its cleanups run when it ends, and before the group does.
pub async fn the_exits_of_a_started_child_run_before_its_value_arrives<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let there = log.clone();
        let start = g.start(move |started: Started<i32>| async move {
            rt.on_exit(slow(rt, &there, "before it was ready"));
            started.set(1);
            rt.yields(2).await;
            rt.on_exit(slow(rt, &there, "after that"));
            Ok::<_, ()>(7)
        });
        let (ready, child) = start.await.unwrap();
        assert_eq!(ready, 1);
        let value = child.await;
        log.add("value");
        let there = log.clone();
        let start = g.start(move |started: Started<()>| async move {
            rt.on_exit(slow(rt, &there, "cancelled"));
            started.set(());
            pending::<Result<(), ()>>().await
        });
        let (_, child) = start.await.unwrap();
        assert_eq!(child.cancel().await, None);
        log.add("no value");
        Ok(value)
    });
    assert_eq!(group.await, Ok(7));
    let marks = [
        "after that",
        "before it was ready",
        "value",
        "cancelled",
        "no value",
    ];
    assert_eq!(log.marks(), marks);
}

/// A `start` that fails, panics or is cancelled waits until the child has ended, cleanups included.
pub async fn a_start_without_success_waits_for_the_exits<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let there = log.clone();
        let failed = g.start(move |_: Started<()>| async move {
            rt.on_exit(slow(rt, &there, "failed"));
            Err::<(), _>("child")
        });
        assert_eq!(failed.await.unwrap_err(), StartError::Failed("child"));
        let there = log.clone();
        let panicked = g.start(move |_: Started<()>| async move {
            rt.on_exit(slow(rt, &there, "panicked"));
            panic!("child") as Result<(), _>
        });
        assert_eq!(panic_of(panicked).await.unwrap_err(), "child");
        let there = log.clone();
        let spoilt = g.start(move |_: Started<()>| async move {
            rt.on_exit(panics(rt, "cleanup"));
            rt.on_exit(slow(rt, &there, "spoilt"));
            Ok(())
        });
        assert_eq!(panic_of(spoilt).await.unwrap_err(), "cleanup");
        let there = log.clone();
        let cancelled = rt.cancelled(g.start(move |_: Started<()>| async move {
            rt.on_exit(slow(rt, &there, "cancelled"));
            pending::<Result<(), _>>().await
        }));
        assert!(cancelled.await.is_err());
        log.add("all");
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    let marks = ["failed", "panicked", "spoilt", "cancelled", "all"];
    assert_eq!(log.marks(), marks);
}

/// Spawns of threads that race with the cleanups of the body are refused or waited for, and the group ends.
pub async fn threads_may_spawn_while_a_group_comes_to_its_exits<B: Backend>(rt: Rt<B>) {
    for round in 0..30 {
        let alive = Alive::default();
        let mut threads = Vec::new();
        let group = rt.task_group(async |g| {
            for _ in 0..2 {
                let (g, alive) = (g.clone(), alive.clone());
                // Calls of the runtime: a simulator does not wait for other threads.
                threads.push(anyrt_core::backend::<B>().spawn_blocking(move || {
                    let mut left = 500;
                    let mut is_open = true;
                    // Nobody is to wake the group once it has refused a child.
                    while is_open && left > 0 {
                        left -= 1;
                        let life = alive.born();
                        is_open = g
                            .try_spawn(async move {
                                let _: () = drop(life);
                                Ok::<_, ()>(())
                            })
                            .is_ok();
                        std::thread::sleep(Duration::from_micros(20));
                    }
                }));
            }
            for _ in 0..5 {
                rt.on_exit(async {});
            }
            rt.yields(round % 7).await;
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        for thread in threads {
            thread.await.unwrap();
        }
        assert_eq!(alive.count(), 0, "in round {round}");
    }
}
