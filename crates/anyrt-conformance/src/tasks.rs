//! The handles of children: awaiting them, asking how they ended, cancelling them one by one.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use anyrt_core::{Backend, Reason, Stopped, shield};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{Either, join, join_all, select};

use super::flavour::{Rt, Task};
use crate::probe::{Alive, Log, panic_of, polls};

/// Awaiting gives `T`; in which order the handles are awaited is up to the user.
pub async fn awaiting_gives_the_value_in_any_order<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let spawn = |n: usize| {
            g.spawn(async move {
                rt.yields(n % 7).await;
                Ok::<_, ()>(n)
            })
        };
        let forward = join_all((0..100).map(spawn)).await;
        assert!(forward.into_iter().eq(0..100));
        let tasks: Vec<_> = (0..100).map(spawn).collect();
        for (n, task) in tasks.into_iter().enumerate().rev() {
            assert_eq!(task.await, n);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Dropping a `Task` never cancels: the group owns the child.
pub async fn dropping_a_handle_changes_nothing<B: Backend>(rt: Rt<B>) {
    let ended = Arc::new(AtomicUsize::new(0));
    let group = rt.task_group(async |g| {
        for n in 0..20 {
            let ended = ended.clone();
            let mut task = g.spawn(async move {
                rt.yields(n % 5).await;
                ended.fetch_add(1, Ordering::SeqCst);
                Ok::<_, ()>(())
            });
            if n % 2 == 0 {
                let _ = futures::poll!(&mut task);
            }
            drop(task);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(ended.load(Ordering::SeqCst), 20);
}

/// `outcome` says how each child ended; handles may leave the group and be asked after its end.
pub async fn outcome_says_how_a_child_ended<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let value = g.spawn(async { Ok::<_, ()>(1) });
        let cancelled = g.spawn(pending::<Result<i32, ()>>());
        assert_eq!(value.outcome().await, Ok(1));
        g.cancel();
        let reason = Reason::Explicit(None);
        assert_eq!(cancelled.outcome().await, Err(Stopped::Cancelled(reason)));
        Ok(g)
    });
    let closed = group.await.unwrap().spawn(async { Ok(1) });
    assert_eq!(closed.outcome().await, Err(Stopped::Closed));

    for panics in [false, true] {
        let tasks = Mutex::new(Vec::new());
        let group = rt.task_group(async |g| {
            let sibling = g.spawn(pending::<Result<(), ()>>());
            let bad = g.spawn_named("bad", async move {
                assert!(!panics, "bad child");
                Err(())
            });
            *tasks.lock().unwrap() = vec![bad, sibling];
            Ok(())
        });
        assert_ne!(panic_of(group).await, Ok(Ok(())));
        let tasks = tasks.into_inner().unwrap();
        let outcomes = join_all(tasks.into_iter().map(Task::outcome)).await;
        let expected = if panics {
            Stopped::Panicked
        } else {
            Stopped::Failed
        };
        assert_eq!(outcomes[0], Err(expected));
        let reason = Reason::ChildFailed(Some("bad".into()));
        assert_eq!(
            outcomes[1],
            Err(Stopped::Cancelled(reason)),
            "the one who failed has a name"
        );
    }
}

/// Reasons: a child that was cut from outside names the first cause there.
pub async fn the_outcome_of_a_child_cut_from_outside_names_the_cause<B: Backend>(rt: Rt<B>) {
    let task = Mutex::new(None);
    let scope = rt.scope();
    let group = rt.task_group(async |g| {
        *task.lock().unwrap() = Some(g.spawn(pending::<Result<(), ()>>()));
        rt.yields(2).await;
        scope.cancel_with("enough");
        g.cancel();
        Ok(())
    });
    assert!(scope.run(group).await.is_err());
    let outcome = task.into_inner().unwrap().unwrap().outcome().await;
    let reason = Reason::Explicit(Some("enough".into()));
    assert_eq!(outcome, Err(Stopped::Cancelled(reason)));
}

/// `is_finished` turns true when the child has ended, with a value or without, and not before.
pub async fn is_finished_says_that_the_child_has_ended<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (gate, open) = oneshot::channel::<()>();
        let value = g.spawn(async {
            open.await.ok();
            Ok::<_, ()>(1)
        });
        rt.yields(5).await;
        assert!(!value.is_finished());
        drop(gate);
        while !value.is_finished() {
            rt.yields(1).await;
        }
        assert_eq!(value.await, 1);

        let alive = Alive::default();
        let life = alive.born();
        let cut = g.spawn(async {
            let _life = life;
            pending::<Result<(), ()>>().await
        });
        rt.yields(5).await;
        assert!(!cut.is_finished());
        g.cancel();
        while !cut.is_finished() {
            rt.yields(1).await;
        }
        assert_eq!(alive.count(), 0);
        assert!(cut.outcome().await.is_err());
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Rule 1 seen from a handle: when the group has returned, no child is unfinished.
pub async fn every_child_is_finished_once_its_group_has_returned<B: Backend>(rt: Rt<B>) {
    for round in 0..200 {
        let group = rt.task_group(async |g| {
            let spawn = |n: usize| {
                g.spawn(async move {
                    rt.yields(n % 3).await;
                    Ok::<_, ()>(n)
                })
            };
            Ok((0..4).map(spawn).collect::<Vec<_>>())
        });
        let tasks = group.await.unwrap();
        assert!(tasks.iter().all(Task::is_finished), "round {round}");
        assert_eq!(join_all(tasks).await, [0, 1, 2, 3]);
    }
}

/// `cancel` waits until the child is dropped, and touches neither the siblings nor the body.
pub async fn cancel_stops_one_child_and_waits_for_it<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let (gate, open) = oneshot::channel::<()>();
        let sibling = g.spawn(async {
            open.await.ok();
            Ok::<_, ()>(2)
        });
        let mark = log.on_drop("dropped");
        let child = g.spawn(async move {
            let _mark = mark;
            pending::<Result<i32, ()>>().await
        });
        rt.yields(2).await;
        assert_eq!(child.cancel().await, None);
        log.add("cancelled");
        assert_eq!(g.len(), 1);
        assert!(!g.scope().is_cancelled() && !sibling.is_finished());
        rt.yields(2).await;
        drop(gate);
        assert_eq!(sibling.await, 2);
        assert_eq!(g.spawn(async { Ok(3) }).await, 3);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["dropped", "cancelled"]);
}

