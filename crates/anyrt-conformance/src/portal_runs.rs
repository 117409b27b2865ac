//! Portals and whole runs: what becomes of a portal at the end of its run, and runs that are there for a portal.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::time::Duration;

use anyrt_core::{
    Backend, PortalClosed, PortalProvider, Reason, Stopped, portal, run, start_portal,
};
use futures::StreamExt;
use futures::channel::{mpsc as async_mpsc, oneshot};
use futures::executor::block_on;

use crate::probe::{Alive, Log, message, on_a_fresh_thread};
use crate::rt::Rt;

/// "The runtime ends while threads are blocked in `Portal::call`": each of them is told.
pub fn a_run_ends_while_threads_are_blocked_in_calls<B: Backend>(backend: &B) {
    const THREADS: usize = 20;
    let alive = Alive::default();
    let (result, results) = mpsc::channel();
    run(backend, async {
        let (begun, begins) = async_mpsc::unbounded();
        for _ in 0..THREADS {
            let (portal, life) = (portal::<B>(), alive.born());
            let (begun, result) = (begun.clone(), result.clone());
            // Nobody's child, so that the run does not wait for it.
            drop(B::current().unwrap().spawn_blocking(move || {
                let called = portal.call(async move {
                    let _life = life;
                    begun.unbounded_send(()).unwrap();
                    pending::<()>().await
                });
                result.send(called).unwrap();
            }));
        }
        assert_eq!(begins.take(THREADS).count().await, THREADS);
    });
    assert_eq!(alive.count(), 0);
    for _ in 0..THREADS {
        assert_eq!(results.recv(), Ok(Err(PortalClosed::RunEnded)));
    }
}

/// A thread that calls again and again while the run ends gets values, and then an error.
pub fn a_thread_may_call_until_the_run_ends<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    for round in 0..10 {
        let (alive, (end, ends)) = (Alive::default(), mpsc::channel());
        run(backend, async {
            let portal = portal::<B>();
            let (there, backend) = (alive.clone(), B::current().unwrap());
            let (begun, has_begun) = oneshot::channel();
            drop(backend.spawn_blocking(move || {
                begun.send(()).unwrap();
                let error = (0..).find_map(|n| {
                    let life = there.born();
                    let called = portal.call(async move {
                        rt.yields(n % 3).await;
                        drop(life);
                    });
                    called.err()
                });
                end.send(error).unwrap();
            }));
            has_begun.await.unwrap();
            rt.yields(round * 10).await;
        });
        assert_eq!(ends.recv(), Ok(Some(PortalClosed::RunEnded)));
        assert_eq!(alive.count(), 0);
    }
}

/// After the end of its run a portal gives errors at once, whoever asks.
pub fn after_its_run_a_portal_is_closed<B: Backend>(backend: &B) {
    let (portal, value) = run(backend, async {
        let portal = portal::<B>();
        assert!(!portal.is_closed());
        let value = portal.spawn(async { "of the run" });
        while !value.is_finished() {
            Rt::<B>::new().yields(1).await;
        }
        (portal, value)
    });
    assert!(portal.is_closed());
    assert_eq!(portal.call(async {}), Err(PortalClosed::RunEnded));
    let there = portal.clone();
    let called = on_a_fresh_thread(move || there.call(async {}));
    assert_eq!(called, Err(PortalClosed::RunEnded));
    let called = block_on(portal.call_async(async {}));
    assert_eq!(called, Err(PortalClosed::RunEnded));
    assert_eq!(portal.spawn(async {}).wait(), Err(Stopped::Closed));
    // Another run is no reason to open it again.
    let called = run(backend, portal.call_async(async {}));
    assert_eq!(called, Err(PortalClosed::RunEnded));
    assert_eq!(value.wait(), Ok("of the run"));
}

