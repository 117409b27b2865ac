//! Cleanups that are registered while the work goes on, and run when the scope ends.

use std::future::{Future, pending};
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use anyrt_core::{Backend, Stopped, finally, is_stopping, shield, stopping};
use futures::channel::oneshot;
use futures::join;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending};
use crate::misuse::panic_and_file;
use crate::probe::{Alive, Log, because, on_a_fresh_thread, on_drop, panic_of, polls};
use crate::rt::Rt;

/// A cleanup that makes a mark.
pub(crate) fn mark(log: &Log, mark: &'static str) -> impl Future<Output = ()> + Send + use<> {
    let log = log.clone();
    async move { log.add(mark) }
}

/// A cleanup that waits a little and then makes a mark.
pub(crate) fn slow<B: Backend, K>(
    rt: Rt<B, K>,
    log: &Log,
    mark: &'static str,
) -> impl Future<Output = ()> + Send + use<B, K> {
    let log = log.clone();
    async move {
        rt.yields(3).await;
        log.add(mark);
    }
}

/// A cleanup that panics with this message, after a `Pending`.
pub(crate) async fn panics<B: Backend, K>(rt: Rt<B, K>, message: &'static str) {
    rt.yields(1).await;
    panic_any(message);
}

/// They run when the body has given its value, and then the scope gives it: also if the body never waited.
pub async fn an_exit_runs_after_a_value<B: Backend>(rt: Rt<B>) {
    for waits in [0, 1] {
        let log = Log::default();
        let value = rt.scope().run(async {
            rt.on_exit(slow(rt, &log, "cleanup"));
            rt.yields(waits).await;
            log.add("body");
            7
        });
        assert_eq!(value.await, Ok(7));
        assert_eq!(log.marks(), ["body", "cleanup"]);
    }
}

/// An error of the body is a value of the scope.
pub async fn an_exit_runs_after_an_error<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let failed = rt.scope().run(async {
        rt.on_exit(slow(rt, &log, "cleanup"));
        Err::<(), _>("error")?;
        unreachable!()
    });
    assert_eq!(failed.await, Ok(Err::<(), _>("error")));
    assert_eq!(log.marks(), ["cleanup"]);
}

/// They run when the body was cut, and after that the scope returns.
pub async fn an_exit_runs_after_a_cancellation<B: Backend>(rt: Rt<B>) {
    let (log, scope) = (Log::default(), rt.scope());
    let body = async {
        rt.on_exit(slow(rt, &log, "cleanup"));
        scope.cancel_with("enough");
        pending::<()>().await;
        log.add("never");
    };
    let cancelled = scope.run(body).await.unwrap_err();
    assert_eq!(cancelled.reason(), &because("enough"));
    assert_eq!(log.marks(), ["cleanup"]);
}

/// They run when the body has panicked, and then the panic goes on.
pub async fn an_exit_runs_after_a_panic<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let body = async {
        rt.on_exit(slow(rt, &log, "cleanup"));
        rt.yields(1).await;
        panic!("body")
    };
    let panic = panic_of(rt.scope().run(body)).await;
    assert_eq!(panic.map(drop), Err("body".to_owned()));
    assert_eq!(log.marks(), ["cleanup"]);
}

/// They run when a time limit has cut the body, and in a scope that was cancelled before it began.
pub async fn an_exit_runs_after_every_kind_of_limit<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let session = |mark| {
        rt.on_exit(slow(rt, &log, mark));
        pending::<()>()
    };
    let limit = rt.move_on_after(rt.tick(), async { session("after").await });
    assert_eq!(limit.await, None);
    let limit = rt.fail_after(rt.tick(), async { session("failed").await });
    assert!(limit.await.is_err());
    let at = rt.now();
    assert_eq!(rt.move_on_at(at, async { session("at").await }).await, None);
    let late = rt.fail_at(at, async { session("failed at").await });
    assert!(late.await.is_err());
    assert!(
        rt.cancelled(async { session("before").await })
            .await
            .is_err()
    );
    assert_eq!(
        log.marks(),
        ["after", "failed", "at", "failed at", "before"]
    );
}

