//! Calls from threads back to whoever has called into them.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyrt_core::from_thread::FromThreadError;
use anyrt_core::{
    Backend, CancelScope, Limiter, Reason, Stopped, backend, checkpoint, default_thread_limiter,
    finally, shield, stopping,
};
use futures::channel::{mpsc as async_mpsc, oneshot};
use futures::{FutureExt, SinkExt, StreamExt};

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use crate::probe::{Alive, Latch, Log, because, message, on_a_fresh_thread};
use crate::rt::Rt;

/// Whether the caller is gone, whatever the reason.
fn is_cancelled<T>(result: &Result<T, FromThreadError>) -> bool {
    matches!(result, Err(FromThreadError::Cancelled(_)))
}

/// Out of threads: `block_on` gives the value of the future, however often it had to wait.
pub async fn block_on_gives_the_value_of_the_future<B: Backend>(rt: Rt<B>) {
    let call = rt.to_thread(move || {
        let ready = rt.block_on(async { 1 })?;
        let yields = rt.block_on(rt.yields(10).map(|()| 10))?;
        let sleeps = rt.block_on(rt.sleep(rt.tick()).map(|()| 100))?;
        Ok::<_, FromThreadError>(ready + yields + sleeps)
    });
    assert_eq!(call.await, Ok(111));
}

/// Out of threads: the thread itself polls the future, which may borrow from it and need not be `Send`.
pub async fn a_future_of_a_thread_may_borrow_and_need_not_be_send<B: Backend>(rt: Rt<B>) {
    let call = rt.to_thread(move || {
        let here = std::thread::current().id();
        let (name, count) = (String::from("borrowed"), Rc::new(7));
        rt.block_on(async {
            let count = count.clone();
            rt.yields(3).await;
            assert_eq!(std::thread::current().id(), here);
            name.len() + *count
        })
    });
    assert_eq!(call.await, Ok(15));
}

/// Out of threads: "`block_on` runs a future on the host's backend"; children and timers are the host's too.
pub async fn a_future_of_a_thread_has_the_hosts_backend<B: Backend>(rt: Rt<B>) {
    let host = backend::<B>().name();
    let call = rt.to_thread(move || {
        rt.block_on(async {
            let here = backend::<B>().name();
            let group = rt.task_group(async |g| {
                let child = g.spawn(async move {
                    rt.sleep(rt.tick()).await;
                    Ok::<_, ()>(backend::<B>().name())
                });
                Ok(child.await)
            });
            (here, group.await.unwrap())
        })
    });
    assert_eq!(call.await, Ok((host, host)));
}

/// Out of threads: "the current backend of a worker thread is its host's", also outside of `block_on`.
pub async fn the_current_backend_of_a_worker_is_its_hosts<B: Backend>(rt: Rt<B>) {
    let host = backend::<B>().name();
    let call = rt.to_thread(move || {
        let earlier = rt.now();
        rt.block_on(rt.sleep(rt.tick())).unwrap();
        (backend::<B>().name(), rt.now() - earlier)
    });
    let (there, slept) = call.await;
    assert_eq!(there, host);
    assert!(slept >= rt.tick());
}

/// Threads: the default limiter in a worker is that of its run, in `block_on` and outside of it.
pub async fn a_worker_has_the_default_limiter_of_its_run<B: Backend>(rt: Rt<B>) {
    default_thread_limiter().set_total(7);
    let call = rt.to_thread(move || {
        let there = default_thread_limiter().statistics();
        let inside = rt.block_on(async { default_thread_limiter().statistics() });
        (there, inside.unwrap())
    });
    let (there, inside) = call.await;
    assert_eq!((there.total, there.borrowed), (7, 1));
    assert_eq!(there, inside);
}

/// Out of threads: "cancelling the host interrupts it", with the reason of the host.
pub async fn cancelling_the_host_interrupts_block_on<B: Backend>(rt: Rt<B>) {
    let (alive, scope) = (Alive::default(), rt.scope());
    let (waits, is_waiting) = oneshot::channel();
    let life = alive.born();
    let run = scope.run(rt.to_thread(move || {
        let result = rt.block_on(async move {
            let _life = life;
            waits.send(()).unwrap();
            pending::<()>().await;
        });
        (result, rt.check_cancelled())
    }));
    let cancel = async {
        is_waiting.await.unwrap();
        scope.cancel_with("enough");
    };
    let (results, ()) = futures::join!(run, cancel);
    let error = FromThreadError::Cancelled(because("enough"));
    assert_eq!(results, Ok((Err(error.clone()), Err(error))));
    assert_eq!(alive.count(), 0);
}

