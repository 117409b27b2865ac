//! Whole runs: their beginning and their end.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Barrier, mpsc};
use std::task::Poll;
use std::time::Duration;

use anyrt_core::{Backend, CancelScope, Reason, Stopped, TaskGroup, run, shield};
use futures::channel::oneshot;
use futures::executor::block_on;

use crate::everywhere::drop_at_pending;
use crate::probe::{Alive, Latch, Life, Log, message, on_a_fresh_thread, on_drop, panic_of};
use crate::rt::Rt;

/// The message of the panic that comes out of a run.
fn panic_of_run<B: Backend, F: Future>(backend: &B, main: F) -> String
where
    F::Output: std::fmt::Debug,
{
    let result = catch_unwind(AssertUnwindSafe(|| run(backend, main)));
    message(&*result.unwrap_err())
}

/// `run` gives the value of `main`.
pub fn a_run_gives_the_value_of_main<B: Backend>(backend: &B) {
    assert_eq!(run(backend, async { "value".to_owned() }), "value");
    let error: Result<(), _> = run(backend, async { Err("also an error") });
    assert_eq!(error, Err("also an error"));
}

/// `main` stays on its thread: it may borrow, and hold what is not `Send`.
pub fn main_may_borrow_and_need_not_be_send<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let words = vec!["of".to_owned(), "the".to_owned(), "caller".to_owned()];
    let last = RefCell::new(None);
    let thread = std::thread::current().id();
    let length = run(backend, async {
        let count = Rc::new(Cell::new(0));
        for word in &words {
            rt.yields(1).await;
            count.set(count.get() + word.len());
            *last.borrow_mut() = Some(word);
        }
        assert_eq!(rt.to_thread(|| 1).await, 1);
        assert_eq!(std::thread::current().id(), thread);
        count.get()
    });
    assert_eq!((length, last.into_inner()), (11, Some(&words[2])));
}

/// One value of the backend may start any number of runs, one after the other.
pub fn runs_may_follow_each_other<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    for n in 0..20 {
        let value = run(backend, async {
            rt.sleep(Duration::from_micros(10)).await;
            let group = rt.task_group(async |g| {
                let child = g.spawn(async move { Ok::<_, ()>(rt.to_thread(move || n).await) });
                Ok(child.await)
            });
            group.await
        });
        assert_eq!(value, Ok(n));
    }
}

/// Runs on several threads go on at once and know nothing of each other.
pub fn runs_may_go_on_at_once_on_several_threads<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let meeting = Arc::new(Barrier::new(3));
    let runs = [1, 2, 3].map(|n| {
        let (backend, meeting) = (backend.clone(), meeting.clone());
        std::thread::spawn(move || {
            run(&backend, async move {
                rt.to_thread(move || meeting.wait()).await;
                rt.sleep(rt.tick()).await;
                n
            })
        })
    });
    assert_eq!(runs.map(|run| run.join().unwrap()), [1, 2, 3]);
}

/// Into threads: "the default limiter belongs to the run".
pub fn the_default_limiter_belongs_to_the_run<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let latch = Latch::default();
    let (started, starts) = mpsc::channel();
    let (other, there) = (backend.clone(), latch.clone());
    let full = std::thread::spawn(move || {
        run(&other, async move {
            let calls = (0..40).map(|_| {
                let (started, latch) = (started.clone(), there.clone());
                rt.to_thread(move || {
                    started.send(()).unwrap();
                    latch.wait::<B>();
                })
            });
            futures::future::join_all(calls).await.len()
        })
    });
    assert_eq!(starts.iter().take(40).count(), 40);
    assert_eq!(run(backend, rt.to_thread(|| 7)), 7);
    latch.open();
    assert_eq!(full.join().unwrap(), 40);
}

/// `name` is that of the value that was run, wherever it is asked for.
pub fn the_backend_of_a_run_has_the_name_of_the_one_that_was_run<B: Backend>(backend: &B) {
    let name = backend.name();
    assert!(!name.is_empty());
    let inside = run(backend, async {
        let here = B::current().unwrap();
        let task = here.spawn(async { B::current().unwrap().name() });
        [
            anyrt_core::backend::<B>().name(),
            here.name(),
            task.await.unwrap(),
        ]
    });
    assert_eq!(inside, [name; 3]);
}