/// "One after the other, the latest first": the next one begins when the one before it has ended.
pub async fn exits_run_one_after_the_other_the_latest_first<B: Backend>(rt: Rt<B>) {
    for ends in ["by a value", "by a cancellation", "by a panic"] {
        let (log, scope) = (Log::default(), rt.scope());
        let body = async {
            for (begin, end) in [("a begins", "a"), ("b begins", "b"), ("c begins", "c")] {
                let log = log.clone();
                rt.on_exit(async move {
                    log.add(begin);
                    rt.yields(3).await;
                    log.add(end);
                });
                rt.yields(1).await;
            }
            match ends {
                "by a panic" => panic!("body"),
                "by a cancellation" => scope.cancel(),
                _ => return,
            }
            pending::<()>().await;
        };
        let ended = panic_of(scope.run(body)).await;
        assert_eq!(ended.is_err(), ends == "by a panic");
        let order = ["c begins", "c", "b begins", "b", "a begins", "a"];
        assert_eq!(log.marks(), order, "{ends}");
    }
}

/// A thousand of them run, all of them once and in order.
pub async fn a_thousand_exits_run_in_order<B: Backend>(rt: Rt<B>) {
    let order = Arc::new(Mutex::new(Vec::new()));
    let cancelled = rt.cancelled(async {
        for n in 0..1_000 {
            let order = order.clone();
            rt.on_exit(async move {
                if n % 100 == 0 {
                    rt.yields(1).await;
                }
                order.lock().unwrap().push(n);
            });
        }
        pending::<()>().await;
    });
    assert!(cancelled.await.is_err());
    let expected: Vec<_> = (0..1_000).rev().collect();
    assert_eq!(*order.lock().unwrap(), expected);
}

/// "After the body has ended and was dropped": captures and locals of the body are gone before the first one begins.
pub async fn exits_run_after_the_body_was_dropped<B: Backend>(rt: Rt<B>) {
    for panics in [false, true] {
        let alive = Alive::default();
        let (capture, local, seen) = (alive.born(), alive.born(), alive.clone());
        let scope = rt.scope();
        let cancel = scope.clone();
        let body = async move {
            let _captured = &capture;
            let _local = local;
            rt.on_exit(async move {
                assert_eq!(seen.count(), 0);
                rt.yields(2).await;
            });
            if panics {
                panic!("body");
            }
            cancel.cancel();
            pending::<()>().await;
        };
        let ended = panic_of(scope.run(body)).await;
        assert_eq!(ended.err().as_deref(), panics.then_some("body"));
    }
    let alive = Alive::default();
    let (capture, seen) = (alive.born(), alive.clone());
    let value = rt.scope().run(async move {
        let _captured = &capture;
        rt.on_exit(async move { assert_eq!(seen.count(), 0) });
        7
    });
    assert_eq!(value.await, Ok(7));
}

/// What a cleanup owns is dropped before the next one begins, and before the scope returns.
pub async fn what_an_exit_owns_is_dropped_before_the_next_one<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let scope = rt.scope().run(async {
        for (run, gone) in [("first", "first gone"), ("second", "second gone")] {
            let (log, gone) = (log.clone(), log.on_drop(gone));
            rt.on_exit(async move {
                let _gone = &gone;
                rt.yields(1).await;
                log.add(run);
            });
        }
    });
    assert_eq!(scope.await, Ok(()));
    assert_eq!(
        log.marks(),
        ["second", "second gone", "first", "first gone"]
    );
}

/// A destructor of the body may register one as well, and so may the destructor of what a cleanup owns.
pub async fn destructors_may_register_exits<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let cancelled = rt.cancelled(async {
        rt.on_exit(slow(rt, &log, "of the body"));
        let there = log.clone();
        let _register = on_drop(move || {
            let here = there.clone();
            let register = on_drop(move || rt.on_exit(slow(rt, &here, "of a cleanup")));
            rt.on_exit(async move {
                rt.yields(1).await;
                there.add("of a destructor");
                drop(register);
            });
        });
        pending::<()>().await;
    });
    assert!(cancelled.await.is_err());
    assert_eq!(
        log.marks(),
        ["of a destructor", "of a cleanup", "of the body"]
    );
}

/// Also one that only a destructor of the body registers holds: the scopes around it wait for its end.
pub async fn an_exit_that_a_destructor_registers_holds_too<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let cancelled = rt.cancelled(rt.scope().run(async {
        let there = log.clone();
        let _register = on_drop(move || rt.on_exit(slow(rt, &there, "cleanup")));
        pending::<()>().await;
    }));
    assert!(cancelled.await.is_err());
    assert_eq!(log.marks(), ["cleanup"]);
}