/// Out of threads: a deadline around the host interrupts `block_on`; time goes on while the thread waits.
pub async fn a_deadline_of_the_host_interrupts_block_on<B: Backend>(rt: Rt<B>) {
    let start = rt.now();
    let call = rt.to_thread(move || rt.block_on(rt.sleep(rt.hour())));
    let result = rt.move_on_after(2 * rt.tick(), call).await;
    let error = FromThreadError::Cancelled(Reason::Deadline);
    assert_eq!(result, Some(Err(error)));
    assert!(rt.now() - start >= 2 * rt.tick());
}

/// Out of threads: a group that fails interrupts the threads of its children where they wait.
pub async fn a_failing_group_interrupts_block_on<B: Backend>(rt: Rt<B>) {
    let (waits, is_waiting) = oneshot::channel();
    let (ended, end) = std::sync::mpsc::channel();
    let group = rt.task_group(async move |g| {
        g.spawn(async move {
            let call = rt.to_thread(move || {
                let result = rt.block_on(async move {
                    waits.send(()).unwrap();
                    pending::<()>().await;
                });
                ended.send(result).unwrap();
            });
            call.await;
            Ok(())
        });
        is_waiting.await.unwrap();
        Err::<(), _>("failed")
    });
    assert_eq!(group.await.unwrap_err().first, "failed");
    let error = FromThreadError::Cancelled(Reason::ChildFailed(None));
    assert_eq!(end.try_recv(), Ok(Err(error)));
}

/// Out of threads: "`block_on` in a cancelled host gives what is ready and an error at `Pending`".
pub async fn in_a_cancelled_host_block_on_gives_what_is_ready<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let cancel = scope.clone();
    let run = scope.run(rt.to_thread(move || {
        assert_eq!(rt.block_on(rt.yields(3)), Ok(()));
        cancel.cancel();
        for _ in 0..3 {
            assert_eq!(rt.block_on(async { 7 }), Ok(7));
            assert!(is_cancelled(&rt.block_on(checkpoint())));
            assert!(is_cancelled(&rt.check_cancelled()));
        }
    }));
    assert_eq!(run.await, Ok(()));
}

/// Out of threads: a thread of a child sees the cancellation of that child alone.
pub async fn a_thread_sees_its_childs_cancellation<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (waits, is_waiting) = oneshot::channel();
        let (ended, end) = oneshot::channel();
        let child = g.spawn(async move {
            let call = rt.to_thread(move || {
                let waits = async move {
                    waits.send(()).unwrap();
                    pending::<()>().await;
                };
                ended.send(rt.block_on(waits)).unwrap();
            });
            call.await;
            Ok::<(), ()>(())
        });
        is_waiting.await.unwrap();
        child.cancel().await;
        Ok(end.await.unwrap())
    });
    assert!(is_cancelled(&group.await.unwrap()));
}

/// Shields: a host in a shield is not interrupted by what is outside, and neither is its thread.
pub async fn a_shield_around_the_host_protects_block_on<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let cancel = scope.clone();
    let run = scope.run(async {
        let call = shield(rt.to_thread(move || {
            cancel.cancel();
            assert_eq!(rt.check_cancelled(), Ok(()));
            rt.block_on(async {
                rt.yields(3).await;
                rt.sleep(rt.tick()).await;
                7
            })
        }));
        assert_eq!(call.await, Ok(7));
        rt.yields(1).await;
        unreachable!("the scope is cancelled");
    });
    assert!(run.await.is_err());
}

/// The one rule holds in `block_on` too: what holds there is waited for before it is interrupted.
pub async fn what_holds_in_block_on_is_waited_for<B: Backend>(rt: Rt<B>) {
    let (log, scope) = (Log::default(), rt.scope());
    let (cancel, mark) = (scope.clone(), log.clone());
    let run = scope.run(rt.to_thread(move || {
        rt.block_on(async {
            shield(async {
                cancel.cancel();
                rt.sleep(rt.tick()).await;
                mark.add("shielded");
            })
            .await;
            rt.yields(1).await;
            mark.add("went on");
        })
    }));
    assert!(is_cancelled(&run.await.unwrap()));
    assert_eq!(log.marks(), ["shielded"]);
}

