//! Calls into threads.

use std::any::Any;
use std::future::pending;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::ThreadId;
use std::time::Duration;

use anyrt_core::{Backend, Limiter, shield};
use futures::channel::{mpsc as async_mpsc, oneshot};
use futures::{FutureExt, StreamExt};

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use crate::probe::{Alive, Latch, Log, panic_of};
use crate::rt::Rt;

/// Threads: `to_thread(f).await` is the value of `f`.
pub async fn a_call_gives_its_value<B: Backend>(rt: Rt<B>) {
    let text = "borrowed by nobody".to_owned();
    assert_eq!(rt.to_thread(move || text.len()).await, 18);
}

/// Threads: a panic is resumed at the await, with its own payload.
pub async fn a_panic_is_resumed_at_the_await_with_its_payload<B: Backend>(rt: Rt<B>) {
    struct Payload(u32);
    let call = rt.to_thread(|| resume_unwind(Box::new(Payload(7))));
    let payload: Box<dyn Any + Send> = AssertUnwindSafe(call).catch_unwind().await.unwrap_err();
    assert_eq!(payload.downcast_ref::<Payload>().unwrap().0, 7);
    assert_eq!(rt.to_thread(|| 1).await, 1);
}

/// Threads: the call may block, so it is not on the thread that polls.
pub async fn a_call_runs_on_another_thread<B: Backend>(rt: Rt<B>) {
    let here = std::thread::current().id();
    let there: ThreadId = rt.to_thread(|| std::thread::current().id()).await;
    assert_ne!(here, there);
    let group = rt.task_group(async |g| {
        let child = g.spawn(async move {
            // Polled first on this thread; where it goes on after that is up to the runtime.
            let latch = Latch::default();
            let there = latch.clone();
            let mut call = rt.to_thread(move || {
                there.wait::<B>();
                std::thread::current().id()
            });
            let here = std::thread::current().id();
            assert!(futures::poll!(&mut call).is_pending());
            latch.open();
            Ok::<_, ()>(here != call.await)
        });
        Ok(child.await)
    });
    assert_eq!(group.await, Ok(true));
}

/// Rule 1 of groups, and what everybody expects: what `f` captured is gone when its value is there.
pub async fn captures_are_dropped_before_the_value_arrives<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    for _ in 0..20 {
        let life = alive.born();
        rt.to_thread(move || assert!(format!("{life:?}").len() > 1))
            .await;
        assert_eq!(alive.count(), 0);
    }
}

