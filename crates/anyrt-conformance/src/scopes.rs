//! Cancel scopes: who is cancelled, who catches, and why.

use std::future::{pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use anyrt_core::{Backend, CancelScope, Cancelled, Limiter, Reason, Stopped, checkpoint, shield};
use futures::channel::{mpsc, oneshot};
use futures::future::{join, join_all, select};
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{FutureExt, join, poll};

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending};
use crate::probe::{Alive, Log, because, on_drop, panic_of, polls};
use crate::rt::Rt;

/// The one rule: a result that is ready wins, also where the scope was cancelled before.
pub async fn a_ready_result_beats_cancellation<B: Backend>(rt: Rt<B>) {
    assert_eq!(rt.cancelled(ready(7)).await, Ok(7));
    let several = async { ready(1).await + ready(2).await + rt.cancelled(ready(3)).await.unwrap() };
    assert_eq!(rt.cancelled(several).await, Ok(6));
}

/// The one rule: to call `cancel` is no delivery; a body that then returns has returned.
pub async fn a_body_that_cancels_its_scope_just_before_its_end_gives_its_value<B: Backend>(
    rt: Rt<B>,
) {
    let scope = rt.scope();
    let body = async {
        rt.yields(2).await;
        scope.cancel();
        ready(7).await
    };
    assert_eq!(scope.run(body).await, Ok(7));
    assert!(scope.is_cancelled());
}

/// The one rule: what arrives in the same turn as the cancellation is not lost, in either order.
pub async fn a_value_that_comes_together_with_the_cancellation_is_kept<B: Backend>(rt: Rt<B>) {
    for cancel_first in [true, false] {
        let scope = rt.scope();
        let (sender, receiver) = oneshot::channel();
        let both = async {
            if cancel_first {
                scope.cancel();
            }
            sender.send(7).unwrap();
            scope.cancel();
        };
        let (value, ()) = join!(scope.run(receiver), both);
        assert_eq!(value.unwrap(), Ok(7));
    }
}

/// The one rule: delivered at the first `Pending` after the cancellation, and neither before nor later.
pub async fn cancellation_is_delivered_at_the_next_pending<B: Backend>(rt: Rt<B>) {
    let (scope, log) = (rt.scope(), Log::default());
    let body = async {
        rt.yields(3).await;
        scope.cancel();
        log.add("after cancel");
        ready(()).await;
        log.add("after a ready future");
        checkpoint().await;
        log.add("after a pending one");
    };
    assert!(scope.run(body).await.is_err());
    assert_eq!(log.marks(), ["after cancel", "after a ready future"]);
}

/// The one rule: the body gets its one poll also in a scope that was cancelled before, and only one.
pub async fn a_body_in_a_cancelled_scope_is_polled_once<B: Backend>(rt: Rt<B>) {
    let (body, count) = polls(pending::<()>());
    assert!(rt.cancelled(body).await.is_err());
    assert_eq!(count.load(Ordering::SeqCst), 1);
    // Cancelled after the run was created, but before it was polled.
    let scope = rt.scope();
    let (body, count) = polls(pending::<()>());
    let run = scope.run(body);
    scope.cancel();
    assert!(run.await.is_err());
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

/// The one rule: the body is dropped right there, inside its own task and scope, before `run` returns.
pub async fn the_body_is_dropped_in_its_own_task_before_run_returns<B: Backend>(rt: Rt<B>) {
    let (scope, log) = (rt.scope(), Log::default());
    let (started, is_started) = oneshot::channel();
    let noted = log.clone();
    let destructor = on_drop(move || {
        let is_past = rt
            .effective_deadline()
            .is_some_and(|deadline| deadline <= rt.now());
        noted.add(if is_past { "in its scope" } else { "elsewhere" });
    });
    let body = async {
        let _destructor = destructor;
        started.send(()).unwrap();
        pending::<()>().await;
    };
    let run = async {
        assert!(scope.run(body).await.is_err());
        log.add("returned");
    };
    let canceller = scope.clone();
    let cancel = async {
        is_started.await.unwrap();
        rt.to_thread(move || canceller.cancel()).await;
    };
    join!(run, cancel);
    assert_eq!(log.marks(), ["in its scope", "returned"]);
}

/// The one rule: a cancelled scope never becomes un-cancelled; every later run in it is interrupted.
pub async fn cancellation_is_sticky<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    scope.cancel_with("for good");
    for _ in 0..3 {
        let cancelled = scope.run(rt.yields(1)).await.unwrap_err();
        assert_eq!(cancelled.reason(), &because("for good"));
        assert_eq!(scope.run(ready(1)).await, Ok(1));
        scope.cancelled().await;
        assert!(scope.is_cancelled());
    }
}

