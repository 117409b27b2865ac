//! Task groups: what they wait for, what they cancel, and what they give.

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use anyrt_core::{Backend, CancelScope, Reason, Stopped, shield};
use futures::FutureExt;
use futures::channel::{mpsc, oneshot};
use futures::future::{BoxFuture, join, join_all};

use super::everywhere::{cancel_at_every_pending, drop_at_every_pending};
use super::flavour::{Rt, TaskGroup};
use crate::probe::{Alive, Log, on_drop, panic_of, polls};

/// The value of the body is the value of the group.
pub async fn gives_the_value_of_the_body<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let a = g.spawn(async { Ok(1) });
        let b = g.spawn(async { Ok::<_, ()>(2) });
        Ok(a.await + b.await)
    });
    assert_eq!(group.await, Ok(3));
}

/// Section 3: the body may borrow, and need not be `Send`.
pub async fn the_body_may_borrow_and_stay_on_its_thread<B: Backend>(rt: Rt<B>) {
    let mut sum = 0;
    let words = Rc::new(["a", "bc"]);
    let group = rt.task_group(async |g| {
        for word in &*words {
            sum += g.spawn(async { Ok::<_, ()>(word.len()) }).await;
        }
        Ok(words.len())
    });
    assert_eq!(group.await, Ok(2));
    assert_eq!(sum, 3);
}

/// A future that nobody polls does nothing, as everywhere in Rust.
pub async fn a_group_that_is_never_polled_does_nothing<B: Backend>(rt: Rt<B>) {
    let called = AtomicUsize::new(0);
    drop(rt.task_group(async |_| {
        called.fetch_add(1, Ordering::SeqCst);
        Ok::<_, ()>(())
    }));
    rt.yields(3).await;
    assert_eq!(called.load(Ordering::SeqCst), 0);
}

