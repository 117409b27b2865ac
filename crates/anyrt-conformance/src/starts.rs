//! Starting a child and waiting until it is ready: whose it is before that, and whose after.

use std::future::pending;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use anyrt_core::{
    Backend, CancelScope, GroupError, Reason, StartError, Started, Stopped, TaskGroup, is_stopping,
    shield, stopping,
};
use futures::channel::oneshot;
use futures::future::{join_all, select};
use futures::join;

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use crate::probe::{Alive, Latch, Life, Log, because, on_a_fresh_thread, on_drop, panic_of, polls};
use crate::rt::Rt;

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
            panic!("it was started");
            #[expect(unreachable_code, reason = "says the type")]
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
                panic!("no port");
                #[expect(unreachable_code, reason = "says the type")]
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
                assert!(alive.count() > 1, "not made");
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
        let (life, there) = (alive.born(), log.clone());
        let start = g.start(async move |started: Started<()>| {
            let _life = (life, started);
            running.send(()).unwrap();
            shield(rt.sleep(rt.tick())).await;
            there.add("saved");
            rt.yields(1).await;
            there.add("never");
            Ok(())
        });
        let scope = rt.scope();
        let cancel = async {
            is_running.await.unwrap();
            scope.cancel_with("enough");
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
        match start.await {
            Ok(((), task)) => {
                assert!(!fails);
                assert!(futures::poll!(group.as_mut()).is_pending());
                finish.send(()).unwrap();
                assert!(task.await);
            }
            Err(error) => assert_eq!((fails, error), (true, StartError::Failed(()))),
        }
        assert_eq!(group.await, Ok("ended"));
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
            panic!("late");
            #[expect(unreachable_code, reason = "says the type")]
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
        let (open, gate) = oneshot::channel::<()>();
        let start = g.start(async move |started| {
            started.set(7);
            is_set.send(()).unwrap();
            Ok::<_, ()>(gate.await.is_ok())
        });
        let scope = rt.scope();
        let mut caller = pin!(scope.run(start));
        assert!(futures::poll!(caller.as_mut()).is_pending());
        was_set.await.unwrap();
        scope.cancel();
        let (value, task) = caller.await.unwrap().unwrap();
        open.send(()).unwrap();
        Ok((value, task.await))
    });
    assert_eq!(group.await, Ok((7, true)));
}

/// Rule 6: a group whose child was cut from outside gives no value. A child that is not ready is not yet its child.
pub async fn a_child_that_was_cut_keeps_the_value_back_only_after_set<B: Backend>(rt: Rt<B>) {
    for is_ready in [false, true] {
        let (around, caller) = (rt.scope(), rt.scope());
        let (give, handle) = oneshot::channel();
        let (running, is_running) = oneshot::channel::<()>();
        let group = rt.task_group(async |g: TaskGroup<B, ()>| {
            give.send(g).unwrap();
            is_running.await.map_err(drop)
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
                running.send(()).unwrap();
                pending::<()>().await;
                drop(started);
                Ok(())
            });
            let cancel = async {
                rt.yields(5).await;
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
                there.wait();
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
            let (life, value, there) = (alive.born(), alive.born(), log.clone());
            let start = g.start(async move |started| {
                let _life = life;
                shield(rt.sleep(rt.tick())).await;
                there.add("saved");
                // It moves nothing any more.
                started.set(value);
                rt.yields(1).await;
                there.add("never");
                Ok::<(), ()>(())
            });
            assert!(drop_at_pending(1, start).await.is_none());
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
                let start = g.start(async move |_started: Started<()>| {
                    shield(rt.yields(5)).await;
                    assert!(!panics, "in the end");
                    Err::<(), _>("in the end")
                });
                assert!(drop_at_pending(1, start).await.is_none());
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
            let (gone, is_gone) = oneshot::channel();
            let start = g.start(async move |_started: Started<()>| {
                let _gone = on_drop(move || gone.send(()).unwrap_or(()));
                panic!("unseen");
                #[expect(unreachable_code, reason = "says the type")]
                Ok::<(), ()>(())
            });
            let mut start = Box::pin(start);
            assert!(futures::poll!(start.as_mut()).is_pending());
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
        let (go, may_set) = oneshot::channel::<()>();
        let (is_set, was_set) = oneshot::channel();
        let (open, gate) = oneshot::channel::<()>();
        let (value, there) = (alive.born(), log.clone());
        let start = g.start(async move |started| {
            may_set.await.unwrap();
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
        let call = rt.to_thread(|| futures::executor::block_on(driven));
        Ok(call.await)
    });
    assert_eq!(group.await, Ok((7, 8)));
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
                assert!(!g.is_empty(), "not made");
                async { Ok(()) }
            });
            assert_eq!(panic_of(panics).await.map(drop), Err("not made".to_owned()));
        }
        Ok(g.spawn(async { Ok(7) }).await)
    });
    assert_eq!(group.await, Ok(7));
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
            assert_eq!(*look.1.lock().unwrap(), [0]);
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
                let inner = rt.task_group(async move |h| {
                    h.spawn(async move {
                        shield(gate).await.ok();
                        panic!("left behind");
                        #[expect(unreachable_code, reason = "says the type")]
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
                    let inner = rt.task_group(async move |h| {
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
                assert_eq!(start.await.unwrap_err(), StartError::Failed(()));
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

/// The errors of a group that has failed.
#[track_caller]
fn errors<T, E: Copy>(result: Result<T, GroupError<E>>) -> Vec<E> {
    match result {
        Ok(_) => panic!("the group has not failed"),
        Err(errors) => errors.iter().copied().collect(),
    }
}

#[track_caller]
fn there_is_no_way_here() {
    panic!("what was cancelled went on");
}
