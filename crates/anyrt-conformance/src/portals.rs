//! Portals, from threads.

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::time::Duration;

use anyrt_core::{
    Backend, Limiter, PortalClosed, PortalTask, Reason, Started, Stopped, is_inside, shield,
};
use futures::channel::{mpsc as async_mpsc, oneshot};
use futures::{FutureExt, StreamExt};

use crate::probe::{Alive, Life, Log, message, on_a_fresh_thread, on_drop};
use crate::rt::Rt;

/// Runs `f` on a thread that no runtime knows. A call waits for that thread, so that a simulator knows of somebody who
/// is busy.
fn outside<B: Backend, T: Send + 'static>(
    rt: Rt<B>,
    f: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> {
    rt.to_thread(move || B::wait_outside(|| on_a_fresh_thread(f)))
}

/// The same on many threads at once, for the numbers below `count`.
async fn all_outside<B: Backend, T: Send + 'static>(
    rt: Rt<B>,
    count: usize,
    f: impl Fn(usize) -> T + Clone + Send + 'static,
) -> Vec<T> {
    let limiter = Limiter::new(count);
    let threads = (0..count).map(|n| {
        let f = f.clone();
        rt.to_thread(move || B::wait_outside(|| on_a_fresh_thread(move || f(n))))
            .limiter(&limiter)
    });
    futures::future::join_all(threads).await
}

/// The message of a panic of `f`.
fn panic_in<T>(f: impl FnOnce() -> T) -> Option<String> {
    let result = catch_unwind(AssertUnwindSafe(f));
    result.err().map(|payload| message(&*payload))
}

/// Portals: "any thread, also one that no runtime knows", gets the value of what it calls.
pub async fn a_call_gives_its_value<B: Backend>(rt: Rt<B>) {
    let portal = rt.portal();
    let called = outside(rt, move || {
        let text = "of a thread".to_owned();
        let ready = portal.call(async move { text.len() });
        let later = portal.call(rt.yields(3).map(|()| 7));
        (ready, later)
    });
    assert_eq!(called.await, (Ok(11), Ok(7)));
}

/// Portals: what is called runs in the run of the portal, with all that a child may do.
pub async fn a_call_is_a_part_of_the_run<B: Backend>(rt: Rt<B>) {
    let portal = rt.portal();
    let called = outside(rt, move || {
        assert!(!is_inside());
        let caller = std::thread::current().id();
        portal.call(async move {
            assert!(is_inside() && B::current().is_some());
            assert_ne!(caller, std::thread::current().id());
            let group = rt.task_group(async |g| {
                let child = g.spawn(async move { Ok::<_, ()>(rt.to_thread(|| 20).await) });
                Ok(child.await + 1)
            });
            group.await
        })
    });
    assert_eq!(called.await, Ok(Ok(21)));
}

/// Portals: a call may wait for a timer, also on a virtual clock that stands still while threads are busy.
pub async fn a_call_may_wait_for_a_timer<B: Backend>(rt: Rt<B>) {
    let portal = rt.portal();
    let slept = outside(rt, move || {
        let at = portal.call(async move { rt.now() + rt.tick() }).unwrap();
        portal.call(async move {
            rt.sleep_until(at).await;
            rt.now() >= at
        })
    });
    assert_eq!(slept.await, Ok(true));
}

/// Portals: the threads of `to_thread` are threads like any other.
pub async fn a_thread_of_the_run_may_call<B: Backend>(rt: Rt<B>) {
    let portal = rt.portal();
    let chain = rt.to_thread(move || {
        let inner = portal.clone();
        portal.call(async move {
            let value = rt.to_thread(move || inner.call(async { 20 })).await?;
            Ok(value + 1)
        })
    });
    assert_eq!(chain.await, Ok(Ok::<_, PortalClosed>(21)));
}

/// Portals: a thread that runs a call may also have made the portal, by the handle of a group.
pub async fn a_thread_may_make_the_portal_that_it_calls<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let there = g.clone();
        let call = rt.to_thread(move || there.portal().call(rt.yields(3).map(|()| 7)));
        Ok::<_, ()>(call.await)
    });
    assert_eq!(group.await, Ok(Ok(7)));
}

