//! The moment when a child that was started is ready: what moves to its group with it, and who may come in between.

use std::future::pending;
use std::hint::spin_loop;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use anyrt_core::{
    Backend, CancelScope, Reason, StartError, Started, Stopped, is_stopping, shield, stopping,
};
use futures::channel::oneshot;
use futures::future::join_all;
use futures::join;

use super::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use super::flavour::{Rt, TaskGroup};
use crate::probe::{Alive, Latch, Life, Log, on_a_fresh_thread, on_drop, panic_of};

type Nothing = Result<(), ()>;

/// In a supervised group, too, an error is the caller's before `set` and the group's after it.
pub async fn supervision_begins_with_set<B: Backend>(rt: Rt<B>) {
    let handled = Arc::new(Mutex::new(Vec::new()));
    let there = handled.clone();
    let options = rt
        .group_options()
        .supervise_with(move |_, error| there.lock().unwrap().push(error));
    let group = options.run(async |g| {
        let early = g.start(async |_started: Started<()>| Err::<(), _>("early"));
        assert_eq!(early.await.map(drop), Err(StartError::Failed("early")));
        let late = g.start(async |started| {
            started.set(());
            Err::<(), _>("late")
        });
        let ((), task) = late.await.unwrap();
        assert_eq!(task.outcome().await, Err(Stopped::Failed));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(*handled.lock().unwrap(), ["late"]);
}

/// Rule 6: a group whose child was cut from outside gives no value. A child that is not ready is not yet its child.
pub async fn a_child_that_was_cut_keeps_the_value_back_only_after_set<B: Backend>(rt: Rt<B>) {
    for is_ready in [false, true] {
        let (around, caller) = (rt.scope(), rt.scope());
        let (give, handle) = oneshot::channel();
        let (running, is_running) = oneshot::channel::<()>();
        let (has_value, body_has_value) = oneshot::channel::<()>();
        let group = rt.task_group(async |g: TaskGroup<B, ()>| {
            give.send(g).unwrap();
            is_running.await.unwrap();
            has_value.send(()).unwrap();
            Ok(())
        });
        let start = async {
            let g = handle.await.unwrap();
            let (cut, is_cut) = oneshot::channel();
            let start = g.start(async move |started| {
                let _cut = on_drop(move || cut.send(()).unwrap_or(()));
                let mut started = Some(started);
                if is_ready {
                    started.take().unwrap().set(());
                }
                running.send(()).ok();
                pending::<()>().await;
                drop(started);
                Ok(())
            });
            let cancel = async {
                body_has_value.await.unwrap();
                if is_ready {
                    around.cancel();
                } else {
                    caller.cancel();
                }
            };
            let (result, ()) = join!(caller.run(start), cancel);
            is_cut.await.unwrap();
            result.is_ok()
        };
        let (value, is_started) = join!(around.run(group), start);
        assert_eq!((value.is_err(), is_started), (is_ready, is_ready));
    }
}

/// The effective deadline is the caller's before `set` and the group's after it, also in what stands around `set`.
pub async fn the_effective_deadline_changes_with_set<B: Backend>(rt: Rt<B>) {
    let now = rt.now();
    let [of_caller, of_limit, of_group] = [1, 2, 3].map(|hours| now + rt.hour() * hours);
    let group = rt.task_group(async |g| {
        g.scope().set_deadline(Some(of_group));
        let start = g.start(async move |started| {
            let seen = || rt.effective_deadline().unwrap();
            let mut before = vec![seen()];
            let scope = rt.scope();
            let in_scope = scope.run(async {
                before.push(seen());
                let in_limit = rt.move_on_at(of_limit, async {
                    before.push(seen());
                    started.set(());
                    seen()
                });
                (in_limit.await.unwrap(), seen())
            });
            let (in_limit, in_scope) = in_scope.await.unwrap();
            Ok::<_, ()>((before, in_limit, in_scope, seen()))
        });
        let started = rt.move_on_at(of_caller, start).await.unwrap();
        Ok(started.unwrap().1.await)
    });
    let seen = (vec![of_caller; 3], of_limit, of_group, of_group);
    assert_eq!(group.await, Ok(seen));
}

/// The same in the children of a group that the child has opened before.
pub async fn the_effective_deadline_of_grandchildren_changes_with_set<B: Backend>(rt: Rt<B>) {
    let now = rt.now();
    let [of_caller, of_group] = [1, 2].map(|hours| now + rt.hour() * hours);
    let group = rt.task_group(async |g| {
        g.scope().set_deadline(Some(of_group));
        let start = g.start(async move |started| {
            let inner = rt.task_group(async move |h| {
                let (open, gate) = oneshot::channel::<()>();
                let (seen, is_seen) = oneshot::channel();
                let grandchild = h.spawn(async move {
                    seen.send(rt.effective_deadline()).unwrap();
                    gate.await.unwrap();
                    Ok::<_, ()>(rt.effective_deadline())
                });
                let before = is_seen.await.unwrap();
                started.set(());
                open.send(()).unwrap();
                Ok([before, grandchild.await])
            });
            inner.await.map_err(drop)
        });
        let started = rt.move_on_at(of_caller, start).await.unwrap();
        Ok(started.unwrap().1.await)
    });
    assert_eq!(group.await, Ok([Some(of_caller), Some(of_group)]));
}

/// A limit inside the child that is later than the caller's deadline counts when that one is out of sight.
pub async fn a_limit_later_than_the_callers_fires_after_set<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        // Where the machine is too slow for the caller's limit, there is more of it next time.
        for ticks in 1.. {
            let of_caller = rt.now() + rt.tick() * ticks;
            let start = g.start(async move |started| {
                let late = rt.move_on_at(of_caller + rt.tick(), async {
                    // As long as the earlier one is in sight, this one need not be watched.
                    rt.yields(2).await;
                    started.set(());
                    pending::<()>().await;
                });
                Ok::<_, ()>(late.await)
            });
            if let Some(result) = rt.move_on_at(of_caller, start).await {
                assert_eq!(result.unwrap().1.await, None);
                return Ok(());
            }
        }
        unreachable!()
    });
    assert_eq!(group.await, Ok(()));
}

