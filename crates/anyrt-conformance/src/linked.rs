//! Linked scopes: one handle over several futures at once, also in different tasks and below different scopes.

use std::future::{pending, ready};
use std::sync::OnceLock;

use anyrt_core::{Backend, CancelScope, Reason, Stopped, is_stopping, shield, stopping};
use futures::channel::oneshot;
use futures::future::{join, join_all};
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{FutureExt, join, poll};

use crate::probe::{Alive, Log, because};
use crate::rt::Rt;

/// Each run is cut where it waits: one that is held keeps no other waiting, in the same task or in another one.
pub async fn a_held_run_keeps_no_other_waiting<B: Backend>(rt: Rt<B>) {
    let (scope, log) = (rt.scope(), Log::default());
    let (open, gate) = oneshot::channel::<()>();
    let held = async {
        let held = scope.run(shield(gate));
        assert_eq!(held.await, Ok(Ok(())));
        log.add("held");
    };
    let free = async {
        let group = rt.task_group(async |g| {
            let scope = scope.clone();
            let child =
                g.spawn(async move { Ok::<_, ()>(scope.run(pending::<()>()).await.is_err()) });
            Ok(child.await)
        });
        let (here, there) = join(scope.run(pending::<()>()), group).await;
        assert_eq!((here.is_err(), there), (true, Ok(true)));
        log.add("free");
        open.send(()).unwrap();
    };
    let cancel = async {
        rt.yields(3).await;
        scope.cancel();
    };
    join!(held, free, cancel);
    assert_eq!(log.marks(), ["free", "held"]);
}

/// A run that is cut by a scope around it takes none of the others along, and the handle is not cancelled by that.
pub async fn a_run_that_is_cut_from_outside_leaves_the_others_alone<B: Backend>(rt: Rt<B>) {
    let (scope, outer, log) = (rt.scope(), rt.scope(), Log::default());
    let cut = outer.run(async {
        let _ = scope.run(pending::<()>()).await;
        log.add("after the run that was cut");
    });
    let other = scope.run(async {
        rt.yields(3).await;
        outer.cancel_with("outer");
        rt.yields(3).await;
        7
    });
    let (cut, other) = join!(cut, other);
    assert_eq!(cut.unwrap_err().reason(), &because("outer"));
    assert_eq!((other, scope.is_cancelled()), (Ok(7), false));
    assert!(log.marks().is_empty());
}

/// Who catches is a question of each run: below a scope that is cancelled as well that one does, elsewhere the run.
pub async fn who_catches_is_decided_for_each_run<B: Backend>(rt: Rt<B>) {
    for outer_first in [true, false] {
        let (scope, outer, log) = (rt.scope(), rt.scope(), Log::default());
        let below = outer.run(async {
            let _ = scope.run(pending::<()>()).await;
            log.add("after the run below the other scope");
        });
        let shielded = outer.run(shield(scope.run(pending::<()>())));
        let cancel = async {
            rt.yields(2).await;
            if outer_first {
                outer.cancel_with("outer");
            }
            scope.cancel_with("linked");
            outer.cancel_with("outer");
        };
        let (below, shielded, alone, ()) =
            join!(below, shielded, scope.run(pending::<()>()), cancel);
        assert_eq!(below.unwrap_err().reason(), &because("outer"));
        assert_eq!(shielded.unwrap().unwrap_err().reason(), &because("linked"));
        assert_eq!(alone.unwrap_err().reason(), &because("linked"));
        assert!(log.marks().is_empty());
    }
}

/// A time limit counts from the first entry, for those who enter later and in other tasks as well.
pub async fn a_time_limit_is_one_for_all_runs<B: Backend>(rt: Rt<B>) {
    let scope = CancelScope::<B>::with_timeout(rt.hour());
    let first = scope.run(async { rt.effective_deadline() }).await.unwrap();
    rt.sleep(rt.tick()).await;
    let group = rt.task_group(async |g| {
        let children = (0..5).map(|_| {
            let scope = scope.clone();
            let seen = async move { scope.run(async { rt.effective_deadline() }).await };
            g.spawn(seen.map(Ok::<_, ()>))
        });
        Ok(join_all(children.collect::<Vec<_>>()).await)
    });
    assert_eq!(group.await, Ok(vec![Ok(first); 5]));
    assert!(first.is_some() && first == scope.deadline());
}