/// The one rule: a foreign future only has to be droppable.
pub async fn foreign_futures_need_no_cooperation<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let (_sender, receiver) = oneshot::channel::<()>();
    let foreign: FuturesUnordered<_> = (0..10)
        .map(|_| {
            let life = alive.born();
            async move {
                select(pending::<()>(), join(pending::<()>(), pending::<()>())).await;
                drop(life);
            }
        })
        .collect();
    let scope = rt.scope();
    let body = join(receiver, foreign.collect::<Vec<_>>());
    let (run, ()) = join!(scope.run(body), async { scope.cancel() });
    assert!(run.is_err());
    assert_eq!(alive.count(), 0);
}

/// Who catches: the scope that was cancelled, and what is around it goes on.
pub async fn an_inner_cancellation_is_caught_there_and_the_outer_goes_on<B: Backend>(rt: Rt<B>) {
    let (outer, inner) = (rt.scope(), rt.scope());
    let body = async {
        let cancelled = inner.run(async {
            inner.cancel_with("inner");
            pending::<()>().await;
        });
        assert_eq!(cancelled.await.unwrap_err().reason(), &because("inner"));
        rt.yields(3).await;
        7
    };
    assert_eq!(outer.run(body).await, Ok(7));
    assert!(inner.is_cancelled() && !outer.is_cancelled());
}

/// Who catches: the outermost cancelled scope, whichever are cancelled and in whichever order; code after the
/// scopes inside it never runs.
pub async fn the_outermost_cancelled_scope_catches<B: Backend>(rt: Rt<B>) {
    let names = ["outer", "middle", "inner"];
    for which in 1_usize..8 {
        for from_outside in [true, false] {
            let scopes = [rt.scope(), rt.scope(), rt.scope()];
            let log = Log::default();
            let note = |level: usize, result: Result<(), Cancelled>| match result {
                Ok(()) => {}
                Err(cancelled) => {
                    assert_eq!(cancelled.reason(), &because(names[level]));
                    log.add(names[level]);
                }
            };
            let middle = async { note(2, scopes[2].run(pending()).await) };
            let outer = async { note(1, scopes[1].run(middle).await) };
            let all = async { note(0, scopes[0].run(outer).await) };
            let cancel = async {
                let mut order: Vec<_> = (0..3).filter(|level| which & (1 << level) != 0).collect();
                if !from_outside {
                    order.reverse();
                }
                order
                    .into_iter()
                    .for_each(|level| scopes[level].cancel_with(names[level]));
            };
            join!(all, cancel);
            let outermost = names[which.trailing_zeros() as usize];
            assert_eq!(
                log.marks(),
                [outermost],
                "cancelled: {which:03b}, outer first: {from_outside}"
            );
        }
    }
}

/// Who catches is decided last: after the destructors of the body have run.
pub async fn a_destructor_that_cancels_the_outer_scope_makes_the_outer_one_catch<B: Backend>(
    rt: Rt<B>,
) {
    let (outer, inner, log) = (rt.scope(), rt.scope(), Log::default());
    let cancel = outer.clone();
    let destructor = on_drop(move || cancel.cancel_with("destructor"));
    let body = async {
        let interrupted = inner.run(async {
            let _destructor = destructor;
            inner.cancel();
            pending::<()>().await;
        });
        log.add(if interrupted.await.is_err() {
            "inner caught"
        } else {
            "inner done"
        });
    };
    let cancelled = outer.run(body).await.unwrap_err();
    assert_eq!(cancelled.reason(), &because("destructor"));
    assert!(log.marks().is_empty());
}

/// Who catches: code after an inner scope runs only if its cancellation stayed its own, whenever another thread
/// cancels whichever of the two.
pub async fn a_thread_may_cancel_at_any_moment<B: Backend>(rt: Rt<B>) {
    for round in 0..200_usize {
        let (outer, inner, alive, log) = (rt.scope(), rt.scope(), Alive::default(), Log::default());
        let life = alive.born();
        let body = async {
            let result = inner.run(async {
                let _life = life;
                rt.yields(round % 40).await;
            });
            match result.await {
                Ok(()) => log.add("done"),
                Err(cancelled) => {
                    assert_eq!(cancelled.reason(), &because("inner"));
                    log.add("inner caught");
                }
            }
        };
        let (first, second) = match round % 3 {
            0 => (Some(outer.clone()), None),
            1 => (None, Some(inner.clone())),
            _ => (Some(outer.clone()), Some(inner.clone())),
        };
        let cancel = rt.to_thread(move || {
            (0..round * 50).for_each(|_| std::hint::spin_loop());
            if let Some(outer) = first {
                outer.cancel_with("outer");
            }
            if let Some(inner) = second {
                inner.cancel_with("inner");
            }
        });
        let (result, ()) = join!(outer.run(body), cancel);
        assert_eq!(alive.count(), 0);
        match result {
            Ok(()) => assert_eq!(log.marks().len(), 1),
            Err(cancelled) => {
                assert_eq!(cancelled.reason(), &because("outer"));
                assert!(
                    log.marks().is_empty() || log.marks() == ["done"],
                    "{:?}",
                    log.marks()
                );
            }
        }
        if round % 3 == 2 {
            // The outer one was cancelled first, so the inner one never was alone.
            assert_ne!(log.marks(), ["inner caught"]);
        }
    }
}