/// Section 2: a group in `block_on` has ended, children and values, when `block_on` returns.
pub async fn a_group_in_block_on_has_ended_when_it_returns<B: Backend>(rt: Rt<B>) {
    let (alive, scope) = (Alive::default(), rt.scope());
    let (cancel, born) = (scope.clone(), alive.clone());
    let run = scope.run(rt.to_thread(move || {
        let result = rt.block_on(rt.task_group(async |g| {
            for _ in 0..10 {
                let life = born.born();
                g.spawn(async move {
                    let _life = life;
                    finally(pending::<()>(), async || rt.yields(3).await).await;
                    Ok::<(), ()>(())
                });
            }
            rt.yields(3).await;
            cancel.cancel();
            Ok(())
        }));
        (result.is_err(), born.count())
    }));
    assert_eq!(run.await, Ok((true, 0)));
    assert_eq!(alive.count(), 0);
}

/// Scopes in `block_on` are as everywhere: their own time limits are values and no errors of `block_on`.
pub async fn scopes_in_block_on_catch_their_own_cancellation<B: Backend>(rt: Rt<B>) {
    let call = rt.to_thread(move || {
        rt.block_on(async {
            let limited = rt.move_on_after(rt.tick(), pending::<()>()).await;
            let failed = rt.fail_after(rt.tick(), pending::<()>()).await;
            let scope = rt.cancelled(pending::<()>()).await;
            (limited, failed.is_err(), scope.is_err())
        })
    });
    assert_eq!(call.await, Ok((None, true, true)));
}

/// Deadlines: the deadline of the host is in sight in `block_on`.
pub async fn the_hosts_deadline_is_in_sight_in_block_on<B: Backend>(rt: Rt<B>) {
    let deadline = rt.now() + rt.hour();
    let call = rt.to_thread(move || rt.block_on(async { rt.effective_deadline() }));
    let seen = rt.move_on_at(deadline, call).await;
    assert_eq!(seen, Some(Ok(Some(deadline))));
}

/// Out of threads: "a panic resumes at the caller of `block_on`", with its own payload, and the thread may go on.
pub async fn a_panic_is_resumed_at_the_caller_of_block_on<B: Backend>(rt: Rt<B>) {
    struct Payload(u32);
    let call = rt.to_thread(move || {
        let panics = || {
            rt.block_on(async {
                rt.yields(2).await;
                resume_unwind(Box::new(Payload(7)));
            })
        };
        let payload = catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
        assert_eq!(payload.downcast_ref::<Payload>().unwrap().0, 7);
        rt.block_on(rt.yields(1).map(|()| "went on"))
    });
    assert_eq!(call.await, Ok("went on"));
}

/// Out of threads: a panic that nobody catches on its way through the thread comes out where the call is awaited.
pub async fn a_panic_passes_through_the_thread_to_the_host<B: Backend>(rt: Rt<B>) {
    let call = rt.to_thread(move || {
        let group = rt.task_group(async |g| {
            g.spawn::<()>(async { panic!("of a child") });
            Ok::<(), ()>(())
        });
        rt.block_on(group).unwrap().unwrap();
    });
    let payload = AssertUnwindSafe(call).catch_unwind().await.unwrap_err();
    assert_eq!(message(&*payload), "of a child");
}

/// Out of threads: an abandoned thread is told so, by `check_cancelled` and by `block_on`.
pub async fn an_abandoned_thread_is_told_so<B: Backend>(rt: Rt<B>) {
    let (latch, scope) = (Latch::default(), rt.scope());
    let (started, has_started) = oneshot::channel();
    let (done, is_done) = oneshot::channel();
    let there = latch.clone();
    let call = rt.to_thread(move || {
        started.send(()).unwrap();
        there.wait::<B>();
        let ready = rt.block_on(async { 7 });
        done.send((ready, rt.block_on(checkpoint()), rt.check_cancelled()))
            .unwrap();
    });
    let cancel = async {
        has_started.await.unwrap();
        scope.cancel_with("enough");
    };
    let (cancelled, ()) = futures::join!(scope.run(call.abandon_on_cancel()), cancel);
    assert!(cancelled.is_err());
    latch.open();
    let error = FromThreadError::Cancelled(because("enough"));
    assert_eq!(
        is_done.await.unwrap(),
        (Ok(7), Err(error.clone()), Err(error))
    );
}