/// A result that is there, or is ready when the child is polled, beats `cancel`.
pub async fn cancel_gives_the_value_of_a_child_that_was_done<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let done = g.spawn(async { Ok::<_, ()>(1) });
        while !done.is_finished() {
            rt.yields(1).await;
        }
        assert_eq!(done.cancel().await, Some(1));
        let unpolled = g.spawn(async { Ok(2) });
        assert_eq!(unpolled.cancel().await, Some(2));
        let (waits, count) = polls(pending::<Result<(), ()>>());
        assert_eq!(g.spawn(waits).cancel().await, None);
        // Twice if it was polled already when it came to be cancelled.
        assert!((1..=2).contains(&count.load(Ordering::SeqCst)));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// What holds the child is waited for: a shield, a group, a thread.
pub async fn cancel_waits_for_what_holds_the_child<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let alive = Alive::default();
        let life = alive.born();
        let (gate, open) = oneshot::channel::<()>();
        let shielded = g.spawn(async move {
            let _life = life;
            shield(open).await.ok();
            rt.yields(1).await;
            Ok::<_, ()>("not cut")
        });
        let open_later = async {
            rt.yields(10).await;
            assert_eq!(alive.count(), 1);
            drop(gate);
        };
        rt.yields(3).await;
        assert_eq!(join(shielded.cancel(), open_later).await.0, None);
        assert_eq!(alive.count(), 0);

        let inner = alive.clone();
        let (gate, open) = oneshot::channel::<()>();
        let nested = g.spawn(async move {
            let inner = rt.task_group(async |g| {
                let life = inner.born();
                g.spawn(async move {
                    let _life = life;
                    shield(open).await.ok();
                    pending::<Result<(), ()>>().await
                });
                pending::<Result<(), ()>>().await
            });
            inner.await.map_err(drop)
        });
        let open_later = async {
            rt.yields(10).await;
            drop(gate);
        };
        rt.yields(3).await;
        assert_eq!(join(nested.cancel(), open_later).await.0, None);
        assert_eq!(alive.count(), 0);

        let (started, has_started) = oneshot::channel();
        let life = alive.born();
        let thread = g.spawn(async move {
            let call = rt.to_thread(move || {
                started.send(()).unwrap();
                std::thread::sleep(Duration::from_millis(2));
                drop(life);
            });
            call.await;
            Ok(alive.count())
        });
        has_started.await.unwrap();
        assert_eq!(
            thread.cancel().await,
            Some(0),
            "the thread was waited for, and all else was ready"
        );
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// The docs of `cancel`: if its future is dropped, the child stays cancelled, and the group waits for it.
pub async fn cancel_that_is_given_up_has_cancelled<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for yields in [0, 3] {
            let life = alive.born();
            let child = g.spawn(async move {
                let _life = life;
                shield(rt.yields(5)).await;
                pending::<Result<(), ()>>().await
            });
            rt.yields(yields).await;
            let mut cancel = Box::pin(child.cancel());
            let _ = futures::poll!(&mut cancel);
            drop(cancel);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// Rule 4 has no say over a child that fails although it was cancelled: an error is an error.
pub async fn a_cancelled_child_that_fails_has_failed<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let child = g.spawn(async move {
            shield(rt.yields(5)).await;
            Err::<(), _>("failed in its cleanup")
        });
        rt.yields(1).await;
        assert_eq!(child.cancel().await, None);
        pending::<Result<(), _>>().await
    });
    assert_eq!(
        group.await.unwrap_err().into_first(),
        "failed in its cleanup"
    );
}