/// Sticky: who has seen a scope cancelled, in whichever way, is interrupted at the very next `Pending` inside it, also
/// in a child, and also while another thread is still about its `cancel`.
pub async fn who_sees_a_scope_cancelled_is_cut_at_the_next_pending<B: Backend>(rt: Rt<B>) {
    for round in 0..300 {
        let (scope, log) = (rt.scope(), Log::default());
        let group = rt.task_group(async |g| {
            let (scope, log) = (scope.clone(), log.clone());
            g.spawn(async move {
                match round % 3 {
                    0 => {
                        while !scope.is_cancelled() {
                            checkpoint().await;
                        }
                    }
                    1 => scope.cancelled().await,
                    _ => {
                        rt.yields(round % 7).await;
                        scope.cancel();
                    }
                }
                checkpoint().await;
                log.add("got through");
                Ok::<_, ()>(())
            });
            Ok(())
        });
        let cancel = scope.clone();
        let thread = rt.to_thread(move || cancel.cancel());
        let (result, ()) = join!(scope.run(group), thread);
        assert!(result.is_err(), "round {round}: {:?}", log.marks());
        assert!(log.marks().is_empty(), "round {round}");
    }
}

/// `cancel` may be called from any task; the waiting body is woken.
pub async fn a_sibling_task_may_cancel<B: Backend>(rt: Rt<B>) {
    for yields in 0..10 {
        let scope = rt.scope();
        let group = rt.task_group(async |g| {
            let cancel = scope.clone();
            g.spawn(async move {
                rt.yields(yields).await;
                cancel.cancel_with("sibling");
                Ok::<_, ()>(())
            });
            let run = scope.clone();
            let child = g.spawn(async move { Ok(run.run(pending::<()>()).await.unwrap_err()) });
            let mine = scope.run(pending::<()>()).await.unwrap_err();
            Ok((mine, child.await))
        });
        let (mine, child) = group.await.unwrap();
        assert_eq!(
            (mine.reason(), child.reason()),
            (&because("sibling"), &because("sibling"))
        );
    }
}

/// A run that has ended has ended: a cancellation after that touches neither its value nor the code after it.
pub async fn to_cancel_after_the_end_has_no_effect<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let mut run = pin!(scope.run(ready(7)));
    assert_eq!(run.as_mut().await, Ok(7));
    scope.cancel();
    rt.yields(3).await;
    assert_eq!(rt.effective_deadline(), None);
}

/// First cause wins.
pub async fn of_several_causes_the_first_wins<B: Backend>(rt: Rt<B>) {
    let explicit = Reason::Explicit(None);
    let scope = rt.scope();
    scope.cancel_with("first");
    scope.cancel_with("second");
    scope.cancel();
    assert_eq!(scope.reason(), Some(because("first")));
    assert_eq!(
        scope.run(pending::<()>()).await.unwrap_err().reason(),
        &because("first")
    );

    let scope = rt.scope();
    scope.cancel();
    scope.cancel_with("second");
    assert_eq!(
        scope.run(pending::<()>()).await.unwrap_err().reason(),
        &explicit
    );

    // The body goes on between the two, held by a shield.
    let scope = rt.scope();
    let body = shield(async {
        scope.cancel_with("first");
        rt.yields(2).await;
        scope.cancel_with("second");
        scope.set_deadline(Some(rt.now()));
        rt.yields(2).await;
    });
    let cancelled = scope.run(async {
        body.await;
        pending::<()>().await;
    });
    assert_eq!(cancelled.await.unwrap_err().reason(), &because("first"));
}

/// First cause wins: of many threads that cancel at once one gives the reason, and everybody sees that one.
pub async fn of_many_threads_that_cancel_at_once_one_gives_the_reason<B: Backend>(rt: Rt<B>) {
    for _ in 0..20 {
        let scope = rt.scope();
        let threads = ["a", "b", "c"].map(|name| {
            let scope = scope.clone();
            rt.to_thread(move || {
                scope.cancel_with(name);
                scope.reason().unwrap()
            })
        });
        let runs = join_all((0..5).map(|_| scope.run(pending::<()>())));
        let (seen, runs) = join!(join_all(threads), runs);
        let reason = scope.reason().unwrap();
        assert!(seen.iter().all(|seen| *seen == reason), "{seen:?}");
        assert!(
            runs.iter()
                .all(|run| run.as_ref().unwrap_err().reason() == &reason)
        );
    }
}