/// A call is lazy: dropped before its first poll it never runs.
pub async fn a_call_dropped_before_its_first_poll_never_runs<B: Backend>(rt: Rt<B>) {
    let (alive, ran) = (Alive::default(), Arc::new(AtomicBool::new(false)));
    let (life, mark) = (alive.born(), ran.clone());
    let group = rt.task_group(async |_| {
        drop(rt.to_thread(move || {
            mark.store(true, Ordering::SeqCst);
            drop(life);
        }));
        Ok::<(), ()>(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!((alive.count(), ran.load(Ordering::SeqCst)), (0, false));
}

/// Threads: "cancellation waits, then the value is returned and the next `Pending` delivers".
pub async fn a_cancelled_scope_waits_for_the_thread_and_its_value_is_returned<B: Backend>(
    rt: Rt<B>,
) {
    let (log, latch, scope) = (Log::default(), Latch::default(), rt.scope());
    let (started, has_started) = oneshot::channel();
    let there = latch.clone();
    let run = scope.run(async {
        let value = rt.to_thread(move || {
            started.send(()).unwrap();
            there.wait::<B>();
            "value"
        });
        log.add(value.await);
        rt.yields(1).await;
        log.add("went on");
    });
    let cancel = async {
        has_started.await.unwrap();
        scope.cancel();
        rt.yields(5).await;
        log.add("still held");
        latch.open();
    };
    let (cancelled, ()) = futures::join!(run, cancel);
    assert!(cancelled.is_err());
    assert_eq!(log.marks(), ["still held", "value"]);
}

/// Section 2: a ready result beats cancellation, also that of a thread.
pub async fn a_scope_whose_last_wait_is_a_thread_gives_its_value<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let cancel = scope.clone();
    let run = scope.run(rt.to_thread(move || {
        cancel.cancel();
        7
    }));
    assert_eq!(run.await, Ok(7));
    assert!(scope.is_cancelled());
}

/// Threads: a panic of a thread that a cancelled scope waited for comes out of the scope.
pub async fn the_panic_of_a_thread_comes_out_of_a_cancelled_scope<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let cancel = scope.clone();
    let run = scope.run(async {
        let () = rt
            .to_thread(move || {
                cancel.cancel();
                panic!("of the thread")
            })
            .await;
    });
    assert_eq!(panic_of(run).await.unwrap_err(), "of the thread");
}

/// Into threads: "in a cancelled scope `f` never runs".
pub async fn in_a_cancelled_scope_a_call_never_runs<B: Backend>(rt: Rt<B>) {
    let (alive, ran) = (Alive::default(), Arc::new(AtomicBool::new(false)));
    let call = |abandon: bool| {
        let (life, mark) = (alive.born(), ran.clone());
        let call = rt.to_thread(move || {
            mark.store(true, Ordering::SeqCst);
            drop(life);
        });
        if abandon {
            call.abandon_on_cancel()
        } else {
            call
        }
    };
    assert!(rt.cancelled(call(false)).await.is_err());
    assert!(rt.cancelled(call(true)).await.is_err());
    assert_eq!(rt.move_on_after(Duration::ZERO, call(false)).await, None);
    let group = rt.task_group(async |g| {
        g.cancel();
        let call = call(false);
        g.spawn(async move {
            call.await;
            Ok::<(), ()>(())
        });
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    rt.yields(5).await;
    assert_eq!((alive.count(), ran.load(Ordering::SeqCst)), (0, false));
}

/// Threads: "a call cancelled while it still waits for a token never runs `f`".
pub async fn a_call_cancelled_while_it_waits_for_a_token_never_runs<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    let permit = limiter.acquire().await;
    let (alive, ran, scope) = (
        Alive::default(),
        Arc::new(AtomicBool::new(false)),
        rt.scope(),
    );
    let (life, mark) = (alive.born(), ran.clone());
    let call = rt.to_thread(move || {
        mark.store(true, Ordering::SeqCst);
        drop(life);
    });
    let cancel = async {
        rt.yields(3).await;
        assert_eq!(limiter.statistics().waiting, 1);
        scope.cancel();
    };
    let (cancelled, ()) = futures::join!(scope.run(call.limiter(&limiter)), cancel);
    assert!(cancelled.is_err());
    assert_eq!((limiter.statistics().waiting, alive.count()), (0, 0));
    drop(permit);
    rt.yields(5).await;
    assert_eq!(
        (limiter.available(), ran.load(Ordering::SeqCst)),
        (1, false)
    );
}

/// Threads: a token that was granted to a call that is cancelled at the same moment is not lost.
pub async fn a_token_granted_to_a_cancelled_call_is_not_lost<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    let permit = limiter.acquire().await;
    let scope = rt.scope();
    let call = rt.to_thread(|| ()).limiter(&limiter);
    let cancel = async {
        rt.yields(3).await;
        drop(permit);
        scope.cancel();
    };
    // Whether the call runs is not said; it has its token and no value yet.
    let _ = futures::join!(scope.run(call), cancel);
    drop(limiter.acquire().await);
    assert_eq!((limiter.available(), limiter.statistics().waiting), (1, 0));
}

/// Threads: "`abandon_on_cancel` leaves at once; the thread goes on and keeps its limiter token until it really ends".
pub async fn an_abandoned_call_keeps_its_token_until_its_thread_ends<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    let (latch, scope) = (Latch::default(), rt.scope());
    let (started, has_started) = oneshot::channel();
    let (done, is_done) = oneshot::channel();
    let there = latch.clone();
    let call = rt.to_thread(move || {
        started.send(()).unwrap();
        there.wait::<B>();
        done.send(()).unwrap();
    });
    let cancel = async {
        has_started.await.unwrap();
        scope.cancel();
    };
    let call = call.limiter(&limiter).abandon_on_cancel();
    let (cancelled, ()) = futures::join!(scope.run(call), cancel);
    assert!(cancelled.is_err());
    assert!(limiter.try_acquire().is_none());
    latch.open();
    is_done.await.unwrap();
    drop(limiter.acquire().await);
    assert_eq!(limiter.available(), 1);
}

