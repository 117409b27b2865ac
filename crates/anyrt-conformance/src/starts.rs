//! Starting a child and waiting until it is ready: what the caller gets, and whose the child is.

use std::future::pending;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use anyrt_core::{Backend, GroupError, Reason, StartError, Started, Stopped, shield};
use futures::channel::oneshot;
use futures::future::{Either, select};
use futures::join;

use super::everywhere::drop_at_pending;
use super::flavour::{Rt, TaskGroup};
use crate::probe::{Alive, Life, Log, because, on_drop, panic_of, polls};

type Nothing = Result<(), ()>;

/// `start` gives what the child says when it is ready, and the handle of the child.
pub async fn start_gives_what_the_child_says_and_its_handle<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let start = g.start(async move |started| {
            rt.yields(3).await;
            started.set(8080);
            rt.yields(3).await;
            Ok::<_, ()>("served")
        });
        let (port, server) = start.await.unwrap();
        Ok((port, server.await))
    });
    assert_eq!(group.await, Ok((8080, "served")));
}

/// `start` waits until the child is ready, and not until it has ended.
pub async fn start_waits_until_the_child_is_ready<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let there = log.clone();
        let start = async {
            let start = g.start(async move |started| {
                gate.await.unwrap();
                there.add("ready");
                started.set(());
                pending::<Nothing>().await
            });
            drop(start.await.unwrap());
            log.add("started");
        };
        let open = async {
            rt.yields(5).await;
            log.add("open");
            open.send(()).unwrap();
        };
        join!(start, open);
        g.cancel();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["open", "ready", "started"]);
}

/// A start that is never polled does nothing.
pub async fn a_start_that_is_never_polled_does_nothing<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        let life = alive.born();
        let start = g.start(async move |_started: Started<()>| {
            drop(life);
            fall_over("it was started");
            Ok::<(), ()>(())
        });
        assert!(g.is_empty());
        drop(start);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// A child may be ready before there is a future of it.
pub async fn a_child_may_be_ready_before_its_future_is_made<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let start = g.start(|started| {
            started.set(1);
            async move {
                rt.yields(2).await;
                Ok::<_, ()>(2)
            }
        });
        let (value, task) = start.await.unwrap();
        Ok((value, task.await))
    });
    assert_eq!(group.await, Ok((1, 2)));
}

/// A child may be ready, and end, at once.
pub async fn a_child_may_be_ready_and_end_at_once<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        for n in 0..100 {
            let start = g.start(async move |started| {
                started.set(n);
                Ok::<_, ()>(n + 1)
            });
            let (value, task) = start.await.unwrap();
            assert_eq!((value, task.await), (n, n + 1));
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A function for `start` can be called directly; then nobody is told.
pub async fn a_function_for_start_may_be_called_directly<B: Backend>(rt: Rt<B>) {
    let serve = async |started: Started<Life>, life| {
        started.set(life);
        rt.yields(1).await;
        "served"
    };
    let alive = Alive::default();
    assert_eq!(serve(Started::ignored(), alive.born()).await, "served");
    assert_eq!(alive.count(), 0);
}

/// Until the child is ready its error goes to the caller, and the group goes on.
pub async fn an_error_before_set_is_the_callers<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let sibling = g.spawn(async move { Ok(gate.await.is_ok()) });
        for waits in [0, 2] {
            let start = g.start(async move |_started: Started<()>| {
                rt.yields(waits).await;
                Err::<(), _>("no port")
            });
            assert_eq!(start.await.unwrap_err(), StartError::Failed("no port"));
        }
        rt.yields(2).await;
        open.send(()).unwrap();
        Ok(sibling.await)
    });
    assert_eq!(group.await, Ok(true));
}

/// Until the child is ready its panic is resumed at the caller, and the group goes on.
pub async fn a_panic_before_set_is_the_callers<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let sibling = g.spawn(async move { Ok::<_, ()>(gate.await.is_ok()) });
        for waits in [0, 2] {
            let start = g.start(async move |_started: Started<()>| {
                rt.yields(waits).await;
                fall_over("no port");
                Ok(())
            });
            assert_eq!(panic_of(start).await.map(drop), Err("no port".to_owned()));
        }
        rt.yields(2).await;
        open.send(()).unwrap();
        Ok(sibling.await)
    });
    assert_eq!(group.await, Ok(true));
}

/// A panic while the future of the child is made is the caller's, too, also if the child was ready by then.
pub async fn a_panic_while_the_future_is_made_is_the_callers<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for is_ready in [false, true] {
            let start = g.start(|started| {
                let life = alive.born();
                if is_ready {
                    started.set(life);
                }
                fall_over("not made");
                async { Ok::<(), ()>(()) }
            });
            assert_eq!(panic_of(start).await.map(drop), Err("not made".to_owned()));
            assert!(g.is_empty());
            assert_eq!(alive.count(), 0);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A child that ends without `set` has not started; what it gives instead is dropped before `start` returns.
pub async fn a_child_that_ends_without_set_has_not_started<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for waits in [0, 3] {
            let (value, capture) = (alive.born(), alive.born());
            let start = g.start(async move |started: Started<()>| {
                let (_capture, _started) = (capture, started);
                rt.yields(waits).await;
                Ok::<_, ()>(value)
            });
            assert_eq!(start.await.map(drop), Err(StartError::NotStarted));
            assert_eq!(alive.count(), 0);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A child that drops its `Started` goes on, and has not started when it ends.
pub async fn a_child_that_drops_its_started_goes_on<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let there = log.clone();
        let start = g.start(async move |started: Started<()>| {
            drop(started);
            rt.yields(5).await;
            there.add("went on");
            Ok::<(), ()>(())
        });
        assert_eq!(start.await.map(drop), Err(StartError::NotStarted));
        log.add("not started");
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["went on", "not started"]);
}