/// `is_cancelled` is about the scope's own cancellation, clock included, not about its surroundings.
pub async fn is_cancelled_is_about_the_own_cancellation<B: Backend>(rt: Rt<B>) {
    let (outer, inner) = (rt.scope(), rt.scope());
    let body = inner.run(async {
        outer.cancel();
        assert!(!inner.is_cancelled());
        assert_eq!(inner.reason(), None);
        shield(rt.yields(2)).await;
        assert!(outer.is_cancelled() && !inner.is_cancelled());
        pending::<()>().await;
    });
    assert!(outer.run(body).await.is_err());
    assert!(!inner.is_cancelled());
    // The clock alone decides, also with nothing run in the scope.
    let scope = CancelScope::<B>::with_deadline(rt.now() + rt.tick());
    let clone = scope.clone();
    rt.sleep(2 * rt.tick()).await;
    assert!(scope.is_cancelled());
    assert_eq!(clone.reason(), Some(Reason::Deadline));
}

/// `cancelled()` wakes every watcher, in every task; one that was dropped is in nobody's way.
pub async fn cancelled_wakes_every_watcher<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let group = rt.task_group(async |g| {
        for _ in 0..10 {
            let scope = scope.clone();
            g.spawn(async move {
                scope.cancelled().await;
                assert!(scope.is_cancelled());
                Ok::<_, ()>(())
            });
        }
        let mut dropped: Vec<_> = (0..10).map(|_| Box::pin(scope.cancelled())).collect();
        for watcher in &mut dropped {
            assert!(poll!(watcher).is_pending());
        }
        dropped.truncate(5);
        let mine = join_all((0..10).map(|_| scope.cancelled()));
        rt.yields(2).await;
        drop(dropped);
        let cancel = async {
            rt.yields(2).await;
            scope.cancel();
        };
        join!(mine, cancel);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert!(poll!(pin!(scope.cancelled())).is_ready());
}

/// One handle, several runs at once in one task: all are interrupted, each where it waits.
pub async fn one_handle_governs_several_runs_at_once<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let cancel = async {
        rt.yields(2).await;
        scope.cancel_with("all");
    };
    let (a, b, quick, ()) = join!(
        scope.run(pending::<()>()),
        rt.scope().run(scope.run(pending::<()>())),
        scope.run(ready(7)),
        cancel,
    );
    assert_eq!(a.unwrap_err().reason(), &because("all"));
    assert_eq!(b.unwrap().unwrap_err().reason(), &because("all"));
    assert_eq!(quick, Ok(7));
}

/// One handle, several runs one after the other: a run that is over leaves the next one alone.
pub async fn one_handle_governs_runs_one_after_the_other<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    for n in 0..10 {
        let run = scope.run(async {
            rt.yields(2).await;
            n
        });
        assert_eq!(run.await, Ok(n));
        drop(scope.run(pending::<()>()).now_or_never());
    }
    scope.cancel();
    assert!(scope.run(pending::<()>()).await.is_err());
}

/// A run nested in a run of the same handle panics and says where, also with other scopes in between.
pub async fn a_run_nested_in_a_run_of_the_same_handle_panics<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let nested = scope.run(async { panic_of(scope.clone().run(ready(()))).await });
    let message = nested.await.unwrap().unwrap_err();
    assert!(message.contains("scopes.rs"), "{message}");
    assert!(message.contains("anyrt"), "{message}");
    let between = scope.run(
        rt.scope()
            .run(shield(async { panic_of(scope.run(ready(()))).await })),
    );
    assert!(between.await.unwrap().unwrap().is_err());
    // No harm is done to the handle.
    assert_eq!(scope.run(ready(7)).await, Ok(7));
}

/// Clones are the same scope.
pub async fn clones_of_a_scope_are_the_same_scope<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let clone = scope.clone();
    let deadline = rt.now() + rt.hour();
    clone.set_deadline(Some(deadline));
    assert_eq!(scope.deadline(), Some(deadline));
    let (run, ()) = join!(scope.run(pending::<()>()), async {
        clone.cancel_with("clone")
    });
    assert_eq!(run.unwrap_err().reason(), &because("clone"));
    drop(clone);
    assert!(scope.is_cancelled());
}