/// Into threads: a group does not wait for a child's abandoned thread.
pub async fn a_group_does_not_wait_for_an_abandoned_thread<B: Backend>(rt: Rt<B>) {
    let latch = Latch::default();
    let (done, is_done) = oneshot::channel();
    let (started, has_started) = oneshot::channel();
    let there = latch.clone();
    let group = rt.task_group(async |g| {
        g.spawn(async move {
            let call = rt.to_thread(move || {
                started.send(()).unwrap();
                there.wait::<B>();
                done.send(()).unwrap();
            });
            call.abandon_on_cancel().await;
            Ok::<(), ()>(())
        });
        has_started.await.unwrap();
        g.cancel();
        Ok("left")
    });
    assert_eq!(group.await, Ok("left"));
    latch.open();
    is_done.await.unwrap();
}

/// Docs of `abandon_on_cancel`: the value of an abandoned thread is dropped, and its panic is too.
pub async fn value_and_panic_of_an_abandoned_thread_go_nowhere<B: Backend>(rt: Rt<B>) {
    let latch = Latch::default();
    let limiter = Limiter::new(2);
    let (gone, is_gone) = oneshot::channel::<()>();
    let group = rt.task_group(async |_| {
        let there = latch.clone();
        let value = rt.to_thread(move || {
            there.wait::<B>();
            gone
        });
        drop_at_pending(1, value.limiter(&limiter).abandon_on_cancel()).await;
        let there = latch.clone();
        let panics = rt.to_thread(move || {
            there.wait::<B>();
            panic!("heard by nobody");
        });
        drop_at_pending(1, panics.limiter(&limiter).abandon_on_cancel()).await;
        latch.open();
        // Both tokens come back, also that of the one that panics.
        let tokens = (limiter.acquire().await, limiter.acquire().await);
        drop(tokens);
        Ok::<(), ()>(())
    });
    assert_eq!(group.await, Ok(()));
    assert!(is_gone.await.is_err());
    assert_eq!(limiter.available(), 2);
}

/// A call that nobody cancels is abandoned by nobody.
pub async fn a_call_that_may_be_abandoned_gives_its_value<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    assert_eq!(
        scope.run(rt.to_thread(|| 7).abandon_on_cancel()).await,
        Ok(7)
    );
    let panics = rt.to_thread(|| panic!("of the thread")).abandon_on_cancel();
    assert_eq!(panic_of::<()>(panics).await.unwrap_err(), "of the thread");
}

/// Threads: as many calls at once as the limiter has tokens, and never more.
pub async fn a_limiter_bounds_how_many_threads_run_at_once<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(3);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let group = rt.task_group(async |g| {
        let calls: Vec<_> = (0..100)
            .map(|n| {
                let (now, most, limiter) = (now.clone(), most.clone(), limiter.clone());
                g.spawn(async move {
                    let call = rt.to_thread(move || {
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                        n
                    });
                    Ok::<_, ()>(call.limiter(&limiter).await)
                })
            })
            .collect();
        let mut sum = 0;
        for call in calls {
            sum += call.await;
        }
        Ok(sum)
    });
    assert_eq!(group.await, Ok(4950));
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    assert_eq!(limiter.available(), 3);
}

