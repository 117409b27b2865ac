//! Futures of ours dropped by code that knows nothing of us, and who adopts what is left.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use anyrt_core::{Backend, shield};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};

use super::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use super::flavour::Rt;
use crate::probe::{Alive, Latch, Log, message, on_a_fresh_thread, on_drop, panic_of};

/// Dropped from outside: "a dropped group cancels its children at once", not only when somebody joins.
pub async fn a_group_dropped_by_select_cancels_its_children_at_once<B: Backend>(rt: Rt<B>) {
    let outer = rt.task_group(async |_| {
        let (gone, is_gone) = oneshot::channel();
        let mut inner = Box::pin(
            rt.task_group(async |g| {
                let gone = on_drop(move || gone.send(()).unwrap_or(()));
                g.spawn(async move {
                    let _gone = gone;
                    pending::<Result<(), ()>>().await
                });
                pending::<()>().await;
                Ok(())
            })
            .fuse(),
        );
        futures::select! {
            _ = inner => unreachable!(),
            () = rt.yields(2).fuse() => {}
        }
        drop(inner);
        // Still in the body of the outer group, so nobody joins.
        assert_eq!(is_gone.await, Ok(()));
        Ok::<_, ()>("body")
    });
    assert_eq!(outer.await, Ok("body"));
}