/// A deadline of the group that has passed already does not touch the child before `set`.
pub async fn a_passed_deadline_of_the_group_counts_from_set_on<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        g.scope().set_deadline(Some(rt.now()));
        let start = g.start(async move |started| {
            rt.yields(5).await;
            assert_eq!(rt.effective_deadline(), None);
            started.set(());
            assert!(rt.effective_deadline().unwrap() <= rt.now());
            pending::<Nothing>().await
        });
        let ((), task) = start.await.unwrap();
        let cut = Stopped::Cancelled(Reason::Deadline);
        assert_eq!(task.outcome().await, Err(cut));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A deadline that the group is given later cuts the child, too.
pub async fn a_later_deadline_of_the_group_cuts_the_child_after_set<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let start = g.start(async move |started| {
            let scope = rt.scope();
            let inside = scope.run(async {
                rt.yields(2).await;
                started.set(());
                pending::<Nothing>().await
            });
            inside.await.unwrap()
        });
        let ((), task) = start.await.unwrap();
        g.scope().set_deadline(Some(rt.now() + rt.tick()));
        let cut = Stopped::Cancelled(Reason::Deadline);
        assert_eq!(task.outcome().await, Err(cut));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A stop of the group is heard from `set` on, also by those in the child who wait for one already.
pub async fn a_stop_of_the_group_is_heard_from_set_on<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        g.scope().stop(rt.hour());
        let (give, started) = oneshot::channel();
        let start = g.start(async move |started: Started<()>| {
            let mut heard = pin!(stopping());
            assert!(futures::poll!(heard.as_mut()).is_pending());
            assert!(!is_stopping());
            let scope = rt.scope();
            let deep = scope.run(async {
                let mut heard = pin!(stopping());
                assert!(futures::poll!(heard.as_mut()).is_pending());
                give.send(started).unwrap();
                heard.await;
            });
            deep.await.unwrap();
            heard.await;
            Ok::<_, ()>(is_stopping())
        });
        let set = async {
            let started = started.await.unwrap();
            rt.yields(5).await;
            started.set(());
        };
        let (result, ()) = join!(start, set);
        Ok(result.unwrap().1.await)
    });
    assert_eq!(group.await, Ok(true));
}