/// Dropped from outside: "the outermost group of a run belongs to `run`, which waits as well".
pub fn a_run_waits_for_what_it_has_adopted<B: Backend>(backend: &B) {
    let (alive, log) = (Alive::default(), Log::default());
    let value = run(backend, leaves_work_behind::<B>(&alive, &log));
    assert_eq!((value, alive.count()), ("main", 0));
    let mut marks = log.marks();
    marks.sort_unstable();
    assert_eq!(marks, ["child", "thread"]);
}

/// Fine points: "a main body that panics still waits for what its run has adopted"; the panic is resumed.
pub fn a_run_whose_main_panics_waits_for_what_it_has_adopted<B: Backend>(backend: &B) {
    let (alive, log) = (Alive::default(), Log::default());
    let panic = panic_of_run(backend, async {
        leaves_work_behind::<B>(&alive, &log).await;
        panic!("of main");
    });
    assert_eq!(
        (panic.as_str(), alive.count(), log.marks().len()),
        ("of main", 0, 2)
    );
}

/// Drops a group with a child that takes its time, and a call with a thread that does.
async fn leaves_work_behind<B: Backend>(alive: &Alive, log: &Log) -> &'static str {
    let rt = Rt::<B>::new();
    let (life, mark) = (alive.born(), log.clone());
    let group = rt.task_group(async |g| {
        g.spawn(async move {
            let _life = life;
            shield(rt.sleep(2 * rt.tick())).await;
            mark.add("child");
            pending::<Result<(), ()>>().await
        });
        pending::<Result<(), ()>>().await
    });
    drop_at_pending(1, group).await;
    let (life, mark) = (alive.born(), log.clone());
    let call = rt.to_thread(move || {
        std::thread::sleep(2 * rt.tick());
        mark.add("thread");
        life
    });
    drop_at_pending(1, call).await;
    "main"
}

/// A panic of what the run has adopted comes out of the run.
pub fn the_panic_of_what_a_run_has_adopted_comes_out_of_it<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let panic = panic_of_run(backend, async {
        let group = rt.task_group(async |g| {
            g.spawn(async move {
                shield(rt.yields(5)).await;
                if true {
                    panic!("of the adopted");
                }
                Ok::<(), ()>(())
            });
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, group).await;
        "main"
    });
    assert_eq!(panic, "of the adopted");
    // Of two, the first goes on.
    let panic = panic_of_run(backend, async {
        let latch = Latch::default();
        let there = latch.clone();
        let call = rt.to_thread(move || {
            there.wait::<B>();
            panic!("the second");
        });
        drop_at_pending(1, call).await;
        let _opens = on_drop(move || latch.open());
        // The thread may go on only when `main` has panicked.
        std::panic::panic_any("the first");
    });
    assert!(["the first", "the second"].contains(&panic.as_str()));
}

/// The payload of a panic of `main` is resumed as it is, and the runtime has ended before.
pub fn a_panic_of_main_is_resumed_with_its_payload<B: Backend>(backend: &B) {
    struct Payload(Life);
    let alive = Alive::default();
    let panics = || {
        run(backend, async {
            let _local = alive.born();
            Rt::<B>::new().yields(1).await;
            resume_unwind(Box::new(Payload(alive.born())))
        })
    };
    let result: Result<(), _> = catch_unwind(AssertUnwindSafe(panics));
    let payload = result.unwrap_err();
    assert!(
        payload
            .downcast_ref::<Payload>()
            .is_some_and(|payload| format!("{:?}", payload.0).len() > 1)
    );
    assert_eq!(alive.count(), 1);
    drop(payload);
    assert_eq!(run(backend, async { alive.count() }), 0);
}