/// Portals: "a panic in the called future comes out at the caller", with its payload, and nowhere else.
pub async fn a_panic_comes_out_at_the_caller<B: Backend>(rt: Rt<B>) {
    struct Payload(u32);
    let portal = rt.portal();
    let called = outside(rt, move || {
        let call = || {
            portal.call(async move {
                rt.yields(1).await;
                resume_unwind(Box::new(Payload(7)))
            })
        };
        let payload = catch_unwind(AssertUnwindSafe(call)).map(drop).unwrap_err();
        assert_eq!(payload.downcast_ref::<Payload>().unwrap().0, 7);
        portal.call(async { 1 })
    });
    assert_eq!(called.await, Ok(1));
}

/// Fine points: "for `Portal::spawn` it is `Stopped::Panicked`", and the group goes on.
pub async fn a_panic_of_a_task_is_told_by_its_handle<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let portal = g.portal();
        let sibling = g.spawn(rt.yields(20).map(Ok::<_, ()>));
        let waited = outside(rt, move || {
            let task: PortalTask<B, ()> =
                portal.spawn(async { resume_unwind(Box::new("of a task")) });
            let unheard: PortalTask<B, ()> =
                portal.spawn(async { resume_unwind(Box::new("heard by nobody")) });
            drop(unheard);
            task.wait()
        });
        assert_eq!(waited.await, Err(Stopped::Panicked));
        sibling.await;
        Ok("went on")
    });
    assert_eq!(group.await, Ok("went on"));
}

/// A destructor that panics is its owner's affair: of a capture the caller hears, of a value that nobody takes nobody.
pub async fn a_panicking_destructor_takes_nobody_down<B: Backend>(rt: Rt<B>) {
    fn bomb() -> impl Send {
        on_drop(|| resume_unwind(Box::new("in a destructor")))
    }
    let group = rt.task_group(async |g| {
        let portal = g.portal();
        outside(rt, move || {
            let capture = bomb();
            let called = panic_in(|| {
                portal.call(async move {
                    let _capture = capture;
                })
            });
            assert_eq!(called.as_deref(), Some("in a destructor"));
            drop(portal.spawn(async { bomb() }));
            let cut = portal.spawn(async {
                let _bomb = bomb();
                pending::<()>().await
            });
            portal.call(rt.yields(5)).unwrap();
            cut.cancel();
            assert_eq!(cut.wait(), Err(Stopped::Panicked));
            // And one that is cut when the group ends.
            let (begun, has_begun) = mpsc::channel();
            let left = portal.spawn(async move {
                let _bomb = bomb();
                begun.send(()).unwrap();
                pending::<()>().await
            });
            drop(left);
            has_begun.recv().unwrap();
        })
        .await;
        Ok::<_, ()>(())
    });
    assert_eq!(group.await, Ok(()));
}

/// `on_exit` in what was called runs before the call returns; its panic is the call's.
pub async fn the_exits_of_a_call_belong_to_it<B: Backend>(rt: Rt<B>) {
    let (portal, log) = (rt.portal(), Log::default());
    let mark = log.clone();
    let called = outside(rt, move || {
        let there = mark.clone();
        let called = portal.call(async move {
            rt.on_exit(async move {
                rt.yields(2).await;
                there.add("exit");
            });
        });
        mark.add("returned");
        let panic = panic_in(|| {
            portal.call(async move { rt.on_exit(async { resume_unwind(Box::new("in an exit")) }) })
        });
        (called, panic)
    });
    assert_eq!(called.await, (Ok(()), Some("in an exit".to_owned())));
    assert_eq!(log.marks(), ["exit", "returned"]);
}

/// Portals: an error is a value like any other, and cancels nobody.
pub async fn an_error_is_a_value<B: Backend>(rt: Rt<B>) {
    let portal = rt.portal();
    let called = outside(rt, move || {
        let error: Result<Result<(), _>, _> = portal.call(async { Err("no route") });
        (error, portal.spawn(async { Err::<(), _>("again") }).wait())
    });
    assert_eq!(called.await, (Ok(Err("no route")), Ok(Err("again"))));
}

/// Portals: tasks run side by side, and may be waited for in any order.
pub async fn tasks_may_be_waited_for_in_any_order<B: Backend>(rt: Rt<B>) {
    let portal = rt.portal();
    let sum = outside(rt, move || {
        let (sends, tasks): (Vec<_>, Vec<_>) = (0..20)
            .map(|n| {
                let (send, receive) = oneshot::channel::<i32>();
                (
                    send,
                    portal.spawn(receive.map(move |value| value.unwrap() + n)),
                )
            })
            .unzip();
        let last = portal.spawn(async move {
            for send in sends.into_iter().rev() {
                send.send(100).unwrap();
            }
        });
        let sum: i32 = tasks.into_iter().map(|task| task.wait().unwrap()).sum();
        (sum, last.wait())
    });
    assert_eq!(sum.await, (20 * 100 + 190, Ok(())));
}