/// A stop of the caller is heard before `set`, and no more after it.
pub async fn a_stop_of_the_caller_is_heard_until_set<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        for is_before in [true, false] {
            let scope = rt.scope();
            let (open, gate) = oneshot::channel::<()>();
            let start = g.start(async move |started| {
                if is_before {
                    stopping().await;
                }
                started.set(());
                gate.await.unwrap();
                let heard = futures::poll!(pin!(stopping()));
                Ok::<_, ()>(heard.is_ready() || is_stopping())
            });
            let stop = async {
                rt.yields(5).await;
                if is_before {
                    scope.stop(rt.hour());
                }
            };
            let (result, ()) = join!(scope.run(start), stop);
            let ((), task) = result.unwrap().unwrap();
            scope.stop(rt.hour());
            open.send(()).unwrap();
            assert!(!task.await);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A shield around `set` holds against the caller before it and against the group after it.
pub async fn a_shield_around_set_holds<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        g.cancel();
        let there = log.clone();
        let start = g.start(async move |started| {
            let shielded = shield(async {
                rt.yields(2).await;
                started.set(());
                rt.yields(5).await;
                there.add("complete");
            });
            shielded.await;
            there.add("after it");
            rt.yields(1).await;
            there.add("never");
            Ok::<(), ()>(())
        });
        let ((), task) = start.await.unwrap();
        assert!(task.outcome().await.is_err());
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["complete", "after it"]);
}

/// A thread may call `set` while the child waits for it, and is waited for in the group then.
pub async fn a_thread_around_set_is_waited_for<B: Backend>(rt: Rt<B>) {
    let (alive, latch) = (Alive::default(), Latch::default());
    let group = rt.task_group(async |g| {
        let (life, there) = (alive.born(), latch.clone());
        let start = g.start(async move |started| {
            let call = rt.to_thread(move || {
                started.set(());
                there.wait::<B>();
                drop(life);
            });
            call.await;
            pending::<Nothing>().await
        });
        let ((), task) = start.await.unwrap();
        g.cancel();
        rt.yields(5).await;
        assert_eq!((alive.count(), g.len()), (1, 1));
        latch.open();
        assert!(task.outcome().await.is_err());
        assert_eq!(alive.count(), 0);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// What the child has opened before `set` moves with it: out of the caller's reach, and into that of the group.
pub async fn what_the_child_has_opened_moves_with_it<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let (went_on, has_gone_on) = oneshot::channel::<()>();
        let (alive, there) = (alive.clone(), log.clone());
        let start = g.start(async move |started| {
            let inner = rt.task_group(async move |h| {
                let [child, deep, daemon] = [(); 3].map(|()| alive.born());
                h.spawn_daemon(async move {
                    let _life = daemon;
                    pending().await
                });
                h.spawn(async move {
                    let _life = child;
                    let scope = rt.scope();
                    let innermost = rt.task_group(async |i| {
                        i.spawn(async move {
                            let _life = deep;
                            gate.await.unwrap();
                            rt.yields(5).await;
                            there.add("went on");
                            went_on.send(()).unwrap();
                            shield(rt.yields(10)).await;
                            there.add("shielded");
                            pending::<Nothing>().await
                        });
                        pending::<Nothing>().await
                    });
                    scope.run(innermost).await.unwrap().map_err(drop)
                });
                rt.yields(3).await;
                started.set(());
                pending::<Nothing>().await
            });
            inner.await.map_err(drop)
        });
        let scope = rt.scope();
        let ((), task) = scope.run(start).await.unwrap().unwrap();
        scope.cancel();
        rt.yields(3).await;
        open.send(()).unwrap();
        has_gone_on.await.unwrap();
        g.cancel();
        assert!(task.outcome().await.is_err());
        log.add("ended");
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["went on", "shielded", "ended"]);
    assert_eq!(alive.count(), 0);
}

/// Before `set` the caller reaches what the child has opened, and waits for it.
pub async fn what_the_child_has_opened_is_the_callers_before_set<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let group = rt.task_group(async |g| {
        let (running, is_running) = oneshot::channel::<()>();
        let (life, there) = (alive.born(), log.clone());
        let start = g.start(async move |_started: Started<()>| {
            let inner = rt.task_group(async move |h| {
                h.spawn(async move {
                    let _life = life;
                    running.send(()).unwrap();
                    shield(rt.yields(10)).await;
                    there.add("shielded");
                    pending::<Nothing>().await
                });
                pending::<Nothing>().await
            });
            inner.await.map_err(drop)
        });
        let scope = rt.scope();
        let cancel = async {
            is_running.await.unwrap();
            scope.cancel();
        };
        let (result, ()) = join!(scope.run(start), cancel);
        assert!(result.is_err());
        assert_eq!((log.marks(), alive.count()), (vec!["shielded"], 0));
        Ok("untouched")
    });
    assert_eq!(group.await, Ok("untouched"));
}