/// A panic of `main` cancels what is pending, and the callers are told so; the panic comes out of the run.
pub fn a_panic_of_main_is_told_to_those_who_are_blocked<B: Backend>(backend: &B) {
    let (result, results) = mpsc::channel();
    let main = async {
        let (begun, has_begun) = oneshot::channel();
        let portal = portal::<B>();
        drop(B::current().unwrap().spawn_blocking(move || {
            let called = portal.call(async move {
                begun.send(()).unwrap();
                pending::<()>().await
            });
            result.send(called).unwrap();
        }));
        has_begun.await.unwrap();
        if true {
            resume_unwind(Box::new("of main"));
        }
    };
    let ended = catch_unwind(AssertUnwindSafe(|| run(backend, main)));
    assert_eq!(message(&*ended.unwrap_err()), "of main");
    // A call that has just begun may hear of the end before it hears of its cause.
    let causes = [
        PortalClosed::Cancelled(Reason::ChildFailed(None)),
        PortalClosed::RunEnded,
    ];
    assert!(causes.contains(&results.recv().unwrap().unwrap_err()));
}

/// Where there is no run and no group there is no portal, and the message says so.
pub fn a_portal_where_there_is_no_run_panics_clearly<B: Backend>(backend: &B) {
    let nowhere = || {
        let panic = message(&*catch_unwind(portal::<B>).unwrap_err());
        assert!(panic.contains("needs a run or a group"), "{panic}");
    };
    nowhere();
    backend.run(async { nowhere() });
}

/// In a runtime that somebody else has started the portal is that of the outermost group, whatever its kind.
pub fn without_a_run_the_portal_is_that_of_the_outermost_group<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let portal = backend.run(async {
        let group = rt.task_group(async |_| {
            let inner = rt.task_group(async |_| Ok::<_, ()>(rt.portal()));
            let portal = inner.await.unwrap();
            let there = portal.clone();
            let called = rt.to_thread(move || there.call(async { 7 })).await;
            assert_eq!(called, Ok(7));
            Ok::<_, ()>(portal)
        });
        let scoped = anyrt_core::scoped_group::<B, _, (), _, _>(async |_| {
            let portal = rt.portal();
            let task = portal.spawn(pending::<()>());
            assert_eq!(portal.call_async(rt.yields(3)).await, Ok(()));
            Ok(task)
        });
        let end = scoped.await.unwrap().outcome().await;
        assert_eq!(end, Err(Stopped::Cancelled(Reason::Done)));
        group.await.unwrap()
    });
    assert_eq!(portal.call(async {}), Err(PortalClosed::RunEnded));
}

/// `start_portal` is for programs that are not async: calls, tasks, timers and threads all work.
pub fn a_sync_program_may_have_a_run_of_its_own<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let portal = start_portal::<B>(backend.clone());
    assert_eq!(portal.call(async { 7 }), Ok(7));
    let slept = portal.call(async move {
        let at = rt.now() + 2 * rt.tick();
        rt.sleep_until(at).await;
        rt.now() >= at
    });
    assert_eq!(slept, Ok(true));
    let tasks: Vec<_> = (0..20)
        .map(|n| portal.spawn(async move { rt.to_thread(move || n).await }))
        .collect();
    let sum: i32 = tasks.into_iter().map(|task| task.wait().unwrap()).sum();
    assert_eq!(sum, 190);
    // The program may take its time.
    let (open, gate) = oneshot::channel();
    let waits = portal.spawn(gate);
    std::thread::sleep(rt.tick());
    open.send(7).unwrap();
    assert_eq!(waits.wait(), Ok(Ok(7)));
}

/// The run of a portal "ends when the last user is gone", cancels what is pending, and waits for it.
pub fn the_run_of_a_portal_ends_with_its_last_user<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let (alive, log) = (Alive::default(), Log::default());
    let portal = start_portal::<B>(backend.clone());
    let (life, mark) = (alive.born(), log.clone());
    let (begun, has_begun) = mpsc::channel();
    let task = portal.spawn(async move {
        let _life = life;
        let work = async {
            begun.send(()).unwrap();
            pending::<()>().await;
        };
        anyrt_core::finally(work, async || {
            rt.yields(5).await;
            rt.sleep(rt.tick()).await;
            mark.add("cleanup");
        })
        .await;
    });
    has_begun.recv().unwrap();
    let other = portal.clone();
    drop(portal);
    assert_eq!((other.call(async { 7 }), alive.count()), (Ok(7), 1));
    let closed = portal_of_the_run(&other);
    drop(other);
    assert_eq!((log.marks(), alive.count()), (vec!["cleanup"], 0));
    assert_eq!(task.wait(), Err(Stopped::Cancelled(Reason::Done)));
    assert_eq!(closed.call(async {}), Err(PortalClosed::RunEnded));
}

