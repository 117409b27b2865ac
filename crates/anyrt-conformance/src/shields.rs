//! Shields and holds: what is not interrupted, and who waits.

use std::future::{pending, ready};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyrt_core::{Backend, CancelScope, Reason, checkpoint, shield};
use futures::channel::oneshot;
use futures::future::{BoxFuture, Either, join, select};
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{FutureExt, join, poll};

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending};
use crate::probe::{Alive, Log, because, panic_of, polls};
use crate::rt::Rt;

/// A shield runs to its end and gives its value; the next `Pending` after it delivers.
pub async fn a_shield_runs_to_its_end_and_the_next_pending_delivers<B: Backend>(rt: Rt<B>) {
    let (scope, log) = (rt.scope(), Log::default());
    let body = async {
        let value = shield(async {
            rt.yields(1).await;
            scope.cancel_with("meanwhile");
            rt.yields(3).await;
            rt.sleep(rt.tick()).await;
            7
        });
        assert_eq!(value.await, 7);
        log.add("after the shield");
        checkpoint().await;
        log.add("after a checkpoint");
    };
    assert_eq!(
        scope.run(body).await.unwrap_err().reason(),
        &because("meanwhile")
    );
    assert_eq!(log.marks(), ["after the shield"]);
}

/// A ready result beats cancellation, also one that a shield has brought home.
pub async fn a_body_that_ends_with_its_shield_gives_its_value<B: Backend>(rt: Rt<B>) {
    let saved = async {
        shield(rt.yields(3)).await;
        7
    };
    assert_eq!(rt.cancelled(saved).await, Ok(7));
    let saved = rt.move_on_after(Duration::ZERO, shield(rt.sleep(rt.tick())));
    assert_eq!(saved.await, Some(()));
}

/// In a scope that is cancelled already shields run one after the other, for as long as nothing else waits.
pub async fn shields_run_one_after_the_other_in_a_cancelled_scope<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let body = async {
        shield(rt.yields(2)).await;
        log.add("first");
        shield(rt.yields(2)).await;
        log.add("second");
        rt.yields(1).await;
        log.add("not protected");
    };
    assert!(rt.cancelled(body).await.is_err());
    assert_eq!(log.marks(), ["first", "second"]);
}

/// A shield in a shield protects no less, and what is between the two is protected too.
pub async fn nested_shields_protect_what_is_between_them<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let body = async {
        let between = shield(async {
            shield(rt.yields(2)).await;
            rt.yields(2).await;
            log.add("between");
        });
        between.await;
        checkpoint().await;
        log.add("after");
    };
    assert!(rt.cancelled(body).await.is_err());
    assert_eq!(log.marks(), ["between"]);
}

/// After a shield the outermost of the scopes that were cancelled meanwhile catches, in whichever order they were.
pub async fn after_a_shield_the_outermost_cancelled_scope_catches<B: Backend>(rt: Rt<B>) {
    for inner_first in [true, false] {
        let (outer, inner, log) = (rt.scope(), rt.scope(), Log::default());
        let body = async {
            let interrupted = inner.run(async {
                let both = shield(async {
                    let order = if inner_first {
                        [&inner, &outer]
                    } else {
                        [&outer, &inner]
                    };
                    for scope in order {
                        scope.cancel();
                        rt.yields(2).await;
                    }
                });
                both.await;
                pending::<()>().await;
            });
            let _ = interrupted.await;
            log.add("inner returned");
        };
        assert!(outer.run(body).await.is_err());
        assert!(log.marks().is_empty());
    }
}

/// A cleanup with a limit of its own: a deadline inside a shield fires, also in a cancelled scope.
pub async fn a_deadline_inside_a_shield_fires<B: Backend>(rt: Rt<B>) {
    let (log, at) = (Log::default(), rt.now() + rt.tick());
    let body = async {
        assert_eq!(shield(rt.move_on_at(at, pending::<()>())).await, None);
        assert!(rt.now() >= at);
        let scope = CancelScope::<B>::with_timeout(rt.tick());
        let cancelled = shield(scope.run(pending::<()>())).await.unwrap_err();
        assert_eq!(cancelled.reason(), &Reason::Deadline);
        log.add("cleaned up");
        pending::<()>().await;
    };
    assert!(rt.cancelled(body).await.is_err());
    assert_eq!(log.marks(), ["cleaned up"]);
}