/// What a child spawns into the group before it is ready is the group's at once.
pub async fn what_the_child_spawns_into_the_group_is_the_groups<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let (handle, alive) = (g.clone(), Alive::default());
        let start = g.start(async move |_started: Started<()>| {
            let life = alive.born();
            handle.spawn_daemon(async move {
                let _life = life;
                pending().await
            });
            handle.spawn(async move {
                gate.await.unwrap();
                assert_eq!(alive.count(), 1);
                Ok(())
            });
            pending::<Nothing>().await
        });
        assert!(rt.cancelled(start).await.is_err());
        rt.yields(5).await;
        assert_eq!(g.len(), 2);
        open.send(()).unwrap();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// `set` may be called in another task, and on a thread that no runtime knows.
pub async fn set_may_be_called_anywhere<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        for is_thread in [false, true] {
            let (give, started) = oneshot::channel::<Started<_>>();
            let (open, gate) = oneshot::channel::<()>();
            g.spawn(async move {
                let started = started.await.unwrap();
                rt.yields(2).await;
                if is_thread {
                    on_a_fresh_thread(move || started.set(7));
                } else {
                    started.set(7);
                }
                Ok(())
            });
            let start = g.start(async move |started| {
                give.send(started).unwrap();
                Ok::<_, ()>(gate.await.is_ok())
            });
            let (value, task) = start.await.unwrap();
            open.send(()).unwrap();
            assert_eq!((value, task.await), (7, true));
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// If somebody else says that a child is ready, a cancellation of the group reaches whatever waits inside of it.
pub async fn set_by_another_wakes_what_waits_in_the_child<B: Backend>(rt: Rt<B>) {
    for depth in 0..4 {
        let alive = Alive::default();
        let group = rt.task_group(async |g| {
            g.cancel();
            let (give, started) = oneshot::channel::<Started<()>>();
            let life = alive.born();
            let start = g.start(async move |started| {
                let wait = async move {
                    let _life = life;
                    give.send(started).unwrap();
                    pending::<Nothing>().await
                };
                let scope = rt.scope();
                match depth {
                    0 => wait.await,
                    1 => scope.run(wait).await.unwrap(),
                    2 => rt.move_on_after(rt.hour(), wait).await.unwrap(),
                    _ => {
                        let inner = rt.task_group(async |h| {
                            h.spawn(async move { scope.run(wait).await.unwrap() });
                            Ok(())
                        });
                        inner.await.map_err(drop)
                    }
                }
            });
            let set = async {
                let started = started.await.unwrap();
                rt.yields(5).await;
                on_a_fresh_thread(move || started.set(()));
            };
            let (result, ()) = join!(start, set);
            assert!(result.unwrap().1.outcome().await.is_err());
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        assert_eq!(alive.count(), 0);
    }
}

/// A `Started` that outlives its child, and even the group, does no harm.
pub async fn a_started_may_outlive_its_child<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let group = rt.task_group(async |g| {
        for _ in 0..2 {
            let keep = kept.clone();
            let start = g.start(async move |started| {
                keep.lock().unwrap().push(started);
                Ok::<(), ()>(())
            });
            assert_eq!(start.await.map(drop), Err(StartError::NotStarted));
        }
        let early = kept.lock().unwrap().pop().unwrap();
        early.set(alive.born());
        assert_eq!((alive.count(), g.len()), (0, 0));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    let late = kept.lock().unwrap().pop().unwrap();
    late.set(alive.born());
    assert_eq!(alive.count(), 0);
}

/// Cleanups that a child registers before `set` run at its end, whoever it belongs to then.
pub async fn cleanups_registered_before_set_run_at_the_end_of_the_child<B: Backend>(rt: Rt<B>) {
    for end in ["error", "panic", "no set", "caller", "group", "value"] {
        let log = Log::default();
        let group = rt.task_group(async |g| {
            let there = log.clone();
            let start = g.start(async move |started| {
                let in_cleanup = there.clone();
                rt.on_exit(async move {
                    rt.yields(3).await;
                    in_cleanup.add("cleanup");
                });
                rt.yields(1).await;
                match end {
                    "error" => return Err(()),
                    "panic" => std::panic::resume_unwind(Box::new("early")),
                    "no set" => return Ok(()),
                    "caller" => pending().await,
                    _ => started.set(()),
                }
                there.add("set");
                if end == "group" {
                    pending().await
                }
                Ok(())
            });
            let limit = if end == "caller" {
                rt.tick()
            } else {
                rt.hour()
            };
            let result = panic_of(rt.move_on_after(limit, start)).await;
            if let Ok(Some(Ok(((), task)))) = result {
                if end == "group" {
                    g.cancel();
                }
                assert_eq!(task.outcome().await.is_ok(), end == "value");
            }
            log.add("over");
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        let is_set = ["group", "value"].contains(&end);
        let expected = ["set", "cleanup", "over"];
        assert_eq!(log.marks(), expected[usize::from(!is_set)..], "{end}");
    }
}

/// A child may start a helper before it is ready; the helper is the group's when it is ready itself.
pub async fn a_child_may_start_a_helper_before_it_is_ready<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (stop, is_stopped) = oneshot::channel::<()>();
        let handle = g.clone();
        let start = g.start(async move |started| {
            let helper = handle.start(async move |started| {
                rt.yields(2).await;
                started.set("helper");
                Ok(is_stopped.await.is_ok())
            });
            let (name, helper) = helper.await.unwrap();
            started.set(name);
            Ok::<_, ()>(helper.await)
        });
        let (name, server) = start.await.unwrap();
        assert_eq!((name, g.len()), ("helper", 2));
        stop.send(()).unwrap();
        Ok(server.await)
    });
    assert_eq!(group.await, Ok(true));
}

/// A cancelled caller reaches the helper of its child as long as that is not ready, and not after that.
pub async fn a_cancelled_caller_reaches_helpers_that_are_not_ready<B: Backend>(rt: Rt<B>) {
    for is_ready in [false, true] {
        let (alive, log) = (Alive::default(), Log::default());
        let group = rt.task_group(async |g| {
            let (open, gate) = oneshot::channel::<()>();
            let (running, is_running) = oneshot::channel::<()>();
            let (handle, there) = (g.clone(), log.clone());
            let [of_child, of_helper] = [(); 2].map(|()| alive.born());
            let start = g.start(async move |_started: Started<()>| {
                let _life = of_child;
                let helper = handle.start(async move |started: Started<()>| {
                    let _life = of_helper;
                    let mut started = Some(started);
                    if is_ready {
                        started.take().unwrap().set(());
                    }
                    running.send(()).unwrap();
                    shield(rt.yields(5)).await;
                    there.add("saved");
                    gate.await.unwrap();
                    there.add("went on");
                    Ok(())
                });
                drop(helper.await);
                pending::<Nothing>().await
            });
            let scope = rt.scope();
            let cancel = async {
                is_running.await.unwrap();
                scope.cancel();
            };
            let (result, ()) = join!(scope.run(start), cancel);
            assert!(result.is_err());
            let left = usize::from(is_ready);
            assert_eq!((alive.count(), g.len()), (left, left));
            open.send(()).unwrap_or(());
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        let marks = &["saved", "went on"][..=usize::from(is_ready)];
        assert_eq!((&*log.marks(), alive.count()), (marks, 0));
    }
}

/// A child that gets ready while it starts a helper takes the helper along.
pub async fn a_child_that_moves_takes_its_own_starts_along<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        let (handle, life) = (g.clone(), alive.born());
        let (running, is_running) = oneshot::channel::<()>();
        let start = g.start(async move |started| {
            let helper = handle.start(async move |_started: Started<()>| {
                let _life = life;
                running.send(()).unwrap();
                pending::<Nothing>().await
            });
            let set = async {
                is_running.await.unwrap();
                started.set(());
            };
            drop(join!(helper, set).0);
            Ok(())
        });
        let scope = rt.scope();
        let ((), task) = scope.run(start).await.unwrap().unwrap();
        scope.cancel();
        rt.yields(5).await;
        assert_eq!((alive.count(), g.len()), (1, 1));
        g.cancel();
        assert!(task.outcome().await.is_err());
        assert_eq!(alive.count(), 0);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A scope that has ended has no say over a start that was first polled in it and lives on.
pub async fn a_start_may_outlive_the_scope_of_its_first_poll<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let mut start = pin!(g.start(async move |started| {
            gate.await.unwrap();
            rt.yields(2).await;
            started.set(7);
            Ok::<_, ()>(8)
        }));
        let scope = rt.scope();
        let lent = scope.run(async { futures::poll!(start.as_mut()).is_pending() });
        assert_eq!(lent.await, Ok(true));
        scope.cancel();
        rt.yields(3).await;
        open.send(()).unwrap();
        let (value, task) = start.await.unwrap();
        Ok((value, task.await))
    });
    assert_eq!(group.await, Ok((7, 8)));
}

/// What goes wrong at the very moment of `set` comes out once: at the caller, or of the group.
pub async fn an_error_that_races_with_set_comes_out_once<B: Backend>(rt: Rt<B>) {
    const CHILDREN: usize = 300;
    let at_callers = Mutex::new(Vec::new());
    let group = rt.group_options().supervise().run(async |g| {
        let starts = (0..CHILDREN).map(async |n| {
            let (give, started) = oneshot::channel::<Started<_>>();
            g.spawn(async move {
                let started = started.await.unwrap();
                rt.yields(n % 3).await;
                started.set(n);
                Ok(())
            });
            let start = g.start(async move |started| {
                give.send(started).unwrap();
                rt.yields(n / 3 % 4).await;
                Err::<(), _>(n)
            });
            match start.await {
                Ok((value, task)) => {
                    assert_eq!(value, n);
                    assert_eq!(task.outcome().await, Err(Stopped::Failed));
                }
                Err(error) => {
                    assert_eq!(error, StartError::Failed(n));
                    at_callers.lock().unwrap().push(n);
                }
            }
        });
        join_all(starts).await;
        Ok(())
    });
    let in_group = group
        .await
        .map_or_else(|all| all.iter().copied().collect(), |()| vec![]);
    let mut all = [at_callers.into_inner().unwrap(), in_group].concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..CHILDREN));
}