/// Threads: "the default limiter has 40 tokens", and a call with a limiter of its own takes none of them.
pub async fn forty_calls_run_at_once_by_default<B: Backend>(rt: Rt<B>) {
    let latch = Latch::default();
    let (started, mut starts) = async_mpsc::unbounded();
    let group = rt.task_group(async |g| {
        for _ in 0..50 {
            let (latch, started) = (latch.clone(), started.clone());
            g.spawn(async move {
                rt.to_thread(move || {
                    started.unbounded_send(()).unwrap();
                    latch.wait::<B>();
                })
                .await;
                Ok::<(), ()>(())
            });
        }
        assert_eq!((&mut starts).take(40).count().await, 40);
        assert_eq!(
            rt.to_thread(|| "with its own")
                .limiter(&Limiter::new(1))
                .await,
            "with its own"
        );
        rt.yields(10).await;
        assert!(starts.try_recv().is_err());
        latch.open();
        assert_eq!((&mut starts).take(10).count().await, 10);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Into threads: "the token is back when the value arrives", also when a panic arrives.
pub async fn the_token_is_back_when_the_value_arrives<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    for _ in 0..50 {
        rt.to_thread(|| ()).limiter(&limiter).await;
        assert_eq!(limiter.available(), 1);
    }
    let panics = rt.to_thread(|| panic!("of the thread")).limiter(&limiter);
    assert!(panic_of::<()>(panics).await.is_err());
    assert_eq!(limiter.available(), 1);
}

/// Threads: a call that waits for another one needs a second limiter, and with that works.
pub async fn calls_may_wait_for_calls_of_another_limiter<B: Backend>(rt: Rt<B>) {
    let (outer, inner) = (Limiter::new(1), Limiter::new(1));
    let (ask, asked) = oneshot::channel();
    let (answer, answered) = mpsc::channel();
    let waits = rt.to_thread(move || {
        ask.send(20).unwrap();
        B::wait_outside(|| answered.recv().unwrap())
    });
    let answers = async {
        let question = asked.await.unwrap();
        let value: i32 = rt.to_thread(move || question + 1).limiter(&inner).await;
        answer.send(value).unwrap();
    };
    let (value, ()) = futures::join!(waits.limiter(&outer), answers);
    assert_eq!(value, 21);
}

/// Threads: the async side goes on while threads block, and may serve them.
pub async fn the_async_side_serves_blocked_threads<B: Backend>(rt: Rt<B>) {
    let (ask, mut asked) = async_mpsc::unbounded::<(u64, mpsc::Sender<u64>)>();
    let group = rt.task_group(async move |g| {
        let clients: Vec<_> = (0..10u64)
            .map(|n| {
                let ask = ask.clone();
                g.spawn(async move {
                    let talk = rt.to_thread(move || {
                        (0..10).fold(n, |number, _| {
                            let (answer, answered) = mpsc::channel();
                            ask.unbounded_send((number, answer)).unwrap();
                            B::wait_outside(|| answered.recv().unwrap())
                        })
                    });
                    Ok::<_, ()>(talk.await)
                })
            })
            .collect();
        drop(ask);
        while let Some((number, answer)) = asked.next().await {
            answer.send(number + 1).unwrap();
        }
        let mut sum = 0;
        for client in clients {
            sum += client.await;
        }
        Ok(sum)
    });
    assert_eq!(group.await, Ok((10..20).sum()));
}

/// Threads and deadlines: the limit waits for the thread, and strikes at the next `Pending`.
pub async fn a_time_limit_waits_for_the_thread<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    // On a virtual clock no time goes by while the thread runs; the limit strikes in the sleep then.
    let limited = rt.fail_after(4 * rt.tick(), async {
        log.add(
            rt.to_thread(move || {
                std::thread::sleep(5 * rt.tick());
                "value"
            })
            .await,
        );
        rt.sleep(40 * rt.tick()).await;
        log.add("went on");
    });
    assert!(limited.await.is_err());
    assert_eq!(log.marks(), ["value"]);
}

/// Deadlines: a thread that finishes late, with no `Pending` after it, is no time-out.
pub async fn a_late_thread_is_no_time_out<B: Backend>(rt: Rt<B>) {
    let late = rt.to_thread(move || {
        std::thread::sleep(5 * rt.tick());
        7
    });
    assert_eq!(rt.fail_after(4 * rt.tick(), late).await, Ok(7));
}

/// shield: it protects a call from scopes around it, so that `f` runs also where all is cancelled.
pub async fn a_call_in_a_shield_runs_in_a_cancelled_scope<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let run = rt.cancelled(async {
        log.add(shield(rt.to_thread(|| "saved")).await);
        rt.yields(1).await;
        log.add("went on");
    });
    assert!(run.await.is_err());
    assert_eq!(log.marks(), ["saved"]);
}