/// The body of a run is a scope: its cleanups run before the run returns, after a panic of `main` as well.
pub fn a_run_ends_with_the_exits_of_main<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let log = Log::default();
    let register = |first: &'static str, second: &'static str| {
        let (log, there) = (log.clone(), log.clone());
        rt.on_exit(async move {
            rt.sleep(rt.tick()).await;
            log.add(second);
        });
        rt.on_exit(async move { there.add(first) });
    };
    let value = run(backend, async {
        register("first", "second");
        7
    });
    assert_eq!(value, 7);
    let panic = panic_of_run(backend, async {
        register("first after a panic", "second after a panic");
        rt.yields(1).await;
        panic!("main");
    });
    assert_eq!(panic, "main");
    let panic = panic_of_run(backend, async {
        register("after a cleanup that panicked", "and the last");
        rt.on_exit(async { panic!("cleanup") });
    });
    assert_eq!(panic, "cleanup");
    let marks = [
        "first",
        "second",
        "first after a panic",
        "second after a panic",
        "after a cleanup that panicked",
        "and the last",
    ];
    assert_eq!(log.marks(), marks);
}

/// A run waits for the cleanups of what was dropped from outside in it, and its own come after them.
pub fn a_run_waits_for_the_exits_that_it_has_adopted<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let log = Log::default();
    run(backend, async {
        let there = log.clone();
        rt.on_exit(async move { there.add("of main") });
        let there = log.clone();
        let session = rt.scope().run(async move {
            rt.on_exit(async move {
                rt.sleep(rt.tick()).await;
                there.add("of a dropped scope");
            });
            pending::<()>().await;
        });
        drop_at_pending(1, session).await;
    });
    assert_eq!(log.marks(), ["of a dropped scope", "of main"]);
}

/// "Only the end of the runtime cuts them off", and then they leave nothing behind: also those that own the group
/// in whose body they were registered, and whether or not they had begun.
pub fn the_end_of_a_runtime_leaves_nothing_of_exits_behind<B: Backend>(backend: &B) {
    if B::current().is_some() || backend.name() == "async-std" {
        return; // A runtime that is global does not end.
    }
    let rt = Rt::<B>::new();
    for has_begun in [false, true] {
        let alive = Alive::default();
        // No run of ours, which would wait.
        backend.run(async {
            let (ready, is_ready) = oneshot::channel();
            let there = alive.clone();
            let group = rt.task_group(async move |g| {
                for _ in 0..3 {
                    let (g, life) = (g.clone(), there.born());
                    rt.on_exit(async move {
                        pending::<()>().await;
                        drop((g, life));
                    });
                }
                ready.send(()).unwrap();
                if !has_begun {
                    pending::<()>().await;
                }
                Ok::<(), ()>(())
            });
            drop(B::current().unwrap().spawn(group));
            is_ready.await.unwrap();
        });
        assert_eq!(alive.count(), 0, "has_begun: {has_begun}");
    }
}

/// `abandon_on_cancel`: "nobody waits for the thread then, not even the run".
pub fn a_run_does_not_wait_for_abandoned_threads<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let latch = Latch::default();
    let (done, is_done) = mpsc::channel();
    let (there, before) = (latch.clone(), done.clone());
    let value = run(backend, async move {
        let (started, has_started) = oneshot::channel();
        let call = rt.to_thread(move || {
            started.send(()).unwrap();
            there.wait::<B>();
            done.send("thread").unwrap();
        });
        let call = pin!(call.abandon_on_cancel());
        drop(futures::future::select(call, has_started).await);
        "main"
    });
    before.send(value).unwrap();
    latch.open();
    assert_eq!((is_done.recv(), is_done.recv()), (Ok("main"), Ok("thread")));
}

/// Section 6 and `run`: a run inside a run panics at the caller, and harms nobody.
pub fn a_run_inside_a_run_panics_clearly<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let inner = backend.clone();
    let told = run(backend, async {
        let in_main = panic_of_run(&inner, async {});
        let inner = inner.clone();
        let group = rt.task_group(async move |g| {
            let child = g.spawn(async move { Ok::<_, ()>(panic_of_run(&inner, async {})) });
            Ok(child.await)
        });
        let in_child = group.await.unwrap();
        rt.sleep(rt.tick()).await;
        [in_main, in_child]
    });
    for panic in told {
        assert!(panic.contains("inside a run"), "{panic}");
    }
}