/// What a child that fails has captured is dropped before `start` returns, also where that takes time.
pub async fn what_a_failed_child_held_is_dropped_before_start_returns<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for panics in [false, true] {
            let (capture, slow) = (alive.born(), alive.born());
            let start = g.start(async move |started: Started<()>| {
                let _capture = (capture, started);
                let _slow = on_drop(move || {
                    std::thread::sleep(rt.tick());
                    drop(slow);
                });
                rt.yields(1).await;
                assert!(!panics, "failed");
                Err::<(), _>("failed")
            });
            match panic_of(start).await {
                Ok(result) => assert_eq!(result.map(drop), Err(StartError::Failed("failed"))),
                Err(message) => assert_eq!(message, "failed"),
            }
            assert_eq!(alive.count(), 0);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// The value of a child that was never ready may panic when it is dropped; that is the caller's panic, too.
pub async fn a_value_that_panics_when_dropped_before_set_is_the_callers<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let start = g.start(async move |_started: Started<()>| {
            rt.yields(1).await;
            Ok::<_, ()>(on_drop(|| panic!("in a destructor")))
        });
        let message = panic_of(start).await.map(|_| "no panic").unwrap_err();
        assert_eq!(message, "in a destructor");
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// `len` counts a child from the moment on when it is ready.
pub async fn len_counts_a_child_from_set_on<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let handle = g.clone();
        let (open, gate) = oneshot::channel::<()>();
        let start = g.start(async move |started| {
            let at_first = handle.len();
            rt.yields(3).await;
            assert_eq!((at_first, handle.len()), (0, 0));
            started.set(());
            assert_eq!(handle.len(), 1);
            gate.await.unwrap();
            Ok::<_, ()>(handle.len())
        });
        let ((), task) = start.await.unwrap();
        assert_eq!(g.len(), 1);
        open.send(()).unwrap();
        assert_eq!(task.await, 1);
        assert_eq!(g.len(), 0);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A group that has ended is `Closed`; the child is not even made.
pub async fn in_a_group_that_has_ended_nothing_is_started<B: Backend>(rt: Rt<B>) {
    let escaped = rt.task_group(async |g| Ok::<_, ()>(g)).await.unwrap();
    let is_made = AtomicUsize::new(0);
    let start = escaped.start(|_started: Started<()>| {
        is_made.fetch_add(1, Ordering::SeqCst);
        async { Ok(()) }
    });
    assert_eq!(start.await.map(drop), Err(StartError::Closed));
    assert_eq!(is_made.into_inner(), 0);
}

/// A `StartError` says what has happened, and leads to the child's error.
pub async fn a_start_error_says_what_has_happened<B: Backend>(rt: Rt<B>) {
    use std::error::Error;
    let group = rt.task_group(async |g| {
        let start = g.start(async |_started: Started<()>| "x".parse::<i32>());
        let failed = start.await.map(drop).unwrap_err();
        assert!(
            failed
                .to_string()
                .ends_with("invalid digit found in string")
        );
        // The error's own text stands in the text already, so the causes begin below it.
        assert!(failed.source().is_none());
        let start = g.start(async |_started: Started<()>| Ok(()));
        let silent = start.await.map(drop).unwrap_err();
        assert!(silent.to_string().contains("Started::set"));
        assert!(silent.source().is_none());
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A cancelled caller cancels the child and waits for it, and the group is not touched by that.
pub async fn a_cancelled_caller_cancels_the_child_and_waits_for_it<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let sibling = g.spawn(async move { Ok::<_, ()>(gate.await.is_ok()) });
        let (running, is_running) = oneshot::channel();
        let (save, may_save) = oneshot::channel();
        let (life, there) = (alive.born(), log.clone());
        let start = g.start(async move |started: Started<()>| {
            let _life = (life, started);
            running.send(()).unwrap();
            shield(may_save).await.unwrap();
            there.add("saved");
            rt.yields(1).await;
            there.add("never");
            Ok(())
        });
        let scope = rt.scope();
        let cancel = async {
            is_running.await.unwrap();
            scope.cancel_with("enough");
            rt.yields(5).await;
            save.send(()).unwrap();
        };
        let (result, ()) = join!(scope.run(start), cancel);
        assert_eq!(result.map(drop).unwrap_err().reason(), &because("enough"));
        assert_eq!((log.marks(), alive.count()), (vec!["saved"], 0));
        open.send(()).unwrap();
        Ok(sibling.await)
    });
    assert_eq!(group.await, Ok(true), "nothing of the group was cut");
}

/// A deadline of the caller cancels the child, which is waited for.
pub async fn a_deadline_of_the_caller_cancels_the_child<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let group = rt.task_group(async |g| {
        for limit in [Duration::ZERO, rt.tick()] {
            let (life, there) = (alive.born(), log.clone());
            let start = g.start(async move |started: Started<()>| {
                let _life = (life, started);
                shield(rt.yields(5)).await;
                there.add("saved");
                pending::<Nothing>().await
            });
            assert!(rt.fail_after(limit, start).await.is_err());
            assert_eq!(alive.count(), 0);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["saved", "saved"]);
}

/// An error and a panic during the cancellation of the caller still come out there.
pub async fn what_fails_while_the_caller_is_cancelled_comes_out_there<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        for panics in [false, true] {
            let start = g.start(async move |_started: Started<()>| {
                shield(rt.yields(5)).await;
                assert!(!panics, "in the end");
                Err::<(), _>("in the end")
            });
            match panic_of(rt.cancelled(start)).await {
                Ok(result) => {
                    let error = result.unwrap().map(drop).unwrap_err();
                    assert_eq!(error, StartError::Failed("in the end"));
                }
                Err(message) => assert_eq!(message, "in the end"),
            }
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// If the caller is cancelled already, `set` moves nothing, and the child is cut at its next `Pending`.
pub async fn with_a_cancelled_caller_set_moves_nothing<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let group = rt.task_group(async |g| {
        let (value, capture) = (alive.born(), alive.born());
        let (there, handle) = (log.clone(), g.clone());
        let start = g.start(async move |started| {
            let _capture = capture;
            started.set(value);
            there.add("set");
            assert!(handle.is_empty());
            rt.yields(1).await;
            there.add("never");
            Ok::<(), ()>(())
        });
        assert!(rt.cancelled(start).await.is_err());
        assert_eq!((alive.count(), g.len()), (0, 0));
        Ok("untouched")
    });
    assert_eq!(group.await, Ok("untouched"));
    assert_eq!(log.marks(), ["set"]);
}

/// The same if the caller is cancelled while the child waits, and the child gets ready in a shield.
pub async fn with_a_caller_cancelled_meanwhile_set_moves_nothing<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let (running, is_running) = oneshot::channel();
        let (value, there) = (alive.born(), log.clone());
        let start = g.start(async move |started| {
            running.send(()).unwrap();
            let shielded = shield(async {
                gate.await.unwrap();
                started.set(value);
                rt.yields(2).await;
                there.add("shielded");
            });
            shielded.await;
            there.add("after it");
            rt.yields(1).await;
            there.add("never");
            Ok::<(), ()>(())
        });
        let scope = rt.scope();
        let cancel = async {
            is_running.await.unwrap();
            scope.cancel();
            open.send(()).unwrap();
        };
        let (result, ()) = join!(scope.run(start), cancel);
        assert!(result.is_err());
        assert_eq!((alive.count(), g.len()), (0, 0));
        Ok("untouched")
    });
    assert_eq!(group.await, Ok("untouched"));
    assert_eq!(log.marks(), ["shielded", "after it"]);
}