/// Out of threads: to be abandoned interrupts a `block_on` that waits.
pub async fn to_be_abandoned_interrupts_block_on<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let (waits, is_waiting) = oneshot::channel();
    let (done, is_done) = oneshot::channel();
    let call = rt.to_thread(move || {
        let result = rt.block_on(async move {
            waits.send(()).unwrap();
            pending::<()>().await;
        });
        done.send(result).unwrap();
    });
    let cancel = async {
        is_waiting.await.unwrap();
        scope.cancel();
    };
    // The thread may be done by the time the scope looks, and then its value counts.
    let _ = futures::join!(scope.run(call.abandon_on_cancel()), cancel);
    assert!(is_cancelled(&is_done.await.unwrap()));
}

/// Into threads: "after a drop from outside, `check_cancelled` says yes", and so does `block_on`.
pub async fn a_thread_whose_call_was_dropped_is_told_so<B: Backend>(rt: Rt<B>) {
    for abandon in [false, true] {
        let latch = Latch::default();
        let there = latch.clone();
        let (done, is_done) = oneshot::channel();
        let group = rt.task_group(async |_| {
            let call = rt.to_thread(move || {
                let before = rt.check_cancelled();
                there.wait::<B>();
                done.send((before, rt.check_cancelled(), rt.block_on(checkpoint())))
                    .unwrap();
            });
            let call = if abandon {
                call.abandon_on_cancel()
            } else {
                call
            };
            drop_at_pending(1, call).await;
            latch.open();
            Ok::<(), ()>(())
        });
        assert_eq!(group.await, Ok(()));
        let (_, after, blocked) = is_done.await.unwrap();
        let error = FromThreadError::Cancelled(Reason::Dropped);
        assert_eq!((after, blocked), (Err(error.clone()), Err(error)));
    }
}

/// Out of threads: in a thread that runs no call there is nobody to call back.
pub async fn a_thread_without_a_call_has_nobody_to_call_back<B: Backend>(rt: Rt<B>) {
    let results = on_a_fresh_thread(move || (rt.block_on(async { 7 }), rt.check_cancelled()));
    assert_eq!(
        results,
        (
            Err(FromThreadError::NoWorker),
            Err(FromThreadError::NoWorker)
        )
    );
    // A thread of the runtime's own pool, used for something else; it may well have run a call of ours before.
    rt.to_thread(|| ()).await;
    let foreign = backend::<B>().spawn_blocking(move || rt.block_on(async { 7 }));
    assert_eq!(foreign.await, Some(Err(FromThreadError::NoWorker)));
}

/// Out of threads: "never call from the runtime's own thread: that is an error, not a deadlock".
pub async fn in_a_future_block_on_is_an_error<B: Backend>(rt: Rt<B>) {
    let own = Err(FromThreadError::OwnThread);
    assert_eq!(rt.block_on(async { 7 }), own);
    assert_eq!(rt.check_cancelled(), Err(FromThreadError::OwnThread));
    let group = rt.task_group(async |g| {
        let child = g.spawn(async move { Ok::<_, ()>(rt.block_on(async { 7 })) });
        Ok(child.await)
    });
    assert_eq!(group.await.unwrap(), own);
    let call = rt.to_thread(move || {
        rt.block_on(async move {
            rt.yields(1).await;
            rt.block_on(async { 7 })
        })
    });
    assert_eq!(call.await, Ok(own));
}

/// Out of threads: a future that is refused is dropped and was never polled.
pub async fn a_refused_future_is_not_polled<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let life = alive.born();
    let refused = rt.block_on(async move {
        let _life = life;
        unreachable!("never polled");
    });
    assert_eq!(refused, Err::<(), _>(FromThreadError::OwnThread));
    assert_eq!(alive.count(), 0);
}

/// Out of threads: a thread spawns into a group by its handle, and may wait for the child.
pub async fn a_thread_may_spawn_into_a_group_and_wait_for_the_child<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let here = g.clone();
        let call = rt.to_thread(move || {
            let child = here.spawn(async move {
                rt.yields(3).await;
                Ok::<_, ()>(7)
            });
            rt.block_on(child)
        });
        Ok(call.await)
    });
    assert_eq!(group.await, Ok(Ok(7)));
}

