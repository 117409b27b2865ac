//! Cleanups of scopes that were dropped from outside: they run all the same, and the enclosing group waits for them.

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyrt_core::{Backend, Stopped, finally, shield};
use futures::channel::oneshot;
use futures::{join, poll};

use super::everywhere::drop_at_pending;
use super::flavour::{Rt, TaskGroup};
use crate::exits::{mark, panics, slow};
use crate::probe::{Alive, Latch, Log, message, on_a_fresh_thread, on_drop, panic_of};

/// The group waits for them. They run after the body was dropped, one after the other, the latest first.
pub async fn a_group_waits_for_the_exits_of_a_dropped_scope<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let (open, gate) = oneshot::channel::<()>();
    let group = rt.task_group(async |_| {
        let there = log.clone();
        let session = rt.scope().run(async move {
            rt.on_exit(slow(rt, &there, "first"));
            rt.on_exit(slow(rt, &there, "second"));
            let last = there.clone();
            rt.on_exit(async move {
                gate.await.ok();
                rt.yields(2).await;
                last.add("last");
            });
            let _dropped = there.on_drop("body dropped");
            pending::<()>().await;
        });
        drop_at_pending(1, session).await;
        rt.yields(3).await;
        // Whoever drops something does not wait.
        assert_eq!(log.marks(), ["body dropped"]);
        open.send(()).unwrap();
        Ok::<(), ()>(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["body dropped", "last", "second", "first"]);
}

/// So it does for everything that is a scope.
pub async fn the_exits_of_every_kind_of_dropped_scope_run<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |_| {
        let work = |mark| {
            let cleanup = slow(rt, &log, mark);
            async move {
                rt.on_exit(cleanup);
                pending::<()>().await;
            }
        };
        drop_at_pending(1, rt.scope().run(work("run"))).await;
        drop_at_pending(1, rt.move_on_after(rt.hour(), work("move on"))).await;
        drop_at_pending(1, rt.fail_after(rt.hour(), work("fail"))).await;
        drop_at_pending(1, finally(work("finally"), async || log.add("never"))).await;
        let group = rt.task_group(async |_| {
            let _: () = work("group").await;
            Ok::<_, ()>(())
        });
        drop_at_pending(1, group).await;
        Ok::<(), ()>(())
    });
    assert_eq!(group.await, Ok(()));
    let mut marks = log.marks();
    marks.sort_unstable();
    assert_eq!(marks, ["fail", "finally", "group", "move on", "run"]);
}

/// They are shielded as ever: a cancellation of the group that waits for them does not cut them.
pub async fn adopted_exits_are_shielded<B: Backend>(rt: Rt<B>) {
    let (scope, log) = (rt.scope(), Log::default());
    let group = rt.task_group(async |g| {
        let there = log.clone();
        let (begun, has_begun) = oneshot::channel();
        let session = rt.cancelled(shield(async move {
            rt.on_exit(async move {
                begun.send(()).unwrap();
                assert_eq!(rt.effective_deadline(), None);
                rt.sleep(rt.tick()).await;
                rt.yields(3).await;
                there.add("cleanup");
            });
            pending::<()>().await;
        }));
        drop_at_pending(1, session).await;
        has_begun.await.unwrap();
        g.cancel();
        scope.cancel();
        pending::<Result<(), ()>>().await
    });
    assert!(scope.run(group).await.is_err());
    assert_eq!(log.marks(), ["cleanup"]);
}