/// Rule 1 of groups: one that fails waits for the threads of its children.
pub async fn a_failing_group_waits_for_the_thread_of_a_child<B: Backend>(rt: Rt<B>) {
    let (alive, latch, log) = (Alive::default(), Latch::default(), Log::default());
    let (started, has_started) = oneshot::channel();
    let group = rt.task_group(async |g| {
        let (life, there, mark) = (alive.born(), latch.clone(), log.clone());
        g.spawn(async move {
            let call = rt.to_thread(move || {
                started.send(()).unwrap();
                there.wait::<B>();
                std::thread::sleep(rt.tick());
                mark.add("thread");
                life
            });
            let _value = call.await;
            pending::<Result<(), &str>>().await
        });
        has_started.await.unwrap();
        latch.open();
        Err::<(), _>("failed")
    });
    assert_eq!(group.await.unwrap_err().first, "failed");
    assert_eq!((log.marks(), alive.count()), (vec!["thread"], 0));
}

/// What catches real libraries out: a closure whose caller goes away at once runs all the same, 200 of 200.
pub async fn calls_dropped_right_after_their_start_all_run<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(200);
    let (ran, runs) = async_mpsc::unbounded();
    for n in 0..200 {
        let ran = ran.clone();
        let call = rt.to_thread(move || ran.unbounded_send(n).unwrap());
        drop_at_pending(1, call.limiter(&limiter).abandon_on_cancel()).await;
    }
    drop(ran);
    let mut ran: Vec<i32> = runs.collect().await;
    ran.sort_unstable();
    assert!(ran.into_iter().eq(0..200));
}

/// The waker of a call follows its owner: begun in one task, it may be awaited in another.
pub async fn a_running_call_may_change_its_task<B: Backend>(rt: Rt<B>) {
    let latch = Latch::default();
    let there = latch.clone();
    let mut call = rt.to_thread(move || {
        there.wait::<B>();
        7
    });
    assert!(futures::poll!(&mut call).is_pending());
    let group = rt.task_group(async |g| {
        let child = g.spawn(async move { Ok::<_, ()>(call.await) });
        rt.yields(3).await;
        latch.open();
        Ok(child.await)
    });
    assert_eq!(group.await, Ok(7));
}

/// Cancelled at each of its `Pending`s: no call is left running, no token is lost.
pub async fn calls_may_be_cancelled_at_any_pending<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(2);
    let rounds = cancel_at_every_pending(rt, |alive| calls(rt, limiter.clone(), alive)).await;
    assert!(rounds > 1, "only {rounds} rounds");
    assert_eq!((limiter.available(), limiter.statistics().waiting), (2, 0));
}

/// Dropped at each of its `Pending`s: the enclosing group waits for every call, no token is lost.
pub async fn calls_may_be_dropped_at_any_pending<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(2);
    let rounds = drop_at_every_pending(rt, |alive| calls(rt, limiter.clone(), alive)).await;
    assert!(rounds > 1, "only {rounds} rounds");
    assert_eq!((limiter.available(), limiter.statistics().waiting), (2, 0));
}