/// Portals: dropping the handle changes nothing but that the value is dropped.
pub async fn a_task_goes_on_without_its_handle<B: Backend>(rt: Rt<B>) {
    let (portal, alive) = (rt.portal(), Alive::default());
    let (done, is_done) = oneshot::channel();
    let life = alive.born();
    outside(rt, move || {
        drop(portal.spawn(async move {
            rt.yields(3).await;
            done.send(()).unwrap();
            life
        }));
    })
    .await;
    is_done.await.unwrap();
    while alive.count() > 0 {
        rt.yields(1).await;
    }
}

/// `wait_timeout` gives the handle back if the task takes longer, and the task goes on.
pub async fn a_wait_may_be_given_up_and_begun_again<B: Backend>(rt: Rt<B>) {
    let portal = rt.portal();
    let waited = outside(rt, move || {
        let (open, gate) = oneshot::channel();
        let task = portal.spawn(async { gate.await.unwrap() });
        let task = task.wait_timeout(Duration::ZERO).unwrap_err();
        let mut task = task.wait_timeout(rt.tick()).unwrap_err();
        assert!(!task.is_finished());
        open.send("open").unwrap();
        loop {
            match task.wait_timeout(rt.tick()) {
                Ok(end) => return end,
                Err(back) => task = back,
            }
        }
    });
    assert_eq!(waited.await, Ok("open"));
}

/// `wait_timeout` gives what is there, however short the time is; `Duration::MAX` is no limit.
pub async fn a_wait_takes_what_is_ready<B: Backend>(rt: Rt<B>) {
    let portal = rt.portal();
    let waited = outside(rt, move || {
        let task = portal.spawn(async { 7 });
        while !task.is_finished() {
            std::thread::yield_now();
        }
        let mut short = task.wait_timeout(Duration::ZERO);
        // A runtime may take a moment to hand the value over.
        while let Err(task) = short {
            short = task.wait_timeout(Duration::ZERO);
        }
        let long = portal.spawn(rt.yields(3)).wait_timeout(Duration::MAX);
        (short.unwrap(), long.unwrap())
    });
    assert_eq!(waited.await, (Ok(7), Ok(())));
}

/// `cancel`: the task is interrupted, and has ended when its handle says so.
pub async fn a_cancelled_task_has_ended_when_its_handle_says_so<B: Backend>(rt: Rt<B>) {
    let (portal, alive) = (rt.portal(), Alive::default());
    let there = alive.clone();
    let waited = outside(rt, move || {
        let ends = [0, 5].map(|yields| {
            let life = there.born();
            let task = portal.spawn(async move {
                let _life = life;
                pending::<()>().await
            });
            portal.call(rt.yields(yields)).unwrap();
            task.cancel();
            task.cancel();
            let end = task.wait();
            (end, there.count())
        });
        (ends, portal.call(async { "the others go on" }))
    });
    let (ends, others) = waited.await;
    for end in ends {
        let cancelled = Stopped::Cancelled(Reason::Explicit(None));
        assert_eq!(end, (Err(cancelled), 0));
    }
    assert_eq!(others, Ok("the others go on"));
}

/// `cancel`: it is delivered as everywhere, so that a shield is waited for, and a value that is ready counts.
pub async fn a_cancelled_task_may_still_give_its_value<B: Backend>(rt: Rt<B>) {
    let portal = rt.portal();
    let waited = outside(rt, move || {
        let (open, gate) = oneshot::channel();
        let (begun, has_begun) = mpsc::channel();
        let task = portal.spawn(async move {
            begun.send(()).unwrap();
            shield(gate).await.unwrap()
        });
        has_begun.recv().unwrap();
        task.cancel();
        let task = task.wait_timeout(rt.tick()).unwrap_err();
        open.send(7).unwrap();
        task.wait()
    });
    assert_eq!(waited.await, Ok(7));
}