/// "They are shielded": neither the scopes around nor the one that has ended interrupt them.
pub async fn exits_are_shielded_from_every_scope_around<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let nested = rt.cancelled(rt.cancelled(rt.move_on_after(rt.tick(), async {
        let log = log.clone();
        rt.on_exit(async move {
            assert_eq!(rt.effective_deadline(), None);
            rt.yields(3).await;
            rt.sleep(rt.tick()).await;
            assert_eq!(rt.to_thread(|| 7).await, 7);
            log.add("cleanup");
        });
        pending::<()>().await;
    })));
    assert!(nested.await.is_err());
    assert_eq!(log.marks(), ["cleanup"]);
}

/// What a cleanup runs in scopes of its own can be cancelled as ever.
pub async fn an_exit_may_be_limited<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let cancelled = rt.cancelled(async {
        rt.on_exit(slow(rt, &log, "next"));
        let log = log.clone();
        rt.on_exit(async move {
            assert_eq!(rt.move_on_after(rt.tick(), pending::<()>()).await, None);
            log.add("limited");
        });
        pending::<()>().await;
    });
    assert!(cancelled.await.is_err());
    assert_eq!(log.marks(), ["limited", "next"]);
}

/// A cleanup is code like any other: it may open groups, scopes and shields, sleep and call into threads.
pub async fn an_exit_may_do_anything<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let cancelled = rt.cancelled(async {
        let log = log.clone();
        rt.on_exit(async move {
            let group = rt.task_group(async |g| {
                let inner = log.clone();
                let child = g.spawn(async move {
                    rt.on_exit(mark(&inner, "of the child"));
                    let call = inner.clone();
                    rt.to_thread(move || call.add("thread")).await;
                    Ok::<_, &str>(7)
                });
                rt.on_exit(slow(rt, &log, "of the group"));
                assert_eq!(child.await, 7);
                let failed = rt.task_group(async |g| {
                    g.spawn(async { Err::<(), _>("error") });
                    pending::<Result<(), _>>().await
                });
                failed.await.map_err(|error| error.into_first())
            });
            assert_eq!(group.await.unwrap_err().into_first(), "error");
            shield(rt.sleep(rt.tick())).await;
            finally(rt.yields(1), async || log.add("finally")).await;
        });
        pending::<()>().await;
    });
    assert!(cancelled.await.is_err());
    let marks = ["thread", "of the child", "of the group", "finally"];
    assert_eq!(log.marks(), marks);
}

/// "A cleanup may itself register further ones, which come next."
pub async fn an_exit_that_an_exit_registers_comes_next<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let cancelled = rt.cancelled(async {
        rt.on_exit(slow(rt, &log, "first"));
        let log = log.clone();
        rt.on_exit(async move {
            rt.on_exit(slow(rt, &log, "fourth"));
            rt.yields(1).await;
            let there = log.clone();
            rt.on_exit(async move {
                rt.on_exit(slow(rt, &there, "third"));
                there.add("second");
            });
            log.add("latest");
        });
        pending::<()>().await;
    });
    assert!(cancelled.await.is_err());
    assert_eq!(
        log.marks(),
        ["latest", "second", "third", "fourth", "first"]
    );
}

/// The scope is the innermost one: it runs its own cleanups, and then the one around it.
pub async fn an_exit_belongs_to_the_innermost_scope<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let outer = rt.scope().run(async {
        rt.on_exit(slow(rt, &log, "outer"));
        let inner = rt.scope().run(async {
            rt.on_exit(slow(rt, &log, "inner"));
            7
        });
        assert_eq!(inner.await, Ok(7));
        log.add("between");
        assert!(
            rt.cancelled(async { rt.on_exit(slow(rt, &log, "cancelled")) })
                .await
                .is_ok()
        );
        rt.on_exit(slow(rt, &log, "outer again"));
    });
    assert_eq!(outer.await, Ok(()));
    let marks = ["inner", "between", "cancelled", "outer again", "outer"];
    assert_eq!(log.marks(), marks);
}

/// Nested scopes that are all cut run their cleanups from the inside out.
pub async fn the_exits_of_nested_scopes_run_from_the_inside_out<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let outer = rt.cancelled(async {
        rt.on_exit(slow(rt, &log, "outer"));
        let middle = rt.scope().run(async {
            rt.on_exit(slow(rt, &log, "middle"));
            let inner = rt.scope().run(async {
                rt.on_exit(slow(rt, &log, "inner"));
                pending::<()>().await;
            });
            inner.await.ok();
            log.add("never");
        });
        middle.await.ok();
        log.add("never");
    });
    assert!(outer.await.is_err());
    assert_eq!(log.marks(), ["inner", "middle", "outer"]);
}