/// The thread of a call is no place inside the run, so that it may have a run of its own.
pub fn a_run_in_a_thread_of_another_run_works<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let inner = backend.clone();
    let value = run(backend, async {
        let call = rt.to_thread(move || {
            assert!(!anyrt_core::is_inside());
            run(&inner, async move {
                rt.sleep(rt.tick()).await;
                rt.to_thread(|| 3).await
            })
        });
        let inner = call.await;
        rt.sleep(rt.tick()).await;
        inner + 4
    });
    assert_eq!(value, 7);
}

/// The thread-local is as it was before, also after a panic.
pub fn after_a_run_its_thread_is_outside_again<B: Backend>(backend: &B) {
    assert!(!anyrt_core::is_inside());
    assert!(run(backend, async { anyrt_core::is_inside() }));
    assert!(!anyrt_core::is_inside());
    panic_of_run(backend, async {
        let scope = CancelScope::<B>::new();
        scope
            .run(async { panic!("deep inside") })
            .await
            .unwrap_or(())
    });
    assert!(!anyrt_core::is_inside() && B::in_sight().is_none());
}

/// Rule 7: through a handle that escaped from its run, nothing can be spawned; nothing hangs.
pub fn an_escaped_group_is_closed<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let alive = Alive::default();
    let mut escaped: Option<TaskGroup<B, ()>> = None;
    let done = run(
        backend,
        rt.task_group(async |g| {
            escaped = Some(g.clone());
            g.spawn(async { Ok(1) });
            Ok(())
        }),
    );
    assert_eq!(done, Ok(()));
    let group = escaped.unwrap();
    let life = alive.born();
    let closed = group.spawn(async move {
        let _life = life;
        Ok(())
    });
    assert_eq!(
        (block_on(closed.outcome()), alive.count()),
        (Err(Stopped::Closed), 0)
    );
    let life = alive.born();
    let given_back = group.try_spawn(async move {
        let _life = life;
        Ok::<_, ()>(3)
    });
    let Err(given_back) = given_back else {
        panic!("the group has ended")
    };
    assert_eq!(
        (alive.count(), block_on(given_back), alive.count()),
        (1, Ok(3), 0)
    );
    assert_eq!((group.len(), group.is_empty()), (0, true));
    group.cancel();
    // Another run is no reason to open it again.
    assert!(run(backend, async {
        group.try_spawn(async { Ok(()) }).is_err()
    }));
}

/// Fine points: "a value that was handed to a `Task` lives as long as the handle", also beyond the run.
pub fn the_handle_of_a_child_keeps_its_value_beyond_the_run<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let alive = Alive::default();
    let (taken, dropped) = run(backend, async {
        let group = rt.task_group(async |g| {
            let (first, second) = (alive.born(), alive.born());
            Ok::<_, ()>((
                g.spawn(async move { Ok(first) }),
                g.spawn(async move { Ok(second) }),
            ))
        });
        group.await.unwrap()
    });
    assert_eq!(alive.count(), 2);
    drop(dropped);
    // The child has ended, but the runtime may still be about to put its output away.
    while alive.count() > 1 {
        std::thread::yield_now();
    }
    drop(block_on(taken));
    assert_eq!(alive.count(), 0);
}

/// `Backend::spawn`: a handle resolves also when its runtime has ended; what was left has been dropped then.
pub fn handles_resolve_after_the_end_of_their_runtime<B: Backend>(backend: &B) {
    let alive = Alive::default();
    let (open, gate) = oneshot::channel::<()>();
    let life = alive.born();
    let (left, ended, live) = run(backend, async {
        let live = B::current().unwrap();
        let left = live.spawn(async move {
            let _life = life;
            gate.await
        });
        let ended = live.spawn(async { 1 });
        while !anyrt_core::Join::is_finished(&ended) {
            Rt::<B>::new().yields(1).await;
        }
        (left, ended, live)
    });
    assert_eq!(block_on(ended), Some(1));
    let life = alive.born();
    let late = block_on(live.spawn(async move {
        let _life = life;
    }));
    if late.is_none() {
        // Not a runtime that is global. It has ended, so nothing of it is left.
        assert_eq!(alive.count(), 0);
    }
    // The receiver went with the task, if that was dropped.
    assert_eq!(open.send(()).is_ok(), late.is_some());
    assert_eq!(block_on(left).is_some(), late.is_some());
    let life = alive.born();
    let late_call = block_on(live.spawn_blocking(move || drop(life)));
    assert_eq!((late_call.is_some(), alive.count()), (late.is_some(), 0));
}