/// Dropped from outside: "the enclosing group adopts them: it does not return before they have ended".
pub async fn the_outer_group_waits_for_the_shielded_child_of_a_dropped_group<B: Backend>(
    rt: Rt<B>,
) {
    let (alive, log) = (Alive::default(), Log::default());
    let outer = rt.task_group(async |_| {
        let inner = rt.parallel().task_group(async |g| {
            let (life, log) = (alive.born(), log.clone());
            g.spawn(async move {
                let _life = life;
                shield(rt.sleep(rt.tick())).await;
                log.add("saved");
                pending::<Result<(), ()>>().await
            });
            pending::<Result<(), ()>>().await
        });
        let selected = select(Box::pin(inner), Box::pin(rt.yields(1))).await;
        assert!(matches!(selected, Either::Right(_)));
        drop(selected);
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!((log.marks(), alive.count()), (vec!["saved"], 0));
}

/// Dropped from outside: a thread below a child of the dropped group is waited for too.
pub async fn the_outer_group_waits_for_the_thread_of_a_dropped_group<B: Backend>(rt: Rt<B>) {
    let (latch, log) = (Latch::default(), Log::default());
    let outer = rt.task_group(async |_| {
        let (started, has_started) = oneshot::channel();
        let inner = rt.task_group(async |g| {
            let (latch, log) = (latch.clone(), log.clone());
            g.spawn(async move {
                rt.to_thread(move || {
                    started.send(()).unwrap();
                    latch.wait::<B>();
                    std::thread::sleep(rt.tick());
                    log.add("thread");
                })
                .await;
                Ok::<(), ()>(())
            });
            pending::<Result<(), ()>>().await
        });
        drop(select(Box::pin(inner), has_started).await);
        assert_eq!(log.marks(), [""; 0]);
        latch.open();
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(log.marks(), ["thread"]);
}

/// Dropped from outside, by the time limit of the runtime itself.
pub async fn a_group_dropped_by_the_timer_of_the_runtime_is_adopted<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let outer = rt.task_group(async |_| {
        let backend = anyrt_core::backend::<B>();
        let inner = rt.parallel().task_group(async |g| {
            for _ in 0..10 {
                let (life, log) = (alive.born(), log.clone());
                g.spawn(async move {
                    let _life = life;
                    shield(rt.sleep(2 * rt.tick())).await;
                    log.add("saved");
                    pending::<Result<(), ()>>().await
                });
            }
            pending::<Result<(), ()>>().await
        });
        let limit = backend.sleep_until(backend.now() + rt.tick());
        let timed_out = matches!(
            select(Box::pin(inner), Box::pin(limit)).await,
            Either::Right(_)
        );
        assert!(timed_out);
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!((log.marks().len(), alive.count()), (10, 0));
}

/// Dropped from outside: what a dropped group had adopted goes on to the next group that is left.
pub async fn adoption_goes_up_through_dropped_groups<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let (open, gate) = oneshot::channel::<()>();
    let outer = rt.task_group(async |_| {
        let middle = rt.task_group(async |_| {
            let inner = rt.parallel().task_group(async |g| {
                let life = alive.born();
                g.spawn(async move {
                    let _life = life;
                    shield(gate).await.ok();
                    Ok::<(), ()>(())
                });
                pending::<Result<(), ()>>().await
            });
            drop_at_pending(1, inner).await;
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(3, select(Box::pin(middle), Box::pin(rt.yields(100)))).await;
        rt.yields(5).await;
        assert_eq!(alive.count(), 1);
        open.send(()).unwrap();
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// Dropped from outside: one drop that takes three groups, one in the other, with it.
pub async fn nested_groups_dropped_at_once_are_all_adopted<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let child = |mark| {
        let (life, log) = (alive.born(), log.clone());
        async move {
            let _life = life;
            shield(rt.sleep(rt.tick())).await;
            log.add(mark);
            Ok::<(), ()>(())
        }
    };
    let parallel = rt.parallel();
    let outer = rt.task_group(async |_| {
        let a = parallel.task_group(async |g| {
            g.spawn(child("saved"));
            parallel
                .task_group(async |g| {
                    g.spawn(child("saved"));
                    parallel
                        .task_group(async |g| {
                            g.spawn(child("saved"));
                            pending::<Result<(), ()>>().await
                        })
                        .await
                        .map_err(drop)
                })
                .await
                .map_err(drop)
        });
        drop_at_pending(1, a).await;
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!((log.marks(), alive.count()), (vec!["saved"; 3], 0));
}

/// Dropped from outside, in every generation: each child drops a group whose child does the same.
pub async fn every_generation_may_drop_its_group<B: Backend>(rt: Rt<B>) {
    fn generation<B: Backend>(
        rt: Rt<B>,
        left: usize,
        alive: Alive,
    ) -> Pin<Box<dyn Future<Output = Result<(), ()>> + Send>> {
        Box::pin(async move {
            let _life = alive.born();
            if left == 0 {
                shield(rt.sleep(rt.tick())).await;
                return Ok(());
            }
            let below = generation(rt, left - 1, alive);
            let group = rt.task_group(move |g| async move {
                g.spawn(below);
                pending::<Result<(), ()>>().await
            });
            drop_at_pending(1, group).await;
            Ok(())
        })
    }
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        g.spawn(generation(rt, 20, alive.clone())).await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// "The errors of a dropped group are dropped; a panic goes to the enclosing group" (docs of `task_group`).
pub async fn the_panic_of_an_adopted_child_comes_out_of_the_adopting_group<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let outer = rt.task_group(async |g| {
        let life = alive.born();
        g.spawn(async move {
            let _life = life;
            pending::<Result<(), ()>>().await
        });
        let inner = rt.parallel().task_group(async |g| {
            g.spawn(async move {
                shield(rt.yields(5)).await;
                if true {
                    panic!("of the adopted");
                }
                Ok::<(), ()>(())
            });
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, inner).await;
        // The panic cancels the adopting group: its body and its other children.
        pending::<Result<(), ()>>().await
    });
    assert_eq!(panic_of(outer).await.unwrap_err(), "of the adopted");
    assert_eq!(alive.count(), 0);
}

/// Dropped from outside: the panic finds its way up through groups that were dropped as well.
pub async fn the_panic_of_an_adopted_child_goes_up_through_dropped_groups<B: Backend>(rt: Rt<B>) {
    let (open, gate) = oneshot::channel::<()>();
    let outer = rt.task_group(async |_| {
        let middle = rt.task_group(async |_| {
            let inner = rt.parallel().task_group(async |g| {
                g.spawn(async move {
                    shield(gate).await.ok();
                    if true {
                        panic!("from below");
                    }
                    Ok::<(), ()>(())
                });
                pending::<Result<(), ()>>().await
            });
            drop_at_pending(1, inner).await;
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, middle).await;
        open.send(()).unwrap();
        Ok::<(), ()>(())
    });
    assert_eq!(panic_of(outer).await.unwrap_err(), "from below");
}

/// "The errors of a dropped group are dropped": nobody is left who knows their type.
pub async fn the_errors_of_a_dropped_group_are_dropped<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let outer = rt.task_group(async |_| {
        let inner = rt.task_group(async |g| {
            let error = alive.born();
            g.spawn(async move {
                shield(rt.yields(5)).await;
                Err::<(), _>(error)
            });
            pending::<Result<(), _>>().await
        });
        drop_at_pending(1, inner).await;
        rt.yields(10).await;
        Ok::<_, ()>("unharmed")
    });
    assert_eq!(outer.await, Ok("unharmed"));
    assert_eq!(alive.count(), 0);
}

/// Dropped from outside, in a child: the group of that child adopts; the child itself need not wait.
pub async fn a_group_dropped_in_a_child_is_adopted_by_the_group_of_the_child<B: Backend>(
    rt: Rt<B>,
) {
    let alive = Alive::default();
    let outer = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let life = alive.born();
        let child = g.spawn(async move {
            let inner = rt.parallel().task_group(move |g| async move {
                g.spawn(async move {
                    let _life = life;
                    shield(gate).await.ok();
                    Ok::<(), ()>(())
                });
                pending::<Result<(), ()>>().await
            });
            drop_at_pending(1, inner).await;
            Ok("ended")
        });
        assert_eq!(child.await, "ended");
        assert_eq!(alive.count(), 1);
        open.send(()).unwrap();
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// Section 3: `len` is of the children; what a group has adopted is none of them.
pub async fn what_a_group_adopts_does_not_count_in_its_len<B: Backend>(rt: Rt<B>) {
    let outer = rt.task_group(async |outer| {
        let (open, gate) = oneshot::channel::<()>();
        let inner = rt.parallel().task_group(async |g| {
            g.spawn(async move {
                shield(gate).await.ok();
                Ok::<(), ()>(())
            });
            assert_eq!((outer.len(), g.len()), (0, 1));
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, inner).await;
        assert_eq!(outer.len(), 0);
        outer.spawn(async { Ok(()) }).await;
        open.send(()).unwrap();
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
}

/// A group is lazy, as every Rust future: dropped before its first poll it calls nothing and leaves nothing.
pub async fn a_group_dropped_before_its_first_poll_does_nothing<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let outer = rt.task_group(async |g| {
        let life = alive.born();
        let inner = rt.task_group(async move |g| {
            let _life = life;
            g.spawn(pending::<Result<(), ()>>());
            unreachable!("it was never polled")
        });
        drop::<Pin<Box<dyn Future<Output = Result<(), _>>>>>(Box::pin(inner));
        assert_eq!((alive.count(), g.len()), (0, 0));
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
}

/// Dropped from outside after its body has ended, while it waits for a child.
pub async fn a_group_dropped_while_it_joins_is_adopted<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let outer = rt.task_group(async |_| {
        let (open, gate) = oneshot::channel::<()>();
        let inner = rt.parallel().task_group(async |g| {
            let life = alive.born();
            g.spawn(async move {
                let _life = life;
                shield(gate).await.ok();
                pending::<Result<(), ()>>().await
            });
            Ok("value of the body")
        });
        let mut inner = Box::pin(inner);
        assert!(futures::poll!(inner.as_mut()).is_pending());
        drop(inner);
        rt.yields(5).await;
        assert_eq!(alive.count(), 1);
        open.send(()).unwrap();
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// Dropped from outside after a scope around it has cut its body, while it waits for a child.
pub async fn a_group_dropped_while_it_is_being_cancelled_is_adopted<B: Backend>(rt: Rt<B>) {
    let (alive, body) = (Alive::default(), Alive::default());
    let outer = rt.task_group(async |_| {
        let (open, gate) = oneshot::channel::<()>();
        let scope = rt.scope();
        let run = scope.run(async {
            let mut inner = Box::pin(rt.parallel().task_group(async |g| {
                let _body = body.born();
                let life = alive.born();
                g.spawn(async move {
                    let _life = life;
                    shield(gate).await.ok();
                    pending::<Result<(), ()>>().await
                });
                pending::<Result<(), ()>>().await
            }));
            assert!(futures::poll!(inner.as_mut()).is_pending());
            scope.cancel();
            assert!(futures::poll!(inner.as_mut()).is_pending());
            assert_eq!((body.count(), alive.count()), (0, 1));
            drop(inner);
            open.send(()).unwrap();
        });
        assert_eq!(run.await, Ok(()));
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// Dropping a run drops its body; the scope itself is not cancelled by that (docs of `CancelScope::run`).
pub async fn a_dropped_run_leaves_its_scope_as_it_was<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let scope = rt.scope();
    let life = alive.born();
    let run = scope.run(async move {
        let _life = life;
        pending::<()>().await
    });
    assert!(drop_at_pending(1, run).await.is_none());
    assert_eq!((alive.count(), scope.is_cancelled()), (0, false));
    assert_eq!(scope.run(rt.yields(1)).await, Ok(()));
    scope.cancel();
    assert!(scope.run(pending::<()>()).await.is_err());
}

/// Hold: a shield that is dropped in the middle gives its hold back.
pub async fn a_dropped_shield_holds_no_more<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let scope = rt.scope();
    let run = scope.run(async {
        let mut shielded = Box::pin(shield(pending::<()>()));
        assert!(futures::poll!(shielded.as_mut()).is_pending());
        scope.cancel();
        rt.yields(2).await;
        log.add("held");
        drop(shielded);
        rt.yields(1).await;
        log.add("not held");
    });
    assert!(run.await.is_err());
    assert_eq!(log.marks(), ["held"]);
}

/// Hold: "a hold that is given back outside the scope's own poll wakes the scope".
pub async fn a_shield_dropped_by_another_task_wakes_the_scope<B: Backend>(rt: Rt<B>) {
    let backend = anyrt_core::backend::<B>();
    let scope = rt.scope();
    let (away, arrives) = oneshot::channel();
    let (open, gate) = oneshot::channel::<()>();
    let dropper = backend.spawn(async move {
        let shielded: Pin<Box<dyn Future<Output = ()> + Send>> = arrives.await.unwrap();
        gate.await.unwrap();
        drop(shielded);
    });
    let run = scope.run(async {
        let mut shielded: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(shield(pending()));
        assert!(futures::poll!(shielded.as_mut()).is_pending());
        assert!(away.send(shielded).is_ok());
        pending::<()>().await
    });
    let cancel = async {
        rt.yields(3).await;
        scope.cancel();
        rt.yields(3).await;
        open.send(()).unwrap();
    };
    let (cancelled, ()) = futures::join!(run, cancel);
    assert!(cancelled.is_err());
    dropper.await;
}

/// Dropped from outside: "a `to_thread` call that is still running is adopted in the same way"; its value is
/// dropped before the group returns.
pub async fn a_dropped_thread_call_is_adopted<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let latch = Latch::default();
    let outer = rt.task_group(async |_| {
        let (captured, value, latch_there) = (alive.born(), alive.born(), latch.clone());
        let call = rt.to_thread(move || {
            latch_there.wait::<B>();
            std::thread::sleep(rt.tick());
            drop(captured);
            value
        });
        assert!(drop_at_pending(1, call).await.is_none());
        assert_eq!(alive.count(), 2);
        latch.open();
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// Into threads: "after a drop from outside .. a panic goes to the adopting group".
pub async fn the_panic_of_a_dropped_thread_call_goes_to_the_adopting_group<B: Backend>(rt: Rt<B>) {
    let latch = Latch::default();
    let outer = rt.task_group(async |_| {
        let there = latch.clone();
        let call = rt.to_thread(move || {
            there.wait::<B>();
            panic!("of the thread");
        });
        drop_at_pending(1, call).await;
        latch.open();
        pending::<Result<(), ()>>().await
    });
    assert_eq!(panic_of(outer).await.unwrap_err(), "of the thread");
}

/// Dropped from outside: "unless it was given up with `abandon_on_cancel`".
pub async fn a_dropped_abandoned_call_is_not_waited_for<B: Backend>(rt: Rt<B>) {
    let latch = Latch::default();
    let (done, is_done) = oneshot::channel();
    let outer = rt.task_group(async |_| {
        let there = latch.clone();
        let call = rt.to_thread(move || {
            there.wait::<B>();
            done.send(()).unwrap();
        });
        drop_at_pending(1, call.abandon_on_cancel()).await;
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    latch.open();
    assert_eq!(is_done.await, Ok(()));
}

/// Dropped from outside at each of its `Pending`s: groups in groups, shields and threads all end.
pub async fn whatever_is_dropped_at_any_pending_is_waited_for<B: Backend>(rt: Rt<B>) {
    let rounds = drop_at_every_pending(rt, |alive| mixture(rt, alive)).await;
    assert!(rounds > 3, "only {rounds} rounds");
}

/// Cancelled at each of its `Pending`s: groups in groups, shields and threads all end.
pub async fn whatever_is_cancelled_at_any_pending_is_waited_for<B: Backend>(rt: Rt<B>) {
    let rounds = cancel_at_every_pending(rt, |alive| mixture(rt, alive)).await;
    assert!(rounds > 3, "only {rounds} rounds");
}

/// A bit of everything that holds.
async fn mixture<B: Backend>(rt: Rt<B>, alive: Alive) {
    let _life = alive.born();
    let group = rt.task_group(async |g| {
        let (first, second) = (alive.born(), alive.born());
        g.spawn(async move {
            let _first = first;
            shield(rt.yields(2)).await;
            Ok::<(), ()>(())
        });
        g.spawn({
            let alive = alive.clone();
            async move {
                let _second = second;
                let inner = rt.task_group(move |g| async move {
                    let life = alive.born();
                    let call = rt.to_thread(move || life);
                    let task = g.spawn(async move { Ok::<_, ()>(call.await) });
                    rt.yields(1).await;
                    drop(task.outcome().await);
                    Ok::<(), ()>(())
                });
                inner.await.map_err(drop)
            }
        });
        rt.yields(2).await;
        let life = alive.born();
        let value = rt.to_thread(move || life).await;
        rt.move_on_after(rt.tick(), shield(rt.yields(2))).await;
        drop(value);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Dropped from outside by another task: the group that it was begun in adopts.
pub async fn a_group_dropped_by_another_task_is_adopted_where_it_was_begun<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let backend = anyrt_core::backend::<B>();
    let outer = rt.task_group(async |_| {
        let life = alive.born();
        let inner = rt.task_group(move |g| async move {
            g.spawn(async move {
                let _life = life;
                shield(rt.sleep(rt.tick())).await;
                pending::<Result<(), ()>>().await
            });
            pending::<Result<(), ()>>().await
        });
        let mut inner = Box::pin(inner);
        assert!(futures::poll!(inner.as_mut()).is_pending());
        backend.spawn(async move { drop(inner) }).await;
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// Dropped from outside on a thread that no runtime knows.
pub async fn a_group_dropped_on_a_foreign_thread_is_adopted<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let outer = rt.task_group(async |_| {
        let life = alive.born();
        let inner = rt.task_group(move |g| async move {
            g.spawn(async move {
                let _life = life;
                shield(rt.sleep(rt.tick())).await;
                pending::<Result<(), ()>>().await
            });
            pending::<Result<(), ()>>().await
        });
        let mut inner = Box::pin(inner);
        assert!(futures::poll!(inner.as_mut()).is_pending());
        on_a_fresh_thread(move || drop(inner));
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// A group may be moved after its first poll and be driven by any executor; its children stay where they are.
pub async fn a_group_may_be_driven_by_a_foreign_executor<B: Backend>(rt: Rt<B>) {
    let outer = rt.task_group(async |_| {
        let inner = rt.task_group(move |g| async move {
            let child = g.spawn(async move {
                rt.yields(3).await;
                Ok::<_, ()>(2)
            });
            rt.yields(3).await;
            // Also what is spawned over there.
            let sibling = g.spawn(async move {
                rt.yields(3).await;
                Ok(1)
            });
            Ok(child.await + sibling.await)
        });
        let mut inner = Box::pin(inner);
        assert!(futures::poll!(inner.as_mut()).is_pending());
        Ok::<_, ()>(
            rt.to_thread(move || B::wait_outside(|| futures::executor::block_on(inner)))
                .await,
        )
    });
    assert_eq!(outer.await, Ok(Ok(3)));
}

/// With no group around at all "the children are cancelled and end on their own".
pub async fn with_no_group_around_the_children_of_a_dropped_group_end_alone<B: Backend>(rt: Rt<B>) {
    let backend = anyrt_core::backend::<B>();
    let (gone, is_gone) = oneshot::channel();
    let gone = on_drop(move || gone.send(()).unwrap_or(()));
    // A task of the runtime, and none of ours.
    let task = backend.spawn(async move {
        let group = rt.task_group(move |g| async move {
            g.spawn(async move {
                let _gone = gone;
                pending::<Result<(), ()>>().await
            });
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, group).await
    });
    assert!(task.await.unwrap().is_none());
    assert_eq!(is_gone.await, Ok(()));
}

/// Dropped from outside by an abort, as runtimes and `futures::abortable` do it.
pub async fn an_aborted_group_is_adopted<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let outer = rt.task_group(async |g| {
        let life = alive.born();
        let inner = rt.task_group(move |g| async move {
            g.spawn(async move {
                let _life = life;
                shield(rt.sleep(rt.tick())).await;
                pending::<Result<(), ()>>().await
            });
            pending::<Result<(), ()>>().await
        });
        let (inner, abort) = futures::future::abortable(inner);
        let child = g.spawn(async move { Ok(inner.await.is_err()) });
        rt.yields(5).await;
        abort.abort();
        assert!(child.await);
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// Dropped from outside, and a destructor of the body panics on the way: the children are adopted all the same.
pub async fn a_panicking_destructor_does_not_stop_the_adoption<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let outer = rt.task_group(async |_| {
        let inner = rt.parallel().task_group(async |g| {
            let _panics = on_drop(|| panic!("in a destructor"));
            let (life, log) = (alive.born(), log.clone());
            g.spawn(async move {
                let _life = life;
                shield(rt.sleep(rt.tick())).await;
                log.add("saved");
                pending::<Result<(), ()>>().await
            });
            pending::<Result<(), ()>>().await
        });
        let mut inner = Box::pin(inner);
        assert!(futures::poll!(inner.as_mut()).is_pending());
        let payload = catch_unwind(AssertUnwindSafe(|| drop(inner))).unwrap_err();
        assert_eq!(message(&*payload), "in a destructor");
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!((log.marks(), alive.count()), (vec!["saved"], 0));
}

/// Rule 7 and a drop from outside: what a destructor of the body spawns has its one poll and is waited for.
pub async fn a_destructor_of_a_dropped_body_may_spawn<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let outer = rt.task_group(async |_| {
        let inner = rt.task_group(async |g| {
            let (life, log) = (alive.born(), log.clone());
            let _spawns = on_drop({
                let g = g.clone();
                move || {
                    g.spawn(async move {
                        let _life = life;
                        log.add("polled");
                        shield(rt.sleep(rt.tick())).await;
                        log.add("saved");
                        pending::<Result<(), ()>>().await
                    });
                }
            });
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, inner).await;
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!((log.marks(), alive.count()), (vec!["polled", "saved"], 0));
}

/// Dropped from outside: the handle of a dropped group, kept by somebody, still works until the last child has
/// ended, and then is closed.
pub async fn the_handle_of_a_dropped_group_closes_with_the_last_child<B: Backend>(rt: Rt<B>) {
    let mut kept = None;
    let outer = rt.task_group(async |_| {
        let (open, gate) = oneshot::channel::<()>();
        let inner = rt.task_group(async |g| {
            g.spawn(async move {
                shield(gate).await.ok();
                Ok::<(), ()>(())
            });
            kept = Some(g);
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, inner).await;
        let inner = kept.as_ref().unwrap();
        // It is open while a child lives; a new one starts cancelled and gets its one poll.
        assert_eq!(inner.spawn(async { Ok(3) }).outcome().await, Ok(3));
        assert!(
            inner
                .spawn(pending::<Result<(), ()>>())
                .outcome()
                .await
                .is_err()
        );
        open.send(()).unwrap();
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert!(kept.unwrap().try_spawn(async { Ok(()) }).is_err());
}

/// Dropped from outside, many at a time: a set of groups that somebody lets go of.
pub async fn a_dropped_set_of_groups_is_adopted<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let outer = rt.task_group(async |_| {
        let mut groups: FuturesUnordered<_> = (0..20)
            .map(|n| {
                let alive = alive.clone();
                rt.task_group(async move |g| {
                    for _ in 0..5 {
                        let life = alive.born();
                        g.spawn(async move {
                            let _life = life;
                            shield(rt.yields(50)).await;
                            pending::<Result<(), ()>>().await
                        });
                    }
                    if n == 13 {
                        g.cancel();
                        return Ok(n);
                    }
                    pending().await
                })
            })
            .collect();
        assert_eq!(groups.next().await, Some(Ok(13)));
        drop(groups);
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// Dropped from outside at the moment when the children end: whoever comes first, nobody is left and nothing hangs.
pub async fn a_drop_may_race_with_the_end_of_the_children<B: Backend>(rt: Rt<B>) {
    for round in 0..300 {
        let alive = Alive::default();
        let outer = rt.task_group(async |_| {
            let inner = rt.task_group(async |g| {
                for n in 0..4 {
                    let life = alive.born();
                    g.spawn(async move {
                        rt.yields((round + n) % 4).await;
                        shield(rt.yields(n)).await;
                        Ok::<_, ()>(life)
                    });
                }
                rt.yields(round % 5).await;
                Ok::<(), ()>(())
            });
            drop_at_pending(round % 7 + 1, inner).await;
            Ok::<(), ()>(())
        });
        assert_eq!(outer.await, Ok(()));
        assert_eq!(alive.count(), 0, "in round {round}");
    }
}

/// Dropped from outside at the moment when a child panics: the panic comes out once, of this group or that.
pub async fn a_drop_may_race_with_the_panic_of_a_child<B: Backend>(rt: Rt<B>) {
    for round in 0..100 {
        let outer = rt.task_group(async |_| {
            let inner = rt.parallel().task_group(async |g| {
                g.spawn(async move {
                    shield(rt.yields(round % 4)).await;
                    std::panic::resume_unwind(Box::new("of the child"));
                    #[expect(unreachable_code, reason = "says the type")]
                    Ok::<(), ()>(())
                });
                pending::<Result<(), ()>>().await
            });
            drop_at_pending(
                round % 5 + 1,
                select(Box::pin(inner), Box::pin(rt.yields(10))),
            )
            .await;
            Ok::<(), ()>(())
        });
        assert_eq!(
            panic_of(outer).await.unwrap_err(),
            "of the child",
            "in round {round}"
        );
    }
}

/// A dropped group whose errors panic when they are dropped is counted out all the same.
pub async fn errors_that_panic_when_dropped_do_not_keep_a_dropped_group_open<B: Backend>(
    rt: Rt<B>,
) {
    #[derive(Debug)]
    struct Explosive;
    impl Drop for Explosive {
        fn drop(&mut self) {
            panic!("explosive");
        }
    }
    let (open, gate) = oneshot::channel::<()>();
    let outer = rt.task_group(async |_| {
        let inner = rt.task_group(async |g| {
            g.spawn(async move { Err::<(), _>(Explosive) });
            g.spawn(async move {
                // Keeps the group from ending before it is dropped.
                shield(gate).await.ok();
                Ok(())
            });
            rt.yields(20).await;
            Ok(())
        });
        assert!(drop_at_pending(2, inner).await.is_none());
        rt.yields(5).await;
        open.send(()).ok();
        Ok::<_, ()>(())
    });
    assert_eq!(outer.await, Ok(()));
}