/// A shield protects from scopes around it, not from those inside it.
pub async fn a_scope_inside_a_shield_can_be_cancelled<B: Backend>(rt: Rt<B>) {
    let (outer, inner) = (rt.scope(), rt.scope());
    let body = shield(async {
        let (cancelled, ()) = join!(inner.run(pending::<()>()), async {
            rt.yields(1).await;
            outer.cancel_with("outer");
            rt.yields(2).await;
            inner.cancel_with("inner");
        });
        rt.yields(2).await;
        cancelled.unwrap_err()
    });
    assert_eq!(outer.run(body).await.unwrap().reason(), &because("inner"));
}

/// A deadline outside a shield does not interrupt it, and is delivered right after it.
pub async fn a_deadline_outside_a_shield_waits_for_it<B: Backend>(rt: Rt<B>) {
    let (log, end) = (Log::default(), rt.now() + 3 * rt.tick());
    let body = async {
        shield(rt.sleep_until(end)).await;
        log.add("after the shield");
        rt.yields(1).await;
        log.add("after a checkpoint");
    };
    assert!(rt.fail_after(rt.tick(), body).await.is_err());
    assert!(rt.now() >= end);
    assert_eq!(log.marks(), ["after the shield"]);
}

/// Waking: in `join!(shield(a), inner.run(b))` to cancel the outer scope drops `b` at once, while `a` goes on.
pub async fn what_is_beside_a_shield_is_dropped_at_once<B: Backend>(rt: Rt<B>) {
    let (outer, inner, log) = (rt.scope(), rt.scope(), Log::default());
    let a = shield(async {
        rt.yields(2).await;
        outer.cancel();
        rt.yields(2).await;
        log.add("a goes on");
    });
    let dropped = log.on_drop("b is dropped");
    let b = inner.run(async {
        let _dropped = dropped;
        pending::<()>().await;
    });
    assert!(outer.run(join(a, b)).await.is_err());
    assert_eq!(log.marks(), ["b is dropped", "a goes on"]);
}

/// Waking: the same where the combinator polls only what was woken.
pub async fn what_is_beside_a_shield_is_dropped_at_once_in_futures_unordered<B: Backend>(
    rt: Rt<B>,
) {
    for by_deadline in [false, true] {
        let (outer, log) = (rt.scope(), Log::default());
        let (release, released) = oneshot::channel::<()>();
        let inner: Vec<_> = (0..3).map(|_| rt.scope()).collect();
        let all = FuturesUnordered::<BoxFuture<'_, ()>>::new();
        let noted = log.clone();
        all.push(Box::pin(async move {
            shield(released).await.unwrap();
            noted.add("a goes on");
        }));
        for scope in &inner {
            let dropped = log.on_drop("b is dropped");
            all.push(Box::pin(async move {
                let body = async move {
                    let _dropped = dropped;
                    pending::<()>().await;
                };
                let _ = rt.move_on_after(rt.hour(), scope.run(body)).await;
            }));
        }
        let cancel = async {
            rt.yields(2).await;
            if by_deadline {
                outer.set_deadline(Some(rt.now()));
            } else {
                outer.cancel();
            }
            rt.yields(2).await;
            log.add("meanwhile");
            release.send(()).unwrap();
        };
        // `cancel` is no part of what the scope polls, so only wakes tell the scope and the inner ones.
        let group = rt.task_group(async |_| {
            let run = outer.run(all.collect::<Vec<_>>());
            Ok::<_, ()>(join!(run, cancel).0.is_err())
        });
        assert_eq!(group.await, Ok(true));
        let marks = [
            "b is dropped",
            "b is dropped",
            "b is dropped",
            "meanwhile",
            "a goes on",
        ];
        assert_eq!(log.marks(), marks, "by deadline: {by_deadline}");
    }
}