/// A ready result beats cancellation: where the caller is cancelled, a child that ends well without a further
/// `Pending` has started.
pub async fn a_child_that_ends_well_in_a_cancelled_caller_has_started<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let at_once = g.start(async |started| {
            started.set(1);
            Ok::<_, ()>(2)
        });
        let (value, task) = rt.cancelled(at_once).await.unwrap().unwrap();
        assert_eq!((value, task.await), (1, 2));
        let before = g.start(|started| {
            started.set(3);
            async { Ok(4) }
        });
        let (value, task) = rt.cancelled(before).await.unwrap().unwrap();
        assert_eq!((value, task.await), (3, 4));
        let shielded = g.start(async move |started| {
            started.set(5);
            shield(rt.yields(3)).await;
            Ok(6)
        });
        let (value, task) = rt.cancelled(shielded).await.unwrap().unwrap();
        assert_eq!((value, task.outcome().await), (5, Ok(6)));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Where `set` moved nothing, an error and a panic after it are still the caller's.
pub async fn after_a_set_that_moved_nothing_failures_are_the_callers<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        for panics in [false, true] {
            let start = g.start(async move |started| {
                started.set(());
                shield(rt.yields(2)).await;
                assert!(!panics, "late");
                Err::<(), _>("late")
            });
            match panic_of(rt.cancelled(start)).await {
                Ok(result) => {
                    let error = result.unwrap().map(drop).unwrap_err();
                    assert_eq!(error, StartError::Failed("late"));
                }
                Err(message) => assert_eq!(message, "late"),
            }
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A cancelled group does not touch a child that is not ready; it is cut at its first `Pending` after `set`.
pub async fn a_cancelled_group_cuts_the_child_at_its_first_pending_after_set<B: Backend>(
    rt: Rt<B>,
) {
    for is_cancelled_before in [true, false] {
        let log = Log::default();
        let group = rt.task_group(async |g| {
            let (open, gate) = oneshot::channel::<()>();
            let there = log.clone();
            let start = g.start(async move |started| {
                gate.await.unwrap();
                rt.yields(5).await;
                there.add("untouched");
                started.set(7);
                there.add("after set");
                rt.yields(1).await;
                there.add("never");
                Ok::<(), ()>(())
            });
            if is_cancelled_before {
                g.scope().cancel_with("enough");
            }
            let cancel = async {
                g.scope().cancel_with("enough");
                rt.yields(3).await;
                open.send(()).unwrap();
            };
            let (result, ()) = join!(start, cancel);
            let (value, task) = result.unwrap();
            assert_eq!(value, 7);
            let cut = Stopped::Cancelled(because("enough"));
            assert_eq!(task.outcome().await, Err(cut));
            Ok("in order")
        });
        assert_eq!(group.await, Ok("in order"), "it is no failure");
        assert_eq!(log.marks(), ["untouched", "after set"]);
    }
}

/// A ready result beats cancellation: in a cancelled group a child that ends after `set` without a `Pending` gives
/// its value.
pub async fn a_child_that_ends_with_set_in_a_cancelled_group_gives_its_value<B: Backend>(
    rt: Rt<B>,
) {
    let group = rt.task_group(async |g| {
        g.cancel();
        let start = g.start(async move |started| {
            rt.yields(2).await;
            started.set(1);
            Ok::<_, ()>(2)
        });
        let (value, task) = start.await.unwrap();
        Ok((value, task.await))
    });
    assert_eq!(group.await, Ok((1, 2)));
}

/// A failing group does not touch a child that is not ready, either; after `set` it is cut like the others.
pub async fn a_failing_group_cuts_the_child_at_its_first_pending_after_set<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let (cut, is_cut) = oneshot::channel();
        g.spawn(async move {
            let _cut = on_drop(move || cut.send(()).unwrap_or(()));
            pending::<Result<(), _>>().await
        });
        g.spawn_named("bad", async { Err::<(), _>("sibling") });
        let there = log.clone();
        let start = g.start(async move |started| {
            is_cut.await.unwrap();
            rt.yields(5).await;
            there.add("untouched");
            started.set(());
            there.add("after set");
            rt.yields(1).await;
            there.add("never");
            Ok::<(), _>(())
        });
        // The caller is the body, which is being cancelled with the rest of the group.
        let caller = shield(async {
            let ((), task) = start.await.unwrap();
            let reason = Reason::ChildFailed(Some("bad".into()));
            assert_eq!(task.outcome().await, Err(Stopped::Cancelled(reason)));
        });
        caller.await;
        log.add("body");
        Ok(())
    });
    assert_eq!(errors(group.await), ["sibling"]);
    assert_eq!(log.marks(), ["untouched", "after set", "body"]);
}