/// Rule 1: also a child that nobody awaits has ended when the group returns.
pub async fn waits_for_children_whose_handles_were_dropped<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for _ in 0..100 {
            let life = alive.born();
            drop(g.spawn(async move {
                rt.yields(3).await;
                Ok::<_, ()>(life)
            }));
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// Rule 1: the runtime drops a value that nobody takes a moment after the child has ended.
pub async fn has_dropped_the_values_of_detached_children_when_it_returns<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    for _ in 0..20 {
        let group = rt.task_group(async |g| {
            for _ in 0..1000 {
                let life = alive.born();
                g.spawn(async move { Ok::<_, ()>(life) });
            }
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        assert_eq!(alive.count(), 0);
    }
}

/// Rule 1: values and captures whose destructors take their time are waited for, on every way out.
pub async fn waits_for_slow_destructors_of_values_and_captures<B: Backend>(rt: Rt<B>) {
    for way in ["value", "error", "panic", "cancel"] {
        let alive = Alive::default();
        let group = rt.task_group(async |g| {
            for _ in 0..3 {
                let (value, capture) = (slow(&alive), slow(&alive));
                g.spawn(async move {
                    let _capture = capture;
                    rt.yields(2).await;
                    Ok(value)
                });
                let cut = slow(&alive);
                g.spawn(async move {
                    let _cut = cut;
                    match way {
                        "value" => Ok(()),
                        _ => pending().await,
                    }
                });
            }
            g.spawn(async move {
                match way {
                    "error" => Err("failed"),
                    "panic" => panic!("panicked"),
                    _ => Ok(()),
                }
            });
            if way == "cancel" {
                g.cancel();
            }
            Ok(())
        });
        let result = panic_of(group).await;
        assert_eq!(alive.count(), 0, "left after {way}");
        match way {
            "error" => assert_eq!(result.unwrap().unwrap_err().into_first(), "failed"),
            "panic" => assert_eq!(result.unwrap_err(), "panicked"),
            _ => assert_eq!(result, Ok(Ok(()))),
        }
    }
}

/// Rule 1: "all children" are also those that children spawn, and so on.
pub async fn waits_for_children_that_children_spawn<B: Backend>(rt: Rt<B>) {
    fn chain<B: Backend>(g: &TaskGroup<B, ()>, left: usize, ended: Arc<AtomicUsize>) {
        let siblings = g.clone();
        g.spawn(async move {
            anyrt_core::checkpoint().await;
            if left > 1 {
                chain(&siblings, left - 1, ended.clone());
            }
            ended.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
    }
    let ended = Arc::new(AtomicUsize::new(0));
    let group = rt.task_group(async |g| {
        chain(&g, 1000, ended.clone());
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(ended.load(Ordering::SeqCst), 1000);
}

/// The body ends before its group: what it owned is gone by then, or a child that reads what the body sends never ends.
pub async fn what_the_body_owned_is_dropped_before_the_children_are_awaited<B: Backend>(rt: Rt<B>) {
    let (send, mut receive) = mpsc::unbounded();
    let read = Arc::new(AtomicUsize::new(0));
    let sum = read.clone();
    let group = rt.task_group(async move |g| {
        g.spawn(async move {
            while let Ok(n) = receive.recv().await {
                sum.fetch_add(n, Ordering::SeqCst);
            }
            Ok::<_, ()>(())
        });
        for n in 0..10 {
            send.unbounded_send(n).unwrap();
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(read.load(Ordering::SeqCst), 45);
}

/// Rule 2.
pub async fn the_first_error_cancels_siblings_and_body<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        let life = alive.born();
        g.spawn(async move {
            pending::<()>().await;
            drop(life);
            Ok(())
        });
        let _body = alive.born();
        g.spawn(async { Err::<(), _>("first") });
        pending::<()>().await;
        Ok(())
    });
    let error = group.await.unwrap_err();
    assert_eq!((error.first, error.rest.len()), ("first", 0));
    assert_eq!(alive.count(), 0);
}

/// Rule 2.
pub async fn an_error_of_the_body_cancels_the_children<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for _ in 0..10 {
            let life = alive.born();
            g.spawn(async move {
                let _life = life;
                pending::<Result<(), _>>().await
            });
        }
        Err::<(), _>("body")
    });
    let error = group.await.unwrap_err();
    assert_eq!((error.first, error.rest.len()), ("body", 0));
    assert_eq!(alive.count(), 0);
}

/// Rule 2: siblings and body are dropped at once and do not wait for one that takes longer.
pub async fn what_is_cut_does_not_wait_for_what_is_shielded<B: Backend>(rt: Rt<B>) {
    let (cut_child, child_was_cut) = oneshot::channel::<()>();
    let (cut_body, body_was_cut) = oneshot::channel::<()>();
    let group = rt.task_group(async move |g| {
        g.spawn(async move {
            let _cut = cut_child;
            pending::<Result<(), _>>().await
        });
        g.spawn(async {
            shield(async {
                child_was_cut.await.ok();
                body_was_cut.await.ok();
            })
            .await;
            Ok(())
        });
        g.spawn(async { Err::<(), _>("first") });
        let _cut = cut_body;
        pending::<Result<(), _>>().await
    });
    assert_eq!(group.await.unwrap_err().into_first(), "first");
}

/// Rules 1 and 2: a shielded body goes on when a sibling fails, and is cut right after the shield.
pub async fn a_shielded_body_ends_its_shield_when_a_child_fails<B: Backend>(rt: Rt<B>) {
    for panics in [false, true] {
        let log = Log::default();
        let group = rt.task_group(async |g| {
            let told = told_when_cut(&g);
            g.spawn(async move {
                assert!(!panics, "child panicked");
                Err::<(), _>("child failed")
            });
            shield(async {
                told.await.ok();
                rt.yields(2).await;
                log.add("shield ended");
            })
            .await;
            log.add("went on");
            rt.yields(1).await;
            log.add("not cut");
            Ok(())
        });
        match panic_of(group).await {
            Ok(result) => assert_eq!(result.unwrap_err().into_first(), "child failed"),
            Err(message) => assert_eq!((panics, &*message), (true, "child panicked")),
        }
        assert_eq!(log.marks(), ["shield ended", "went on"]);
    }
}

/// Rules 1 and 2: a body that waits for its thread gets the thread's value, and is cut right after.
pub async fn a_body_in_a_thread_is_waited_for_when_a_child_fails<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let (fail, failing) = oneshot::channel::<()>();
        g.spawn(async move {
            failing.await.ok();
            Err::<(), _>("child failed")
        });
        let told = told_when_cut(&g);
        let called = rt.to_thread(move || {
            fail.send(()).unwrap();
            B::wait_outside(|| futures::executor::block_on(told).ok());
            7
        });
        assert_eq!(called.await, 7);
        log.add("got the value");
        rt.yields(1).await;
        log.add("not cut");
        Ok(())
    });
    assert_eq!(group.await.unwrap_err().into_first(), "child failed");
    assert_eq!(log.marks(), ["got the value"]);
}

/// Rule 4.
pub async fn cancel_stops_present_and_future_children_and_not_the_body<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for round in 0..20 {
            let life = alive.born();
            g.spawn(async move {
                let _life = life;
                pending::<Result<(), ()>>().await
            });
            if round == 10 {
                g.cancel();
                g.cancel();
            }
            rt.yields(1).await;
        }
        while alive.count() > 0 {
            rt.yields(1).await;
        }
        assert!(g.scope().is_cancelled());
        Ok("report")
    });
    assert_eq!(group.await, Ok("report"));
}