/// A child that a thread waits for and that ends without a value: `outcome` says how, and the host is told as always.
pub async fn a_thread_may_ask_how_a_child_ended<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let here = g.clone();
        let call = rt.to_thread(move || {
            let child = here.spawn(async { pending::<Result<(), ()>>().await });
            here.cancel();
            rt.block_on(child.outcome())
        });
        Ok(call.await)
    });
    let outcome = group.await.unwrap().unwrap();
    assert!(matches!(outcome, Err(Stopped::Cancelled(_))), "{outcome:?}");
}

/// Threads within threads: each level waits for the one below, with a limiter of its own.
pub async fn calls_may_be_nested_through_block_on<B: Backend>(rt: Rt<B>) {
    fn nested<B: Backend>(rt: Rt<B>, depth: u32) -> u32 {
        if depth == 0 {
            return 0;
        }
        let limiter = Limiter::new(1);
        let below = rt.block_on(async move {
            let call = rt.to_thread(move || nested(rt, depth - 1));
            call.limiter(&limiter).await
        });
        below.unwrap() + 1
    }
    assert_eq!(rt.to_thread(move || nested(rt, 10)).await, 10);
}

/// Out of threads: a cancellation of the host goes down through nested calls and wakes the innermost.
pub async fn a_cancellation_goes_through_nested_calls<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let (waits, is_waiting) = oneshot::channel();
    let run = scope.run(rt.to_thread(move || {
        rt.block_on(rt.to_thread(move || {
            rt.block_on(rt.to_thread(move || {
                rt.block_on(async move {
                    waits.send(()).unwrap();
                    pending::<()>().await;
                })
            }))
        }))
    }));
    let cancel = async {
        is_waiting.await.unwrap();
        scope.cancel();
    };
    let (result, ()) = futures::join!(run, cancel);
    // Each level has a value that is ready, and that beats the cancellation.
    assert!(is_cancelled(&result.unwrap().unwrap().unwrap()));
}

/// Whatever wakes the future may come from anywhere: a task, another thread, one that no runtime knows.
pub async fn block_on_is_woken_from_anywhere<B: Backend>(rt: Rt<B>) {
    let (to_first, mut first) = async_mpsc::channel::<u32>(1);
    let (to_second, mut second) = async_mpsc::channel::<u32>(1);
    let ping = |mut to: async_mpsc::Sender<u32>, serve: bool| {
        move |from: &mut async_mpsc::Receiver<u32>| {
            let mut last = 0;
            if serve {
                rt.block_on(to.send(1)).unwrap().unwrap();
            }
            while let Some(number) = rt.block_on(from.next()).unwrap() {
                last = number;
                if number >= 500 || rt.block_on(to.send(number + 1)).unwrap().is_err() {
                    break;
                }
            }
            last
        }
    };
    let (mut one, mut other) = (ping(to_second, true), ping(to_first, false));
    let calls = (
        rt.to_thread(move || one(&mut first)),
        rt.to_thread(move || other(&mut second)),
    );
    let (a, b) = futures::join!(calls.0, calls.1);
    assert_eq!(a.max(b), 500);
    let (send, receive) = oneshot::channel();
    let foreign = std::thread::spawn(move || send.send(7).unwrap());
    let task = rt.to_thread(move || rt.block_on(async move { 7 }));
    let foreign_value = rt.to_thread(move || rt.block_on(task)).await.unwrap();
    assert_eq!(foreign_value, Ok(7));
    // No runtime knows of the thread, so on a virtual clock something has to stand for it.
    let joined = rt.to_thread(move || foreign.join().is_ok());
    let waits = rt.to_thread(move || rt.block_on(receive));
    assert_eq!(futures::join!(joined, waits), (true, Ok(Ok(7))));
}

/// `on_exit` in `block_on` runs at the end of it, last first, and before it returns.
pub async fn exits_in_block_on_run_before_it_returns<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let mark = log.clone();
    let call = rt.to_thread(move || {
        let (first, second) = (mark.clone(), mark.clone());
        let result = rt.block_on(async move {
            rt.on_exit(async move {
                rt.yields(2).await;
                first.add("first");
            });
            rt.on_exit(async move { second.add("second") });
        });
        mark.add("returned");
        result
    });
    assert_eq!(call.await, Ok(()));
    assert_eq!(log.marks(), ["second", "first", "returned"]);
}