/// Those of a dropped group's body still come after all that the group has adopted, and one after the other.
pub async fn the_exits_of_a_dropped_group_run_after_its_children<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let (open, gate) = oneshot::channel::<()>();
    let outer = rt.task_group(async |_| {
        let inner = rt.parallel().task_group(async |g| {
            rt.on_exit(slow(rt, &log, "second"));
            let (seen, there) = (alive.clone(), log.clone());
            rt.on_exit(async move {
                assert_eq!(seen.count(), 0);
                rt.yields(2).await;
                there.add("first");
            });
            let (life, there) = (alive.born(), log.clone());
            g.spawn(async move {
                let _life = life;
                rt.on_exit(slow(rt, &there, "of the child"));
                shield(gate).await.ok();
                pending::<Result<(), ()>>().await
            });
            let (life, there) = (alive.born(), log.clone());
            g.spawn_daemon(async move {
                let _life = life;
                rt.on_exit(mark(&there, "of the daemon"));
                shield(rt.yields(3)).await;
                pending::<Result<(), ()>>().await
            });
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, inner).await;
        rt.yields(5).await;
        assert!(!log.marks().contains(&"first"));
        open.send(()).unwrap();
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    let marks = log.marks();
    assert_eq!(marks[marks.len() - 2..], ["first", "second"]);
    assert_eq!(alive.count(), 0);
}

/// Dropped in the middle of a cleanup: it goes on where it was and is not begun again, and then the others run.
pub async fn a_half_done_exit_goes_on<B: Backend>(rt: Rt<B>) {
    for is_group in [false, true] {
        let log = Log::default();
        let (open, gate) = oneshot::channel::<()>();
        let outer = rt.task_group(async |_| {
            let there = log.clone();
            let body = async move {
                rt.on_exit(slow(rt, &there, "next"));
                rt.on_exit(async move {
                    there.add("begins");
                    gate.await.ok();
                    there.add("ends");
                });
                7
            };
            if is_group {
                let group = rt.task_group(async |_| Ok::<_, ()>(body.await));
                assert!(drop_at_pending(1, group).await.is_none());
            } else {
                let run = rt.scope().run(body);
                assert!(drop_at_pending(1, run).await.is_none());
            }
            assert_eq!(log.marks(), ["begins"]);
            open.send(()).unwrap();
            Ok::<(), ()>(())
        });
        assert_eq!(outer.await, Ok(()));
        assert_eq!(log.marks(), ["begins", "ends", "next"]);
    }
}

/// A group dropped during its cleanups is still open to them: what they spawn is cancelled, as in any dropped group,
/// and waited for.
pub async fn a_half_done_exit_of_a_group_may_spawn_into_it<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let (open, gate) = oneshot::channel::<()>();
    let outer = rt.task_group(async |_| {
        let inner = rt.task_group(async |g| {
            let (there, alive, log) = (g.clone(), alive.clone(), log.clone());
            rt.on_exit(async move {
                gate.await.ok();
                let life = alive.born();
                let polled = log.clone();
                let child = there.spawn(async move {
                    polled.add("polled");
                    shield(rt.yields(5)).await;
                    let _life = life;
                    pending::<Result<(), ()>>().await
                });
                assert!(matches!(child.outcome().await, Err(Stopped::Cancelled(_))));
                assert_eq!(alive.count(), 0);
                log.add("cancelled");
            });
            Ok(())
        });
        assert!(drop_at_pending(1, inner).await.is_none());
        open.send(()).unwrap();
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(log.marks(), ["polled", "cancelled"]);
}

/// A panic goes to the enclosing group, which it cancels; the other cleanups run all the same.
pub async fn the_panic_of_an_adopted_exit_fails_the_group<B: Backend>(rt: Rt<B>) {
    for is_group in [false, true] {
        let log = Log::default();
        let outer = rt.task_group(async |_| {
            let there = log.clone();
            let body = async move {
                rt.on_exit(slow(rt, &there, "last"));
                rt.on_exit(panics(rt, "second panic"));
                rt.on_exit(panics(rt, "first panic"));
                pending::<()>().await;
            };
            if is_group {
                let group = rt.task_group(async |_| {
                    let _: () = body.await;
                    Ok::<_, ()>(())
                });
                drop_at_pending(1, group).await;
            } else {
                drop_at_pending(1, rt.scope().run(body)).await;
            }
            pending::<Result<(), ()>>().await
        });
        assert_eq!(panic_of(outer).await.unwrap_err(), "first panic");
        assert_eq!(log.marks(), ["last"]);
    }
}

/// A panic that has happened, and waits for the cleanups to end when the scope is dropped, is not lost: it goes to
/// the enclosing group. First that of the body, and then that of a cleanup.
pub async fn a_panic_that_waits_for_the_exits_is_not_lost<B: Backend>(rt: Rt<B>) {
    for from in ["body", "cleanup"] {
        let log = Log::default();
        let outer = rt.task_group(async |_| {
            let there = log.clone();
            let session = rt.scope().run(async move {
                rt.on_exit(slow(rt, &there, "cleanup"));
                if from == "body" {
                    panic!("body");
                }
                rt.on_exit(async { panic!("cleanup") });
            });
            assert!(drop_at_pending(1, session).await.is_none());
            rt.yields(10).await;
            Ok::<(), ()>(())
        });
        assert_eq!(panic_of(outer).await.unwrap_err(), from);
        assert_eq!(log.marks(), ["cleanup"]);
    }
}

/// With no group around nobody waits, and they run all the same.
pub async fn with_no_group_around_the_exits_of_a_dropped_scope_run_alone<B: Backend>(rt: Rt<B>) {
    for is_group in [false, true] {
        let (done, is_done) = oneshot::channel();
        // A task of the runtime, and none of ours.
        let task = anyrt_core::backend::<B>().spawn(async move {
            let body = async move {
                rt.on_exit(async move {
                    rt.yields(3).await;
                    done.send(()).unwrap();
                });
                pending::<()>().await;
            };
            if is_group {
                let group = rt.task_group(async move |_| {
                    let _: () = body.await;
                    Ok::<_, ()>(())
                });
                drop_at_pending(1, group).await.is_none()
            } else {
                drop_at_pending(1, rt.scope().run(body)).await.is_none()
            }
        });
        assert_eq!(task.await, Some(true));
        assert_eq!(is_done.await, Ok(()));
    }
}

/// "The children" are what `len` counts, and not what was adopted.
pub async fn adopted_exits_do_not_count_in_the_len<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let session = rt.scope().run(async move {
            rt.on_exit(async move { gate.await.unwrap_or(()) });
            pending::<()>().await;
        });
        drop_at_pending(1, session).await;
        rt.yields(3).await;
        assert_eq!(g.len(), 0);
        open.send(()).unwrap();
        Ok::<(), ()>(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Dropped in a child, a scope leaves its cleanups to the group; the child need not wait.
pub async fn the_exits_of_a_scope_dropped_in_a_child_are_left_to_its_group<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        for is_daemon in [false, true] {
            let (open, gate) = oneshot::channel::<()>();
            let there = log.clone();
            let child = async move {
                let session = rt.scope().run(async move {
                    rt.on_exit(async move {
                        gate.await.ok();
                        there.add("cleanup");
                    });
                    pending::<()>().await;
                });
                drop_at_pending(1, session).await;
                Ok::<_, ()>(())
            };
            if is_daemon {
                g.spawn_daemon(child).await;
            } else {
                g.spawn(child).await;
            }
            log.add("child");
            open.send(()).unwrap();
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    let mut marks = log.marks();
    marks.sort_unstable();
    assert_eq!(marks, ["child", "child", "cleanup", "cleanup"]);
}

/// A scope that was dropped by another task, or on a thread that no runtime knows, leaves its cleanups where it was.
pub async fn exits_are_adopted_whoever_drops_their_scope<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |_| {
        for on_a_thread in [false, true] {
            let there = log.clone();
            let mut session = Box::pin(rt.scope().run(async move {
                rt.on_exit(slow(rt, &there, "cleanup"));
                pending::<()>().await;
            }));
            assert!(poll!(&mut session).is_pending());
            if on_a_thread {
                rt.to_thread(move || on_a_fresh_thread(move || drop(session)))
                    .await;
            } else {
                let dropper = anyrt_core::backend::<B>().spawn(async move { drop(session) });
                dropper.await.unwrap();
            }
        }
        Ok::<(), ()>(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["cleanup", "cleanup"]);
}

/// The enclosing group waits for what it would have to adopt: also for a scope that has cleanups, was moved to a task
/// that is none of ours, and is dropped there later.
pub async fn a_scope_with_exits_keeps_its_group_open_wherever_it_is<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let (open, gate) = oneshot::channel::<()>();
    let group = rt.task_group(async |_| {
        let there = log.clone();
        let mut session = Box::pin(rt.scope().run(async move {
            rt.on_exit(slow(rt, &there, "cleanup"));
            pending::<()>().await;
        }));
        assert!(poll!(&mut session).is_pending());
        let elsewhere = async move {
            gate.await.ok();
            drop(session);
        };
        drop(anyrt_core::backend::<B>().spawn(elsewhere));
        Ok::<(), ()>(())
    });
    let waits = async {
        assert_eq!(group.await, Ok(()));
        log.marks()
    };
    let (marks, ()) = join!(waits, async {
        rt.yields(5).await;
        open.send(()).unwrap();
    });
    assert_eq!(marks, ["cleanup"]);
}

/// A destructor of the body that panics, or registers a cleanup itself, does not keep them from running.
pub async fn a_panicking_destructor_does_not_stop_the_exits<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let outer = rt.task_group(async |_| {
        for is_group in [false, true] {
            let there = log.clone();
            let body = async move {
                rt.on_exit(slow(rt, &there, "first"));
                let _panics = on_drop(|| panic!("in a destructor"));
                let _registers = on_drop(move || rt.on_exit(slow(rt, &there, "second")));
                pending::<()>().await;
            };
            let mut session: Pin<Box<dyn Future<Output = ()> + '_>> = if is_group {
                Box::pin(async {
                    let group = rt.task_group(async |_| {
                        let _: () = body.await;
                        Ok::<_, ()>(())
                    });
                    group.await.unwrap();
                })
            } else {
                Box::pin(async { rt.scope().run(body).await.unwrap() })
            };
            assert!(poll!(&mut session).is_pending());
            let payload = catch_unwind(AssertUnwindSafe(|| drop(session))).unwrap_err();
            assert_eq!(message(&*payload), "in a destructor");
        }
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    let mut marks = log.marks();
    marks.sort_unstable();
    assert_eq!(marks, ["first", "first", "second", "second"]);
}

/// Adoption goes up: what was left to a group that is dropped itself is waited for by the next one, and the cleanups
/// of each come after those of what it has adopted.
pub async fn adoption_of_exits_goes_up_through_dropped_groups<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let (open, gate) = oneshot::channel::<()>();
    let outer = rt.task_group(async |_| {
        let middle = rt.task_group(async |_| {
            rt.on_exit(slow(rt, &log, "middle"));
            let inner = rt.task_group(async |_| {
                rt.on_exit(slow(rt, &log, "inner"));
                let there = log.clone();
                let session = rt.scope().run(async move {
                    rt.on_exit(async move {
                        gate.await.ok();
                        there.add("scope");
                    });
                    pending::<()>().await;
                });
                drop_at_pending(1, session).await;
                pending::<Result<(), ()>>().await
            });
            drop_at_pending(1, inner).await;
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, middle).await;
        rt.yields(5).await;
        assert!(log.marks().is_empty());
        open.send(()).unwrap();
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(log.marks(), ["scope", "inner", "middle"]);
}

/// A future holds the scopes of its own task, and adopted cleanups have a task of their own: a scope that they have
/// left does not wait for the shields and groups in them. The group does.
pub async fn an_adopted_exit_does_not_hold_the_scopes_it_has_left<B: Backend>(rt: Rt<B>) {
    for is_group in [false, true] {
        let (scope, log) = (rt.scope(), Log::default());
        let (open, gate) = oneshot::channel::<()>();
        let (begun, has_begun) = oneshot::channel();
        let group = rt.task_group(async |_| {
            let there = log.clone();
            let session = async move {
                rt.on_exit(async move {
                    // The shield has been polled when the other side says that it has.
                    let held = shield(async {
                        gate.await.ok();
                    });
                    join!(held, async { begun.send(()).unwrap() });
                    there.add("cleanup");
                });
                pending::<()>().await;
            };
            let body = async {
                if is_group {
                    let group = rt.task_group(async |_| {
                        let _: () = session.await;
                        Ok::<_, ()>(())
                    });
                    drop_at_pending(1, group).await;
                } else {
                    drop_at_pending(1, rt.scope().run(session)).await;
                }
                has_begun.await.unwrap();
                scope.cancel();
                pending::<()>().await;
            };
            // Bounded, so that the promise fails rather than hangs.
            let left = rt.sleep(20 * rt.tick());
            let returned = futures::future::select(Box::pin(scope.run(body)), Box::pin(left));
            let is_held = matches!(returned.await, futures::future::Either::Right(_));
            open.send(()).unwrap();
            Ok::<_, ()>(is_held)
        });
        assert_eq!(group.await, Ok(false));
        assert_eq!(log.marks(), ["cleanup"]);
    }
}

/// What an adopted cleanup drops from outside itself is adopted in its turn, by a group that has not ended: a group
/// with children, a thread, and a scope with cleanups.
pub async fn what_an_adopted_exit_drops_is_adopted_too<B: Backend>(rt: Rt<B>) {
    for is_group in [false, true] {
        let (log, latch) = (Log::default(), Latch::default());
        let (open, gate) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        let outer = rt.task_group(async |_| {
            let (there, closed) = (log.clone(), latch.clone());
            let session = async move {
                rt.on_exit(async move {
                    let child = there.clone();
                    let group = rt.parallel().task_group(async move |g| {
                        g.spawn(async move {
                            shield(gate).await.ok();
                            shield(rt.sleep(rt.tick())).await;
                            child.add("child");
                            Ok::<(), ()>(())
                        });
                        pending::<Result<(), ()>>().await
                    });
                    drop_at_pending(1, group).await;
                    let thread = there.clone();
                    let call = rt.to_thread(move || {
                        closed.wait::<B>();
                        std::thread::sleep(rt.tick());
                        thread.add("thread");
                    });
                    drop_at_pending(1, call).await;
                    let scope = rt.scope().run(async move {
                        rt.on_exit(async move {
                            rt.sleep(rt.tick()).await;
                            there.add("cleanup");
                        });
                        pending::<()>().await;
                    });
                    drop_at_pending(1, scope).await;
                    done.send(()).unwrap();
                });
                pending::<()>().await;
            };
            if is_group {
                let group = rt.task_group(async |_| {
                    let _: () = session.await;
                    Ok::<_, ()>(())
                });
                drop_at_pending(1, group).await;
            } else {
                drop_at_pending(1, rt.scope().run(session)).await;
            }
            is_done.await.unwrap();
            rt.yields(3).await;
            open.send(()).unwrap();
            latch.open();
            Ok::<(), ()>(())
        });
        assert_eq!(outer.await, Ok(()));
        let mut marks = log.marks();
        marks.sort_unstable();
        assert_eq!(marks, ["child", "cleanup", "thread"], "{is_group}");
    }
}

/// The panic of a child that an adopted cleanup has dropped goes to the group that waits.
pub async fn the_panic_of_what_an_adopted_exit_drops_is_not_lost<B: Backend>(rt: Rt<B>) {
    for is_group in [false, true] {
        let outer = rt.task_group(async |_| {
            let session = async move {
                rt.on_exit(async move {
                    let group = rt.parallel().task_group(async move |g| {
                        g.spawn(async move {
                            shield(rt.yields(5)).await;
                            panic!("from below") as Result<(), ()>
                        });
                        pending::<Result<(), ()>>().await
                    });
                    drop_at_pending(1, group).await;
                });
                pending::<()>().await;
            };
            if is_group {
                let group = rt.task_group(async |_| {
                    let _: () = session.await;
                    Ok::<_, ()>(())
                });
                drop_at_pending(1, group).await;
            } else {
                drop_at_pending(1, rt.scope().run(session)).await;
            }
            // The panic cancels the group.
            rt.move_on_after(20 * rt.tick(), pending::<()>()).await;
            Ok::<(), ()>(())
        });
        assert_eq!(
            panic_of(outer).await.err().as_deref(),
            Some("from below"),
            "{is_group}"
        );
    }
}

/// A started child belongs to the caller until it is ready: if the caller is dropped before that, the child is
/// cancelled, and the group waits for its cleanups.
pub async fn the_exits_of_a_started_child_run_when_its_caller_is_dropped<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let outer = rt.task_group(async |g: TaskGroup<B, ()>| {
        let there = log.clone();
        let (begun, has_begun) = oneshot::channel();
        let start = g.start(move |_: anyrt_core::Started<()>| async move {
            rt.on_exit(slow(rt, &there, "cleanup"));
            begun.send(()).unwrap();
            pending::<Result<(), ()>>().await
        });
        let selected = futures::future::select(Box::pin(start), has_begun).await;
        drop(selected);
        Ok(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(log.marks(), ["cleanup"]);
}

/// Cleanups of a dropped group that own its handle, or handles of its children, leave nothing behind.
pub async fn adopted_exits_that_own_their_group_leave_nothing_behind<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let outer = rt.task_group(async |_| {
        for pendings in 1..4 {
            let inner = rt.task_group(async |g| {
                for _ in 0..3 {
                    let child = g.spawn(pending::<Result<(), ()>>());
                    let (g, life) = (g.clone(), alive.born());
                    rt.on_exit(async move {
                        assert!(child.outcome().await.is_err());
                        // The group is open for its own cleanups.
                        let late = g.spawn(async { Ok(()) });
                        assert_eq!(late.outcome().await, Ok(()));
                        drop(life);
                    });
                }
                rt.yields(pendings).await;
                pending::<Result<(), ()>>().await
            });
            drop_at_pending(pendings, inner).await;
        }
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// A drop may race with the end of the body, with a cancellation, and with the cleanups: each runs once.
pub async fn a_drop_may_race_with_the_exits<B: Backend>(rt: Rt<B>) {
    for round in 0..50 {
        let (alive, run) = (Alive::default(), Arc::new(AtomicUsize::new(0)));
        let outer = rt.task_group(async |g| {
            let scope = rt.scope();
            let (run, life) = (run.clone(), alive.born());
            let session = scope.run(async move {
                for _ in 0..3 {
                    let run = run.clone();
                    rt.on_exit(async move {
                        rt.yields(2).await;
                        run.fetch_add(1, Ordering::SeqCst);
                    });
                }
                rt.yields(round % 5).await;
                drop(life);
            });
            g.spawn(async move {
                rt.yields(round % 3).await;
                scope.cancel();
                Ok::<_, ()>(())
            });
            let mut session = Box::pin(session);
            assert!(poll!(&mut session).is_pending());
            let (session, abort) = futures::future::abortable(session);
            let child = g.spawn(async move {
                let _: () = drop(session.await);
                Ok(())
            });
            rt.yields(round % 11).await;
            abort.abort();
            child.await;
            Ok::<(), ()>(())
        });
        assert_eq!(outer.await, Ok(()));
        assert_eq!((run.load(Ordering::SeqCst), alive.count()), (3, 0));
    }
}