/// Rule 4: the scope of a group is that of its children; it gives the reason and may have a deadline.
pub async fn the_scope_of_a_group_governs_the_children_alone<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let child = g.spawn(pending::<Result<(), ()>>());
        g.scope().cancel_with("enough");
        let stopped = child.outcome().await.unwrap_err();
        assert_eq!(
            stopped,
            Stopped::Cancelled(Reason::Explicit(Some("enough".into())))
        );
        rt.yields(1).await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));

    let group = rt.task_group(async |g| {
        let child = g.spawn(pending::<Result<(), ()>>());
        g.scope().set_deadline(Some(rt.now() + rt.tick()));
        let stopped = child.outcome().await.unwrap_err();
        assert_eq!(stopped, Stopped::Cancelled(Reason::Deadline));
        rt.yields(1).await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Rule 4, and section 2: a cancelled child is no failure, at whatever moment `cancel` comes.
pub async fn cancel_is_never_mistaken_for_a_cancellation_from_outside<B: Backend>(rt: Rt<B>) {
    for round in 0..300 {
        let group = rt.task_group(async |g| {
            for _ in 0..4 {
                g.spawn(async move {
                    loop {
                        rt.yields(1).await;
                    }
                    #[expect(unreachable_code, reason = "gives the type")]
                    Ok::<_, ()>(())
                });
            }
            rt.yields(round % 7).await;
            g.cancel();
            Ok(round)
        });
        assert_eq!(panic_of(group).await, Ok(Ok(round)));
    }
}

/// Rule 7: who is spawned into a cancelled group is polled once, and a result that is ready wins.
pub async fn a_child_spawned_into_a_cancelled_group_is_polled_exactly_once<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        g.cancel();
        let (waits, count) = polls(pending::<Result<(), ()>>());
        let waits = g.spawn(waits);
        let ready = g.spawn(async { Ok(1) });
        assert_eq!(ready.await, 1);
        assert!(matches!(waits.outcome().await, Err(Stopped::Cancelled(_))));
        assert_eq!(count.load(Ordering::SeqCst), 1);

        let (yields, count) = polls(async move {
            rt.yields(1).await;
            Ok(())
        });
        assert!(g.spawn(yields).outcome().await.is_err());
        assert_eq!(count.load(Ordering::SeqCst), 1);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Section 2: every spawned task is polled at least once, also where all is cancelled from the start.
pub async fn a_group_in_a_cancelled_scope_polls_its_children_once<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        for _ in 0..10 {
            g.spawn(async { Ok::<_, ()>(()) });
        }
        Ok(7)
    });
    assert_eq!(rt.cancelled(group).await, Ok(Ok(7)), "nothing was cut");

    let (child, count) = polls(pending::<Result<(), ()>>());
    let group = rt.task_group(async |g| {
        g.spawn(child);
        Ok(7)
    });
    assert!(rt.cancelled(group).await.is_err(), "a child was cut");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

/// Rule 6: the group holds; the scope around it catches after the children have ended.
pub async fn a_cancellation_from_outside_waits_for_the_children<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let scope = rt.scope();
    let result = scope.run(async {
        let result = rt.task_group(async |g| {
            let child = log.clone();
            g.spawn(async move {
                shield(rt.yields(5)).await;
                child.add("child");
                Ok::<_, ()>(())
            });
            let _body = log.on_drop("body");
            rt.yields(1).await;
            scope.cancel();
            pending::<()>().await;
            Ok(())
        });
        let result = result.await;
        log.add("went on");
        result
    });
    assert!(result.await.is_err());
    let marks = log.marks();
    assert_eq!(marks.len(), 2, "{marks:?}");
    assert!(
        marks.contains(&"child") && marks.contains(&"body"),
        "{marks:?}"
    );
}

/// Rule 6: a body that had finished, and children that came to their end, are a value.
pub async fn gives_its_value_if_the_cancellation_from_outside_cut_nothing<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let group = rt.task_group(async |g| {
        let outer = scope.clone();
        g.spawn(async move {
            shield(async {
                rt.yields(2).await;
                outer.cancel();
                rt.yields(5).await;
            })
            .await;
            Ok::<_, ()>(())
        });
        Ok("done")
    });
    assert_eq!(scope.run(group).await, Ok(Ok("done")));
}

/// Rule 6: what was cut is not done, also when the body had finished before.
pub async fn gives_no_value_if_a_cancellation_from_outside_cut_a_child<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let alive = Alive::default();
    let log = Log::default();
    let run = scope.run(async {
        let value = rt.task_group(async |g| {
            let outer = scope.clone();
            g.spawn(async move {
                rt.yields(3).await;
                outer.cancel();
                pending::<Result<(), ()>>().await
            });
            Ok(alive.born())
        });
        let _value = value.await;
        log.add("went on");
    });
    assert!(run.await.is_err());
    assert_eq!(log.marks(), [""; 0]);
    assert_eq!(alive.count(), 0);
}