/// A shield is no scope that could end: what is registered inside waits for the end of the scope around it.
pub async fn an_exit_in_a_shield_belongs_to_the_scope_around_it<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let cancelled = rt.cancelled(async {
        shield(async {
            rt.on_exit(slow(rt, &log, "cleanup"));
            rt.yields(2).await;
            log.add("shielded");
        })
        .await;
        log.add("after the shield");
        pending::<()>().await;
    });
    assert!(cancelled.await.is_err());
    assert_eq!(log.marks(), ["shielded", "after the shield", "cleanup"]);
}

/// Latest first holds with `finally` too: what its body has registered runs before its cleanup, after a panic as
/// well; what its cleanup registers runs at the end of the scope around it.
pub async fn exits_and_finally_run_the_latest_first<B: Backend>(rt: Rt<B>) {
    for ends in ["by a value", "by a cancellation", "by a panic"] {
        let (log, scope) = (Log::default(), rt.scope());
        let session = scope.run(async {
            rt.on_exit(slow(rt, &log, "of the scope"));
            let body = async {
                rt.on_exit(slow(rt, &log, "of the body"));
                rt.yields(1).await;
                match ends {
                    "by a panic" => panic!("body"),
                    "by a cancellation" => scope.cancel(),
                    _ => return,
                }
                pending::<()>().await;
            };
            finally(body, async || {
                rt.on_exit(slow(rt, &log, "of finally"));
                rt.yields(2).await;
                log.add("finally");
            })
            .await;
        });
        let ended = panic_of(session).await;
        assert_eq!(ended.is_err(), ends == "by a panic");
        let marks = ["of the body", "finally", "of finally", "of the scope"];
        if ends == "by a panic" {
            assert_eq!(log.marks(), ["of the body", "of the scope"]);
        } else {
            assert_eq!(log.marks(), marks, "{ends}");
        }
    }
}

/// Each run of a scope has its own cleanups, also where one handle governs two at once.
pub async fn every_run_of_a_scope_has_its_own_exits<B: Backend>(rt: Rt<B>) {
    let (scope, log) = (rt.scope(), Log::default());
    let (open, gate) = oneshot::channel::<()>();
    let brief = scope.run(async { rt.on_exit(slow(rt, &log, "brief")) });
    let long = scope.run(async {
        rt.on_exit(slow(rt, &log, "long"));
        gate.await.ok();
        log.add("gate");
        pending::<()>().await;
    });
    let (brief, long, ()) = join!(brief, long, async {
        while log.marks().is_empty() {
            rt.yields(1).await;
        }
        open.send(()).unwrap();
        rt.yields(1).await;
        scope.cancel();
    });
    assert!(brief.is_ok() && long.is_err());
    assert_eq!(log.marks(), ["brief", "gate", "long"]);
    // And what comes later to the same handle has nothing to do with them.
    assert!(scope.run(pending::<()>()).await.is_err());
    assert_eq!(log.marks().len(), 3);
}

/// "A scope from its first `on_exit`" holds: the scopes around it wait, and what is beside it is polled meanwhile.
pub async fn a_scope_with_exits_holds_the_scopes_around_it<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let (open, gate) = oneshot::channel::<()>();
    let outer = rt.scope();
    let body = async {
        let there = log.clone();
        let inner = rt.scope().run(async move {
            rt.on_exit(async move {
                gate.await.ok();
                there.add("cleanup");
            });
            pending::<()>().await;
        });
        let beside = async {
            outer.cancel();
            rt.yields(3).await;
            log.add("beside");
            open.send(()).unwrap();
            pending::<()>().await;
        };
        join!(inner, beside).0.ok();
        log.add("never");
    };
    assert!(outer.run(body).await.is_err());
    assert_eq!(log.marks(), ["beside", "cleanup"]);
}

/// Held or not, a cancelled scope cuts what is in a scope without cleanups at once, and the other runs its own.
pub async fn a_scope_that_has_run_its_exits_holds_no_more<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let cancelled = rt.cancelled(async {
        let value = rt.scope().run(async {
            rt.on_exit(slow(rt, &log, "cleanup"));
            7
        });
        assert_eq!(value.await, Ok(7));
        log.add("value");
        rt.yields(1).await;
        log.add("never");
    });
    assert!(cancelled.await.is_err());
    assert_eq!(log.marks(), ["cleanup", "value"]);
}