/// Many at once, from several places, while the children come to their ends.
pub async fn cancel_may_come_at_any_moment<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for round in 0..100 {
            let children: Vec<_> = (0..6)
                .map(|n| {
                    let life = alive.born();
                    g.spawn(async move {
                        rt.yields(n).await;
                        drop(life);
                        Ok::<_, ()>(n)
                    })
                })
                .collect();
            rt.yields(round % 8).await;
            let ended = join_all(children.into_iter().map(Task::cancel)).await;
            assert!(
                (0..)
                    .zip(ended)
                    .all(|(n, value)| value.is_none_or(|value| value == n))
            );
            assert_eq!(alive.count(), 0);
            assert_eq!(g.len(), 0);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Outside of the group nobody cancels the awaiter, so it is told by a panic, which names the way out.
pub async fn awaiting_a_child_without_a_value_outside_of_its_group_panics<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let child = g.spawn(pending::<Result<(), ()>>());
        g.cancel();
        Ok((g, child))
    });
    let (g, child) = group.await.unwrap();
    for (task, says) in [(child, "cancelled"), (g.spawn(async { Ok(()) }), "ended")] {
        let message = panic_of(task).await.unwrap_err();
        assert!(
            message.contains("outcome()") && message.contains(says),
            "{message}"
        );
        assert!(
            message.contains("tasks.rs"),
            "says where it was spawned: {message}"
        );
    }
}

/// After `g.cancel()` the body goes on, so awaiting a child that was cut is an error in the body.
pub async fn awaiting_a_child_after_cancelling_the_group_panics<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let child = g.spawn(pending::<Result<(), ()>>());
        g.cancel();
        child.await;
        Ok(())
    });
    let message = panic_of(group).await.unwrap_err();
    assert!(message.contains("outcome()"), "{message}");
}

/// A shielded awaiter is not being cancelled either, and must not wait for ever.
pub async fn awaiting_a_failed_child_inside_a_shield_panics<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let child = g.spawn(async { Err::<(), _>("failed") });
        shield(child).await;
        Ok(())
    });
    let message = panic_of(group).await.unwrap_err();
    assert!(message.contains("outcome()"), "{message}");
}