/// A portal into the same run that is no user of it.
fn portal_of_the_run<B: Backend>(user: &anyrt_core::Portal<B>) -> anyrt_core::Portal<B> {
    user.call(async { portal::<B>() }).unwrap()
}

/// The last user may be anybody: another thread, a task in the run, or one of the threads of the run.
pub fn the_last_user_of_a_portal_may_be_anywhere<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    for place in ["thread", "task", "thread of the run"] {
        let portal = start_portal::<B>(backend.clone());
        let (held, until_the_end) = mpsc::channel::<()>();
        let (open, gate) = oneshot::channel::<()>();
        let last = portal.clone();
        let witness = portal.spawn(async move {
            let _held = held;
            pending::<()>().await;
        });
        match place {
            "thread" => {
                drop(portal);
                on_a_fresh_thread(move || drop(last));
            }
            "task" => {
                drop(portal.spawn(async move {
                    gate.await.ok();
                    drop(last);
                    pending::<()>().await;
                }));
                drop(portal);
                open.send(()).unwrap();
            }
            _ => {
                drop(portal.spawn(async move {
                    gate.await.ok();
                    rt.to_thread(move || drop(last)).await;
                }));
                drop(portal);
                open.send(()).unwrap();
            }
        }
        // The sender goes when the run cancels the witness.
        assert!(until_the_end.recv().is_err());
        assert!(witness.wait().is_err(), "{place}");
    }
}

/// A thread that started a run in one call does not wait for its end in a later one, for which that run itself may wait.
pub fn a_later_call_on_the_thread_of_the_starter_does_not_wait<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let (open, gate) = mpsc::channel::<()>();
    let (done, is_done) = mpsc::channel();
    let (other, here) = (backend.clone(), std::thread::current);
    run(backend, async {
        let start = rt.to_thread(move || (start_portal::<B>(other), here().id()));
        let (portal, starter) = start.await;
        let (begun, has_begun) = mpsc::channel();
        drop(portal.spawn(rt.to_thread(move || {
            begun.send(()).unwrap();
            done.send(gate.recv()).unwrap();
        })));
        rt.to_thread(move || has_begun.recv().unwrap()).await;
        // A pool mostly gives the thread that was last at work; on another one there is nothing to see.
        let mut portal = Some(portal);
        for _ in 0..20 {
            portal = rt
                .to_thread(move || portal.filter(|_| here().id() != starter))
                .await;
        }
        rt.to_thread(move || drop(portal)).await;
    });
    // The end of the other run waits for this.
    open.send(()).unwrap();
    assert_eq!(is_done.recv(), Ok(Ok(())));
}

/// `PortalProvider`: one run for all users, and another one after the last of them.
pub fn a_provider_shares_one_run<B: Backend>(backend: &B) {
    let alive = Alive::default();
    let provider = PortalProvider::<B>::new(backend.clone());
    for _ in 0..3 {
        let (one, other) = (provider.portal(), provider.clone().portal());
        let life = alive.born();
        drop(one.spawn(async move {
            let _life = life;
            pending::<()>().await;
        }));
        let here = portal_of_the_run(&one);
        drop(one);
        assert_eq!((here.call(async { 1 }), alive.count()), (Ok(1), 1));
        assert_eq!(provider.portal().call(async { 2 }), Ok(2));
        drop(other);
        assert_eq!(here.call(async {}), Err(PortalClosed::RunEnded));
        assert_eq!(alive.count(), 0);
    }
    // Also from many threads, which come and go.
    let threads = [(); 8].map(|()| {
        let provider = provider.clone();
        std::thread::spawn(move || {
            (0..10).all(|n| provider.portal().call(async move { n }) == Ok(n))
        })
    });
    assert!(
        threads
            .map(|thread| thread.join().unwrap())
            .iter()
            .all(|all| *all)
    );
}