/// What outlives its runtime may be dropped, woken and asked without harm.
pub fn sleeps_wakers_and_clocks_may_outlive_their_runtime<B: Backend>(backend: &B) {
    let (sleep, main, task, live, before) = run(backend, async {
        let live = B::current().unwrap();
        let mut sleep = Box::pin(live.sleep_until(live.now() + Duration::from_secs(3600)));
        let main = poll_fn(|cx| {
            assert!(sleep.as_mut().poll(cx).is_pending());
            Poll::Ready(cx.waker().clone())
        });
        let main = main.await;
        let task = live.spawn(poll_fn(|cx| Poll::Ready(cx.waker().clone())));
        let task = task.await.unwrap();
        let now = live.now();
        (sleep, main, task, live, now)
    });
    main.wake_by_ref();
    task.wake_by_ref();
    assert!(live.now() >= before);
    on_a_fresh_thread(move || {
        drop(sleep);
        main.wake();
        task.wake();
        assert!(live.now() >= before);
    });
    assert_eq!(run(backend, async { 7 }), 7);
}

/// A scope is no part of any runtime: it may be used before, across and after runs.
pub fn a_scope_may_be_used_before_across_and_after_runs<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let scope = CancelScope::<B>::new();
    assert!(!scope.is_cancelled());
    for _ in 0..2 {
        assert_eq!(run(backend, scope.run(rt.yields(1))), Ok(()));
    }
    scope.cancel_with("between the runs");
    let reason = Reason::Explicit(Some("between the runs".into()));
    for _ in 0..2 {
        let cancelled = run(backend, scope.run(pending::<()>()));
        assert_eq!(cancelled.unwrap_err().reason(), &reason);
    }
    block_on(scope.cancelled());
    assert_eq!(scope.reason(), Some(reason));
}

/// A scope with a time limit that was made where no clock is: the limit counts from the first entry.
pub fn a_time_limit_may_be_set_where_there_is_no_runtime<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let scope = CancelScope::<B>::with_timeout(rt.tick());
    assert!(!scope.is_cancelled() && scope.deadline().is_none());
    let result = run(backend, scope.run(rt_sleep(rt, 100)));
    assert_eq!(result.unwrap_err().reason(), &Reason::Deadline);
    assert!(scope.is_cancelled());
    // And one that was made inside and is looked at where there is none.
    let (inside, never) = run(backend, async {
        let inside = CancelScope::<B>::with_deadline(rt.now() + rt.tick());
        rt.sleep(2 * rt.tick()).await;
        (inside, CancelScope::<B>::with_timeout(Duration::MAX))
    });
    assert_eq!((inside.is_cancelled(), never.is_cancelled()), (true, false));
    assert_eq!(inside.reason(), Some(Reason::Deadline));
}

async fn rt_sleep<B: Backend>(rt: Rt<B>, ticks: u32) {
    rt.sleep(ticks * rt.tick()).await;
}

/// Of two stops that were asked for where no clock is the shorter grace counts, in either order.
pub fn of_two_stops_without_a_clock_the_shorter_grace_counts<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    for graces in [[rt.hour(), rt.tick()], [rt.tick(), rt.hour()]] {
        let scope = CancelScope::<B>::new();
        graces.into_iter().for_each(|grace| scope.stop(grace));
        let result = run(backend, scope.run(pending::<()>()));
        assert_eq!(result.unwrap_err().reason(), &Reason::Shutdown);
    }
}

/// The time of a stop that was asked for where no clock is begins with whoever looks where there is one, also with
/// who only watches.
pub fn the_grace_of_a_stop_without_a_clock_begins_with_who_watches<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let scope = CancelScope::<B>::new();
    scope.stop(rt.tick());
    assert!(!scope.is_cancelled());
    run(backend, scope.cancelled());
    assert_eq!(scope.reason(), Some(Reason::Shutdown));
}