/// A child that is not ready waits in a cancelled group without spinning.
pub async fn a_child_that_is_not_ready_does_not_spin_in_a_cancelled_group<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let mut count = None;
        let start = g.start(|started| {
            let (body, counted) = polls(async move {
                gate.await.unwrap();
                started.set(());
                Ok::<(), ()>(())
            });
            count = Some(counted);
            body
        });
        let cancel = async {
            rt.yields(2).await;
            g.cancel();
            rt.sleep(rt.tick()).await;
            open.send(()).unwrap();
        };
        let (result, ()) = join!(start, cancel);
        result.unwrap().1.await;
        let polled = count.unwrap().load(Ordering::SeqCst);
        assert!(polled <= 4, "polled {polled} times");
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A start that is pending keeps the group open, also if the caller is outside; one that has failed does not.
pub async fn a_pending_start_keeps_the_group_open<B: Backend>(rt: Rt<B>) {
    for fails in [false, true] {
        let (give, handle) = oneshot::channel();
        let (end, body_may_end) = oneshot::channel::<()>();
        let group = rt.task_group(async |g: TaskGroup<B, ()>| {
            give.send(g).unwrap();
            body_may_end.await.unwrap();
            Ok("ended")
        });
        let mut group = pin!(group);
        assert!(futures::poll!(group.as_mut()).is_pending());
        let g = handle.await.unwrap();
        let (open, gate) = oneshot::channel::<()>();
        let (finish, may_finish) = oneshot::channel::<()>();
        let start = g.start(async move |started| {
            gate.await.unwrap();
            if fails {
                return Err(());
            }
            started.set(());
            Ok(may_finish.await.is_ok())
        });
        let mut start = pin!(start);
        assert!(futures::poll!(start.as_mut()).is_pending());
        end.send(()).unwrap();
        for _ in 0..5 {
            assert!(futures::poll!(group.as_mut()).is_pending());
            rt.yields(1).await;
        }
        open.send(()).unwrap();
        let caller = async {
            match start.await {
                Ok(((), task)) => {
                    assert!(!fails);
                    finish.send(()).unwrap();
                    assert!(task.await);
                }
                Err(error) => assert_eq!((fails, error), (true, StartError::Failed(()))),
            }
        };
        assert_eq!(join!(group, caller).0, Ok("ended"));
    }
}

/// A group that is dropped from outside while a start is pending: the group around it waits for that child, too.
pub async fn the_child_of_a_start_into_a_dropped_group_is_adopted<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let outer = rt.task_group(async |_| {
        let (give, handle) = oneshot::channel();
        let group = rt.task_group(async |g: TaskGroup<B, ()>| {
            give.send(g).unwrap();
            pending::<Nothing>().await
        });
        let mut group = Box::pin(group);
        assert!(futures::poll!(group.as_mut()).is_pending());
        let g = handle.await.unwrap();
        let (open, gate) = oneshot::channel::<()>();
        let (life, there) = (alive.born(), log.clone());
        let start = g.start(async move |started| {
            let _life = life;
            gate.await.unwrap();
            rt.yields(3).await;
            there.add("untouched");
            started.set(());
            shield(rt.sleep(rt.tick())).await;
            there.add("saved");
            pending::<Nothing>().await
        });
        let drop_group = async {
            drop(group);
            open.send(()).unwrap();
        };
        drop(join!(start, drop_group).0.unwrap());
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(log.marks(), ["untouched", "saved"]);
    assert_eq!(alive.count(), 0);
}

/// The group may be one around the caller's; the child then outlives the caller's group and its scopes.
pub async fn a_child_may_be_started_into_an_enclosing_group<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let scope = rt.scope();
        let inner = rt.task_group(async |_| {
            let start = g.start(async move |started| {
                rt.yields(2).await;
                started.set("ready");
                Ok(gate.await.is_ok())
            });
            Ok::<_, ()>(start.await.unwrap())
        });
        let (value, task) = scope.run(inner).await.unwrap().unwrap();
        assert_eq!(value, "ready");
        scope.cancel();
        rt.yields(3).await;
        open.send(()).unwrap();
        Ok::<_, ()>(task.await)
    });
    assert_eq!(group.await, Ok(true));
}