/// An awaiter that is being cancelled is dropped and does not panic.
pub async fn awaiting_a_child_without_a_value_in_a_cancelled_scope_does_not_panic<B: Backend>(
    rt: Rt<B>,
) {
    let task = child_without_a_value(rt).await;
    assert_eq!(
        panic_of(rt.cancelled(task))
            .await
            .map(|result| result.is_err()),
        Ok(true)
    );

    let task = child_without_a_value(rt).await;
    let scope = rt.scope();
    let run = scope.run(async {
        scope.cancel();
        task.await;
    });
    assert_eq!(panic_of(run).await.map(|result| result.is_err()), Ok(true));
}

/// The clock decides, not the timer: who awaits under a deadline that has passed is being cancelled.
pub async fn awaiting_a_child_without_a_value_after_a_deadline_does_not_panic<B: Backend>(
    rt: Rt<B>,
) {
    let task = child_without_a_value(rt).await;
    assert_eq!(
        panic_of(rt.move_on_after(Duration::ZERO, task)).await,
        Ok(None)
    );
}

/// A child that is being cancelled by its `Task` is being cancelled, too.
pub async fn awaiting_a_child_without_a_value_in_a_cancelled_child_does_not_panic<B: Backend>(
    rt: Rt<B>,
) {
    let task = child_without_a_value(rt).await;
    let (gate, open) = oneshot::channel::<()>();
    let group = rt.task_group(async |g| {
        let awaiter = g.spawn(async move {
            open.await.ok();
            // Held, but from here on it knows that it is cancelled.
            shield(rt.yields(1)).await;
            task.await;
            Ok::<_, ()>(())
        });
        rt.yields(3).await;
        // Polled in this order: it is cancelled first.
        Ok(join(awaiter.cancel(), async { drop(gate) }).await.0)
    });
    assert_eq!(panic_of(group).await, Ok(Ok(None)));
}

/// Failure order: the group is cancelled before a handle reports a failure, so nobody inside ever sees one.
pub async fn inside_the_group_awaiting_a_failing_child_never_panics<B: Backend>(rt: Rt<B>) {
    for round in 0..300 {
        let group = rt.task_group(async |g| {
            let failing = g.spawn(async move {
                rt.yields(round % 5).await;
                Err::<(), _>("failed")
            });
            if round % 2 == 0 {
                failing.await;
            } else {
                g.spawn(async move {
                    failing.await;
                    Ok(())
                });
            }
            pending::<Result<(), _>>().await
        });
        let error = panic_of(group).await.unwrap().unwrap_err();
        assert_eq!((error.first, error.rest.len()), ("failed", 0));
    }
}

/// Failure order: who learns of a failure by `outcome` is cancelled already, at the next `Pending`.
pub async fn who_sees_a_child_fail_is_cancelled_already<B: Backend>(rt: Rt<B>) {
    for round in 0..300 {
        let panics = round % 3 == 0;
        let passed = Arc::new(AtomicUsize::new(0));
        let group = rt.task_group(async |g| {
            let failing = g.spawn(async move {
                rt.yields(round % 4).await;
                assert!(!panics, "panicked");
                Err::<(), _>("failed")
            });
            let went_on = passed.clone();
            let watch = async move {
                assert!(failing.outcome().await.is_err());
                rt.yields(1).await;
                went_on.fetch_add(1, Ordering::SeqCst);
                Ok(())
            };
            if round % 2 == 0 {
                watch.await?;
            } else {
                g.spawn(watch).await;
            }
            Ok(())
        });
        assert_ne!(panic_of(group).await, Ok(Ok(())));
        assert_eq!(passed.load(Ordering::SeqCst), 0, "round {round}");
    }
}

/// A handle is a value: it may be awaited in a child of quite another group, on another thread.
pub async fn a_handle_may_be_awaited_in_another_group<B: Backend>(rt: Rt<B>) {
    let outer = rt.task_group(async |outer| {
        let (gate, open) = oneshot::channel::<()>();
        let mut child = outer.spawn(async {
            open.await.ok();
            Ok::<_, ()>(5)
        });
        // Its waker is that of the body now.
        assert!(futures::poll!(&mut child).is_pending());
        let inner = rt.task_group(async |inner| {
            let sum = inner.spawn(async move { Ok::<_, ()>(child.await + 1) });
            rt.yields(3).await;
            drop(gate);
            Ok(sum.await)
        });
        Ok(inner.await.unwrap())
    });
    assert_eq!(outer.await, Ok(6));
}