/// Portals: "cancelling races with completion without a lost result or a hang".
pub async fn a_task_may_be_cancelled_at_any_moment<B: Backend>(rt: Rt<B>) {
    let (portal, alive) = (rt.portal(), Alive::default());
    for round in 0..100 {
        let portal = portal.clone();
        let (ready, is_ready) = oneshot::channel::<()>();
        let (captured, value) = (alive.born(), alive.born());
        let waited = rt.to_thread(move || {
            let task = portal.spawn(async move {
                let _captured = captured;
                is_ready.await.map(|()| value)
            });
            (0..round * 20).for_each(|_| std::hint::spin_loop());
            task.cancel();
            task.wait()
        });
        let complete = async {
            rt.yields(round % 4).await;
            ready.send(()).ok();
        };
        let (end, ()) = futures::join!(waited, complete);
        match end {
            Ok(value) => assert!(format!("{:?}", value.unwrap()).len() > 1),
            Err(Stopped::Cancelled(reason)) => assert_eq!(reason, Reason::Explicit(None)),
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(alive.count(), 0, "in round {round}");
    }
}

/// Fine points: "what is pending when the run ends is cancelled, then awaited"; so it is for a group.
pub async fn what_is_pending_at_the_end_of_a_group_is_cancelled_and_awaited<B: Backend>(rt: Rt<B>) {
    let (log, alive) = (Log::default(), Alive::default());
    let group = rt.task_group(async |g| {
        let (portal, mark, life) = (g.portal(), log.clone(), alive.born());
        let (begun, has_begun) = oneshot::channel();
        let task = outside(rt, move || {
            portal.spawn(async move {
                let _life = life;
                let work = async {
                    begun.send(()).unwrap();
                    pending::<()>().await;
                };
                let cleanup = async || {
                    rt.yields(5).await;
                    mark.add("cleanup");
                };
                anyrt_core::finally(work, cleanup).await;
            })
        });
        let task = task.await;
        has_begun.await.unwrap();
        // A child is waited for before that.
        let mark = log.clone();
        g.spawn(async move {
            rt.yields(5).await;
            mark.add("child");
            Ok::<_, ()>(())
        });
        Ok(task)
    });
    let task = group.await.unwrap();
    assert_eq!((log.marks(), alive.count()), (vec!["child", "cleanup"], 0));
    let end = outside(rt, move || task.wait()).await;
    assert_eq!(end, Err(Stopped::Cancelled(Reason::Done)));
}

/// Portals: a thread that is blocked in a call when the group ends gets an error, which says so.
pub async fn a_call_that_is_pending_at_the_end_gets_an_error<B: Backend>(rt: Rt<B>) {
    let (begun, has_begun) = oneshot::channel();
    let (result, results) = oneshot::channel();
    let backend = B::current().unwrap();
    let group = rt.task_group(async |g| {
        let portal = g.portal();
        // Of no group, since those would wait for it.
        drop(backend.spawn_blocking(move || {
            let called = portal.call(async move {
                begun.send(()).unwrap();
                pending::<()>().await
            });
            result.send(called).unwrap();
        }));
        has_begun.await.unwrap();
        Ok::<_, ()>(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(results.await, Ok(Err(PortalClosed::Closed)));
}

/// Portals: "a portal whose group or runtime has ended gives an error at once", and what it was given is dropped.
pub async fn after_the_end_of_its_group_a_portal_is_closed<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| Ok::<_, ()>(g.portal()));
    let portal = group.await.unwrap();
    assert!(portal.is_closed());
    // Also where it would block.
    let called = portal.call(not_to_be_polled(alive.born()));
    assert_eq!(called, Err(PortalClosed::Closed));
    let called = portal.call_async(not_to_be_polled(alive.born())).await;
    assert_eq!(called, Err(PortalClosed::Closed));
    let task = portal.spawn(not_to_be_polled(alive.born()));
    assert!(task.is_finished());
    task.cancel();
    let waited = outside(rt, move || {
        let task = task.wait_timeout(Duration::ZERO).unwrap();
        let started = portal.start(|_: Started<()>| async {});
        (task, started.map(drop))
    });
    let expected = (Err(Stopped::Closed), Err(PortalClosed::Closed));
    assert_eq!((waited.await, alive.count()), (expected, 0));
}

async fn not_to_be_polled(_life: Life) {
    panic!("it is not to run");
}

/// Portals: `g.cancel()` is for what came through the portal as well, and says why.
pub async fn cancelling_the_group_cancels_the_calls<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (portal, late) = (g.portal(), g.portal());
        let (begun, has_begun) = oneshot::channel();
        let call = outside(rt, move || {
            portal.call(async move {
                begun.send(()).unwrap();
                pending::<()>().await
            })
        });
        let cancel = async {
            has_begun.await.unwrap();
            g.scope().cancel_with("enough");
        };
        let (called, ()) = futures::join!(call, cancel);
        // What comes now gets its one poll.
        let ready = outside(rt, move || {
            (late.call(async { 7 }), late.call(pending::<()>()))
        });
        Ok::<_, ()>((called, ready.await))
    });
    let cancelled = PortalClosed::Cancelled(Reason::Explicit(Some("enough".into())));
    let (called, (ready, late)) = group.await.unwrap();
    assert_eq!(called, Err(cancelled.clone()));
    assert_eq!((ready, late), (Ok(7), Err(cancelled)));
}