/// Waking: the same for a time limit, whenever the scope is cancelled, also in the poll in which the limit begins.
pub async fn a_limit_beside_a_shield_is_interrupted_at_once<B: Backend>(rt: Rt<B>) {
    for (unordered, before) in [(false, 0), (false, 1), (true, 0), (true, 1)] {
        let (outer, log) = (rt.scope(), Log::default());
        let dropped = log.on_drop("limit");
        let limit = rt.fail_after(rt.hour(), async move {
            let _dropped = dropped;
            pending::<()>().await;
        });
        let held = shield(async {
            rt.yields(before).await;
            outer.cancel();
            rt.yields(4).await;
            log.add("shield");
        });
        let limit = limit.map(drop);
        let cut = if unordered {
            let both: [BoxFuture<'_, ()>; 2] = [Box::pin(limit), Box::pin(held)];
            outer
                .run(FuturesUnordered::from_iter(both).collect::<Vec<_>>())
                .await
                .is_err()
        } else {
            outer.run(join(limit, held)).await.is_err()
        };
        assert!(cut);
        assert_eq!(
            log.marks(),
            ["limit", "shield"],
            "unordered: {unordered}, after {before}"
        );
    }
}

/// While a scope is cancelled and held it goes on polling all of its body.
pub async fn a_held_scope_goes_on_polling_its_body<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let (sender, receiver) = oneshot::channel();
    let held = async {
        shield(rt.yields(6)).await;
        log.add("shield");
    };
    let beside = async {
        rt.yields(2).await;
        log.add("beside");
        sender.send(7).unwrap();
    };
    let waits = async {
        assert_eq!(receiver.await, Ok(7));
        log.add("received");
    };
    let all = async { join!(held, beside, waits) };
    assert!(rt.cancelled(all).await.is_ok());
    assert_eq!(log.marks(), ["beside", "received", "shield"]);
}

/// Every hold counts: with several shields at once the scope waits for the last one.
pub async fn a_scope_waits_for_the_last_of_several_shields<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let shields = [("short", 1), ("long", 6), ("middle", 3)].map(|(mark, yields)| {
        let log = log.clone();
        shield(async move {
            rt.yields(yields).await;
            log.add(mark);
        })
    });
    let [a, b, c] = shields;
    let body = async { join!(a, b, c, pending::<()>()) };
    assert!(rt.cancelled(body).await.is_err());
    assert_eq!(log.marks(), ["short", "middle", "long"]);
}

/// A shield that was never polled holds nothing.
pub async fn a_shield_that_was_not_polled_holds_nothing<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let body = async {
        let life = alive.born();
        let _idle = shield(async move {
            pending::<()>().await;
            drop(life);
        });
        pending::<()>().await;
    };
    assert!(rt.cancelled(body).await.is_err());
    assert_eq!(alive.count(), 0);
}

/// Code that knows nothing of scopes may drop a shield; then it holds no longer.
pub async fn a_dropped_shield_lets_go<B: Backend>(rt: Rt<B>) {
    let (scope, alive) = (rt.scope(), Alive::default());
    let life = alive.born();
    let body = async {
        let shielded = shield(async move {
            pending::<()>().await;
            drop(life);
        });
        scope.cancel();
        let timer = Box::pin(shield(rt.yields(3)));
        assert!(matches!(
            select(Box::pin(shielded), timer).await,
            Either::Right(_)
        ));
        assert_eq!(alive.count(), 0);
        pending::<()>().await;
    };
    assert!(scope.run(body).await.is_err());
}