/// The group may be one beside the caller's; from `set` on errors go there.
pub async fn a_child_may_be_started_into_a_group_beside_the_callers<B: Backend>(rt: Rt<B>) {
    let (give, handle) = oneshot::channel();
    let group = rt.task_group(async |g: TaskGroup<B, &str>| {
        give.send(g).unwrap();
        pending::<Result<(), &str>>().await
    });
    let (open, gate) = oneshot::channel::<()>();
    let caller = async {
        let g = handle.await.unwrap();
        let callers = rt.task_group(async |c| {
            let child = c.spawn(async move {
                let start = g.start(async move |started| {
                    started.set(1);
                    gate.await.unwrap();
                    Err::<(), _>("late")
                });
                Ok::<_, ()>(start.await.unwrap().0)
            });
            Ok(child.await)
        });
        assert_eq!(callers.await, Ok(1));
        open.send(()).unwrap();
    };
    let (result, ()) = join!(group, caller);
    assert_eq!(errors(result), ["late"]);
}

/// If a sibling of the caller fails, the caller is cancelled and with it the child; the child's group goes on.
pub async fn a_failing_sibling_of_the_caller_cancels_the_child<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let group = rt.task_group(async |g| {
        let callers = rt.task_group(async |c| {
            let (running, is_running) = oneshot::channel();
            let (life, there, g) = (alive.born(), log.clone(), g.clone());
            c.spawn(async move {
                let start = g.start(async move |started: Started<()>| {
                    let _life = (life, started);
                    running.send(()).unwrap();
                    shield(rt.yields(5)).await;
                    there.add("saved");
                    pending::<Nothing>().await
                });
                drop(start.await);
                there_is_no_way_here();
                Ok(())
            });
            is_running.await.unwrap();
            c.spawn(async { Err::<(), _>("sibling") });
            Ok(())
        });
        assert_eq!(errors(callers.await), ["sibling"]);
        assert_eq!((log.marks(), alive.count()), (vec!["saved"], 0));
        Ok::<_, ()>("untouched")
    });
    assert_eq!(group.await, Ok("untouched"));
}

/// If the child's group fails and the caller stands in it, the caller is cancelled and with it the child.
pub async fn a_caller_in_the_failing_group_is_cancelled_with_its_child<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        let (running, is_running) = oneshot::channel::<()>();
        let life = alive.born();
        g.spawn(async move {
            is_running.await.unwrap();
            Err::<(), _>("sibling")
        });
        let start = g.start(async move |started: Started<()>| {
            let _life = (life, started);
            running.send(()).unwrap();
            pending::<Result<(), _>>().await
        });
        drop(start.await);
        there_is_no_way_here();
        Ok(())
    });
    assert_eq!(errors(group.await), ["sibling"]);
    assert_eq!(alive.count(), 0);
}

/// From `set` on an error fails the group.
pub async fn an_error_after_set_fails_the_group<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let start = g.start(async move |started| {
            started.set(());
            rt.yields(2).await;
            Err::<(), _>("late")
        });
        let ((), task) = start.await.unwrap();
        assert_eq!(shield(task.outcome()).await, Err(Stopped::Failed));
        rt.yields(1).await;
        there_is_no_way_here();
        Ok(())
    });
    assert_eq!(errors(group.await), ["late"]);
}

/// From `set` on a panic is resumed by the group.
pub async fn a_panic_after_set_is_resumed_by_the_group<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let start = g.start(async move |started| {
            started.set(());
            rt.yields(2).await;
            fall_over("late");
            Ok::<(), ()>(())
        });
        let ((), task) = start.await.unwrap();
        assert_eq!(shield(task.outcome()).await, Err(Stopped::Panicked));
        log.add("started");
        Ok(())
    });
    assert_eq!(panic_of(group).await, Err("late".to_owned()));
    assert_eq!(log.marks(), ["started"]);
}

/// From `set` on a cancellation of the caller does not touch the child.
pub async fn a_caller_cancelled_after_set_does_not_touch_the_child<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let scope = rt.scope();
        let caller = scope.run(async {
            let start = g.start(async move |started| {
                started.set(());
                let is_open = gate.await.is_ok();
                rt.yields(5).await;
                Ok::<_, ()>(is_open)
            });
            let started = start.await.unwrap();
            scope.cancel();
            started
        });
        let ((), task) = caller.await.unwrap();
        rt.yields(3).await;
        open.send(()).unwrap();
        Ok(task.await)
    });
    assert_eq!(group.await, Ok(true));
}

/// A ready result beats cancellation: the caller may be cancelled between `set` and its next poll.
pub async fn a_start_that_is_ready_beats_the_cancellation_of_the_caller<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (is_set, was_set) = oneshot::channel::<()>();
        let (go, may_go) = oneshot::channel::<()>();
        let (open, gate) = oneshot::channel::<()>();
        let start = g.start(async move |started| {
            may_go.await.unwrap();
            started.set(7);
            is_set.send(()).unwrap();
            Ok::<_, ()>(gate.await.is_ok())
        });
        let scope = rt.scope();
        let mut caller = pin!(scope.run(start));
        assert!(futures::poll!(caller.as_mut()).is_pending());
        go.send(()).unwrap();
        was_set.await.unwrap();
        scope.cancel();
        let (value, task) = caller.await.unwrap().unwrap();
        open.send(()).unwrap();
        Ok((value, task.await))
    });
    assert_eq!(group.await, Ok((7, true)));
}

/// The handle is like any other: dropping it changes nothing.
pub async fn the_handle_of_a_started_child_may_be_dropped<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let there = log.clone();
        let start = g.start(async move |started| {
            started.set(());
            rt.yields(10).await;
            there.add("ended");
            Ok::<(), ()>(())
        });
        drop(start.await.unwrap());
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["ended"]);
}