/// `finally` in `block_on`: the cleanup has run when `block_on` says that it was interrupted.
pub async fn cleanups_in_block_on_run_when_it_is_interrupted<B: Backend>(rt: Rt<B>) {
    let (log, scope) = (Log::default(), rt.scope());
    let (mark, cancel) = (log.clone(), scope.clone());
    let run = scope.run(rt.to_thread(move || {
        let result = rt.block_on(async {
            let exit = mark.clone();
            rt.on_exit(async move {
                rt.yields(2).await;
                exit.add("exit");
            });
            let body = async {
                cancel.cancel();
                pending::<()>().await;
            };
            finally(body, async || {
                rt.sleep(rt.tick()).await;
                mark.add("cleanup");
            })
            .await;
        });
        mark.add("returned");
        result
    }));
    assert!(is_cancelled(&run.await.unwrap()));
    assert_eq!(log.marks(), ["cleanup", "exit", "returned"]);
}

/// A graceful stop around the host is heard in `block_on`.
pub async fn a_stop_is_heard_in_block_on<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let (waits, is_waiting) = oneshot::channel();
    let run = scope.run(rt.to_thread(move || {
        rt.block_on(async move {
            waits.send(()).unwrap();
            stopping().await;
            "in good order"
        })
    }));
    let stop = async {
        is_waiting.await.unwrap();
        scope.stop(rt.hour());
    };
    let (result, ()) = futures::join!(run, stop);
    assert_eq!(result, Ok(Ok("in good order")));
}

/// `check_cancelled` sees a deadline that has passed, though nobody has come to fire it.
pub async fn check_cancelled_sees_deadlines<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let handle = scope.clone();
    let call = scope.run(rt.to_thread(move || {
        assert_eq!(rt.check_cancelled(), Ok(()));
        handle.set_deadline(Some(rt.now() + rt.hour()));
        assert_eq!(rt.check_cancelled(), Ok(()));
        handle.set_deadline(Some(rt.now()));
        rt.check_cancelled()
    }));
    let error = FromThreadError::Cancelled(Reason::Deadline);
    assert_eq!(call.await, Ok(Err(error)));
}

/// Two hundred threads, each calling back again and again, with children of the runtime in between.
pub async fn two_hundred_threads_may_call_back_at_once<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(200);
    let group = rt.task_group(async |g| {
        let calls: Vec<_> = (0..200u64)
            .map(|n| {
                let (limiter, group) = (limiter.clone(), g.clone());
                g.spawn(async move {
                    let call = rt.to_thread(move || {
                        let mut sum = 0;
                        for turn in 0..5 {
                            let child = group.spawn(async move {
                                rt.yields(2).await;
                                Ok::<_, ()>(n * turn)
                            });
                            sum += rt.block_on(child).unwrap();
                        }
                        sum
                    });
                    Ok(call.limiter(&limiter).await)
                })
            })
            .collect();
        let mut sum = 0;
        for call in calls {
            sum += call.await;
        }
        Ok(sum)
    });
    assert_eq!(group.await, Ok(10 * (0..200).sum::<u64>()));
}