/// A hold that is given back outside of the scope's own poll wakes the scope.
pub async fn a_shield_that_is_dropped_by_another_task_lets_go<B: Backend>(rt: Rt<B>) {
    for cancel_first in [true, false] {
        let (scope, alive) = (rt.scope(), Alive::default());
        let group = rt.task_group(async |g| {
            let (give, take) = oneshot::channel::<Pin<Box<dyn Future<Output = ()> + Send>>>();
            let (cancel, life) = (scope.clone(), alive.born());
            g.spawn(async move {
                let shielded = take.await.unwrap();
                if cancel_first {
                    cancel.cancel();
                    rt.yields(3).await;
                    drop(shielded);
                } else {
                    drop(shielded);
                    cancel.cancel();
                }
                Ok::<_, ()>(())
            });
            let body = async {
                let mut shielded = Box::pin(shield(async move {
                    pending::<()>().await;
                    drop(life);
                }));
                assert!(poll!(&mut shielded).is_pending());
                assert!(give.send(shielded).is_ok());
                pending::<()>().await;
            };
            Ok(scope.run(body).await.is_err())
        });
        assert_eq!(group.await, Ok(true));
        assert_eq!(alive.count(), 0);
    }
}

/// Waking: the scope whose shield is dropped is polled again, though nothing else in it was woken.
pub async fn a_scope_whose_shield_is_dropped_outside_of_its_poll_is_woken_itself<B: Backend>(
    rt: Rt<B>,
) {
    let scope = rt.scope();
    let (give, mut take) = oneshot::channel();
    let body = async move {
        let mut shielded = Box::pin(shield(pending::<()>()));
        assert!(poll!(&mut shielded).is_pending());
        assert!(give.send(shielded).is_ok());
        pending::<()>().await;
    };
    let mut runs = FuturesUnordered::from_iter([scope.run(body)]);
    assert!(poll!(runs.next()).is_pending());
    scope.cancel();
    for _ in 0..3 {
        assert!(poll!(runs.next()).is_pending());
    }
    drop(take.try_recv().unwrap());
    assert!(runs.next().await.unwrap().is_err());
}

/// A shield in a child protects while the group is being cancelled; the group waits for it.
pub async fn a_shield_in_a_child_protects_from_the_group<B: Backend>(rt: Rt<B>) {
    for failing in [false, true] {
        let log = Log::default();
        let group = rt.task_group(async |g| {
            let noted = log.clone();
            let (started, is_started) = oneshot::channel();
            let (release, is_released) = oneshot::channel::<()>();
            let child = g.spawn(async move {
                let cleanup = shield(async {
                    started.send(()).unwrap();
                    is_released.await.unwrap_err();
                    rt.yields(5).await;
                    noted.add("cleaned up");
                });
                cleanup.await;
                pending::<()>().await;
                noted.add("not protected");
                Ok(())
            });
            is_started.await.unwrap();
            if failing {
                return Err("body");
            }
            g.cancel();
            drop(release);
            Ok(child.outcome().await.is_err())
        });
        match group.await {
            Ok(was_cancelled) => assert!(was_cancelled && !failing),
            Err(error) => assert_eq!((error.first, error.len(), failing), ("body", 1, true)),
        }
        assert_eq!(log.marks(), ["cleaned up"]);
    }
}

/// The children of a group that was opened inside a shield are protected with it.
pub async fn a_group_inside_a_shield_is_protected_with_its_children<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let body = shield(rt.task_group(async |g| {
        let children: Vec<_> = (0..3)
            .map(|n| {
                g.spawn(async move {
                    rt.yields(4 + n).await;
                    Ok::<_, ()>(n)
                })
            })
            .collect();
        rt.yields(1).await;
        scope.cancel();
        let late = g.spawn(async move {
            rt.yields(4).await;
            Ok(10)
        });
        let mut sum = late.await;
        for child in children {
            sum += child.await;
        }
        Ok(sum)
    }));
    assert_eq!(scope.run(body).await, Ok(Ok(13)));
}

/// The children of a group that was opened outside a shield are not protected by it.
pub async fn a_shield_does_not_protect_children_of_a_group_around_it<B: Backend>(rt: Rt<B>) {
    let (scope, log) = (rt.scope(), Log::default());
    let group = scope.run(rt.task_group(async |g| {
        let noted = log.clone();
        let body = shield(async {
            let dropped = noted.on_drop("child is cancelled");
            let child = g.spawn(async move {
                let _dropped = dropped;
                pending::<Result<(), ()>>().await
            });
            rt.yields(2).await;
            scope.cancel();
            let outcome = child.outcome().await;
            rt.yields(2).await;
            assert!(outcome.is_err());
            log.add("body goes on");
        });
        body.await;
        Ok(())
    }));
    assert!(group.await.is_err());
    assert_eq!(log.marks(), ["child is cancelled", "body goes on"]);
}