/// A scope that waits for cleanups is not polled in vain.
pub async fn a_scope_that_waits_for_exits_does_not_spin<B: Backend>(rt: Rt<B>) {
    let (open, gate) = oneshot::channel::<()>();
    let outer = rt.scope();
    let inner = rt.scope().run(async move {
        rt.on_exit(async move { gate.await.unwrap_or(()) });
        pending::<()>().await;
    });
    let (counted, polls) = polls(outer.run(inner));
    let (cancelled, ()) = join!(counted, async {
        rt.yields(2).await;
        outer.cancel();
        // The wake of `join!` polls both sides, so what is looked at is whether it comes to rest.
        rt.sleep(rt.tick()).await;
        rt.sleep(rt.tick()).await;
        assert!(polls.load(Ordering::SeqCst) < 20, "{polls:?}");
        open.send(()).unwrap();
    });
    assert!(cancelled.is_err());
}

/// In a combinator that polls only what was woken, every scope comes to its cleanups.
pub async fn scopes_with_exits_are_woken_one_by_one<B: Backend>(rt: Rt<B>) {
    let (scope, done) = (rt.scope(), Arc::new(AtomicUsize::new(0)));
    let runs: FuturesUnordered<_> = (0..10)
        .map(|n| {
            let done = done.clone();
            rt.scope().run(async move {
                if n % 2 == 0 {
                    rt.on_exit(async move {
                        rt.yields(n).await;
                        done.fetch_add(1, Ordering::SeqCst);
                    });
                }
                pending::<()>().await;
            })
        })
        .collect();
    let all = runs.for_each(|_| async {});
    let (cancelled, ()) = join!(scope.run(all), async {
        rt.yields(2).await;
        scope.cancel();
    });
    assert!(cancelled.is_err());
    assert_eq!(done.load(Ordering::SeqCst), 5);
}

/// "Who catches is decided last, after the cleanups": an outer scope that is cancelled while an inner one, which has
/// timed out, cleans up is the one to catch.
pub async fn a_scope_cancelled_during_the_exits_of_an_inner_one_catches<B: Backend>(rt: Rt<B>) {
    let (outer, log) = (rt.scope(), Log::default());
    let body = async {
        let inner = rt.move_on_after(rt.tick(), async {
            let (outer, log) = (outer.clone(), log.clone());
            rt.on_exit(async move {
                rt.yields(1).await;
                outer.cancel_with("outer");
                rt.yields(1).await;
                log.add("cleanup");
            });
            pending::<()>().await;
        });
        inner.await;
        log.add("never");
    };
    let cancelled = outer.run(body).await.unwrap_err();
    assert_eq!(cancelled.reason(), &because("outer"));
    assert_eq!(log.marks(), ["cleanup"]);
}

/// The same for a deadline of the outer scope that passes meanwhile: "the outer one catches".
pub async fn a_deadline_that_passes_during_the_exits_of_an_inner_scope_catches<B: Backend>(
    rt: Rt<B>,
) {
    let log = Log::default();
    let at = rt.now() + 2 * rt.tick();
    let outer = rt.move_on_at(at, async {
        let inner = rt.cancelled(async {
            let log = log.clone();
            rt.on_exit(async move {
                rt.sleep_until(at).await;
                log.add("cleanup");
            });
            pending::<()>().await;
        });
        inner.await.ok();
        log.add("never");
    });
    assert_eq!(outer.await, None);
    assert_eq!(log.marks(), ["cleanup"]);
}