/// Calls side by side and one after the other, more than there are tokens.
async fn calls<B: Backend>(rt: Rt<B>, limiter: Limiter, alive: Alive) {
    let call = || {
        let (captured, value) = (alive.born(), alive.born());
        let call = rt.to_thread(move || {
            let _captured = captured;
            value
        });
        call.limiter(&limiter)
    };
    let values = futures::join!(call(), call(), call(), async {
        (call().await, call().await)
    });
    rt.yields(1).await;
    drop(values);
    call().await;
}

/// Threads: a cancellation that comes at any moment of a call, from a thread that no runtime knows.
pub async fn calls_may_be_cancelled_by_foreign_threads_at_any_moment<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    for round in 0..100 {
        let (alive, scope) = (Alive::default(), rt.scope());
        let (there, mut canceller) = (scope.clone(), None);
        let (captured, value) = (alive.born(), alive.born());
        let run = scope.run(async {
            canceller = Some(std::thread::spawn(move || {
                (0..round * 20).for_each(|_| std::hint::spin_loop());
                there.cancel();
            }));
            let call = rt.to_thread(move || {
                drop(captured);
                value
            });
            drop(call.limiter(&limiter).await);
            rt.yields(round % 3).await;
        });
        drop(run.await);
        assert_eq!(
            (alive.count(), limiter.available()),
            (0, 1),
            "in round {round}"
        );
        canceller.unwrap().join().unwrap();
    }
}

/// Threads: "a thread that waits in `block_on` lends its token to a call that it makes there", at any depth.
pub async fn calls_within_calls_do_not_use_their_limiter_up<B: Backend>(rt: Rt<B>) {
    fn nested<B: Backend>(rt: Rt<B>, limiter: Limiter, depth: u32) -> u32 {
        if depth == 0 {
            return 0;
        }
        let below = limiter.clone();
        let call = rt.to_thread(move || nested(rt, below, depth - 1));
        rt.block_on(call.limiter(&limiter)).unwrap() + 1
    }
    let limiter = Limiter::new(1);
    let there = limiter.clone();
    let call = rt.to_thread(move || nested(rt, there, 10));
    assert_eq!(call.limiter(&limiter).await, 10);
    assert_eq!((limiter.available(), limiter.statistics().waiting), (1, 0));
}

/// The same for the default limiter, when each of its forty threads makes a call.
pub async fn forty_threads_may_each_make_a_call<B: Backend>(rt: Rt<B>) {
    let (started, mut starts) = async_mpsc::unbounded();
    let latch = Latch::default();
    let group = rt.task_group(async |g| {
        let calls: Vec<_> = (0..40)
            .map(|n| {
                let (started, latch) = (started.clone(), latch.clone());
                g.spawn(async move {
                    let call = rt.to_thread(move || {
                        started.unbounded_send(()).unwrap();
                        latch.wait::<B>();
                        rt.block_on(rt.to_thread(move || n)).unwrap()
                    });
                    Ok::<_, ()>(call.await)
                })
            })
            .collect();
        assert_eq!((&mut starts).take(40).count().await, 40);
        latch.open();
        let mut sum = 0;
        for call in calls {
            sum += call.await;
        }
        Ok(sum)
    });
    assert_eq!(group.await, Ok((0..40).sum::<u64>()));
}