/// The same for a value: the child has started, or it has not and its value is gone.
pub async fn an_end_that_races_with_set_is_one_or_the_other<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        let starts = (0..300).map(async |n: usize| {
            let (give, started) = oneshot::channel::<Started<_>>();
            let said = alive.born();
            g.spawn(async move {
                let started = started.await.unwrap();
                rt.yields(n % 3).await;
                started.set(said);
                Ok::<(), ()>(())
            });
            let value = alive.born();
            let start = g.start(async move |started| {
                give.send(started).unwrap();
                rt.yields(n / 3 % 4).await;
                Ok(value)
            });
            match start.await {
                Ok((_said, task)) => drop(task.await),
                Err(error) => assert_eq!(error, StartError::NotStarted),
            }
        });
        join_all(starts).await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// `set` races with a cancellation of the caller, with one of the group, and with a drop of the start, on whatever
/// threads there are: each child ends, and nothing is left when both groups have ended.
pub async fn set_may_race_with_every_kind_of_end<B: Backend>(rt: Rt<B>) {
    for round in 0..20_usize {
        let alive = Alive::default();
        let ended = Arc::new(AtomicUsize::new(0));
        let group = rt.task_group(async |g| {
            let callers = rt.task_group(async |c| {
                for n in 0..100_usize {
                    let (g, alive, ended) = (g.clone(), alive.clone(), ended.clone());
                    let scope = rt.scope();
                    c.spawn(one_caller(rt, g, scope.clone(), n, alive, ended));
                    c.spawn(async move {
                        rt.yields(n % 4).await;
                        if n % 3 == 0 {
                            scope.cancel();
                        }
                        Ok(())
                    });
                }
                rt.yields(round % 7).await;
                if round % 4 == 1 {
                    g.cancel();
                }
                Ok::<(), ()>(())
            });
            assert_eq!(callers.await, Ok(()));
            g.cancel();
            Ok::<(), ()>(())
        });
        assert_eq!(group.await, Ok(()));
        assert_eq!(alive.count(), 0, "in round {round}");
        assert_eq!(ended.load(Ordering::SeqCst), 100, "in round {round}");
    }
}