/// State plus wakers, never a retry loop: who is held does not spin.
pub async fn a_held_scope_does_not_spin<B: Backend>(rt: Rt<B>) {
    for nested in [false, true] {
        let (scope, log) = (rt.scope(), Log::default());
        let (waits, waited) = polls(shield(async {
            rt.sleep(4 * rt.tick()).await;
            log.add("slept");
        }));
        let body: BoxFuture<'_, ()> = match nested {
            false => waits.boxed(),
            true => rt.move_on_after(Duration::ZERO, waits).map(|_| ()).boxed(),
        };
        let group = rt.task_group(async |_| {
            let (run, count) = polls(scope.run(async {
                body.await;
                pending::<()>().await;
            }));
            let cancel = async {
                rt.yields(2).await;
                scope.cancel();
            };
            let (result, ()) = join!(run, cancel);
            assert!(result.is_err());
            Ok::<_, ()>(count.load(Ordering::SeqCst))
        });
        let all = group.await.unwrap();
        // First polls, the turns of `cancel` which share the task, the cancellation, the timer and its rounding.
        assert!(all <= 10, "the scope was polled {all} times");
        let inner = waited.load(Ordering::SeqCst);
        assert!(inner <= 10, "the shield was polled {inner} times");
        assert_eq!(log.marks(), ["slept"]);
    }
}

/// The context is restored and the hold given back when a shielded body panics.
pub async fn a_panic_in_a_shield_restores_the_place_and_lets_go<B: Backend>(rt: Rt<B>) {
    let (deadline, scope) = (rt.now() + rt.hour(), rt.scope());
    let body = rt.move_on_at(deadline, async {
        for yields in 0..3 {
            let panics = shield(async {
                rt.yields(yields).await;
                assert_eq!(rt.effective_deadline(), None);
                panic!("in the shield");
            });
            assert_eq!(panic_of(panics).await.unwrap_err(), "in the shield");
            assert_eq!(rt.effective_deadline(), Some(deadline));
        }
        scope.cancel();
        pending::<()>().await;
    });
    assert!(scope.run(body).await.is_err());
    assert_eq!(rt.effective_deadline(), None);
}

/// A shield does nothing where nothing is cancelled, and is no scope.
pub async fn a_shield_changes_nothing_where_nothing_is_cancelled<B: Backend>(rt: Rt<B>) {
    assert_eq!(shield(ready(7)).await, 7);
    let (body, count) = polls(rt.yields(2));
    shield(shield(body)).await;
    assert_eq!(count.load(Ordering::SeqCst), 3);
    let scope = rt.scope();
    let body = async {
        shield(rt.yields(1)).await;
        rt.yields(1).await;
        7
    };
    assert_eq!(scope.run(body).await, Ok(7));
}

/// Level-triggered: what a shield has finished is no excuse; each scope inside is interrupted again at its `Pending`.
pub async fn inner_scopes_are_interrupted_again_after_every_shield<B: Backend>(rt: Rt<B>) {
    let (outer, log) = (rt.scope(), Log::default());
    let body = async {
        outer.cancel();
        // Protected from the outer scope, each step has its own limits and goes on after them.
        let steps = shield(async {
            for _ in 0..3 {
                assert!(
                    rt.cancelled(async { (shield(rt.yields(2)).await, checkpoint().await) })
                        .await
                        .is_err()
                );
                log.add("step");
            }
        });
        steps.await;
        let _ = rt.cancelled(checkpoint()).await;
        log.add("not protected");
    };
    assert!(outer.run(body).await.is_err());
    assert_eq!(log.marks(), ["step", "step", "step"]);
}

