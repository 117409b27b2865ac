//! Cleanups that run whether or not the work before them was interrupted.

use std::cell::Cell;
use std::future::pending;
use std::time::Duration;

use anyrt_core::{Backend, Stopped, finally, is_stopping, shield, stopping};
use futures::channel::oneshot;
use futures::join;

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use crate::probe::{Alive, Log, because, panic_of};
use crate::rt::Rt;

/// On a value the cleanup runs, and then the value is given.
pub async fn a_cleanup_runs_after_a_value<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let work = async {
        rt.yields(1).await;
        log.add("work");
        7
    };
    let value = finally(work, async || {
        rt.yields(1).await;
        log.add("cleanup");
    });
    assert_eq!(value.await, 7);
    assert_eq!(log.marks(), ["work", "cleanup"]);
}

/// On a cancellation it runs, shielded, before the scope returns.
pub async fn a_cleanup_runs_after_a_cancellation<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let body = async {
        let _gone = log.on_drop("body dropped");
        pending::<()>().await;
    };
    let session = finally(body, async || {
        rt.sleep(rt.tick()).await;
        rt.yields(3).await;
        log.add("cleanup");
    });
    assert_eq!(rt.move_on_after(rt.tick(), session).await, None);
    assert_eq!(log.marks(), ["body dropped", "cleanup"]);
}

/// In a scope that is cancelled before it begins: the body has its one poll, and the cleanup runs.
pub async fn a_cleanup_runs_in_a_scope_cancelled_before<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let body = async {
        log.add("polled");
        rt.yields(1).await;
        log.add("never");
    };
    let session = finally(body, async || log.add("cleanup"));
    assert!(rt.cancelled(session).await.is_err());
    assert_eq!(log.marks(), ["polled", "cleanup"]);
}

/// A body that is ready in a cancelled scope gives its value, and the cleanup does not take it away.
pub async fn a_cleanup_that_waits_does_not_take_a_value_away<B: Backend>(rt: Rt<B>) {
    let session = finally(async { 7 }, async || rt.yields(3).await);
    assert_eq!(rt.cancelled(session).await, Ok(7));
}

/// Not after a panic in the body.
pub async fn a_cleanup_does_not_run_after_a_panic<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let body = async {
        rt.yields(1).await;
        panic!("body")
    };
    let session = finally(body, async || log.add("cleanup"));
    assert_eq!(panic_of(session).await.unwrap_err(), "body");
    assert!(log.marks().is_empty());
}

/// A panic in the cleanup is not lost, also after a cancellation.
pub async fn a_panic_in_a_cleanup_is_not_lost<B: Backend>(rt: Rt<B>) {
    let session = finally(async { 7 }, async || panic!("cleanup"));
    assert_eq!(panic_of(session).await.unwrap_err(), "cleanup");
    let session = finally(pending::<()>(), async || panic!("cleanup"));
    let cancelled = panic_of(rt.cancelled(session)).await;
    assert_eq!(cancelled.unwrap_err(), "cleanup");
}

/// It may borrow what the body has borrowed mutably.
pub async fn a_cleanup_may_borrow<B: Backend>(rt: Rt<B>) {
    let count = Cell::new(0);
    let session = finally(
        async {
            count.set(count.get() + 1);
            pending::<()>().await;
        },
        async || count.set(count.get() + 10),
    );
    assert!(rt.cancelled(session).await.is_err());
    assert_eq!(count.get(), 11);
}

/// Nested cleanups run from the inside out.
pub async fn nested_cleanups_run_from_the_inside_out<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let inner = finally(pending::<()>(), async || {
        rt.yields(2).await;
        log.add("inner");
    });
    let outer = finally(inner, async || {
        rt.yields(2).await;
        log.add("outer");
    });
    assert!(rt.cancelled(outer).await.is_err());
    assert_eq!(log.marks(), ["inner", "outer"]);
}

/// Code after it does not run if the body was cut.
pub async fn code_after_an_interrupted_body_does_not_run<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let task = async {
        finally(pending::<()>(), async || log.add("cleanup")).await;
        log.add("never");
    };
    assert!(rt.cancelled(task).await.is_err());
    assert_eq!(log.marks(), ["cleanup"]);
}

/// A cleanup that must not run for ever takes a limit of its own.
pub async fn a_cleanup_may_be_limited<B: Backend>(rt: Rt<B>) {
    let session = finally(pending::<()>(), async || {
        rt.move_on_after(rt.tick(), pending::<()>()).await;
    });
    assert!(rt.cancelled(session).await.is_err());
}