/// Starts one child that gets ready after a while and then has no end; may be cancelled, or drop the start.
async fn one_caller<B: Backend>(
    rt: Rt<B>,
    g: TaskGroup<B, ()>,
    scope: CancelScope<B>,
    n: usize,
    alive: Alive,
    ended: Arc<AtomicUsize>,
) -> Nothing {
    let _life = alive.born();
    let [life, said, deep] = [(); 3].map(|()| alive.born());
    let end = on_drop(move || {
        ended.fetch_add(1, Ordering::SeqCst);
    });
    let start = g.start(async move |started| {
        let _life = (life, end);
        let inner = rt.task_group(async move |h| {
            h.spawn(async move {
                let _life = deep;
                shield(rt.yields(n % 5)).await;
                pending::<Nothing>().await
            });
            rt.yields(n / 5 % 4).await;
            if n % 2 == 0 {
                started.set(said);
            } else {
                rt.to_thread(move || started.set(said)).await;
            }
            pending::<Nothing>().await
        });
        inner.await.map_err(drop)
    });
    let limit = if n % 3 == 1 { n % 5 + 1 } else { usize::MAX };
    match scope.run(drop_at_pending(limit, start)).await {
        Ok(Some(Ok((said, task)))) => {
            drop(said);
            if n % 7 == 0 {
                assert!(task.cancel().await.is_none());
            }
        }
        Ok(Some(Err(error))) => panic!("{error:?}"),
        Ok(None) | Err(_) => {}
    }
    Ok(())
}