/// An inner scope that was cut for itself catches after its cleanups, and the outer one goes on.
pub async fn a_scope_catches_after_its_exits<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let outer = rt.scope().run(async {
        let inner = rt.cancelled(async {
            rt.on_exit(slow(rt, &log, "cleanup"));
            pending::<()>().await;
        });
        assert!(inner.await.is_err());
        rt.yields(1).await;
        log.add("caught");
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(log.marks(), ["cleanup", "caught"]);
}

/// `fail_after` fails only if its deadline did the interrupting: one that passes during the cleanups is no timeout.
pub async fn a_deadline_that_passes_during_the_exits_is_no_timeout<B: Backend>(rt: Rt<B>) {
    let late = rt.fail_after(rt.tick(), async {
        rt.on_exit(rt.sleep(3 * rt.tick()));
        7
    });
    assert_eq!(late.await, Ok(7));
    let late = rt.move_on_after(rt.tick(), async {
        rt.on_exit(rt.sleep(3 * rt.tick()));
        7
    });
    assert_eq!(late.await, Some(7));
}

/// What is done is done: a cancellation that comes during the cleanups takes no value away, and is delivered at the
/// next `Pending`.
pub async fn a_cancellation_during_the_exits_takes_no_value_away<B: Backend>(rt: Rt<B>) {
    let (outer, inner, log) = (rt.scope(), rt.scope(), Log::default());
    let body = async {
        let value = inner.run(async {
            let (outer, inner) = (outer.clone(), inner.clone());
            rt.on_exit(async move {
                rt.yields(1).await;
                inner.cancel();
                outer.cancel();
                rt.yields(1).await;
            });
            7
        });
        assert_eq!(value.await, Ok(7));
        log.add("value");
        rt.yields(1).await;
        log.add("never");
    };
    assert!(outer.run(body).await.is_err());
    assert_eq!(log.marks(), ["value"]);
}

/// The first cause wins: what happens during the cleanups does not change why the scope was cancelled.
pub async fn the_reason_does_not_change_during_the_exits<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let cancelled = scope.run(async {
        scope.set_deadline(Some(rt.now() + rt.tick()));
        scope.cancel_with("first");
        let there = scope.clone();
        rt.on_exit(async move {
            there.cancel_with("second");
            rt.sleep(2 * rt.tick()).await;
        });
        pending::<()>().await;
    });
    assert_eq!(cancelled.await.unwrap_err().reason(), &because("first"));
}

/// A stop is heard in a cleanup, as in any shield, also one that is asked for meanwhile; a cancellation is not.
pub async fn a_stop_is_heard_in_an_exit<B: Backend>(rt: Rt<B>) {
    let (scope, log) = (rt.scope(), Log::default());
    let body = async {
        let (there, log) = (scope.clone(), log.clone());
        rt.on_exit(async move {
            assert!(!is_stopping());
            join!(stopping(), async {
                rt.yields(2).await;
                there.stop(rt.hour());
            });
            assert!(is_stopping());
            log.add("heard");
        });
        7
    };
    assert_eq!(scope.run(body).await, Ok(7));
    let cancelled = rt.cancelled(async {
        let log = log.clone();
        rt.on_exit(async move {
            assert!(!is_stopping());
            assert_eq!(rt.move_on_after(rt.tick(), stopping()).await, None);
            log.add("not heard");
        });
        pending::<()>().await;
    });
    assert!(cancelled.await.is_err());
    assert_eq!(log.marks(), ["heard", "not heard"]);
}

/// A panic of a cleanup stops no other, and goes on where the scope ends; of several the first one.
pub async fn a_panic_of_an_exit_comes_out_after_the_others<B: Backend>(rt: Rt<B>) {
    for cut in [false, true] {
        let (log, scope) = (Log::default(), rt.scope());
        let body = async {
            rt.on_exit(slow(rt, &log, "last"));
            rt.on_exit(panics(rt, "second panic"));
            rt.on_exit(slow(rt, &log, "middle"));
            rt.on_exit(panics(rt, "first panic"));
            rt.on_exit(slow(rt, &log, "first"));
            if cut {
                scope.cancel();
                pending::<()>().await;
            }
        };
        let panic = panic_of(scope.run(body)).await;
        assert_eq!(panic.unwrap_err(), "first panic");
        assert_eq!(log.marks(), ["first", "middle", "last"]);
    }
}

/// Of several panics the first one goes on, and that of the body comes before those of the cleanups.
pub async fn the_panic_of_the_body_beats_that_of_an_exit<B: Backend>(rt: Rt<B>) {
    let body = async {
        rt.on_exit(panics(rt, "cleanup"));
        rt.yields(1).await;
        panic!("body")
    };
    let panic = panic_of(rt.scope().run(body)).await;
    assert_eq!(panic.map(drop), Err("body".to_owned()));
    let group = rt.task_group(async |_| {
        rt.on_exit(panics(rt, "cleanup"));
        rt.yields(1).await;
        panic!("body") as Result<(), ()>
    });
    assert_eq!(panic_of(group).await.unwrap_err(), "body");
    let group = rt.task_group(async |g| {
        g.spawn(async move {
            rt.on_exit(panics(rt, "cleanup"));
            panic!("child") as Result<(), ()>
        });
        Ok(())
    });
    assert_eq!(panic_of(group).await.unwrap_err(), "child");
}