/// A thread may cancel at any moment around a shield: what is shielded is always complete.
pub async fn what_is_shielded_is_complete_whenever_a_thread_cancels<B: Backend>(rt: Rt<B>) {
    for round in 0..100_usize {
        let (scope, log) = (rt.scope(), Log::default());
        let cancel = scope.clone();
        let thread = rt.to_thread(move || {
            (0..round * 100).for_each(|_| std::hint::spin_loop());
            cancel.cancel();
        });
        let body = async {
            for _ in 0..round % 10 {
                let step = shield(async {
                    log.add("begin");
                    rt.yields(2).await;
                    log.add("end");
                });
                step.await;
                rt.yields(1).await;
            }
        };
        let (_, ()) = join!(scope.run(body), thread);
        let marks = log.marks();
        assert!(
            marks.chunks(2).all(|step| step == ["begin", "end"]),
            "{marks:?}"
        );
    }
}

/// Shields, scopes and groups can be interrupted at every `Pending`, and what is shielded is complete every time.
pub async fn shields_are_complete_wherever_they_are_interrupted<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let body = |alive: Alive| {
        let log = log.clone();
        async move {
            let _outer = alive.born();
            rt.yields(1).await;
            let inner = rt.move_on_after(rt.hour(), async {
                let step = shield(async {
                    let _shielded = alive.born();
                    log.add("begin");
                    rt.yields(2).await;
                    rt.move_on_after(Duration::ZERO, pending::<()>()).await;
                    rt.yields(1).await;
                    log.add("end");
                });
                step.await;
                rt.yields(1).await;
            });
            inner.await;
            rt.yields(1).await;
        }
    };
    assert!(cancel_at_every_pending(rt, body).await > 4);
    let marks = log.marks();
    assert!(
        marks.chunks(2).all(|step| step == ["begin", "end"]),
        "{marks:?}"
    );
    // Dropped from outside there is nothing to protect with, but nothing is left either.
    assert!(drop_at_every_pending(rt, body).await > 6);
}

/// A bounded cleanup reads naturally: a limit in a shield gives what was done in time, and interrupts what was not.
pub async fn a_cleanup_may_be_a_limit_in_a_shield<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let work = async {
        let quick = shield(rt.move_on_after(rt.hour(), rt.yields(3)));
        assert_eq!(quick.await, Some(()));
        let slow = shield(rt.move_on_after(rt.tick(), pending::<()>()));
        assert_eq!(slow.await, None);
        let failed = shield(rt.fail_after(rt.tick(), pending::<()>()));
        assert!(failed.await.is_err());
        log.add("cleaned up");
        checkpoint().await;
        log.add("not protected");
    };
    assert!(rt.cancelled(work).await.is_err());
    assert_eq!(log.marks(), ["cleaned up"]);
}

/// A limit around a shield and one inside it: the inner one fires, the outer one waits and then delivers.
pub async fn a_limit_inside_a_shield_fires_while_one_outside_waits<B: Backend>(rt: Rt<B>) {
    let (log, start) = (Log::default(), rt.now());
    let work = rt.fail_after(rt.tick(), async {
        let cleanup = shield(rt.move_on_at(start + 4 * rt.tick(), pending::<()>()));
        assert_eq!(cleanup.await, None);
        log.add("cleaned up");
        pending::<()>().await;
    });
    assert!(work.await.is_err());
    assert!(rt.now() >= start + 4 * rt.tick());
    assert_eq!(log.marks(), ["cleaned up"]);
}

/// In a scope that was cancelled its deadline has nothing to add: a shield goes on over it, and the reason stays.
pub async fn the_deadline_of_a_cancelled_scope_does_not_touch_its_shield<B: Backend>(rt: Rt<B>) {
    let scope = CancelScope::<B>::with_timeout(rt.tick());
    let body = async {
        let held = shield(async {
            scope.cancel_with("before the deadline");
            rt.sleep(3 * rt.tick()).await;
            rt.yields(2).await;
            7
        });
        let value = held.await;
        (value, rt.effective_deadline().unwrap() <= rt.now())
    };
    assert_eq!(scope.run(body).await, Ok((7, true)));
    assert_eq!(scope.reason(), Some(because("before the deadline")));
}