/// The parent of a run is fixed at its first poll: not where it is created, and not where it is polled later.
pub async fn the_parent_of_a_run_is_fixed_at_its_first_poll<B: Backend>(rt: Rt<B>) {
    let (created, polled, inner) = (rt.scope(), rt.scope(), rt.scope());
    let mut run = None;
    let create = async { run = Some(Box::pin(inner.run(pending::<()>()))) };
    created.run(create).await.unwrap();
    created.cancel();
    let body = async {
        let mut run = run.unwrap();
        assert!(poll!(&mut run).is_pending());
        rt.yields(2).await;
        polled.cancel_with("here");
        run.await
    };
    assert_eq!(
        polled.run(body).await.unwrap_err().reason(),
        &because("here")
    );
}

/// A scope that has ended has no power over what outlives it. The contract is silent; users of `timeout(d, &mut
/// future)` expect that the future can be polled on.
pub async fn a_scope_that_has_ended_has_no_power_over_what_outlives_it<B: Backend>(rt: Rt<B>) {
    let (sender, receiver) = oneshot::channel();
    let mut work = Box::pin(rt.scope().run(receiver));
    // One that ends by its deadline, one by an explicit cancellation, one by itself and is cancelled later.
    assert_eq!(
        rt.move_on_after(rt.tick(), &mut work).await.map(|_| ()),
        None
    );
    let scope = rt.scope();
    let (cancelled, ()) = join!(scope.run(&mut work), async { scope.cancel() });
    assert!(cancelled.is_err());
    let scope = rt.scope();
    assert!(
        scope
            .run(async { poll!(&mut work).is_pending() })
            .await
            .unwrap()
    );
    scope.cancel();
    let (value, ()) = join!(work, async {
        rt.yields(2).await;
        sender.send(7).unwrap();
    });
    assert_eq!(value.unwrap(), Ok(7));
}

/// What outlives a scope that it was polled in is still subject to the scopes around that one; also the children
/// of a group are told, who live in tasks of their own.
pub async fn what_outlives_a_scope_stays_below_the_scopes_around_it<B: Backend>(rt: Rt<B>) {
    for cancelled_after_its_end in [true, false] {
        let (outer, brief, alive) = (rt.scope(), rt.scope(), Alive::default());
        let life = alive.born();
        let body = async {
            let mut group = Box::pin(rt.task_group(async |g| {
                g.spawn(async move {
                    pending::<()>().await;
                    drop(life);
                    Ok::<_, ()>(())
                });
                pending::<Result<(), _>>().await
            }));
            let glance = brief.run(async { poll!(&mut group).is_pending() });
            assert_eq!(glance.await, Ok(true));
            if cancelled_after_its_end {
                brief.cancel_with("brief");
            }
            outer.cancel_with("outer");
            group.await
        };
        let cancelled = outer.run(body).await.unwrap_err();
        assert_eq!(cancelled.reason(), &because("outer"));
        assert_eq!(alive.count(), 0);
    }
    // The same for a scope, where the one that has ended had cancelled it.
    let (outer, brief, log) = (rt.scope(), rt.scope(), Log::default());
    let body = async {
        let (inner, dropped) = (rt.scope(), log.on_drop("dropped"));
        let mut run = Box::pin(inner.run(async move {
            pending::<()>().await;
            drop(dropped);
        }));
        let glance = brief.run(async {
            assert!(poll!(&mut run).is_pending());
            brief.cancel();
            pending::<()>().await;
        });
        assert!(glance.await.is_err());
        let held = shield(async {
            rt.yields(2).await;
            outer.cancel();
            rt.yields(2).await;
            log.add("held");
        });
        let _ = join!(run, held);
    };
    assert!(outer.run(body).await.is_err());
    assert_eq!(log.marks(), ["dropped", "held"]);
}

/// A scope that ended because it was dropped has no power either over what outlives it.
pub async fn a_dropped_scope_has_no_power_over_what_outlives_it<B: Backend>(rt: Rt<B>) {
    let (scope, inner) = (rt.scope(), rt.scope());
    let mut work = Box::pin(inner.run(async {
        rt.yields(4).await;
        rt.effective_deadline()
    }));
    scope.set_deadline(Some(rt.now() + rt.hour()));
    let mut run = Box::pin(scope.run(&mut work));
    assert!(poll!(&mut run).is_pending());
    drop(run);
    scope.cancel();
    assert_eq!(work.await, Ok(None));
}

/// Bad input: what was cut by a scope has no value any more; to poll it on after that scope panics and does not hang.
pub async fn to_poll_on_what_a_scope_has_cut_panics<B: Backend>(rt: Rt<B>) {
    let mut group = Box::pin(rt.task_group(async |g| {
        g.spawn(pending::<Result<(), ()>>());
        pending::<Result<(), ()>>().await
    }));
    let scope = rt.scope();
    let (cut, ()) = join!(scope.run(&mut group), async {
        rt.yields(2).await;
        scope.cancel();
    });
    assert!(cut.is_err());
    let message = panic_of(group).await.unwrap_err();
    assert!(message.contains("anyrt"), "{message}");
}