/// A cleanup may panic when it is polled and when it is dropped, and its payload when that is thrown away: the first
/// panic goes on, and the others run.
pub async fn an_exit_may_panic_in_every_way<B: Backend>(rt: Rt<B>) {
    struct Twice;
    impl Future for Twice {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            panic!("when polled")
        }
    }
    impl Drop for Twice {
        fn drop(&mut self) {
            panic!("when dropped");
        }
    }
    let log = Log::default();
    let scope = rt.scope().run(async {
        rt.on_exit(slow(rt, &log, "last"));
        let capture = on_drop(|| panic!("of a capture"));
        rt.on_exit(async move {
            rt.yields(1).await;
            drop(capture);
        });
        rt.on_exit(async { panic_any(on_drop(|| panic!("of a payload"))) });
        rt.on_exit(Twice);
    });
    assert_eq!(panic_of(scope).await.unwrap_err(), "when polled");
    assert_eq!(log.marks(), ["last"]);
}

/// A panic beats an error, also if the panic is that of a cleanup and the error was there before.
pub async fn the_panic_of_an_exit_beats_an_error<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |_| {
        rt.on_exit(panics(rt, "cleanup of the body"));
        Err::<(), _>("body")
    });
    assert_eq!(panic_of(group).await.unwrap_err(), "cleanup of the body");
    let group = rt.task_group(async |g| {
        g.spawn(async move {
            rt.on_exit(panics(rt, "cleanup of the child"));
            Err::<(), _>("child")
        });
        Ok(())
    });
    assert_eq!(panic_of(group).await.unwrap_err(), "cleanup of the child");
}

/// The panic of a cleanup in a child is a panic of the child: it cancels the others, and the group resumes it.
pub async fn the_panic_of_an_exit_of_a_child_fails_the_group<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let group = rt.task_group(async |g| {
        let life = alive.born();
        g.spawn(async move {
            let _life = life;
            pending::<Result<(), ()>>().await
        });
        let child = g.spawn(async move {
            rt.on_exit(panics(rt, "cleanup"));
            Ok(())
        });
        shield(async {
            assert!(matches!(child.outcome().await, Err(Stopped::Panicked)));
            log.add("outcome");
        })
        .await;
        pending::<Result<(), ()>>().await
    });
    assert_eq!(panic_of(group).await.unwrap_err(), "cleanup");
    assert_eq!((log.marks(), alive.count()), (vec!["outcome"], 0));
}

/// With no scope at all there is nothing whose end could be waited for: a panic at the caller, that says what to do.
pub async fn an_exit_where_there_is_no_scope_panics_at_the_caller<B: Backend>(rt: Rt<B>) {
    let check = move |(message, file): (String, String)| {
        assert!(message.contains("scope"), "{message}");
        assert!(message.contains("on_exit"), "{message}");
        assert_eq!(file, file!());
    };
    // A thread that no runtime knows, a call into a thread, and a task of the runtime that is none of ours.
    check(on_a_fresh_thread(move || {
        panic_and_file(|| rt.on_exit(async {}))
    }));
    check(
        rt.to_thread(move || panic_and_file(|| rt.on_exit(async {})))
            .await,
    );
    let task = anyrt_core::backend::<B>().spawn(async move {
        let bare = panic_and_file(|| rt.on_exit(async {}));
        let shielded = shield(async { panic_and_file(|| rt.on_exit(async {})) }).await;
        // What is refused is dropped.
        let alive = Alive::default();
        let life = alive.born();
        panic_and_file(|| rt.on_exit(async move { drop(life) }));
        (bare, shielded, alive.count())
    });
    let (bare, shielded, alive) = task.await.unwrap();
    check(bare);
    check(shielded);
    assert_eq!(alive, 0);
}

/// A scope in a task that is none of ours is a scope like any other.
pub async fn exits_run_in_a_scope_outside_of_every_group<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let there = log.clone();
    let task = anyrt_core::backend::<B>().spawn(async move {
        let scope = rt.cancelled(async {
            rt.on_exit(slow(rt, &there, "cleanup"));
            pending::<()>().await;
        });
        assert!(scope.await.is_err());
        there.add("returned");
    });
    task.await.unwrap();
    assert_eq!(log.marks(), ["cleanup", "returned"]);
}