/// Rule 6: the body counts like a child.
pub async fn gives_no_value_if_a_cancellation_from_outside_cut_the_body<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let group = rt.task_group(async |g| {
        g.spawn(async { Ok::<_, ()>(()) });
        rt.yields(3).await;
        scope.cancel();
        rt.yields(1).await;
        Ok(())
    });
    assert!(scope.run(group).await.is_err());
}

/// Rules 4 and 6: children that were cancelled by the group itself are not cut from outside.
pub async fn gives_its_value_if_the_group_was_cancelled_before_the_scope_around_it<B: Backend>(
    rt: Rt<B>,
) {
    let scope = rt.scope();
    let group = rt.task_group(async |g| {
        let child = g.spawn(pending::<Result<(), ()>>());
        let (end, ended) = oneshot::channel::<()>();
        g.spawn(async move {
            shield(ended).await.ok();
            Ok(())
        });
        rt.yields(1).await;
        g.cancel();
        assert!(child.outcome().await.is_err());
        scope.cancel();
        end.send(()).unwrap();
        Ok("report")
    });
    assert_eq!(scope.run(group).await, Ok(Ok("report")));
}

/// Section 2: a cancellation from a thread, at whatever moment it comes, leaves nothing behind.
pub async fn may_be_cancelled_by_a_thread_at_any_moment<B: Backend>(rt: Rt<B>) {
    for round in 0..30 {
        let alive = Alive::default();
        let scope = rt.scope();
        let group = scope.run(rt.task_group(async |g| {
            for n in 0..10 {
                let (life, siblings, alive) = (alive.born(), g.clone(), alive.clone());
                g.spawn(async move {
                    rt.yields(n).await;
                    let sibling = alive.born();
                    siblings.spawn(async move {
                        rt.yields(n).await;
                        Ok(sibling)
                    });
                    rt.yields(n).await;
                    Ok::<_, ()>(life)
                });
            }
            rt.yields(5).await;
            Ok(())
        }));
        let cancel = rt.to_thread(move || {
            for _ in 0..round {
                thread::yield_now();
            }
            scope.cancel();
        });
        let (result, ()) = join(group, cancel).await;
        assert!(result.is_ok_and(|value| value == Ok(())) || alive.count() == 0);
        assert_eq!(alive.count(), 0);
    }
}

/// Rule 7.
pub async fn spawn_into_an_ended_group_drops_the_future<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| Ok::<_, ()>(g));
    let escaped = group.await.unwrap();
    let life = alive.born();
    let (child, count) = polls(async move { Ok(life) });
    let task = escaped.spawn(child);
    assert_eq!(alive.count(), 0);
    assert!(task.is_finished());
    assert!(matches!(task.outcome().await, Err(Stopped::Closed)));
    assert!(escaped.is_empty());

    let closed = escaped.clone();
    let stopped = rt.to_thread(move || closed.spawn_named("late", async { Ok(()) }));
    assert_eq!(stopped.await.cancel().await, None);
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

/// Rule 7: `try_spawn` gives back the very future.
pub async fn try_spawn_into_an_ended_group_gives_the_future_back<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let task = g.try_spawn(async { Ok::<_, ()>(1) });
        assert_eq!(task.ok().expect("the group is open").await, 1);
        Ok(g)
    });
    let escaped = group.await.unwrap();
    let marker = Arc::new(());
    let inside = marker.clone();
    let back = escaped.try_spawn(async move { Ok::<_, ()>(inside) });
    let child = back.map(drop).expect_err("the group has ended");
    assert_eq!(Arc::strong_count(&marker), 2);
    assert!(Arc::ptr_eq(&child.await.unwrap(), &marker));
}

/// Rule 7: handles to the group that are still around do not keep it from ending.
pub async fn handles_that_escape_do_not_keep_a_group_open<B: Backend>(rt: Rt<B>) {
    let escaped = std::sync::Mutex::new(Vec::new());
    let group = rt.task_group(async |g| {
        escaped.lock().unwrap().push(g.clone());
        let own = g.clone();
        let child = g.spawn(async move { Ok::<_, ()>(own) });
        let back = child.await;
        escaped.lock().unwrap().push(back);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    for g in escaped.into_inner().unwrap() {
        assert_eq!(g.len(), 0);
        g.cancel();
    }
}

/// Rule 7: a child that is being cancelled can spawn, from its code and from its destructors.
pub async fn a_child_that_is_being_cancelled_can_spawn<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let (siblings, marks) = (g.clone(), log.clone());
        g.spawn(async move {
            let _spawn = on_drop({
                let (siblings, marks) = (siblings.clone(), marks.clone());
                move || {
                    siblings.spawn(async move {
                        marks.add("by a destructor");
                        pending::<Result<(), _>>().await
                    });
                }
            });
            shield(rt.yields(5)).await;
            siblings.spawn(async move {
                marks.add("by the code");
                Ok(())
            });
            pending::<Result<(), _>>().await
        });
        g.spawn(async { Err::<(), _>("failed") });
        Ok(())
    });
    let error = group.await.unwrap_err();
    assert_eq!((error.first, error.rest.len()), ("failed", 0));
    let mut marks = log.marks();
    marks.sort_unstable();
    assert_eq!(marks, ["by a destructor", "by the code"]);
}