/// Waking: a scope is woken through its own waker, so combinators that poll only what was woken see it.
pub async fn a_cancelled_scope_is_woken_inside_futures_unordered<B: Backend>(rt: Rt<B>) {
    let scopes: Vec<_> = (0..10).map(|_| rt.scope()).collect();
    let (counted, counts): (Vec<_>, Vec<_>) = (0..10).map(|_| polls(pending::<()>())).unzip();
    let runs = scopes.iter().zip(counted).enumerate();
    let runs = runs.map(|(n, (scope, body))| scope.run(body).map(move |run| (n, run.is_err())));
    let mut runs: FuturesUnordered<_> = runs.collect();
    assert!(poll!(runs.next()).is_pending());
    for n in [3, 8, 0] {
        scopes[n].cancel();
        assert_eq!(runs.next().await, Some((n, true)));
    }
    assert!(poll!(runs.next()).is_pending());
    let untouched = [1, 2, 4, 5, 6, 7, 9].map(|n| counts[n].load(Ordering::SeqCst));
    assert_eq!(untouched, [1; 7]);
}

/// `cancel()` is idempotent and wakes once.
pub async fn cancel_wakes_once<B: Backend>(rt: Rt<B>) {
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let mut cx = Context::from_waker(&waker);
    let scope = rt.scope();
    let mut run = Box::pin(scope.run(pending::<()>()));
    let mut watcher = Box::pin(scope.cancelled());
    assert!(run.poll_unpin(&mut cx).is_pending());
    assert!(watcher.poll_unpin(&mut cx).is_pending());
    for _ in 0..5 {
        scope.cancel();
    }
    assert_eq!(wakes.count.load(Ordering::SeqCst), 2);
    assert!(run.poll_unpin(&mut cx).is_ready());
    assert!(watcher.poll_unpin(&mut cx).is_ready());
}

/// No user code under a lock: a waker and a destructor may use the very scope that wakes or drops them.
pub async fn wakers_and_destructors_may_use_the_scope<B: Backend>(rt: Rt<B>) {
    struct UsesScope<B>(CancelScope<B>);
    impl<B: Backend> UsesScope<B> {
        fn use_it(&self) {
            self.0.cancel();
            self.0.set_deadline(None);
            self.0.is_cancelled();
            let _ = self.0.cancelled().now_or_never();
        }
    }
    impl<B: Backend> Wake for UsesScope<B> {
        fn wake(self: Arc<Self>) {
            self.use_it();
            drop(self.0.run(pending::<()>()).now_or_never());
        }
    }
    impl<B> Drop for UsesScope<B> {
        fn drop(&mut self) {
            let _ = format!("{:?}", self.0);
        }
    }
    let scope = rt.scope();
    for reset in [true, false] {
        let waker = Waker::from(Arc::new(UsesScope(scope.clone())));
        let mut cx = Context::from_waker(&waker);
        let mut run = Box::pin(scope.run(pending::<()>()));
        let mut watcher = Box::pin(scope.cancelled());
        let _ = run.poll_unpin(&mut cx);
        let _ = watcher.poll_unpin(&mut cx);
        drop(waker);
        if reset {
            scope.set_deadline(Some(rt.now() + rt.hour()));
        }
        scope.cancel();
    }
    let scope = rt.scope();
    let user = UsesScope(scope.clone());
    let body = async {
        let _destructor = on_drop(|| user.use_it());
        scope.cancel();
        pending::<()>().await;
    };
    assert!(scope.run(body).await.is_err());
}

/// A scope that is dropped leaves nothing behind, however many there were below one that lives on.
pub async fn a_hundred_thousand_dropped_scopes_leave_nothing_behind<B: Backend>(rt: Rt<B>) {
    let wakes = Arc::new(Wakes::default());
    let alive = Alive::default();
    let (outer, shared) = (rt.scope(), rt.scope());
    let body = async {
        let waker = Waker::from(wakes.clone());
        let mut cx = Context::from_waker(&waker);
        for n in 0..100_000_u32 {
            let scope = if n % 2 == 0 {
                rt.scope()
            } else {
                shared.clone()
            };
            let life = alive.born();
            let mut run = Box::pin(scope.run(async move {
                pending::<()>().await;
                drop(life);
            }));
            let mut watcher = Box::pin(shared.cancelled());
            assert!(run.poll_unpin(&mut cx).is_pending());
            assert!(watcher.poll_unpin(&mut cx).is_pending());
        }
        drop(waker);
        assert_eq!(alive.count(), 0);
        assert_eq!(Arc::strong_count(&wakes), 1);
        shared.cancel();
        outer.cancel();
        pending::<()>().await;
    };
    assert!(outer.run(body).await.is_err());
    assert_eq!(wakes.count.load(Ordering::SeqCst), 0);
}