/// Awaiting `&mut task` may be given up and begun again.
pub async fn a_handle_that_lost_a_race_may_be_awaited_again<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (gate, open) = oneshot::channel::<()>();
        let mut task = g.spawn(async {
            open.await.ok();
            Ok::<_, ()>(1)
        });
        for _ in 0..3 {
            match select(&mut task, pin!(rt.yields(2))).await {
                Either::Left(_) => panic!("the child is still waiting"),
                Either::Right(((), _)) => {}
            }
        }
        assert!(
            task.poll_unpin(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        let (value, ()) = join(&mut task, async {
            rt.yields(2).await;
            drop(gate);
        })
        .await;
        Ok(value)
    });
    assert_eq!(group.await, Ok(1));
}

/// *Fine points*: a value that was handed to a `Task` lives as long as the handle, also after the group.
pub async fn a_value_lives_as_long_as_its_handle<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        let spawn = |n: usize| {
            let life = alive.born();
            g.spawn(async move {
                rt.yields(n).await;
                Ok::<_, ()>(life)
            })
        };
        Ok((spawn(0), spawn(1), spawn(2)))
    });
    let (taken, dropped, asked) = group.await.unwrap();
    assert_eq!(alive.count(), 3);
    let value = taken.await;
    assert_eq!(alive.count(), 3);
    drop(value);
    assert_eq!(alive.count(), 2);
    let value = asked.outcome().await;
    drop(value);
    assert_eq!(alive.count(), 1);
    drop(dropped);
    while alive.count() > 0 {
        rt.yields(1).await;
    }
}

/// A value goes to the one who awaits, and to nobody else: it is dropped once, by its owner.
pub async fn a_value_that_was_awaited_is_not_waited_for_by_the_group<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let kept = Mutex::new(None);
    let group = rt.task_group(async |g| {
        let life = alive.born();
        *kept.lock().unwrap() = Some(g.spawn(async { Ok::<_, ()>(life) }).await);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(alive.count(), 1);
    drop(kept);
    assert_eq!(alive.count(), 0);
}

/// Wake-ups: an awaiter of a child that waits is not polled until there is something to see.
pub async fn awaiting_does_not_spin<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let child = g.spawn(async move {
            rt.sleep(3 * rt.tick()).await;
            Ok::<_, ()>(())
        });
        let (awaited, count) = polls(child);
        g.spawn(awaited.map(Ok)).await;
        Ok(count.load(Ordering::SeqCst))
    });
    let polls = group.await.unwrap();
    assert!(polls <= 5, "polled {polls} times");
}

/// Two at once in one task: each handle wakes with the waker it was last polled with.
pub async fn the_waker_of_the_last_poll_hears_of_the_value<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (gate, open) = oneshot::channel::<()>();
        let mut task = g.spawn(async {
            open.await.ok();
            Ok::<_, ()>(1)
        });
        let mut first = true;
        let value = poll_fn(|cx| {
            if std::mem::take(&mut first) {
                let mut nobody = Context::from_waker(Waker::noop());
                assert!(task.poll_unpin(&mut nobody).is_pending());
            }
            match task.poll_unpin(cx) {
                Poll::Ready(value) => Poll::Ready(value),
                Poll::Pending => Poll::Pending,
            }
        });
        let open_later = async {
            rt.yields(4).await;
            drop(gate);
        };
        Ok(join(value, open_later).await.0)
    });
    assert_eq!(group.await, Ok(1));
}

/// The handle of a child that was cut, of a group that has ended.
async fn child_without_a_value<B: Backend>(rt: Rt<B>) -> Task<B, ()> {
    let group = rt.task_group(async |g| {
        g.cancel();
        Ok::<_, ()>(g.spawn(pending::<Result<(), ()>>()))
    });
    group.await.unwrap()
}