/// The handle is like any other: `cancel` stops this one child, also what it opened before `set`, and waits for it.
pub async fn a_started_child_may_be_cancelled_by_its_handle<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let sibling = g.spawn(async move { Ok::<_, ()>(gate.await.is_ok()) });
        let there = log.clone();
        let start = g.start(async move |started| {
            let inner = rt.task_group(async move |h| {
                h.spawn(async move {
                    shield(rt.yields(10)).await;
                    there.add("shielded");
                    pending::<Nothing>().await
                });
                rt.yields(2).await;
                started.set(());
                pending::<Nothing>().await
            });
            inner.await.map_err(drop)
        });
        let ((), task) = start.await.unwrap();
        assert_eq!(task.cancel().await, None);
        assert_eq!(log.marks(), ["shielded"]);
        open.send(()).unwrap();
        Ok(sibling.await)
    });
    assert_eq!(group.await, Ok(true));
}

/// A start is dropped from outside: the child is cancelled, and the enclosing group of the caller waits for it.
pub async fn the_child_of_a_dropped_start_is_waited_for_by_the_callers_group<B: Backend>(
    rt: Rt<B>,
) {
    let (alive, log) = (Alive::default(), Log::default());
    let group = rt.task_group(async |g| {
        let callers = rt.task_group(async |_| {
            let (open, gate) = oneshot::channel::<()>();
            let (life, value, there) = (alive.born(), alive.born(), log.clone());
            let start = g.start(async move |started| {
                let _life = life;
                shield(gate).await.unwrap();
                there.add("saved");
                // It moves nothing any more.
                started.set(value);
                rt.yields(1).await;
                there.add("never");
                Ok::<(), ()>(())
            });
            assert!(drop_at_pending(1, start).await.is_none());
            open.send(()).unwrap();
            Ok::<(), ()>(())
        });
        assert_eq!(callers.await, Ok(()));
        assert_eq!((log.marks(), alive.count()), (vec!["saved"], 0));
        Ok::<_, ()>("untouched")
    });
    assert_eq!(group.await, Ok("untouched"));
}

/// A start is dropped from outside: a panic of the child goes to the enclosing group of the caller, an error nowhere.
pub async fn a_panic_of_the_child_of_a_dropped_start_goes_to_the_callers_group<B: Backend>(
    rt: Rt<B>,
) {
    let group = rt.task_group(async |g| {
        for panics in [true, false] {
            let callers = rt.task_group(async |_| {
                let (open, gate) = oneshot::channel::<()>();
                let start = g.start(async move |_started: Started<()>| {
                    shield(gate).await.unwrap();
                    assert!(!panics, "in the end");
                    Err::<(), _>("in the end")
                });
                assert!(drop_at_pending(1, start).await.is_none());
                open.send(()).unwrap();
                Ok::<(), ()>(())
            });
            let result = panic_of(callers).await;
            assert_eq!(result.is_err(), panics, "{result:?}");
        }
        Ok("untouched")
    });
    assert_eq!(group.await, Ok("untouched"));
}

/// The same if the child has panicked before the drop, and the caller has not been polled since.
pub async fn a_panic_that_the_caller_has_not_seen_goes_to_its_group<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let callers = rt.task_group(async |_| {
            let (open, gate) = oneshot::channel::<()>();
            let (gone, is_gone) = oneshot::channel();
            let start = g.start(async move |_started: Started<()>| {
                let _gone = on_drop(move || gone.send(()).unwrap_or(()));
                gate.await.unwrap();
                fall_over("unseen");
                Ok::<(), ()>(())
            });
            let mut start = Box::pin(start);
            assert!(futures::poll!(start.as_mut()).is_pending());
            open.send(()).unwrap();
            is_gone.await.unwrap();
            rt.yields(3).await;
            drop(start);
            Ok::<(), ()>(())
        });
        assert_eq!(panic_of(callers).await, Err("unseen".to_owned()));
        Ok("untouched")
    });
    assert_eq!(group.await, Ok("untouched"));
}

/// A start is dropped from outside when the child is ready already: the child goes on in the group.
pub async fn the_child_of_a_start_dropped_after_set_goes_on<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let group = rt.task_group(async |g| {
        let (go, may_go) = oneshot::channel::<()>();
        let (is_set, was_set) = oneshot::channel();
        let (open, gate) = oneshot::channel::<()>();
        let (value, there) = (alive.born(), log.clone());
        let start = g.start(async move |started| {
            may_go.await.unwrap();
            started.set(value);
            is_set.send(()).unwrap();
            gate.await.unwrap();
            there.add("went on");
            Ok::<(), ()>(())
        });
        let mut start = Box::pin(start);
        assert!(futures::poll!(start.as_mut()).is_pending());
        go.send(()).unwrap();
        was_set.await.unwrap();
        drop(start);
        assert_eq!((alive.count(), g.len()), (0, 1));
        open.send(()).unwrap();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["went on"]);
}

/// A start may be awaited, and dropped, where there is nothing of ours around.
pub async fn a_start_may_be_driven_by_a_foreign_executor<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        let (handle, life) = (g.clone(), alive.born());
        let driven = async move {
            let start = handle.start(async move |started| {
                rt.yields(3).await;
                started.set(7);
                rt.yields(3).await;
                Ok::<_, ()>(8)
            });
            let (value, task) = start.await.unwrap();
            let dropped = handle.start(async move |_started: Started<()>| {
                let _life = life;
                pending::<Nothing>().await
            });
            assert!(drop_at_pending(1, dropped).await.is_none());
            (value, task.await)
        };
        let call = rt.to_thread(|| B::wait_outside(|| futures::executor::block_on(driven)));
        Ok(call.await)
    });
    assert_eq!(group.await, Ok((7, 8)));
    assert_eq!(alive.count(), 0);
}

