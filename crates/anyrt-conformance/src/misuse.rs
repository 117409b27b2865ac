//! Wrong use: a clear error or panic, never a hang.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use anyrt_core::{Backend, CancelScope, Limiter, checkpoint, shield};
use futures::channel::oneshot;
use futures::executor::block_on;

use crate::probe::{Alive, message, on_a_fresh_thread, on_drop, panic_of};
use crate::rt::Rt;

/// The message of a panic of `f`, and the file that it is reported in.
pub(crate) fn panic_and_file<T>(f: impl FnOnce() -> T) -> (String, String) {
    thread_local! {
        static FILE: RefCell<Option<String>> = const { RefCell::new(None) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let file = info.location().map(|location| location.file().to_owned());
            FILE.with(|last| *last.borrow_mut() = file);
            before(info);
        }));
    });
    let payload = catch_unwind(AssertUnwindSafe(f))
        .err()
        .expect("it did not panic");
    (message(&*payload), FILE.take().unwrap())
}

/// Does `f` on a thread without a runtime. It has to panic there and name the fix; gives message and file.
///
/// `None` if the runtime is a global one, which is at every place: then `f` has to do its work.
fn panic_where_no_runtime_is<B: Backend, T>(
    f: impl FnOnce() -> T + Send + 'static,
) -> Option<(String, String)> {
    on_a_fresh_thread(|| {
        if B::current().is_some() {
            f();
            return None;
        }
        let (message, file) = panic_and_file(f);
        for part in ["runtime", "anyrt::run"] {
            assert!(message.contains(part), "`{message}` does not say `{part}`");
        }
        Some((message, file))
    })
}

/// The same for polling a future, where the message has to name the place at which it was made.
fn poll_where_no_runtime_is<B: Backend, F: Future>(make: impl FnOnce() -> F + Send + 'static) {
    let panic = panic_where_no_runtime_is::<B, _>(|| block_on(make()));
    assert!(panic.is_none_or(|(message, _)| message.contains(file!())));
}

/// Bad input: "no runtime at this place" panics, and names the place where the future was made.
pub async fn a_group_where_there_is_no_runtime_panics_and_names_its_caller<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let life = alive.born();
    poll_where_no_runtime_is::<B, _>(move || rt.task_group(async move |_| Ok::<_, ()>(life)));
    assert_eq!(alive.count(), 0);
}

/// Bad input: the same for scopes and time limits.
pub async fn a_scope_where_there_is_no_runtime_panics_and_names_its_caller<B: Backend>(rt: Rt<B>) {
    poll_where_no_runtime_is::<B, _>(|| CancelScope::<B>::new().run(async {}));
    poll_where_no_runtime_is::<B, _>(move || rt.move_on_after(rt.tick(), async {}));
    poll_where_no_runtime_is::<B, _>(move || rt.fail_after(rt.tick(), async {}));
    let limit = rt.now();
    poll_where_no_runtime_is::<B, _>(move || anyrt_core::move_on_at::<B, _>(limit, async {}));
    poll_where_no_runtime_is::<B, _>(move || anyrt_core::fail_at::<B, _>(limit, async {}));
}

/// Bad input: the same for threads; the call does not run, and its token is back.
pub async fn a_thread_where_there_is_no_runtime_panics_and_names_its_caller<B: Backend>(rt: Rt<B>) {
    let (alive, limiter) = (Alive::default(), Limiter::new(1));
    let (life, there) = (alive.born(), limiter.clone());
    poll_where_no_runtime_is::<B, _>(move || rt.to_thread(move || drop(life)).limiter(&there));
    assert_eq!((alive.count(), limiter.available()), (0, 1));
    poll_where_no_runtime_is::<B, _>(move || rt.to_thread(|| ()));
}

/// Bad input: functions that need the clock panic at the caller's own line.
pub async fn asking_for_the_clock_where_there_is_none_panics_at_the_caller<B: Backend>(rt: Rt<B>) {
    #[track_caller]
    fn at_the_caller<B: Backend, T>(f: impl FnOnce() -> T + Send + 'static) {
        let panic = panic_where_no_runtime_is::<B, _>(f);
        assert!(panic.is_none_or(|(_, file)| file == file!()));
    }
    let now = rt.now();
    at_the_caller::<B, _>(move || drop(rt.sleep(rt.tick())));
    at_the_caller::<B, _>(move || rt.now());
    at_the_caller::<B, _>(move || drop(anyrt_core::sleep_until::<B>(now)));
    at_the_caller::<B, _>(|| anyrt_core::current_effective_deadline::<B>());
    at_the_caller::<B, _>(|| anyrt_core::backend::<B>());
}