/// A scope between two shields waits for the inner one, and is caught inside the outer one.
pub async fn a_scope_between_two_shields_waits_for_the_inner_one<B: Backend>(rt: Rt<B>) {
    let (outer, between, log) = (rt.scope(), rt.scope(), Log::default());
    let body = shield(async {
        let cut = between.run(async {
            let inner = shield(async {
                outer.cancel_with("outer");
                between.cancel_with("between");
                assert_eq!(rt.effective_deadline(), None);
                rt.yields(3).await;
                log.add("inner");
            });
            inner.await;
            checkpoint().await;
            log.add("between");
        });
        assert_eq!(cut.await.unwrap_err().reason(), &because("between"));
        rt.yields(3).await;
        log.add("outer");
    });
    let all = async {
        body.await;
        checkpoint().await;
        log.add("after");
    };
    assert_eq!(
        outer.run(all).await.unwrap_err().reason(),
        &because("outer")
    );
    assert_eq!(log.marks(), ["inner", "outer"]);
}

/// What is below a shielded host is protected at any depth: children, their groups, scopes and threads.
pub async fn what_is_below_a_shielded_host_is_protected_at_any_depth<B: Backend>(rt: Rt<B>) {
    fn below<B: Backend>(depth: usize) -> BoxFuture<'static, Result<usize, ()>> {
        let rt = Rt::<B>::new();
        let group = rt.task_group(async move |g| {
            let scoped = g.spawn(async move { rt.scope().run(rt.yields(5)).await.map_err(drop) });
            let thread = g.spawn(async move { Ok(rt.to_thread(|| 1).await) });
            let deeper = match depth {
                0 => 0,
                _ => g.spawn(below::<B>(depth - 1)).await,
            };
            scoped.await;
            Ok(deeper + thread.await)
        });
        group.map(|group| group.map_err(drop)).boxed()
    }
    let (scope, protected) = (rt.scope(), std::sync::OnceLock::new());
    let group = scope.run(rt.task_group(async |g| {
        let (send, receive) = oneshot::channel();
        let cancel = scope.clone();
        g.spawn(async move {
            let host = shield(async {
                cancel.cancel();
                below::<B>(3).await
            });
            send.send(host.await).unwrap();
            pending::<Result<(), ()>>().await
        });
        protected.set(shield(receive).await).unwrap();
        Ok(())
    }));
    assert!(group.await.is_err());
    assert_eq!(protected.into_inner(), Some(Ok(Ok(4))));
}

/// A group in a shield still fails: the error cancels the siblings, and is the value that the shield gives.
pub async fn a_failure_below_a_shield_is_the_value_of_the_shield<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let body = async {
        let group = shield(rt.task_group(async |g| {
            let life = alive.born();
            g.spawn(async move {
                pending::<()>().await;
                drop(life);
                Ok(())
            });
            g.spawn(async move {
                rt.yields(3).await;
                Err::<(), _>("inside")
            });
            pending::<Result<(), _>>().await
        }));
        assert_eq!(group.await.unwrap_err().into_first(), "inside");
        assert_eq!(alive.count(), 0);
        log.add("handled");
        pending::<()>().await;
    };
    assert!(rt.cancelled(body).await.is_err());
    assert_eq!(log.marks(), ["handled"]);
}

/// A shield protects from what is around it: the group inside it can still be told to end its children.
pub async fn a_group_inside_a_shield_can_still_be_cancelled<B: Backend>(rt: Rt<B>) {
    for by_deadline in [false, true] {
        let body = shield(rt.task_group(async |g| {
            let child = g.spawn(pending::<Result<(), ()>>());
            rt.yields(2).await;
            if by_deadline {
                g.scope().set_deadline(Some(rt.now() + rt.tick()));
            } else {
                g.cancel();
            }
            Ok(child.outcome().await.is_err())
        }));
        assert_eq!(rt.cancelled(body).await, Ok(Ok(true)));
    }
}