/// Cleanups of a child whose start is dropped from outside are waited for by the caller's group.
pub async fn cleanups_of_the_child_of_a_dropped_start_are_waited_for<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let callers = rt.task_group(async |_| {
            let (running, is_running) = oneshot::channel::<()>();
            let there = log.clone();
            let start = g.start(async move |_started: Started<()>| {
                rt.on_exit(async move {
                    rt.sleep(rt.tick()).await;
                    there.add("cleanup");
                });
                running.send(()).unwrap();
                pending::<Nothing>().await
            });
            drop(select(Box::pin(start), is_running).await);
            Ok::<(), ()>(())
        });
        assert_eq!(callers.await, Ok(()));
        assert_eq!(log.marks(), ["cleanup"]);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// In a group with a limit a start waits for its turn, and the child keeps that until it has ended.
pub async fn a_start_waits_for_its_turn<B: Backend>(rt: Rt<B>) {
    let group = rt.group_options().limit(1).run(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        g.spawn(async move { gate.await.map_err(drop) });
        let log = Log::default();
        let (finish, may_finish) = oneshot::channel::<()>();
        let mut start = pin!(g.start(|started| {
            log.add("made");
            async move {
                rt.yields(2).await;
                started.set(());
                may_finish.await.map_err(drop)
            }
        }));
        for _ in 0..5 {
            assert!(futures::poll!(start.as_mut()).is_pending());
            rt.yields(1).await;
        }
        assert_eq!((log.marks(), g.len()), (vec![], 1));
        open.send(()).unwrap();
        let ((), task) = start.await.unwrap();
        let mut next = pin!(g.start(async |started| {
            started.set(());
            Ok(())
        }));
        for _ in 0..5 {
            assert!(futures::poll!(next.as_mut()).is_pending());
            rt.yields(1).await;
        }
        finish.send(()).unwrap();
        task.await;
        next.await.unwrap().1.await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A caller that is cancelled or dropped while it waits for its turn leaves the queue, and the child is never made.
pub async fn a_caller_that_is_cancelled_leaves_the_queue<B: Backend>(rt: Rt<B>) {
    let group = rt.group_options().limit(1).run(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        g.spawn(async move { gate.await.map_err(drop) });
        let log = Log::default();
        let never = || {
            g.start(|_started: Started<()>| {
                log.add("made");
                async { Ok(()) }
            })
        };
        assert!(rt.cancelled(never()).await.is_err());
        assert!(rt.move_on_after(rt.tick(), never()).await.is_none());
        assert!(drop_at_pending(1, never()).await.is_none());
        open.send(()).unwrap();
        // Nobody stands in the way.
        let start = g.start(async |started| {
            started.set(());
            Ok(())
        });
        start.await.unwrap().1.await;
        Ok(log.marks())
    });
    assert_eq!(group.await, Ok(vec![]));
}

/// A start that fails gives its turn back, however it fails.
pub async fn a_start_that_fails_gives_its_turn_back<B: Backend>(rt: Rt<B>) {
    let group = rt.group_options().limit(1).run(async |g| {
        for _ in 0..3 {
            let fails = g.start(async |_started: Started<()>| Err::<(), _>("early"));
            assert_eq!(fails.await.map(drop), Err(StartError::Failed("early")));
            let waits = g.start(async |_started: Started<()>| pending::<Result<(), _>>().await);
            assert!(rt.move_on_after(rt.tick(), waits).await.is_none());
            let panics = g.start(|_started: Started<()>| {
                fall_over("not made");
                async { Ok(()) }
            });
            assert_eq!(panic_of(panics).await.map(drop), Err("not made".to_owned()));
        }
        Ok(g.spawn(async { Ok(7) }).await)
    });
    assert_eq!(group.await, Ok(7));
}

/// A start that was lent to a limit which has cut it panics when it is polled on.
pub async fn to_poll_on_a_start_that_was_cut_panics<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let mut start = pin!(g.start(async |_started: Started<()>| pending::<Nothing>().await));
        let limit = rt.move_on_after(rt.tick(), start.as_mut());
        assert!(limit.await.is_none());
        let message = panic_of(start).await.map(drop).unwrap_err();
        assert!(message.contains("polled on"), "{message}");
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Whoever has polled a start last is woken.
pub async fn the_waker_of_the_last_poll_hears_that_the_child_is_ready<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (open, gate) = oneshot::channel::<()>();
        let handle = g.clone();
        let mut start = Box::pin(async move {
            let start = handle.start(async move |started| {
                gate.await.unwrap();
                started.set(7);
                Ok::<_, ()>(8)
            });
            start.await.unwrap()
        });
        assert!(futures::poll!(start.as_mut()).is_pending());
        let elsewhere = g.spawn(async move {
            let (value, task) = start.await;
            Ok((value, task.await))
        });
        rt.yields(3).await;
        open.send(()).unwrap();
        Ok(elsewhere.await)
    });
    assert_eq!(group.await, Ok((7, 8)));
}

/// Rule 8: started children, and those that fail before, leave nothing behind.
pub async fn started_children_leave_nothing_behind<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for n in 0..3000 {
            let (life, value) = (alive.born(), alive.born());
            let start = g.start(async move |started| {
                let _life = life;
                match n % 3 {
                    0 => return Err("early"),
                    1 => return Ok(()),
                    _ => started.set(value),
                }
                rt.yields(1).await;
                Ok(())
            });
            match start.await {
                Ok((value, task)) => {
                    task.await;
                    drop(value);
                }
                Err(error) => assert_eq!(error == StartError::NotStarted, n % 3 == 1),
            }
            assert_eq!(alive.count(), 0);
        }
        Ok(g)
    });
    assert!(group.await.unwrap().is_empty());
}