/// Rule 7: "live" is also a body and a value that are just being dropped.
pub async fn destructors_of_the_body_and_of_values_can_spawn<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let spawning = |g: &TaskGroup<B, &'static str>| {
        let (g, life) = (g.clone(), alive.born());
        on_drop(move || {
            g.spawn(async move {
                rt.yields(3).await;
                drop(life);
                Ok(())
            });
        })
    };
    let group = rt.task_group(async |g| {
        let _body = spawning(&g);
        let value = spawning(&g);
        g.spawn(async { Ok(value) });
        rt.yields(1).await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(alive.count(), 0);

    let group = rt.task_group(async |g| {
        let _cut = spawning(&g);
        g.spawn(async { Err::<(), _>("failed") });
        pending::<Result<(), _>>().await
    });
    assert_eq!(group.await.unwrap_err().into_first(), "failed");
    assert_eq!(alive.count(), 0);
}

/// Rule 7: a group may be used from any thread; here while its body waits.
pub async fn a_thread_may_spawn_cancel_and_count<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let from_thread = g.clone();
        let tasks = rt.to_thread(move || {
            let (gate, open) = oneshot::channel::<()>();
            let waits = from_thread.spawn(async {
                open.await.ok();
                Ok(0)
            });
            assert_eq!(from_thread.len(), 1);
            gate.send(()).unwrap();
            let mut tasks: Vec<_> = (1..50)
                .map(|n| {
                    from_thread.spawn(async move {
                        rt.yields(2).await;
                        Ok::<_, ()>(n)
                    })
                })
                .collect();
            tasks.push(waits);
            tasks
        });
        Ok(join_all(tasks.await).await.into_iter().sum::<i32>())
    });
    assert_eq!(group.await, Ok(1225));

    let group = rt.task_group(async |g| {
        let child = g.spawn(pending::<Result<(), ()>>());
        let from_thread = g.clone();
        rt.to_thread(move || from_thread.cancel()).await;
        Ok(child.outcome().await.is_err())
    });
    assert_eq!(group.await, Ok(true));
}

/// Rules 1 and 7: a spawn that races with the end of the group gets in and is waited for, or is told.
pub async fn a_spawn_that_races_with_the_end_runs_or_is_told<B: Backend>(rt: Rt<B>) {
    for round in 0..30 {
        let alive = Alive::default();
        let (hand_over, handed_over) = oneshot::channel();
        let mothers = alive.clone();
        let spawner = rt.to_thread(move || {
            let wait = || futures::executor::block_on(handed_over).unwrap();
            let g: TaskGroup<B, ()> = B::wait_outside(wait);
            let mut tasks = Vec::new();
            for _ in 0..20 {
                let life = mothers.born();
                tasks.push(g.spawn(async move {
                    rt.yields(1).await;
                    drop(life);
                    Ok(())
                }));
            }
            tasks
        });
        let group = rt.task_group(async |g| {
            hand_over.send(g.clone()).ok().unwrap();
            rt.yields(round).await;
            Ok(())
        });
        let (result, tasks) = join(group, spawner).await;
        assert_eq!(result, Ok(()));
        assert_eq!(alive.count(), 0);
        for task in tasks {
            assert!(matches!(
                task.outcome().await,
                Ok(()) | Err(Stopped::Closed)
            ));
        }
    }
}