/// Two hundred threads call one portal while its group is being cancelled: each gets a value or is told, none hangs.
pub async fn two_hundred_threads_call_while_the_group_is_cancelled<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        let (portal, there) = (g.portal(), alive.clone());
        let (begun, mut begins) = async_mpsc::unbounded();
        let calls = all_outside(rt, 200, move |n| {
            let (life, begun) = (there.born(), begun.clone());
            portal.call(async move {
                let _life = life;
                begun.unbounded_send(()).unwrap();
                if n % 2 == 0 {
                    pending::<()>().await;
                }
                rt.yields(n % 5).await;
                n
            })
        });
        let cancel = async {
            assert_eq!((&mut begins).take(50).count().await, 50);
            g.cancel();
        };
        let (ends, ()) = futures::join!(calls, cancel);
        Ok::<_, ()>(ends)
    });
    let ends = group.await.unwrap();
    assert_eq!((ends.len(), alive.count()), (200, 0));
    let cancelled = PortalClosed::Cancelled(Reason::Explicit(None));
    for (n, end) in ends.into_iter().enumerate() {
        match end {
            Ok(value) => assert!(value == n && n % 2 == 1),
            Err(error) => assert_eq!(error, cancelled),
        }
    }
}

/// Threads call one portal while its group ends: what comes too late is refused, and nothing outlives the group.
pub async fn threads_call_while_the_group_ends<B: Backend>(rt: Rt<B>) {
    let (alive, in_the_group) = (Alive::default(), Alive::default());
    for round in 0..5 {
        let (pass, passed) = oneshot::channel();
        let (there, within) = (alive.clone(), in_the_group.clone());
        let group = rt.task_group(async |g| {
            pass.send(g.portal()).unwrap();
            rt.yields(round * 20).await;
            Ok::<_, ()>(())
        });
        let group = async {
            group.await.unwrap();
            assert_eq!(in_the_group.count(), 0);
        };
        let calls = async {
            let portal = passed.await.unwrap();
            all_outside(rt, 30, move |n| {
                (0..).find_map(|turn| {
                    let (life, within) = (there.born(), within.clone());
                    let called = portal.call(async move {
                        let _lives = (life, within.born());
                        rt.yields(n % 3).await;
                    });
                    called.err().map(|error| (turn, error))
                })
            })
            .await
        };
        let ((), ends) = futures::join!(group, calls);
        for end in ends {
            assert_eq!(end.unwrap().1, PortalClosed::Closed);
        }
        assert_eq!(alive.count(), 0);
    }
}

/// Portals: where futures are polled a call that would block is an error, and not a deadlock.
pub async fn a_call_where_futures_are_polled_is_refused<B: Backend>(rt: Rt<B>) {
    let (portal, alive) = (rt.portal(), Alive::default());
    let own = Err(PortalClosed::OwnThread);
    assert_eq!(portal.call(not_to_be_polled(alive.born())), own);
    let (there, life) = (portal.clone(), alive.born());
    let group = rt.task_group(async |g| {
        let child = g.spawn(async move {
            rt.yields(1).await;
            Ok::<_, ()>(there.call(not_to_be_polled(life)))
        });
        Ok(child.await)
    });
    assert_eq!(group.await, Ok(own.clone()));
    let (there, life) = (portal.clone(), alive.born());
    let called = portal.call_async(async move { there.call(not_to_be_polled(life)) });
    assert_eq!(called.await, Ok(own.clone()));
    // In a destructor, too.
    let (called, mut calls) = oneshot::channel();
    let (there, life) = (portal.clone(), alive.born());
    let destructor = on_drop(move || called.send(there.call(not_to_be_polled(life))).unwrap());
    drop(destructor);
    assert_eq!(calls.try_recv(), Ok(Some(own)));
    let started = portal.start(|_: Started<()>| async {});
    assert_eq!(started.map(drop), Err(PortalClosed::OwnThread));
    assert_eq!(alive.count(), 0);
}