/// Who hears that a child has failed before it was ready finds that it does not count in the group any more.
pub async fn a_child_that_was_never_ready_does_not_count_when_its_caller_hears_of_it<B: Backend>(
    rt: Rt<B>,
) {
    struct Look<B>(TaskGroup<B, &'static str>, Mutex<Vec<usize>>);
    impl<B: Backend> Wake for Look<B> {
        fn wake(self: Arc<Self>) {
            let len = self.0.len();
            self.1.lock().unwrap().push(len);
        }
    }
    let group = rt.task_group(async |g| {
        for is_error in [false, true] {
            let (open, gate) = oneshot::channel::<()>();
            let mut start = pin!(g.start(async move |started: Started<()>| {
                gate.await.ok();
                drop(started);
                if is_error { Err("early") } else { Ok(()) }
            }));
            let look = Arc::new(Look(g.clone(), Mutex::default()));
            let waker = Waker::from(look.clone());
            let mut poll = || start.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(poll().is_pending());
            open.send(()).unwrap();
            let result = loop {
                match poll() {
                    Poll::Ready(result) => break result,
                    Poll::Pending => rt.yields(1).await,
                }
            };
            assert_eq!(g.len(), 0);
            assert!(result.is_err());
            // The caller may have found it before it was woken.
            assert!(look.1.lock().unwrap().iter().all(|len| *len == 0));
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Dropped from outside: what a child that was never ready has left behind may panic after the caller's group has
/// ended, and whoever waits for it gets the panic.
pub async fn a_panic_left_behind_by_a_child_that_was_never_ready_is_not_lost<B: Backend>(
    rt: Rt<B>,
) {
    let (open, gate) = oneshot::channel::<()>();
    let group = rt.task_group(async |g| {
        let caller = rt.task_group(async |_| {
            let start = g.start(async move |_started: Started<()>| {
                let inner = rt.parallel().task_group(async move |h| {
                    h.spawn(async move {
                        shield(gate).await.ok();
                        fall_over("left behind");
                        Ok::<(), ()>(())
                    });
                    pending::<Result<(), ()>>().await
                });
                assert!(drop_at_pending(1, inner).await.is_none());
                Err::<(), _>("early")
            });
            assert_eq!(start.await.unwrap_err(), StartError::Failed("early"));
            // If this group does not wait for it, the other one does.
            rt.yields(3).await;
            Ok::<(), ()>(())
        });
        let open = async {
            rt.yields(20).await;
            open.send(()).ok();
        };
        let (caller, ()) = join!(caller, open);
        assert_eq!(caller, Ok(()));
        Ok(())
    });
    assert_eq!(panic_of(group).await, Err("left behind".to_owned()));
}

/// Dropped from outside: the group of a child that was never ready is dropped and waits for what that child has left
/// behind; who adopts is the group around that group, not the caller's.
pub async fn what_a_child_that_was_never_ready_has_left_behind_is_adopted_once<B: Backend>(
    rt: Rt<B>,
) {
    let alive = Alive::default();
    let log = Log::default();
    let main = rt.task_group(async |_| {
        let (give, handle) = oneshot::channel();
        let (open, gate) = oneshot::channel::<()>();
        let adopting = rt.task_group(async |_| {
            let mut target = Box::pin(rt.task_group(async |g: TaskGroup<B, ()>| {
                give.send(g).unwrap();
                pending::<Result<(), ()>>().await
            }));
            assert!(futures::poll!(target.as_mut()).is_pending());
            let g = handle.await.unwrap();
            let life = alive.born();
            let log = log.clone();
            let caller = rt.task_group(async |_| {
                let start = g.start(async move |_started: Started<()>| {
                    let inner = rt.parallel().task_group(async move |h| {
                        h.spawn(async move {
                            let _life = life;
                            shield(gate).await.ok();
                            shield(rt.sleep(rt.tick())).await;
                            log.add("saved");
                            Ok::<(), ()>(())
                        });
                        pending::<Result<(), ()>>().await
                    });
                    assert!(drop_at_pending(1, inner).await.is_none());
                    Err::<(), _>(())
                });
                let Either::Left((error, _)) = select(pin!(start), &mut target).await else {
                    unreachable!("the body has no end")
                };
                assert_eq!(error.unwrap_err(), StartError::Failed(()));
                drop(target);
                open.send(()).ok();
                // Keeps this group open, so that it could be counted out wrongly.
                rt.sleep(rt.tick() * 3).await;
                Ok::<(), ()>(())
            });
            caller.await
        });
        assert_eq!(adopting.await, Ok(()));
        assert_eq!((log.marks(), alive.count()), (vec!["saved"], 0));
        Ok::<(), ()>(())
    });
    assert_eq!(main.await, Ok(()));
}

/// The errors of a group that has failed.
#[track_caller]
fn errors<T, E: Copy>(result: Result<T, GroupError<E>>) -> Vec<E> {
    match result {
        Ok(_) => panic!("the group has not failed"),
        Err(errors) => errors.iter().copied().collect(),
    }
}

/// Panics, but the compiler does not know, so that what follows can say what type it has.
fn fall_over(message: &str) {
    panic!("{message}");
}

#[track_caller]
fn there_is_no_way_here() {
    panic!("what was cancelled went on");
}