/// `set` may be called by a thread at any moment of the child's first poll, too: a group that is cancelled reaches it.
pub async fn a_thread_may_call_set_while_the_child_is_polled_first<B: Backend>(rt: Rt<B>) {
    let (give, given) = channel::<(usize, Started<()>)>();
    let set = move || {
        for (delay, started) in given {
            (0..delay).for_each(|_| spin_loop());
            started.set(());
        }
    };
    let setter = rt.to_thread(|| B::wait_outside(set));
    let starts = async move {
        for round in 0..2000 {
            let group = rt.task_group(async |g| {
                g.cancel();
                let start = g.start(|started| {
                    give.send((round % 100 * 4, started)).unwrap();
                    pending::<Nothing>()
                });
                let ((), task) = start.await.unwrap();
                assert!(task.outcome().await.is_err());
                Ok(())
            });
            assert_eq!(group.await, Ok(()));
        }
    };
    join!(setter, starts);
}

/// Whatever is cancelled at any of its `Pending`s, before `set` and after it, is waited for.
pub async fn starts_may_be_cancelled_at_every_pending<B: Backend>(rt: Rt<B>) {
    let rounds = cancel_at_every_pending(rt, |alive| nested_starts(rt, alive)).await;
    assert!(rounds > 3, "only {rounds} rounds");
}