/// `wait`: where futures are polled it panics, and says what to do; a task that has ended may be asked anywhere.
pub async fn a_wait_where_futures_are_polled_panics<B: Backend>(rt: Rt<B>) {
    let portal = rt.portal();
    let task = portal.spawn(pending::<()>());
    let panic = panic_in(|| task.wait()).unwrap();
    assert!(panic.contains("use `outcome()`"), "{panic}");
    let task = portal.spawn(pending::<()>());
    assert!(panic_in(|| task.wait_timeout(Duration::ZERO)).is_some());
    let task = portal.spawn(async { 7 });
    while !task.is_finished() {
        rt.yields(1).await;
    }
    assert_eq!(task.wait(), Ok(7));
}

/// Portals: `portal()` is that of the run, wherever it is asked for; what comes through it is not bound to the group
/// around.
pub async fn the_portal_of_the_run_is_the_same_everywhere<B: Backend>(rt: Rt<B>) {
    let (open, gate) = oneshot::channel();
    let task = rt.task_group(async |g| {
        let child = g.spawn(async move {
            let scope = rt.scope();
            let portal = scope.run(async { rt.portal() }).await.unwrap();
            Ok::<_, ()>(portal.spawn(async { gate.await.unwrap() }))
        });
        Ok(child.await)
    });
    let task = task.await.unwrap();
    open.send("from the run").unwrap();
    assert_eq!(task.outcome().await, Ok("from the run"));
}

/// `start`: it gives what the child says when it is ready, and the child goes on.
pub async fn start_waits_until_the_child_is_ready<B: Backend>(rt: Rt<B>) {
    let portal = rt.portal();
    let started = outside(rt, move || {
        let (open, gate) = oneshot::channel();
        let (port, server) = portal
            .start(async move |started: Started<u16>| {
                rt.yields(3).await;
                started.set(8080);
                gate.await.unwrap()
            })
            .unwrap();
        let server = server.wait_timeout(Duration::ZERO).unwrap_err();
        open.send("served").unwrap();
        let served = server.wait();
        let (_, endless) = portal
            .start(async |started: Started<()>| {
                started.set(());
                pending::<()>().await
            })
            .unwrap();
        endless.cancel();
        (port, served, endless.wait())
    });
    let cancelled = Stopped::Cancelled(Reason::Explicit(None));
    assert_eq!(started.await, (8080, Ok("served"), Err(cancelled)));
}

/// `start`: a child that ends or panics before it is ready is the caller's; one that panics later is its handle's.
pub async fn start_says_why_the_child_is_not_ready<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let portal = g.portal();
        outside(rt, move || {
            let quits = portal.start(move |_: Started<()>| rt.yields(2));
            assert_eq!(quits.map(drop), Err(PortalClosed::NotStarted));
            let panics = panic_in(|| {
                portal.start(async move |_started: Started<()>| {
                    rt.yields(1).await;
                    resume_unwind(Box::new("before it is ready"))
                })
            });
            assert_eq!(panics.as_deref(), Some("before it is ready"));
            let ((), later) = portal
                .start(async move |started: Started<()>| {
                    started.set(());
                    rt.yields(1).await;
                    resume_unwind(Box::new("after it was ready"))
                })
                .unwrap();
            assert_eq!(later.wait(), Err(Stopped::Panicked));
        })
        .await;
        Ok::<_, ()>(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Portals: no entry is left of a task that has ended, and the group's length tells only of those that have not.
pub async fn a_task_that_has_ended_leaves_nothing_behind<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let portal = g.portal();
        outside(rt, move || {
            for n in 0..1000 {
                let task = portal.spawn(async move { n });
                if n % 3 == 0 {
                    task.cancel();
                }
                task.wait().ok();
            }
        })
        .await;
        while !g.is_empty() {
            rt.yields(1).await;
        }
        Ok::<_, ()>(())
    });
    assert_eq!(group.await, Ok(()));
}