/// What needs no runtime works without one: shields, checkpoints, limiters, and scopes but for running in them.
pub async fn what_needs_no_runtime_works_without_one<B: Backend>(rt: Rt<B>) {
    let value = on_a_fresh_thread(move || {
        assert!(!anyrt_core::is_inside());
        let scope = CancelScope::<B>::with_timeout(rt.tick());
        assert!(!scope.is_cancelled());
        scope.set_deadline(None);
        scope.cancel();
        block_on(async {
            checkpoint().await;
            scope.cancelled().await;
            drop(Limiter::new(1).acquire().await);
            shield(async { 7 }).await
        })
    });
    assert_eq!(value, 7);
}

/// A future polled after its end panics or stays pending, and disturbs nobody.
pub async fn a_future_polled_after_its_end_disturbs_nobody<B: Backend>(rt: Rt<B>) {
    async fn again<F: Future>(future: F) {
        let mut future = Box::pin(future);
        future.as_mut().await;
        for _ in 0..3 {
            let mut cx = Context::from_waker(Waker::noop());
            drop(catch_unwind(AssertUnwindSafe(|| {
                future.as_mut().poll(&mut cx).map(drop)
            })));
        }
        drop(future);
    }
    let limiter = Limiter::new(1);
    let outer = rt.task_group(async |g| {
        again(rt.task_group(async |g| Ok::<_, ()>(g.spawn(async { Ok(1) }).await))).await;
        again(rt.scope().run(async { 1 })).await;
        again(rt.cancelled(pending::<()>())).await;
        again(rt.move_on_after(rt.tick(), async { 1 })).await;
        again(rt.fail_after(rt.tick(), async { 1 })).await;
        again(shield(async { 1 })).await;
        again(checkpoint()).await;
        again(rt.sleep(rt.tick())).await;
        again(rt.to_thread(|| 1).limiter(&limiter)).await;
        again(limiter.acquire()).await;
        again(g.spawn(async { Ok::<_, ()>(1) })).await;
        again(g.spawn(async { Ok::<_, ()>(1) }).outcome()).await;
        let cancelled = rt.scope();
        cancelled.cancel();
        again(cancelled.cancelled()).await;
        Ok(g.len())
    });
    assert_eq!(outer.await, Ok(0));
    assert_eq!((limiter.available(), limiter.statistics().waiting), (1, 0));
    assert!(rt.cancelled(pending::<()>()).await.is_err());
}

/// Awaiting the same task again, after it has given its value, panics and says so.
pub async fn a_task_awaited_twice_panics_clearly<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let mut task = g.spawn(async { Ok::<_, ()>(7) });
        assert_eq!((&mut task).await, 7);
        assert!(task.is_finished());
        let panic = panic_of(&mut task).await.unwrap_err();
        assert!(panic.contains("after it had given its value"), "{panic}");
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A closure that panics before there is a body fails the group like a body that panics.
pub async fn a_closure_that_panics_before_there_is_a_body_fails_the_group<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(|g| {
        let life = alive.born();
        g.spawn(async move {
            let _life = life;
            shield(rt.yields(5)).await;
            pending::<Result<(), ()>>().await
        });
        if true {
            panic!("before the body");
        }
        async { Ok::<(), ()>(()) }
    });
    assert_eq!(panic_of(group).await.unwrap_err(), "before the body");
    assert_eq!(alive.count(), 0);
}

/// A value that nobody takes and whose destructor panics kills neither the run nor its siblings.
///
/// The contract is silent; tokio swallows such a panic, and a group may also report it.
pub async fn a_panicking_destructor_of_a_value_disturbs_no_sibling<B: Backend>(rt: Rt<B>) {
    let (open, gate) = oneshot::channel::<()>();
    let sibling = anyrt_core::backend::<B>().spawn(async move { gate.await.is_ok() });
    let group = rt.task_group(async |g| {
        drop(g.spawn(async { Ok::<_, ()>(on_drop(|| panic!("in the destructor of a value"))) }));
        rt.yields(5).await;
        Ok(())
    });
    match panic_of(group).await {
        Ok(value) => assert_eq!(value, Ok(())),
        Err(panic) => assert_eq!(panic, "in the destructor of a value"),
    }
    open.send(()).unwrap();
    assert_eq!(sibling.await, Some(true));
}