/// `len` counts the children that have not ended, and nothing else.
pub async fn len_counts_the_children<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        assert!(g.is_empty());
        assert_eq!(g.len(), 0);
        let gates: Vec<_> = (0..3)
            .map(|_| {
                let (gate, open) = oneshot::channel::<()>();
                let child = g.spawn(async {
                    open.await.ok();
                    Ok::<_, ()>(())
                });
                (gate, child)
            })
            .collect();
        assert_eq!(g.len(), 3);
        let inner = rt.task_group(async |inner| {
            inner.spawn(pending::<Result<(), ()>>());
            assert_eq!((g.len(), inner.len()), (3, 1), "a group is no child");
            inner.cancel();
            Ok(())
        });
        inner.await.unwrap();
        let outer = g.clone();
        let counted = rt.to_thread(move || outer.len());
        assert_eq!(counted.await, 3, "a thread is no child");
        for (left, (gate, child)) in gates.into_iter().enumerate().rev() {
            drop(gate);
            child.await;
            assert_eq!(g.len(), left);
        }
        assert!(g.is_empty());
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Rule 8: nothing is left of a finished child whose handle was dropped, while the group goes on.
pub async fn a_hundred_thousand_detached_children_leave_nothing_behind<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for round in 0..100 {
            for _ in 0..1000 {
                let (capture, value) = (alive.born(), alive.born());
                g.spawn(async move {
                    let _capture = capture;
                    if round % 2 == 0 {
                        rt.yields(1).await;
                    }
                    Ok::<_, ()>(value)
                });
            }
            while alive.count() > 0 {
                rt.yields(1).await;
            }
            assert_eq!(g.len(), 0);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Rule 8: the same for children whose handles are kept and looked at never.
pub async fn a_hundred_thousand_children_with_handles_leave_nothing_in_the_group<B: Backend>(
    rt: Rt<B>,
) {
    let alive = Alive::default();
    let mut handles = Vec::new();
    let group = rt.task_group(async |g| {
        for _ in 0..100 {
            for _ in 0..1000 {
                let life = alive.born();
                handles.push(g.spawn(async move {
                    let _life = life;
                    Ok::<_, ()>(1)
                }));
            }
            while alive.count() > 0 || !g.is_empty() {
                rt.yields(1).await;
            }
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    let mut sum = 0;
    for task in handles.into_iter().rev() {
        sum += task.await;
    }
    assert_eq!(sum, 100_000);
}

/// Rules 2 and 3: a failure goes up through the groups, one by one, and all of them end.
pub async fn an_error_comes_up_through_ten_nested_groups<B: Backend>(rt: Rt<B>) {
    fn nest<B: Backend>(rt: Rt<B>, depth: usize, alive: Alive) -> BoxFuture<'static, Outcome> {
        Box::pin(async move {
            if depth == 0 {
                rt.yields(3).await;
                return Err("innermost".to_owned());
            }
            let life = alive.born();
            let group = rt.task_group(async move |g| {
                let sibling = alive.born();
                g.spawn(async move {
                    let _life = sibling;
                    pending::<Outcome>().await
                });
                g.spawn(nest(rt, depth - 1, alive));
                let _life = life;
                pending::<Outcome>().await
            });
            group.await.map_err(|error| {
                assert_eq!(error.len(), 1);
                error.into_first() + "!"
            })
        })
    }
    type Outcome = Result<(), String>;
    let alive = Alive::default();
    let error = nest(rt, 10, alive.clone()).await.unwrap_err();
    assert_eq!(error, "innermost!!!!!!!!!!");
    assert_eq!(alive.count(), 0);
}

/// Section 2: children belong to their group's scope; a failure next door is none of their business.
pub async fn a_failing_group_leaves_the_groups_beside_it_alone<B: Backend>(rt: Rt<B>) {
    let (failed, has_failed) = oneshot::channel::<()>();
    let failing = rt.task_group(async |g| {
        g.spawn(async { Err::<(), _>("failed") });
        let _told = failed;
        pending::<Result<(), _>>().await
    });
    let other = rt.task_group(async |g| {
        let child = g.spawn(async move {
            has_failed.await.ok();
            rt.yields(5).await;
            Ok::<_, ()>(3)
        });
        rt.yields(1).await;
        Ok(child.await)
    });
    let (failing, other) = join(failing, other).await;
    assert!(failing.is_err());
    assert_eq!(other, Ok(3));
}

/// Waking: a combinator polls only what was woken, so a group wakes through the waker it was polled with.
pub async fn groups_in_a_combinator_are_woken_one_by_one<B: Backend>(rt: Rt<B>) {
    let groups = (0..50).map(async |n| {
        let group = rt.task_group(async |g| {
            g.spawn(async move {
                rt.yields(n % 5).await;
                if n % 2 == 0 { Err(n) } else { Ok(()) }
            });
            if n % 2 == 0 {
                pending::<()>().await;
            }
            Ok(n)
        });
        group.await.unwrap_or_else(|error| error.into_first())
    });
    let scope = rt.scope();
    let cancel = async {
        rt.yields(20).await;
        scope.cancel();
    };
    // More than join_all polls one by one.
    let waiting = scope.run(join_all((0..50).map(|_| {
        rt.task_group(async |g| {
            g.spawn(pending::<Result<(), ()>>());
            Ok(())
        })
    })));
    let (numbers, (waiting, ())) = join(join_all(groups), join(waiting, cancel)).await;
    assert_eq!(numbers, (0..50).collect::<Vec<_>>());
    assert!(waiting.is_err());
}

/// A future may be polled with another waker each time; the last one counts.
pub async fn the_waker_of_the_last_poll_is_the_one_that_is_woken<B: Backend>(rt: Rt<B>) {
    for way in ["child ends", "child fails", "cancelled from outside"] {
        let (gate, open) = oneshot::channel::<()>();
        let scope = rt.scope();
        let group = scope.run(rt.task_group(async |g| {
            g.spawn(async move {
                open.await.ok();
                if way == "child ends" { Ok(()) } else { Err(()) }
            });
            if way != "child ends" {
                pending::<()>().await;
            }
            Ok(())
        }));
        let mut group = pin!(group);
        let mut nobody = Context::from_waker(Waker::noop());
        assert!(group.as_mut().poll(&mut nobody).is_pending());
        let trigger = async {
            rt.yields(3).await;
            if way == "cancelled from outside" {
                scope.cancel();
            }
            shield(rt.yields(1)).await;
            drop(gate);
        };
        let (result, ()) = join(group, trigger).await;
        assert_eq!(matches!(result, Ok(Ok(()))), way == "child ends");
    }
}

/// Section 2: state plus wakers, never a retry loop; nothing is polled while it cannot go on.
pub async fn a_cancelled_group_that_waits_does_not_spin<B: Backend>(rt: Rt<B>) {
    let (child, child_polls) = polls(async move {
        shield(rt.sleep(4 * rt.tick())).await;
        Ok::<_, ()>(())
    });
    let (body, body_polls) = polls(shield(rt.sleep(4 * rt.tick())));
    let scope = rt.scope();
    let (run, run_polls) = polls(scope.run(rt.task_group(async |g| {
        g.spawn(child);
        g.spawn(pending::<Result<(), ()>>());
        body.await;
        pending::<()>().await;
        Ok(())
    })));
    let cancel = async {
        rt.sleep(rt.tick()).await;
        scope.cancel();
    };
    // Each with a waker of its own, or the polls of one would count for the other.
    let mut both = futures::stream::FuturesUnordered::new();
    both.push(run.map(|result| assert!(result.is_err())).left_future());
    both.push(cancel.right_future());
    while futures::StreamExt::next(&mut both).await.is_some() {}
    for (who, polls) in [
        ("child", child_polls),
        ("body", body_polls),
        ("group", run_polls),
    ] {
        let polls = polls.load(Ordering::SeqCst);
        assert!(polls <= 10, "the {who} was polled {polls} times");
    }
}

/// Rule 9: a waker may do anything, also to the group that wakes it.
pub async fn wakers_may_call_into_the_group_that_wakes_them<B: Backend>(rt: Rt<B>) {
    struct Meddler<B: Backend>(TaskGroup<B, ()>, CancelScope<B>, Waker);
    impl<B: Backend> Meddler<B> {
        fn meddle(&self) {
            self.1.cancel();
            self.0.cancel();
            self.0.spawn(async { Ok(()) });
            assert!(self.0.scope().is_cancelled());
        }
    }
    impl<B: Backend> Wake for Meddler<B> {
        fn wake(self: Arc<Self>) {
            self.meddle();
            self.2.wake_by_ref();
        }
    }
    impl<B: Backend> Drop for Meddler<B> {
        fn drop(&mut self) {
            self.meddle();
        }
    }
    let group = rt.task_group(async |g| {
        let child = g.clone();
        g.spawn(async move {
            let scope = rt.scope();
            let inner = rt.task_group(async |inner| {
                inner.spawn(pending::<Result<(), ()>>());
                let watched = inner.scope().clone();
                watched.cancelled().await;
                pending::<Result<(), ()>>().await
            });
            let mut run = pin!(scope.run(inner));
            let meddled = poll_fn(|cx| {
                let meddler = Meddler(child.clone(), scope.clone(), cx.waker().clone());
                run.as_mut()
                    .poll(&mut Context::from_waker(&Arc::new(meddler).into()))
            });
            meddled.await.ok();
            Ok(())
        });
        rt.yields(5).await;
        g.cancel();
        Ok("report")
    });
    assert_eq!(group.await, Ok("report"));
}

/// Section 2: cancellation may come at each `Pending` of a body, and nothing leaks or hangs.
pub async fn nested_groups_may_be_cancelled_at_every_pending<B: Backend>(rt: Rt<B>) {
    let rounds = cancel_at_every_pending(rt, |alive| nested_groups(rt, alive)).await;
    assert!(rounds > 2, "only {rounds} rounds");
}

/// Section 2: the same for a drop from outside, after which the enclosing group waits for all.
pub async fn nested_groups_may_be_dropped_at_every_pending<B: Backend>(rt: Rt<B>) {
    let rounds = drop_at_every_pending(rt, |alive| nested_groups(rt, alive)).await;
    assert!(rounds > 2, "only {rounds} rounds");
}

/// Rules 1 to 7 at once: whatever the children do, the group ends, and says what happened.
pub async fn any_mixture_of_children_comes_to_an_end<B: Backend>(rt: Rt<B>) {
    fn child<B: Backend>(
        rt: Rt<B>,
        g: TaskGroup<B, &'static str>,
        alive: Alive,
        mut dice: Dice,
        depth: usize,
    ) -> BoxFuture<'static, Result<(), &'static str>> {
        Box::pin(async move {
            let _life = alive.born();
            for _ in 0..dice.roll(6) {
                rt.yields(dice.roll(4)).await;
                let next = child(rt, g.clone(), alive.clone(), dice.split(), depth + 1);
                match dice.roll(if depth < 3 { 12 } else { 3 }) {
                    0 => shield(rt.yields(3)).await,
                    1 if dice.roll(9) == 0 => return Err("failed"),
                    2 if dice.roll(20) == 0 => g.cancel(),
                    3 => drop(g.spawn(next)),
                    4 => drop(g.spawn(next).outcome().await),
                    5 => drop(g.spawn(next).cancel().await),
                    6 => g.spawn(next).map(drop).await,
                    7 => {
                        let (alive, dice) = (alive.clone(), dice.split());
                        let inner = rt.task_group(async move |inner| {
                            inner.spawn(child(rt, inner.clone(), alive, dice, depth + 1));
                            Ok(())
                        });
                        inner.await.map_err(|error| error.into_first())?;
                    }
                    8 => drop(futures::future::select(next, pin!(rt.yields(2))).await),
                    9 => {
                        let spawning = g.clone();
                        let _spawns = on_drop(move || drop(spawning.spawn(next)));
                        rt.yields(1).await;
                    }
                    _ => {}
                }
            }
            Ok(())
        })
    }
    for seed in 0..150 {
        let alive = Alive::default();
        let mut dice = Dice(seed);
        let group = rt.task_group(async |g| {
            for _ in 0..=dice.roll(4) {
                g.spawn(child(rt, g.clone(), alive.clone(), dice.split(), 0));
            }
            rt.yields(dice.roll(10)).await;
            Ok(())
        });
        // A child that awaits one which `cancel` has stopped panics, and rightly so.
        let result = panic_of(group).await;
        assert_eq!(alive.count(), 0, "seed {seed}: {result:?}");
        if let Err(message) = result {
            assert!(message.contains("outcome()"), "seed {seed}: {message}");
        }
    }
}

async fn nested_groups<B: Backend>(rt: Rt<B>, alive: Alive) {
    let _life = alive.born();
    let outer = rt.task_group(async |g| {
        let _life = alive.born();
        let life = alive.born();
        g.spawn(async move {
            rt.yields(4).await;
            Ok(life)
        });
        let child = alive.clone();
        let nested = g.spawn(async move {
            let _life = child.born();
            let inner = rt.task_group(async |inner| {
                let (life, shielded) = (child.born(), child.born());
                inner.spawn(async move {
                    rt.yields(2).await;
                    Ok(life)
                });
                inner.spawn(async move {
                    shield(rt.yields(2)).await;
                    Ok(shielded)
                });
                rt.yields(1).await;
                Ok::<_, ()>(())
            });
            inner.await.map_err(drop)
        });
        let inner = rt.task_group(async |inner| {
            let life = alive.born();
            let child = inner.spawn(async move {
                rt.yields(1).await;
                Ok::<_, ()>(life)
            });
            rt.yields(1).await;
            Ok(child.await)
        });
        drop(inner.await);
        shield(rt.yields(1)).await;
        nested.await;
        Ok(())
    });
    assert_eq!(outer.await, Ok(()));
}

/// Resolves when the children of `g` are cut.
fn told_when_cut<B: Backend, E: Send + 'static>(g: &TaskGroup<B, E>) -> oneshot::Receiver<()> {
    let (tell, told) = oneshot::channel();
    g.spawn(async move {
        let _tell = tell;
        pending::<Result<(), E>>().await
    });
    told
}

/// A living thing that dies slowly.
fn slow(alive: &Alive) -> impl Send + use<> {
    let life = alive.born();
    on_drop(move || {
        thread::sleep(Duration::from_millis(1));
        drop(life);
    })
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn split(&mut self) -> Self {
        Self(self.roll(usize::MAX) as u64)
    }
}