/// On the threads of a run that was started for a portal its calls are refused like anywhere else.
pub fn a_portal_of_its_own_is_refused_in_its_own_run<B: Backend>(backend: &B) {
    let portal = start_portal::<B>(backend.clone());
    let there = portal.clone();
    let called = portal.call(async move { there.call(async {}) });
    assert_eq!(called, Ok(Err(PortalClosed::OwnThread)));
    // A thread of the run is no such thread.
    let there = portal.clone();
    let rt = Rt::<B>::new();
    let called = portal.call(async move { rt.to_thread(move || there.call(async { 7 })).await });
    assert_eq!(called, Ok(Ok(7)));
}

/// A portal may be started and left within a run, which goes on.
pub fn a_portal_may_be_started_inside_a_run<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let value = run(backend, async {
        let portal = start_portal::<B>(backend.clone());
        assert_eq!(portal.call(async {}), Err(PortalClosed::OwnThread));
        let value = portal.call_async(rt.yields(3)).await;
        let task = portal.spawn(pending::<()>());
        drop(portal);
        (value, task.outcome().await)
    });
    assert_eq!(value, (Ok(()), Err(Stopped::Cancelled(Reason::Done))));
}

/// Calls go from one run into another one and back, without blocking.
pub fn calls_go_through_two_runs_and_back<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let there = start_portal::<B>(backend.clone());
    let value = run(backend, async {
        let (here, again) = (portal::<B>(), there.clone());
        let chain = there.call_async(async move {
            let back = here.call_async(async move {
                rt.yields(2).await;
                again.call_async(async { 5 }).await.unwrap() + 1
            });
            back.await.unwrap() + 1
        });
        chain.await
    });
    assert_eq!(value, Ok(7));
}

/// The same with blocking calls, from threads of the runs.
pub fn blocking_calls_go_through_two_runs_and_back<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let there = start_portal::<B>(backend.clone());
    let value = run(backend, async {
        let here = portal::<B>();
        let call = move || {
            there.call(async move {
                let back = rt.to_thread(move || here.call(rt.yields(2)));
                back.await.map(|()| 7)
            })
        };
        rt.to_thread(call).await
    });
    assert_eq!(value, Ok(Ok(7)));
}

/// A cancellation at one end of a chain through two runs ends all of it before it is delivered.
pub fn a_cancellation_goes_through_two_runs<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let there = start_portal::<B>(backend.clone());
    let alive = Alive::default();
    run(backend, async {
        let (here, scope) = (portal::<B>(), rt.scope());
        let (outer, inner) = (alive.born(), alive.born());
        let (begun, has_begun) = oneshot::channel();
        let chain = there.call_async(async move {
            let _life = outer;
            let back = here.call_async(async move {
                let _life = inner;
                begun.send(()).unwrap();
                pending::<()>().await
            });
            back.await
        });
        let cancel = async {
            has_begun.await.unwrap();
            scope.cancel();
        };
        let (cancelled, ()) = futures::join!(scope.run(chain), cancel);
        assert!(cancelled.is_err());
        assert_eq!(alive.count(), 0);
    });
    assert_eq!(there.call(async { "goes on" }), Ok("goes on"));
}

/// The end of one run tells those in another one who wait for it.
pub fn the_end_of_a_run_is_told_in_the_other_one<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let there = start_portal::<B>(backend.clone());
    let (pass, passed) = oneshot::channel();
    let task = run(backend, async {
        let here = portal::<B>();
        let (begun, has_begun) = mpsc::channel();
        let task = there.spawn(async move {
            let call = here.call_async(async move {
                begun.send(()).unwrap();
                pending::<()>().await
            });
            pass.send(call.await).unwrap();
        });
        // In a thread, so that a simulator knows of somebody who is busy.
        rt.to_thread(move || B::wait_outside(|| has_begun.recv().unwrap()))
            .await;
        task
    });
    assert_eq!(block_on(passed), Ok(Err(PortalClosed::RunEnded)));
    assert_eq!(task.wait_timeout(Duration::MAX).unwrap(), Ok(()));
}