/// Whatever is dropped at any of its `Pending`s, before `set` and after it, is waited for.
pub async fn starts_may_be_dropped_at_every_pending<B: Backend>(rt: Rt<B>) {
    let rounds = drop_at_every_pending(rt, |alive| nested_starts(rt, alive)).await;
    assert!(rounds > 3, "only {rounds} rounds");
}

/// Starts into the own group, into one around it, one inside the other, well and badly.
async fn nested_starts<B: Backend>(rt: Rt<B>, alive: Alive) {
    let _life = alive.born();
    let outer = rt.task_group(async |g| {
        let inner = rt.task_group(async |h: TaskGroup<B, ()>| {
            let [of_server, of_helper, early, said] = [(); 4].map(|()| alive.born());
            let (there, helpers) = (g.clone(), h.clone());
            let start = there.start(async move |started| {
                let _life = of_server;
                let failed = there_fails(rt, &helpers, early).await;
                assert!(failed.is_err());
                let helper = helpers.start(async move |started| {
                    let _life = of_helper;
                    shield(rt.yields(2)).await;
                    started.set(());
                    rt.yields(2).await;
                    shield(rt.yields(2)).await;
                    Ok(())
                });
                let started_helper = helper.await;
                drop(helpers);
                started.set(said);
                drop(started_helper);
                rt.yields(4).await;
                Ok::<_, ()>(1)
            });
            let (said, server) = start.await.map_err(drop)?;
            rt.yields(2).await;
            drop(said);
            Ok(server)
        });
        let server = inner.await.map_err(drop)?;
        rt.yields(1).await;
        Ok(server.await)
    });
    drop(outer.await);
}

/// Starts a child that fails before it is ready.
async fn there_fails<B: Backend>(
    rt: Rt<B>,
    g: &TaskGroup<B, ()>,
    life: Life,
) -> Result<(), StartError<()>> {
    let start = g.start(async move |_started: Started<()>| {
        let _life = life;
        rt.yields(2).await;
        Err::<(), _>(())
    });
    start.await.map(drop)
}

/// A scope that has ended has no say over what outlives it: a child that was ready while its caller was cancelled for
/// a moment has started after all.
pub async fn a_child_that_was_ready_in_a_scope_that_has_ended_has_started<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (give, started) = oneshot::channel();
        let (open, gate) = oneshot::channel::<()>();
        let mut start = pin!(g.start(async move |started: Started<i32>| {
            give.send(started).unwrap();
            shield(gate).await.ok();
            pending::<Result<(), ()>>().await
        }));
        let scope = rt.scope();
        let lent = scope.run(async {
            assert!(futures::poll!(start.as_mut()).is_pending());
            let started = started.await.unwrap();
            scope.cancel();
            started.set(7);
        });
        assert_eq!(lent.await, Ok(()));
        open.send(()).unwrap();
        let (value, _) = start.await.unwrap();
        assert_eq!(value, 7);
        g.cancel();
        Ok::<_, ()>(())
    });
    assert_eq!(group.await, Ok(()));
}