/// A lent token is one token: a second call at the same time waits for its turn.
pub async fn a_token_is_lent_to_one_call_at_a_time<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    let there = limiter.clone();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inner, peak) = (now.clone(), most.clone());
    let call = rt.to_thread(move || {
        rt.block_on(async {
            let one_after_the_other = (0..10).map(|_| {
                let (now, most) = (inner.clone(), peak.clone());
                let call = rt.to_thread(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    now.fetch_sub(1, Ordering::SeqCst);
                });
                call.limiter(&there)
            });
            for call in one_after_the_other {
                call.await;
            }
            // Side by side, all but the first have to wait for the limiter; nobody gives up the token of the thread.
            let second = rt.to_thread(|| ()).limiter(&there);
            let first = rt.to_thread(|| ()).limiter(&there);
            let waits = futures::future::select(Box::pin(first), Box::pin(second)).await;
            let is_first = matches!(waits, futures::future::Either::Left(_));
            (is_first, there.statistics().borrowed)
        })
    });
    let result = call.limiter(&limiter).await;
    assert_eq!(result, Ok((true, 1)));
    assert_eq!((most.load(Ordering::SeqCst), limiter.available()), (1, 1));
}

/// A call for another limiter takes a token of that one: nothing is lent across limiters.
pub async fn a_token_is_not_lent_to_another_limiter<B: Backend>(rt: Rt<B>) {
    let (outer, inner) = (Limiter::new(1), Limiter::new(0));
    let there = inner.clone();
    let call = rt.to_thread(move || {
        let call = rt.to_thread(|| 7).limiter(&there);
        rt.block_on(async {
            let raise = async {
                rt.yields(3).await;
                assert_eq!(there.statistics().waiting, 1);
                there.set_total(1);
            };
            futures::join!(call, raise).0
        })
    });
    assert_eq!(call.limiter(&outer).await, Ok(7));
    assert_eq!((outer.available(), inner.available()), (1, 1));
}

/// Into threads: under a deadline a call that still waits for a token is given up, and never runs.
pub async fn a_deadline_gives_up_the_wait_for_a_token<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(0);
    let alive = Alive::default();
    let life = alive.born();
    let call = rt.to_thread(move || drop(life)).limiter(&limiter);
    assert!(rt.fail_after(rt.tick(), call).await.is_err());
    assert_eq!((alive.count(), limiter.statistics().waiting), (0, 0));
}

/// Into threads: under a deadline an abandoned call leaves on time, and its thread goes on.
pub async fn a_deadline_leaves_an_abandoned_call_on_time<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    let latch = Latch::default();
    let scope = rt.scope();
    let (there, moved) = (latch.clone(), scope.clone());
    let (started, has_started) = oneshot::channel();
    let call = rt.to_thread(move || {
        started.send(()).unwrap();
        there.wait::<B>();
    });
    // On a virtual clock no time goes by while the thread runs, so the deadline is moved to where the clock is.
    let strike = async {
        has_started.await.unwrap();
        moved.set_deadline(Some(rt.now()));
    };
    let call = call.limiter(&limiter).abandon_on_cancel();
    let (late, ()) = futures::join!(scope.run(call), strike);
    assert_eq!(late.unwrap_err().reason(), &anyrt_core::Reason::Deadline);
    assert_eq!(limiter.available(), 0);
    latch.open();
    drop(limiter.acquire().await);
}

/// Two hundred abandoned threads keep their tokens until they end, and then all are back.
pub async fn two_hundred_abandoned_threads_keep_their_tokens<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(200);
    let latch = Latch::default();
    let scope = rt.scope();
    let run = scope.run(async {
        let calls = (0..200).map(|_| {
            let there = latch.clone();
            let call = rt.to_thread(move || there.wait::<B>());
            call.limiter(&limiter).abandon_on_cancel()
        });
        futures::future::join_all(calls).await;
    });
    let cancel = async {
        rt.yields(2).await;
        assert_eq!(limiter.available(), 0);
        scope.cancel();
    };
    let (cancelled, ()) = futures::join!(run, cancel);
    assert!(cancelled.is_err());
    assert_eq!(limiter.available(), 0);
    latch.open();
    let mut permits = Vec::new();
    for _ in 0..200 {
        permits.push(limiter.acquire().await);
    }
    drop(permits);
    assert_eq!(limiter.available(), 200);
}