/// The context is restored when a body panics: code after it stands where it stood before.
pub async fn a_panic_in_a_scope_restores_the_place<B: Backend>(rt: Rt<B>) {
    let deadline = rt.now() + rt.hour();
    let body = async {
        let inner = CancelScope::<B>::with_deadline(rt.now() + rt.hour() / 2);
        for yields in 0..3 {
            let panics = inner.run(async {
                rt.yields(yields).await;
                panic!("in the scope");
            });
            assert_eq!(panic_of(panics).await.unwrap_err(), "in the scope");
            assert_eq!(rt.effective_deadline(), Some(deadline));
        }
        // Neither is what is left of the panicked run in the way of a cancellation.
        inner.run(ready(7)).await
    };
    assert_eq!(rt.move_on_at(deadline, body).await, Some(Ok(7)));
    assert_eq!(rt.effective_deadline(), None);
}

/// Effective cancellation: a child has the group's scopes around it, not those at the place of the spawn.
pub async fn children_stand_below_the_group_and_not_below_the_place_of_the_spawn<B: Backend>(
    rt: Rt<B>,
) {
    let around_spawn = rt.scope();
    let group = rt.task_group(async |g| {
        let child = async move {
            rt.yields(10).await;
            Ok::<_, ()>(7)
        };
        let spawned = around_spawn.run(ready(()).map(|()| g.spawn(child)));
        let child = spawned.await.unwrap();
        around_spawn.cancel();
        Ok(child.await)
    });
    assert_eq!(group.await, Ok(7));

    let (around_group, alive) = (rt.scope(), Alive::default());
    let group = around_group.run(rt.task_group(async |g| {
        let life = alive.born();
        g.spawn(async move {
            pending::<()>().await;
            drop(life);
            Ok::<_, ()>(())
        });
        rt.yields(2).await;
        around_group.cancel();
        Ok(())
    }));
    assert!(group.await.is_err());
    assert_eq!(alive.count(), 0);
}

/// Rule 4: `g.scope()` is about the children; its reason comes out of them, and the body goes on.
pub async fn the_scope_of_a_group_cancels_its_children_with_the_reason<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let child = g.spawn(pending::<Result<(), ()>>());
        let watched = g.scope().clone();
        let watcher = rt.to_thread(move || watched.is_cancelled());
        assert!(!watcher.await);
        g.scope().cancel_with("enough");
        g.scope().cancelled().await;
        rt.yields(3).await;
        let late = g.spawn(pending::<Result<(), ()>>());
        Ok((child.outcome().await, late.outcome().await))
    });
    let stopped = Err(Stopped::Cancelled(because("enough")));
    assert_eq!(group.await, Ok((stopped.clone(), stopped)));
}

/// Rule 4: a deadline of `g.scope()` ends the children, watched by the group, while the body goes on.
pub async fn the_scope_of_a_group_may_have_a_deadline<B: Backend>(rt: Rt<B>) {
    for later in [false, true] {
        let group = rt.task_group(async |g| {
            let child = g.spawn(pending::<Result<(), ()>>());
            if later {
                g.scope().set_deadline(Some(rt.now() + rt.hour()));
                rt.yields(3).await;
            }
            let deadline = rt.now() + rt.tick();
            g.scope().set_deadline(Some(deadline));
            let outcome = child.outcome().await;
            assert!(rt.now() >= deadline);
            rt.yields(2).await;
            assert_eq!(rt.effective_deadline(), None);
            g.scope().cancelled().await;
            Ok(outcome)
        });
        assert_eq!(group.await, Ok(Err(Stopped::Cancelled(Reason::Deadline))));
    }
}

/// Rule 4: the body may put a part of itself under `g.scope()`, which then ends with the children.
pub async fn a_future_run_under_the_scope_of_a_group_ends_with_the_children<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let canceller = g.clone();
        g.spawn(async move {
            rt.yields(2).await;
            canceller.scope().cancel_with("children");
            pending::<Result<(), ()>>().await
        });
        let part = g.scope().run(pending::<()>()).await.unwrap_err();
        rt.yields(2).await;
        Ok(part)
    });
    assert_eq!(group.await.unwrap().reason(), &because("children"));
}