/// Two hundred threads wait in `block_on` while their group is cancelled: each is told, and none is left.
pub async fn two_hundred_waiting_threads_are_told<B: Backend>(rt: Rt<B>) {
    let (limiter, told) = (Limiter::new(200), Arc::new(AtomicUsize::new(0)));
    let (waits, mut waiting) = async_mpsc::unbounded();
    let group = rt.task_group(async |g| {
        for _ in 0..200 {
            let (limiter, told, waits) = (limiter.clone(), told.clone(), waits.clone());
            g.spawn(async move {
                let call = rt.to_thread(move || {
                    let result = rt.block_on(async move {
                        waits.unbounded_send(()).unwrap();
                        pending::<()>().await;
                    });
                    told.fetch_add(usize::from(is_cancelled(&result)), Ordering::SeqCst);
                });
                call.limiter(&limiter).await;
                Ok::<(), ()>(())
            });
        }
        assert_eq!((&mut waiting).take(200).count().await, 200);
        g.cancel();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(told.load(Ordering::SeqCst), 200);
    assert_eq!(limiter.available(), 200);
}

/// A cancellation that races with completion: the value or the error, never both, never a hang.
pub async fn block_on_may_be_cancelled_at_any_moment<B: Backend>(rt: Rt<B>) {
    for round in 0..100 {
        let (alive, scope) = (Alive::default(), rt.scope());
        let (cancel, life) = (scope.clone(), alive.born());
        let canceller = std::thread::spawn(move || {
            (0..round * 20).for_each(|_| std::hint::spin_loop());
            cancel.cancel();
        });
        let run = scope.run(rt.to_thread(move || {
            rt.block_on(async move {
                let _life = life;
                rt.yields(round % 5).await;
                7
            })
        }));
        match run.await {
            Ok(Ok(value)) => assert_eq!(value, 7),
            Ok(Err(error)) => assert!(matches!(error, FromThreadError::Cancelled(_))),
            Err(_) => {}
        }
        assert_eq!(alive.count(), 0, "in round {round}");
        canceller.join().unwrap();
    }
}

/// Cancelled at each of its `Pending`s: nothing of what the threads brought along is left.
pub async fn callbacks_may_be_cancelled_at_any_pending<B: Backend>(rt: Rt<B>) {
    let rounds = cancel_at_every_pending(rt, |alive| callbacks(rt, alive)).await;
    assert!(rounds > 1, "only {rounds} rounds");
}

/// Dropped at each of its `Pending`s: the enclosing group waits for the threads, which are told.
pub async fn callbacks_may_be_dropped_at_any_pending<B: Backend>(rt: Rt<B>) {
    let rounds = drop_at_every_pending(rt, |alive| callbacks(rt, alive)).await;
    assert!(rounds > 1, "only {rounds} rounds");
}

async fn callbacks<B: Backend>(rt: Rt<B>, alive: Alive) {
    let call = |turns| {
        let alive = alive.clone();
        rt.to_thread(move || {
            for _ in 0..turns {
                let life = alive.born();
                let result = rt.block_on(rt.task_group(async move |g| {
                    let (one, other) = (g.spawn(child(rt, life)), rt.yields(1));
                    other.await;
                    one.await;
                    Ok::<(), ()>(())
                }));
                if result.is_err() {
                    return;
                }
            }
        })
    };
    futures::join!(call(1), call(3));
    rt.yields(1).await;
    call(2).await;
}

async fn child<B: Backend, T>(rt: Rt<B>, life: T) -> Result<(), ()> {
    rt.yields(2).await;
    drop(life);
    Ok(())
}

/// "A live body or child can always spawn": a thread's future counts as neither, but its group is open meanwhile.
pub async fn a_future_of_a_thread_keeps_its_group_open<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let mark = log.clone();
    let group = rt.task_group(async |g| {
        let inner = g.clone();
        g.spawn(async move {
            let call = rt.to_thread(move || {
                rt.block_on(async {
                    rt.yields(5).await;
                    inner.spawn(async move {
                        rt.yields(2).await;
                        mark.add("spawned late");
                        Ok::<(), ()>(())
                    });
                })
            });
            call.await.unwrap();
            Ok(())
        });
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["spawned late"]);
}

/// A cancel scope may be run in a thread and cancelled from the async side, and the other way round.
pub async fn scopes_may_be_shared_with_threads<B: Backend>(rt: Rt<B>) {
    let scope: CancelScope<B> = rt.scope();
    let there = scope.clone();
    let (waits, is_waiting) = oneshot::channel();
    let call = rt.to_thread(move || {
        let run = there.run(async move {
            waits.send(()).unwrap();
            pending::<()>().await;
        });
        rt.block_on(run)
    });
    let cancel = async {
        is_waiting.await.unwrap();
        scope.cancel();
    };
    let (result, ()) = futures::join!(call, cancel);
    assert!(result.unwrap().is_err());
}

/// `check_cancelled`: a thread that does nothing but ask hears of it.
pub async fn a_thread_that_asks_again_and_again_hears_of_a_cancellation<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (asks, has_asked) = oneshot::channel();
        let call = rt.to_thread(move || {
            asks.send(rt.check_cancelled()).unwrap();
            while rt.check_cancelled().is_ok() {}
        });
        g.spawn(async {
            call.await;
            Ok::<(), ()>(())
        });
        assert_eq!(has_asked.await.unwrap(), Ok(()));
        rt.yields(5).await;
        g.cancel();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}