/// A scope may be cancelled by a thread that knows no runtime, and tells it to one as well.
pub fn threads_without_a_runtime_may_cancel_and_wait<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let (scope, answer) = (CancelScope::<B>::new(), CancelScope::<B>::new());
    let latch = Latch::default();
    let foreign = std::thread::spawn({
        let (scope, answer, latch) = (scope.clone(), answer.clone(), latch.clone());
        move || {
            scope.cancel();
            latch.open();
            block_on(answer.cancelled());
        }
    });
    let cancelled = run(backend, async {
        // A call stands for the foreign thread, of which a simulator could not know.
        let wait = rt.to_thread(move || latch.wait::<B>());
        let (cancelled, ()) = futures::join!(scope.run(pending::<()>()), wait);
        answer.cancel();
        cancelled
    });
    assert!(cancelled.is_err());
    foreign.join().unwrap();
}

/// Rule: trees get deep, so they are cancelled, counted out and dropped by loops.
pub fn a_deep_tree_is_cancelled_and_released_by_loops<B: Backend>(backend: &B) {
    type Deepest<B> = Arc<std::sync::Mutex<Option<TaskGroup<B, ()>>>>;

    fn generation<B: Backend>(
        left: usize,
        alive: Alive,
        deepest: Deepest<B>,
        arrived: oneshot::Sender<()>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ()>> + Send>> {
        Box::pin(async move {
            let _life = alive.born();
            let group = Rt::<B>::new().task_group(move |g| async move {
                if left == 0 {
                    *deepest.lock().unwrap() = Some(g);
                    arrived.send(()).unwrap();
                    return pending().await;
                }
                g.spawn(generation::<B>(left - 1, alive, deepest, arrived));
                Ok(())
            });
            group.await.map_err(drop)
        })
    }

    let (alive, deepest) = (Alive::default(), Deepest::<B>::default());
    let (arrive, arrived) = oneshot::channel();
    let scope = CancelScope::<B>::new();
    let cancelled = run(backend, async {
        let tree = scope.run(generation::<B>(
            5_000,
            alive.clone(),
            deepest.clone(),
            arrive,
        ));
        let cancel = async {
            arrived.await.unwrap();
            assert_eq!(alive.count(), 5_001);
            scope.cancel();
        };
        futures::join!(tree, cancel).0
    });
    assert!(cancelled.is_err());
    assert_eq!(alive.count(), 0);
    // The handle keeps all nodes above it alive; it is the last one to do so.
    let deepest = deepest.lock().unwrap().take();
    assert!(deepest.unwrap().try_spawn(async { Ok(()) }).is_err());
}

/// Rule: adoption goes up through any number of dropped groups, by a loop as well.
pub fn a_deep_adoption_goes_up_by_a_loop<B: Backend>(backend: &B) {
    fn generation<B: Backend>(
        left: usize,
        alive: Alive,
        gate: oneshot::Receiver<()>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ()>> + Send>> {
        Box::pin(async move {
            if left == 0 {
                let _life = alive.born();
                shield(gate).await.ok();
                return Ok(());
            }
            let group = Rt::<B>::new().task_group(move |g| async move {
                g.spawn(generation::<B>(left - 1, alive, gate));
                pending::<Result<(), ()>>().await
            });
            drop_at_pending(1, group).await;
            Ok(())
        })
    }

    let alive = Alive::default();
    let rt = Rt::<B>::new();
    run(backend, async {
        let (open, gate) = oneshot::channel();
        let group = rt.task_group(async |g| {
            let top = g.spawn(generation::<B>(5_000, alive.clone(), gate));
            top.await;
            while alive.count() == 0 {
                rt.yields(1).await;
            }
            open.send(()).unwrap();
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        assert_eq!(alive.count(), 0);
    });
}

/// A panic in a run is no reason for the next run to fail.
pub fn a_run_after_a_run_that_panicked_works<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    for _ in 0..3 {
        let panic = panic_of_run(backend, async {
            let group = rt.task_group(async |g| {
                g.spawn(async {
                    if true {
                        panic!("of a child");
                    }
                    Ok::<(), ()>(())
                });
                pending::<Result<(), ()>>().await
            });
            group.await
        });
        assert_eq!(panic, "of a child");
        let caught = run(backend, async {
            let call = rt.to_thread(|| panic!("of a thread"));
            panic_of::<()>(call).await.unwrap_err()
        });
        assert_eq!(caught, "of a thread");
    }
}