/// A deadline that is moved in one run is at once that of all others, at whatever depth and in whatever task.
pub async fn a_moved_deadline_is_seen_in_every_run_at_once<B: Backend>(rt: Rt<B>) {
    let (scope, now) = (rt.scope(), rt.now());
    let (ask, questions): (Vec<_>, Vec<_>) = (0..4)
        .map(|_| futures::channel::mpsc::unbounded::<oneshot::Sender<_>>())
        .unzip();
    let group = rt.task_group(async |g| {
        for (depth, mut questions) in questions.into_iter().enumerate() {
            let scope = scope.clone();
            g.spawn(async move {
                let mut answers = async move {
                    while let Some(reply) = questions.next().await {
                        let _ = reply.send(rt.effective_deadline());
                    }
                }
                .boxed();
                for _ in 0..depth {
                    answers = rt.scope().run(answers).map(Result::unwrap).boxed();
                }
                assert_eq!(scope.run(answers).await, Ok(()));
                Ok::<_, ()>(())
            });
        }
        let moves = scope.run(async {
            for hours in [Some(3), Some(2), None, Some(5), Some(1)] {
                let deadline = hours.map(|hours| now + hours * rt.hour());
                scope.set_deadline(deadline);
                for ask in &ask {
                    let (reply, answer) = oneshot::channel();
                    ask.unbounded_send(reply).unwrap();
                    assert_eq!(answer.await, Ok(deadline));
                }
            }
        });
        assert_eq!(moves.await, Ok(()));
        drop(ask);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Each run heeds the earlier of the common deadline and those around it, and only the common one ends the others.
pub async fn each_run_heeds_the_deadlines_around_it<B: Backend>(rt: Rt<B>) {
    let (near, far) = (rt.now() + rt.tick(), rt.now() + rt.hour());
    let scope = CancelScope::<B>::with_deadline(far);
    let seen = OnceLock::new();
    let early = rt.move_on_at(near, scope.run(pending::<()>()));
    let late = scope.run(async {
        seen.set(rt.effective_deadline()).unwrap();
        pending::<()>().await;
    });
    let both = async {
        assert_eq!(early.await, None);
        assert!(!scope.is_cancelled() && rt.now() >= near);
        scope.set_deadline(Some(rt.now() + rt.tick()));
    };
    let (late, ()) = join!(late, both);
    assert_eq!(seen.get(), Some(&Some(far)));
    assert_eq!(late.unwrap_err().reason(), &Reason::Deadline);
}

/// A run may cancel the handle: it gives its own value if it is ready, and the others are cut.
pub async fn a_run_may_cancel_the_others<B: Backend>(rt: Rt<B>) {
    let (scope, alive) = (rt.scope(), Alive::default());
    let group = rt.task_group(async |g| {
        let others = (0..5).map(|_| {
            let (scope, life) = (scope.clone(), alive.born());
            g.spawn(async move {
                let waits = async {
                    pending::<()>().await;
                    drop(life);
                };
                Ok::<_, ()>(scope.run(waits).await.is_err())
            })
        });
        let others: Vec<_> = others.collect();
        let winner = scope.run(async {
            rt.yields(3).await;
            scope.cancel_with("enough");
            7
        });
        assert_eq!(winner.await, Ok(7));
        Ok(join_all(others).await)
    });
    assert_eq!(group.await, Ok(vec![true; 5]));
    assert_eq!(alive.count(), 0);
}

/// A stop of the handle is heard in every run, also in those that are entered later, and its end is one for all.
pub async fn a_stop_is_heard_in_every_run<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let group = rt.task_group(async |g| {
        let children = (0..5).map(|_| {
            let scope = scope.clone();
            let run = async move {
                let run = scope.run(async {
                    stopping().await;
                    shield(rt.yields(2)).await;
                    pending::<()>().await;
                });
                run.await
            };
            g.spawn(run.map(Ok::<_, ()>))
        });
        let children: Vec<_> = children.collect();
        rt.yields(3).await;
        scope.stop(rt.tick());
        let late = scope.run(async { is_stopping() }).await;
        Ok((late, join_all(children).await))
    });
    let (late, children) = group.await.unwrap();
    // On a slow machine the grace may be over already; what is ready wins all the same.
    assert_eq!(late, Ok(true));
    let is_shut_down = |run: &Result<(), anyrt_core::Cancelled>| {
        run.as_ref().unwrap_err().reason() == &Reason::Shutdown
    };
    assert!(children.iter().all(is_shut_down), "{children:?}");
}

/// Children of several groups may share a scope; to cancel it is no failure of these groups, nor their end.
pub async fn a_scope_may_link_children_of_several_groups<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let group = || {
        let (linked, idle) = (scope.clone(), scope.clone());
        rt.task_group(async move |g| {
            let part = g.spawn(async move { Ok::<_, ()>(linked.run(pending::<()>()).await) });
            let rest = g.spawn(async move {
                idle.cancelled().await;
                rt.yields(3).await;
                Ok("the rest goes on")
            });
            Ok((part.await.unwrap_err(), rest.await))
        })
    };
    let cancel = async {
        rt.yields(3).await;
        scope.cancel_with("linked");
    };
    let (first, second, ()) = join!(group(), group(), cancel);
    for group in [first, second] {
        let (part, rest) = group.unwrap();
        assert_eq!(part.reason(), &because("linked"));
        assert_eq!(rest, "the rest goes on");
    }
}

/// The scope of a group may be linked as well: a future in another group then ends with the children of that one.
pub async fn the_scope_of_a_group_may_link_a_future_elsewhere<B: Backend>(rt: Rt<B>) {
    let children = OnceLock::new();
    let first = rt.task_group(async |g| {
        let child = g.spawn(pending::<Result<(), ()>>());
        children.set(g.scope().clone()).unwrap();
        rt.yields(5).await;
        g.scope().cancel_with("first group");
        Ok(child.outcome().await.is_err())
    });
    let second = rt.task_group(async |g| {
        while children.get().is_none() {
            rt.yields(1).await;
        }
        let elsewhere = children.get().unwrap().clone();
        let linked = g.spawn(async move { Ok::<_, ()>(elsewhere.run(pending::<()>()).await) });
        let other = g.spawn(async move {
            rt.yields(8).await;
            Ok(7)
        });
        Ok((linked.await.unwrap_err(), other.await))
    });
    let (first, second) = join!(first, second);
    assert_eq!(first, Ok(true));
    let (linked, other) = second.unwrap();
    assert_eq!((linked.reason(), other), (&because("first group"), 7));
}

/// A child may run something under the scope of its own group; that scope catches around the child, not inside it.
pub async fn a_child_under_the_scope_of_its_own_group_is_cut_as_a_whole<B: Backend>(rt: Rt<B>) {
    for round in 0..300 {
        let group = rt.task_group(async |g| {
            let own = g.scope().clone();
            let child = g.spawn(async move {
                let _ = own.run(pending::<()>()).await;
                Ok::<_, ()>("after the run")
            });
            rt.yields(round % 4).await;
            g.scope().cancel_with("children");
            Ok(child.outcome().await)
        });
        let cut = Err(Stopped::Cancelled(because("children")));
        assert_eq!(group.await, Ok(cut), "round {round}");
    }
}

/// A run that is dropped leaves the others as they were: their deadline still fires, and they can be cancelled.
pub async fn a_dropped_run_leaves_the_others_as_they_were<B: Backend>(rt: Rt<B>) {
    for by_deadline in [true, false] {
        let scope = CancelScope::<B>::with_timeout(rt.hour());
        let mut runs: Vec<_> = (0..6)
            .map(|_| Box::pin(scope.run(pending::<()>())))
            .collect();
        for run in &mut runs {
            assert!(poll!(run).is_pending());
        }
        // Whichever of them it is that watches the time.
        for index in [0, 2, 3] {
            drop(runs.remove(index));
        }
        if by_deadline {
            scope.set_deadline(Some(rt.now() + rt.tick()));
        } else {
            scope.cancel();
        }
        let runs = FuturesUnordered::from_iter(runs);
        let ends: Vec<_> = runs.map(|run| run.is_err()).collect().await;
        assert_eq!(ends, [true; 3]);
    }
}

/// A handle that nobody has any more still governs its runs: its deadline ends them.
pub async fn runs_may_outlive_the_last_handle<B: Backend>(rt: Rt<B>) {
    let scope = CancelScope::<B>::with_timeout(rt.tick());
    let runs = [scope.run(pending::<()>()), scope.run(pending::<()>())];
    let watcher = scope.cancelled();
    drop(scope);
    let (runs, ()) = join!(join_all(runs), watcher);
    for run in runs {
        assert_eq!(run.unwrap_err().reason(), &Reason::Deadline);
    }
}

/// Runs may be entered and left in many tasks while a thread cancels: each ends with its value or with the reason.
pub async fn runs_come_and_go_while_a_thread_cancels<B: Backend>(rt: Rt<B>) {
    for round in 0..30_usize {
        let (scope, alive) = (rt.scope(), Alive::default());
        let group = rt.task_group(async |g| {
            for n in 0..8 {
                let (scope, alive) = (scope.clone(), alive.clone());
                g.spawn(async move {
                    loop {
                        let life = alive.born();
                        let work = async move {
                            rt.yields(n % 4).await;
                            drop(life);
                        };
                        match scope.run(work).await {
                            Ok(()) if n % 4 == 0 && scope.is_cancelled() => return Ok::<_, ()>(()),
                            Ok(()) => rt.yields(1).await,
                            Err(cancelled) => {
                                assert_eq!(cancelled.reason(), &because("thread"));
                                return Ok(());
                            }
                        }
                    }
                });
            }
            let cancel = scope.clone();
            let call = rt.to_thread(move || {
                (0..round * 100).for_each(|_| std::hint::spin_loop());
                cancel.cancel_with("thread");
            });
            call.await;
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        assert_eq!(alive.count(), 0);
        assert_eq!(scope.run(ready(7)).await, Ok(7));
    }
}