/// One run of a scope in each of several tasks: all end, each in its own task.
pub async fn one_handle_governs_runs_in_several_tasks<B: Backend>(rt: Rt<B>) {
    let (scope, alive) = (rt.scope(), Alive::default());
    let group = rt.task_group(async |g| {
        let children: Vec<_> = (0..20)
            .map(|n| {
                let (scope, life) = (scope.clone(), alive.born());
                g.spawn(async move {
                    rt.yields(n % 5).await;
                    let run = scope.run(async move {
                        pending::<()>().await;
                        drop(life);
                    });
                    let cancelled = run.await.is_err();
                    rt.yields(2).await;
                    Ok::<_, ()>(cancelled)
                })
            })
            .collect();
        rt.yields(3).await;
        scope.cancel();
        Ok(join_all(children).await)
    });
    assert!(group.await.unwrap().into_iter().all(|cancelled| cancelled));
    assert_eq!(alive.count(), 0);
}

/// Nested scopes can be interrupted, or dropped from outside, at every `Pending`.
pub async fn nested_scopes_can_be_interrupted_everywhere<B: Backend>(rt: Rt<B>) {
    let body = |alive: Alive| async move {
        let inner = rt.scope();
        let _outer = alive.born();
        rt.yields(2).await;
        let nested = inner.run(rt.scope().run(async {
            let _inner = alive.born();
            rt.yields(3).await;
            inner.cancel();
            checkpoint().await;
        }));
        assert!(nested.await.is_err());
        let watcher = async {
            let _watcher = alive.born();
            inner.cancelled().await;
            rt.yields(2).await;
        };
        join!(watcher, rt.scope().run(rt.yields(4)).map(Result::unwrap));
    };
    assert!(cancel_at_every_pending(rt, body).await > 8);
    assert!(drop_at_every_pending(rt, body).await > 8);
}

/// Counts how often it was woken.
#[derive(Default)]
struct Wakes {
    count: AtomicUsize,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.count.fetch_add(1, Ordering::SeqCst);
    }
}

/// What is only polled when it is woken hears that a scope above it has ended, and keeps its own time.
pub async fn a_limit_that_outlives_a_scope_is_armed_when_that_scope_ends<B: Backend>(rt: Rt<B>) {
    let mut set = FuturesUnordered::new();
    set.push(rt.fail_after(rt.tick() * 2, pending::<()>()).left_future());
    set.push(async { Ok(()) }.right_future());
    // The first poll of the limit is inside a scope with an earlier deadline, which ends in time.
    let first = rt.move_on_after(rt.tick(), set.next()).await;
    assert_eq!(first, Some(Some(Ok(()))));
    assert!(set.next().await.unwrap().is_err());
}

/// A child that was told of a cancellation which is gone can still be woken by the next one.
pub async fn a_child_freed_from_a_scope_hears_of_the_next_cancellation<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    for _ in 0..20 {
        let life = alive.born();
        let mut group = Box::pin(rt.task_group(async |g| {
            g.spawn(async move {
                pending::<()>().await;
                drop(life);
                Ok::<_, ()>(())
            });
            pending::<Result<(), ()>>().await
        }));
        let scope = rt.scope();
        let ended = scope.run(async {
            for _ in 0..3 {
                assert!(poll!(&mut group).is_pending());
                rt.yields(1).await;
            }
            scope.cancel();
        });
        // The body is ready, so it wins, and the group lives on.
        assert_eq!(ended.await, Ok(()));
        let outer: Result<_, anyrt_core::GroupError<()>> = rt
            .task_group(async |_| {
                drop(group);
                Ok(())
            })
            .await;
        assert_eq!(outer, Ok(()));
    }
}

/// A scope that was cancelled before is the attempt without waiting: it takes what is there, and loses nothing.
pub async fn a_cancelled_scope_takes_what_is_there_and_loses_nothing<B: Backend>(rt: Rt<B>) {
    let (send, mut messages) = mpsc::unbounded();
    assert!(rt.cancelled(messages.next()).await.is_err());
    send.unbounded_send(1).unwrap();
    send.unbounded_send(2).unwrap();
    assert_eq!(rt.cancelled(messages.next()).await, Ok(Some(1)));
    assert_eq!(rt.cancelled(messages.next()).await, Ok(Some(2)));
    assert!(rt.cancelled(messages.next()).await.is_err());

    let limiter = Limiter::new(1);
    let permit = rt.cancelled(limiter.acquire()).await.unwrap();
    assert!(rt.cancelled(limiter.acquire()).await.is_err());
    drop(permit);
    assert_eq!(limiter.available(), 1);

    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel();
        let mut child = g.spawn(gate.map(|gate| Ok::<_, ()>(gate.unwrap())));
        assert!(rt.cancelled(&mut child).await.is_err());
        open.send(7).unwrap();
        loop {
            if let Ok(value) = rt.cancelled(&mut child).await {
                return Ok(value);
            }
            rt.yields(1).await;
        }
    });
    assert_eq!(group.await, Ok(7));
}