/// Threads may cancel at any moment, also while the body registers: what was registered runs exactly once.
pub async fn threads_may_cancel_while_exits_are_registered<B: Backend>(rt: Rt<B>) {
    for round in 0..30 {
        let (scope, outer) = (rt.scope(), rt.scope());
        let (registered, run) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let threads = [scope.clone(), outer.clone()].map(|scope| {
            // Calls of the runtime: a simulator does not wait for other threads.
            anyrt_core::backend::<B>().spawn_blocking(move || {
                for _ in 0..round * 10 {
                    std::hint::spin_loop();
                }
                scope.cancel();
            })
        });
        let inner = scope.run(async {
            loop {
                let run = run.clone();
                registered.fetch_add(1, Ordering::SeqCst);
                rt.on_exit(async move {
                    rt.yields(1).await;
                    run.fetch_add(1, Ordering::SeqCst);
                });
                rt.yields(1).await;
            }
        });
        let ended: Result<Result<(), _>, _> = outer.run(inner).await;
        assert!(ended.is_err() || ended.unwrap().is_err());
        for thread in threads {
            thread.await.unwrap();
        }
        let (registered, run) = (registered.into_inner(), run.load(Ordering::SeqCst));
        assert_eq!(registered, run, "in round {round}");
    }
}

/// Cancelled anywhere, every cleanup that was registered runs exactly once, and after it nothing is left.
pub async fn exits_run_exactly_once_wherever_the_work_is_cancelled<B: Backend>(rt: Rt<B>) {
    let counts = Counts::default();
    // The work is in a scope of its own, so that it is also interrupted in its last cleanups.
    let rounds = cancel_at_every_pending(rt, |alive| rt.scope().run(work(rt, alive, &counts)));
    assert!(rounds.await > 20);
    counts.check();
}

/// Dropped from outside anywhere, the same: the enclosing group waits for them.
pub async fn exits_run_exactly_once_wherever_the_work_is_dropped<B: Backend>(rt: Rt<B>) {
    let counts = Counts::default();
    let rounds = drop_at_every_pending(rt, |alive| rt.scope().run(work(rt, alive, &counts)));
    assert!(rounds.await > 20);
    counts.check();
}

/// Scopes, a group with children, a shield and `finally`, each with cleanups that wait.
async fn work<B: Backend>(rt: Rt<B>, alive: Alive, counts: &Counts) {
    let _life = alive.born();
    counts.register(rt, &alive);
    rt.yields(1).await;
    let inner = rt.scope().run(async {
        let _life = alive.born();
        counts.register(rt, &alive);
        rt.yields(1).await;
        counts.register(rt, &alive);
        shield(async {
            counts.register(rt, &alive);
            rt.yields(1).await;
        })
        .await;
    });
    inner.await.ok();
    let body = async {
        counts.register(rt, &alive);
        rt.yields(1).await;
    };
    let cleanup = async || {
        counts.register(rt, &alive);
        rt.yields(1).await;
    };
    finally(finally(body, cleanup), cleanup).await;
    let group = rt.task_group(async |g| {
        counts.register(rt, &alive);
        for _ in 0..2 {
            let (life, alive, counts) = (alive.born(), alive.clone(), counts.clone());
            g.spawn(async move {
                let _life = life;
                counts.register(rt, &alive);
                let inner = rt.scope().run(async {
                    counts.register(rt, &alive);
                    rt.yields(1).await;
                });
                inner.await.ok();
                Ok::<(), ()>(())
            });
        }
        rt.yields(1).await;
        Ok(())
    });
    group.await.ok();
    counts.register(rt, &alive);
}

/// How many cleanups were registered, and how many of them have run.
#[derive(Clone, Default)]
pub(crate) struct Counts(Arc<[AtomicUsize; 2]>);

impl Counts {
    /// Registers a cleanup that waits, and is alive until it has run.
    pub(crate) fn register<B: Backend>(&self, rt: Rt<B>, alive: &Alive) {
        let (there, life) = (self.clone(), alive.born());
        self.0[0].fetch_add(1, Ordering::SeqCst);
        rt.on_exit(async move {
            rt.yields(2).await;
            there.0[1].fetch_add(1, Ordering::SeqCst);
            drop(life);
        });
    }

    pub(crate) fn check(&self) {
        let [registered, run] = [0, 1].map(|n| self.0[n].load(Ordering::SeqCst));
        assert_eq!(registered, run);
    }
}