/// A shield in the body is waited for before the cleanup begins.
pub async fn a_shielded_part_of_the_body_comes_first<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let body = async {
        shield(async {
            rt.yields(3).await;
            log.add("shielded");
        })
        .await;
        pending::<()>().await;
    };
    let session = finally(body, async || log.add("cleanup"));
    assert!(rt.cancelled(session).await.is_err());
    assert_eq!(log.marks(), ["shielded", "cleanup"]);
}

/// The cleanup of a child runs when the group is cancelled, and the group waits for it.
pub async fn the_cleanup_of_a_child_is_waited_for<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let log = log.clone();
        g.spawn(async move {
            finally(pending::<()>(), async || {
                rt.yields(5).await;
                log.add("cleanup");
            })
            .await;
            Ok(())
        });
        rt.yields(2).await;
        Err::<(), _>("body")
    });
    assert!(group.await.is_err());
    assert_eq!(log.marks(), ["cleanup"]);
}

/// A group in the body has ended before the cleanup begins.
pub async fn a_group_in_the_body_ends_first<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let body = rt.task_group(async |g| {
        let life = alive.born();
        g.spawn(async move {
            shield(rt.yields(5)).await;
            drop(life);
            pending::<Result<(), ()>>().await
        });
        pending::<Result<(), ()>>().await
    });
    let session = finally(body, async || assert_eq!(alive.count(), 0));
    let limit = rt.move_on_after(Duration::ZERO, session);
    assert!(limit.await.is_none());
}

/// Cancelled anywhere, the cleanup runs exactly once.
pub async fn a_cleanup_runs_exactly_once_wherever_it_is_cancelled<B: Backend>(rt: Rt<B>) {
    let cleanups = Cell::new(0);
    let rounds = cancel_at_every_pending(rt, |alive| {
        let cleanups = &cleanups;
        async move {
            let body = async {
                let _life = alive.born();
                rt.yields(3).await;
            };
            finally(body, async || {
                rt.yields(2).await;
                cleanups.set(cleanups.get() + 1);
            })
            .await;
        }
    });
    let rounds = rounds.await;
    assert!(rounds > 4);
    assert_eq!(cleanups.get(), rounds);
}

/// "From its first poll" it holds, and not before: what is never polled has nothing to clean up.
pub async fn a_cleanup_that_was_never_entered_does_not_run<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let value = rt.scope().run(async {
        drop(finally(async { log.add("body") }, async || {
            log.add("cleanup");
        }));
        7
    });
    assert_eq!(value.await, Ok(7));
    assert!(log.marks().is_empty());
}

/// Dropped from outside it runs no cleanup, since that may borrow; body and cleanup are dropped, also half-done.
pub async fn a_cleanup_dropped_from_outside_does_not_run<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let group = rt.task_group(async |_| {
        for pendings in [1, 3] {
            let (body, capture, log) = (alive.born(), alive.born(), log.clone());
            let work = async move {
                let _body = body;
                rt.yields(2).await;
            };
            let session = finally(work, async move || {
                let _capture = capture;
                log.add("begins");
                rt.yields(2).await;
                log.add("never");
            });
            drop_at_pending(pendings, session).await;
            assert_eq!(alive.count(), 0);
        }
        rt.yields(5).await;
        assert_eq!(log.marks(), ["begins"]);
        // And nothing is held any more.
        assert!(rt.cancelled(pending::<()>()).await.is_err());
        Ok::<(), ()>(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A cleanup that has begun is begun only once, and not interrupted by what is cancelled meanwhile.
pub async fn a_cleanup_is_not_cut_by_what_is_cancelled_meanwhile<B: Backend>(rt: Rt<B>) {
    let (outer, inner, log) = (rt.scope(), rt.scope(), Log::default());
    let session = finally(
        async {
            inner.cancel();
            pending::<()>().await;
        },
        async || {
            log.add("begins");
            rt.yields(1).await;
            outer.cancel_with("outer");
            rt.yields(1).await;
            assert_eq!(rt.effective_deadline(), None);
            rt.sleep(rt.tick()).await;
            log.add("ends");
        },
    );
    let body = async {
        inner.run(session).await.ok();
        log.add("never");
    };
    // And who catches is decided after it.
    let cancelled = outer.run(body).await.unwrap_err();
    assert_eq!(cancelled.reason(), &because("outer"));
    assert_eq!(log.marks(), ["begins", "ends"]);
}

/// A time limit that passes during the cleanup has interrupted nothing.
pub async fn a_deadline_that_passes_during_a_cleanup_is_no_timeout<B: Backend>(rt: Rt<B>) {
    let session = finally(async { 7 }, async || rt.sleep(3 * rt.tick()).await);
    assert_eq!(rt.fail_after(rt.tick(), session).await, Ok(7));
}

/// While it cleans up, what is beside it goes on.
pub async fn what_is_beside_a_cleanup_goes_on<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let (open, gate) = oneshot::channel::<()>();
    let session = finally(pending::<()>(), async || {
        gate.await.unwrap();
        log.add("cleanup");
    });
    let beside = async {
        rt.yields(5).await;
        log.add("beside");
        open.send(()).unwrap();
        pending::<()>().await;
    };
    let cancelled = rt.cancelled(async { join!(session, beside) });
    assert!(cancelled.await.is_err());
    assert_eq!(log.marks(), ["beside", "cleanup"]);
}

/// A scope inside the body that is cancelled for itself does not end the body: the cleanup comes at its end.
pub async fn a_cleanup_waits_for_the_body_to_catch<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let body = async {
        assert_eq!(rt.move_on_after(rt.tick(), pending::<()>()).await, None);
        rt.yields(1).await;
        log.add("body");
        7
    };
    let value = rt
        .scope()
        .run(finally(body, async || log.add("cleanup")))
        .await;
    assert_eq!(value, Ok(7));
    assert_eq!(log.marks(), ["body", "cleanup"]);
}

/// What the cleanup owns is dropped before the value is given.
pub async fn what_a_cleanup_owns_is_dropped_with_it<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let (capture, seen) = (alive.born(), alive.clone());
    let value = finally(async { 7 }, async move || {
        let _capture = &capture;
        rt.yields(1).await;
        assert_eq!(seen.count(), 1);
    });
    let mut value = Box::pin(value);
    assert_eq!(value.as_mut().await, 7);
    assert_eq!(alive.count(), 0);
}