/// The same for a thread whose call was dropped from outside.
pub async fn a_panicking_destructor_of_a_threads_value_disturbs_nobody<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    let group = rt.task_group(async |_| {
        let call = rt.to_thread(|| on_drop(|| panic!("in the destructor of a value")));
        crate::everywhere::drop_at_pending(1, call.limiter(&limiter)).await;
        Ok::<(), ()>(())
    });
    match panic_of(group).await {
        Ok(value) => assert_eq!(value, Ok(())),
        Err(panic) => assert_eq!(panic, "in the destructor of a value"),
    }
    assert_eq!(rt.to_thread(|| 7).limiter(&limiter).await, 7);
}

/// A scope run inside itself panics at the caller instead of waiting for itself.
pub async fn a_scope_inside_itself_panics_and_names_its_caller<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let inner = scope.clone();
    let panic = scope.run(panic_of(async move { inner.run(async {}).await }));
    let panic = panic.await.unwrap().unwrap_err();
    assert!(
        panic.contains("inside itself") && panic.contains(file!()),
        "{panic}"
    );
}

/// Any thread may spawn into a group, also one without a runtime.
pub async fn a_thread_without_a_runtime_may_spawn_into_a_group<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let there = g.clone();
        let task = on_a_fresh_thread(move || {
            there.spawn(async move {
                rt.yields(2).await;
                Ok::<_, ()>(rt.to_thread(|| 7).await)
            })
        });
        Ok(task.await)
    });
    assert_eq!(group.await, Ok(7));
}

/// Instants from elsewhere are data, not errors: deadlines far in the past and far in the future.
pub async fn instants_from_elsewhere_are_fine<B: Backend>(rt: Rt<B>) {
    let polls = AtomicUsize::new(0);
    let body = std::future::poll_fn(|_| {
        polls.fetch_add(1, Ordering::SeqCst);
        Poll::<()>::Pending
    });
    let past = rt.now();
    rt.sleep(rt.tick()).await;
    assert_eq!(anyrt_core::move_on_at::<B, _>(past, body).await, None);
    assert_eq!(polls.load(Ordering::SeqCst), 1);
    let mut future = Instant::now();
    while let Some(later) = future.checked_add(std::time::Duration::from_secs(1 << 40)) {
        future = later;
        if (later - past).as_secs() > 1 << 44 {
            break;
        }
    }
    let body: Pin<Box<dyn Future<Output = i32>>> = Box::pin(async {
        rt.yields(1).await;
        7
    });
    assert_eq!(anyrt_core::move_on_at::<B, _>(future, body).await, Some(7));
}

/// Rules 1 and 7: what foreign threads spawn while a group ends is either refused, or has ended with the group.
pub async fn what_is_spawned_while_a_group_ends_is_refused_or_waited_for<B: Backend>(rt: Rt<B>) {
    for round in 0..30 {
        let alive = Alive::default();
        let ended = Arc::new(AtomicUsize::new(0));
        let mut threads = Vec::new();
        let group = rt.task_group(async |g| {
            for _ in 0..2 {
                let (g, alive, ended) = (g.clone(), alive.clone(), ended.clone());
                // Calls of the runtime: a simulator does not wait for other threads.
                threads.push(anyrt_core::backend::<B>().spawn_blocking(move || {
                    let spawn = |_: &i32| {
                        let (life, ended) = (alive.born(), ended.clone());
                        let child = g.try_spawn(async move {
                            rt.yields(1).await;
                            drop(life);
                            ended.fetch_add(1, Ordering::SeqCst);
                            Ok::<(), ()>(())
                        });
                        child.is_ok()
                    };
                    (0..50).take_while(spawn).count()
                }));
            }
            rt.yields(round).await;
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        let ended = ended.load(Ordering::SeqCst);
        let mut accepted = 0;
        for thread in threads {
            accepted += thread.await.unwrap();
        }
        assert_eq!((ended, alive.count()), (accepted, 0), "in round {round}");
    }
}