/// The error of a body is its value: it is not lost when the group is cancelled while the cleanup runs.
pub async fn an_error_before_a_cleanup_is_not_lost<B: Backend>(rt: Rt<B>) {
    let (scope, log) = (rt.scope(), Log::default());
    let group = rt.task_group(async |g| {
        let (scope, log) = (scope.clone(), log.clone());
        g.spawn(async move {
            finally(async { Err::<(), _>("error") }, async || {
                rt.yields(1).await;
                scope.cancel();
                rt.yields(3).await;
                log.add("cleanup");
            })
            .await
        });
        pending::<Result<(), _>>().await
    });
    let error = scope.run(group).await.unwrap().unwrap_err();
    assert_eq!(error.into_first(), "error");
    assert_eq!(log.marks(), ["cleanup"]);
}

/// The panic of a cleanup in a child is one of the child: the group resumes it, also if the child had an error, and
/// if it was being cancelled.
pub async fn the_panic_of_a_cleanup_in_a_child_fails_the_group<B: Backend>(rt: Rt<B>) {
    for ends in ["by an error", "by a cancellation"] {
        let group = rt.task_group(async |g| {
            g.spawn(async move {
                let body = async {
                    if ends == "by a cancellation" {
                        pending::<()>().await;
                    }
                    Err::<(), _>("error")
                };
                finally(body, async || {
                    rt.yields(1).await;
                    panic!("cleanup");
                })
                .await
            });
            g.cancel();
            Ok(())
        });
        assert_eq!(panic_of(group).await.unwrap_err(), "cleanup", "{ends}");
    }
}

/// For a `finally` around it, the panic of a cleanup is one of the body: it comes out, and the outer cleanup does not
/// run.
pub async fn the_panic_of_a_cleanup_is_one_of_the_body_around_it<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let inner = finally(pending::<()>(), async || {
        rt.yields(1).await;
        panic!("inner");
    });
    let outer = finally(inner, async || log.add("outer"));
    let panic = panic_of(rt.cancelled(outer)).await;
    assert_eq!(panic.map(drop), Err("inner".to_owned()));
    assert!(log.marks().is_empty());
}

/// So is that of a closure which panics before there is a future; and after a panic nothing is held.
pub async fn a_cleanup_that_panics_lets_go<B: Backend>(rt: Rt<B>) {
    for closure in [true, false] {
        let scope = rt.scope();
        let body = async {
            let session = finally(async {}, || {
                assert!(!closure, "closure");
                async {
                    if true {
                        panic!("future");
                    }
                }
            });
            let mut session = Box::pin(panic_of(session));
            let panic = session.as_mut().await.unwrap_err();
            assert_eq!(panic, if closure { "closure" } else { "future" });
            drop(session);
            scope.cancel();
            pending::<()>().await;
        };
        assert!(scope.run(body).await.is_err());
    }
}

/// A group that a cleanup opens is shielded with all its children.
pub async fn the_children_of_a_cleanup_are_shielded_too<B: Backend>(rt: Rt<B>) {
    let session = finally(pending::<()>(), async || {
        let group = rt.task_group(async |g| {
            let child = g.spawn(async move {
                rt.yields(5).await;
                rt.sleep(rt.tick()).await;
                Ok::<_, ()>(rt.to_thread(|| 7).await)
            });
            Ok(child.await)
        });
        assert_eq!(group.await, Ok(7));
    });
    assert!(rt.cancelled(session).await.is_err());
}

/// "Children of a group opened outside a shield are not protected by it", nor by a cleanup: they start cancelled.
pub async fn what_a_cleanup_spawns_into_a_cancelled_group_is_cancelled<B: Backend>(rt: Rt<B>) {
    let (scope, log) = (rt.scope(), Log::default());
    let group = rt.task_group(async |g| {
        scope.cancel();
        finally(pending::<()>(), async || {
            let polled = log.clone();
            let child = g.spawn(async move {
                polled.add("polled");
                rt.yields(1).await;
                let _: () = polled.add("never");
                Ok::<_, ()>(())
            });
            assert!(matches!(child.outcome().await, Err(Stopped::Cancelled(_))));
            log.add("cleanup");
        })
        .await;
        Ok(())
    });
    assert!(scope.run(group).await.is_err());
    assert_eq!(log.marks(), ["polled", "cleanup"]);
}

/// A stop is heard in a cleanup, as in any shield; a cancellation is not.
pub async fn a_stop_is_heard_in_a_cleanup<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let session = finally(async {}, async || {
        assert!(!is_stopping());
        join!(stopping(), async {
            rt.yields(2).await;
            scope.stop(rt.hour());
        });
    });
    assert_eq!(scope.run(session).await, Ok(()));
    let session = finally(pending::<()>(), async || {
        assert!(!is_stopping());
        assert_eq!(rt.move_on_after(rt.tick(), stopping()).await, None);
    });
    assert!(rt.cancelled(session).await.is_err());
}

/// Where nothing is cancelled it is plain sequence, also outside of every scope and group.
pub async fn a_cleanup_needs_no_scope<B: Backend>(rt: Rt<B>) {
    let task = anyrt_core::backend::<B>().spawn(async move {
        let log = Log::default();
        let there = log.clone();
        let value = finally(async { 7 }, async move || {
            rt.yields(1).await;
            there.add("cleanup");
        });
        (value.await, log.marks())
    });
    assert_eq!(task.await, Some((7, vec!["cleanup"])));
}

/// The cleanup of a daemon runs when the rest is done; that of a child runs before `cancel` gives back.
pub async fn whoever_cancels_a_child_waits_for_its_cleanup<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let there = log.clone();
        g.spawn_daemon(async move {
            finally(pending::<()>(), async || {
                rt.yields(3).await;
                there.add("of the daemon");
            })
            .await;
            Ok(())
        });
        let (begun, has_begun) = oneshot::channel();
        let there = log.clone();
        let child = g.spawn(async move {
            let body = async {
                begun.send(()).unwrap();
                pending::<()>().await;
            };
            finally(body, async || {
                rt.yields(3).await;
                there.add("of the child");
            })
            .await;
            Ok::<_, ()>(())
        });
        has_begun.await.unwrap();
        assert_eq!(child.cancel().await, None);
        log.add("cancelled");
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["of the child", "cancelled", "of the daemon"]);
}

/// Dropped from outside anywhere, it leaves nothing behind.
pub async fn cleanups_may_be_dropped_at_every_pending<B: Backend>(rt: Rt<B>) {
    let rounds = drop_at_every_pending(rt, |alive| async move {
        let body = async {
            let _life = alive.born();
            rt.yields(2).await;
        };
        let life = alive.born();
        finally(body, async || {
            let _life = &life;
            let group = rt.task_group(async |g| {
                let life = alive.born();
                g.spawn(async move {
                    let _life = life;
                    shield(rt.yields(2)).await;
                    Ok::<_, ()>(())
                });
                Ok(())
            });
            assert_eq!(group.await, Ok(()));
            rt.yields(1).await;
        })
        .await;
    });
    assert!(rounds.await > 3);
}
