//! The contract of a backend, on which all else stands.

use std::future::{Future, pending, poll_fn};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use anyrt_core::{Backend, Join};
use futures::channel::{mpsc, oneshot};
use futures::task::AtomicWaker;
use futures::{FutureExt, StreamExt};

use crate::probe::{Alive, Latch, on_a_fresh_thread, on_drop, panic_of};
use crate::rt::Rt;

/// The runtime at this place.
fn here<B: Backend>(_: Rt<B>) -> B {
    B::current().expect("there is a runtime in every future that it polls")
}

/// `spawn` and `spawn_blocking`: the handle gives the output.
pub async fn a_handle_gives_the_output<B: Backend>(rt: Rt<B>) {
    let backend = here(rt);
    assert_eq!(backend.spawn(async { 1 }).await, Some(1));
    assert_eq!(backend.spawn(rt.yields(3).map(|()| 2)).await, Some(2));
    assert_eq!(backend.spawn_blocking(|| 3).await, Some(3));
}

/// `Backend::Task`: "dropping it detaches: the work goes on".
pub async fn a_dropped_handle_detaches_the_task<B: Backend>(rt: Rt<B>) {
    let (ran, runs) = mpsc::unbounded();
    for n in 0..200 {
        let ran = ran.clone();
        drop(here(rt).spawn(async move {
            rt.yields(n % 3).await;
            ran.unbounded_send(n).unwrap();
        }));
    }
    drop(ran);
    let mut ran: Vec<_> = runs.collect().await;
    ran.sort_unstable();
    assert!(ran.into_iter().eq(0..200));
}

/// `Backend::Task`: ".. also a blocking call that has not begun yet".
pub async fn a_dropped_handle_detaches_the_blocking_call<B: Backend>(rt: Rt<B>) {
    let (ran, runs) = mpsc::unbounded();
    for n in 0..200 {
        let ran = ran.clone();
        drop(here(rt).spawn_blocking(move || ran.unbounded_send(n).unwrap()));
    }
    drop(ran);
    let mut ran: Vec<_> = runs.collect().await;
    ran.sort_unstable();
    assert!(ran.into_iter().eq(0..200));
}

/// A handle dropped in the middle detaches as well, whether the task waits or runs.
pub async fn a_handle_dropped_after_a_poll_detaches<B: Backend>(rt: Rt<B>) {
    let (open, gate) = oneshot::channel::<()>();
    let (done, is_done) = oneshot::channel();
    let mut task = here(rt).spawn(async move {
        gate.await.unwrap();
        done.send(()).unwrap();
    });
    rt.yields(3).await;
    assert!(futures::poll!(&mut task).is_pending());
    drop(task);
    open.send(()).unwrap();
    assert_eq!(is_done.await, Ok(()));

    let latch = Latch::default();
    let there = latch.clone();
    let (done, is_done) = oneshot::channel();
    let (started, has_started) = oneshot::channel();
    let mut call = here(rt).spawn_blocking(move || {
        started.send(()).unwrap();
        there.wait::<B>();
        done.send(()).unwrap();
    });
    has_started.await.unwrap();
    assert!(futures::poll!(&mut call).is_pending());
    drop(call);
    latch.open();
    assert_eq!(is_done.await, Ok(()));
}

/// `spawn`: "the output of a task whose handle was dropped is dropped as soon as there is one".
pub async fn the_output_of_a_detached_task_is_dropped<B: Backend>(rt: Rt<B>) {
    let (first, second) = (oneshot::channel::<()>(), oneshot::channel::<()>());
    let third = oneshot::channel::<()>();
    drop(here(rt).spawn(async move { first.0 }));
    assert!(first.1.await.is_err());
    drop(here(rt).spawn_blocking(move || second.0));
    assert!(second.1.await.is_err());
    // And with the handle, if there is one already.
    let task = here(rt).spawn(async move { third.0 });
    while !task.is_finished() {
        rt.yields(1).await;
    }
    drop(task);
    assert!(third.1.await.is_err());
}

/// `spawn`: "a panic of the future .. is resumed where the handle is awaited", with its payload; others go on.
pub async fn a_panic_is_resumed_where_the_handle_is_awaited<B: Backend>(rt: Rt<B>) {
    let (open, gate) = oneshot::channel::<()>();
    let other = here(rt).spawn(async move { gate.await.is_ok() });
    let task = here(rt).spawn(async move {
        rt.yields(1).await;
        resume_unwind(Box::new("in a task"));
    });
    assert_eq!(
        panic_of(task).await.map(Option::<()>::unwrap).unwrap_err(),
        "in a task"
    );
    let call = here(rt).spawn_blocking(|| resume_unwind(Box::new("in a call")));
    assert_eq!(
        panic_of(call).await.map(Option::<()>::unwrap).unwrap_err(),
        "in a call"
    );
    open.send(()).unwrap();
    assert_eq!(other.await, Some(true));
}

/// `spawn`: "with the handle dropped it goes no further".
pub async fn the_panic_of_a_detached_task_goes_no_further<B: Backend>(rt: Rt<B>) {
    for _ in 0..20 {
        let (gone, is_gone) = oneshot::channel::<()>();
        drop(here(rt).spawn(async move {
            let _gone = gone;
            rt.yields(1).await;
            resume_unwind(Box::new("heard by nobody"));
        }));
        assert!(is_gone.await.is_err());
        let (gone, is_gone) = oneshot::channel::<()>();
        drop(here(rt).spawn_blocking(move || {
            let _gone = gone;
            resume_unwind(Box::new("heard by nobody"));
        }));
        assert!(is_gone.await.is_err());
    }
    assert_eq!(here(rt).spawn(async { 1 }).await, Some(1));
    assert_eq!(here(rt).spawn_blocking(|| 2).await, Some(2));
}

/// `Join::is_finished` tells the end of a task without awaiting it, and that of one that panicked.
pub async fn is_finished_tells_whether_a_task_has_ended<B: Backend>(rt: Rt<B>) {
    let (open, gate) = oneshot::channel::<()>();
    let task = here(rt).spawn(async move { gate.await.unwrap() });
    rt.yields(5).await;
    assert!(!task.is_finished());
    open.send(()).unwrap();
    while !task.is_finished() {
        rt.yields(1).await;
    }
    assert_eq!(task.await, Some(()));

    let task = here(rt).spawn(async { resume_unwind(Box::new("in a task")) });
    while !task.is_finished() {
        rt.yields(1).await;
    }
    assert!(panic_of::<Option<()>>(task).await.is_err());

    let latch = Latch::default();
    let there = latch.clone();
    let call = here(rt).spawn_blocking(move || there.wait::<B>());
    rt.yields(5).await;
    assert!(!call.is_finished());
    latch.open();
    while !call.is_finished() {
        rt.yields(1).await;
    }
    assert_eq!(call.await, Some(()));
}

/// `Join::is_finished` asks and does no more: whoever awaits the task is woken all the same.
pub async fn is_finished_leaves_the_awaiter_its_wake<B: Backend>(rt: Rt<B>) {
    async fn awaited_and_asked<T>(mut task: impl Join<T>) -> Option<T> {
        poll_fn(|cx| {
            let polled = Pin::new(&mut task).poll(cx);
            if polled.is_pending() {
                task.is_finished();
            }
            polled
        })
        .await
    }
    for round in 0..200 {
        let task = here(rt).spawn(rt.yields(round % 4));
        assert_eq!(awaited_and_asked(task).await, Some(()));
        let call = here(rt).spawn_blocking(|| ());
        assert_eq!(awaited_and_asked(call).await, Some(()));
    }
}

/// `spawn` and `spawn_blocking` "may be called from any thread".
pub async fn foreign_threads_may_spawn<B: Backend>(rt: Rt<B>) {
    let backend = here(rt);
    let (task, call) = on_a_fresh_thread(move || {
        let task = backend.spawn(async move {
            rt.yields(2).await;
            B::current().is_some()
        });
        (task, backend.spawn_blocking(|| 7))
    });
    assert_eq!((task.await, call.await), (Some(true), Some(7)));
}

/// `spawn`: blocking calls may start tasks and calls, and leave before these have ended.
pub async fn blocking_calls_may_spawn<B: Backend>(rt: Rt<B>) {
    let backend = here(rt);
    let tasks = here(rt).spawn_blocking(move || {
        let other = backend.clone();
        (
            backend.spawn(async { 1 }),
            backend.spawn_blocking(move || other.spawn_blocking(|| 2)),
        )
    });
    let (task, call) = tasks.await.unwrap();
    assert_eq!(task.await, Some(1));
    assert_eq!(call.await.unwrap().await, Some(2));
}

/// `spawn` never waits: from a thread of the runtime that goes on without a `Pending`.
pub async fn spawning_never_waits<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let tasks: Vec<_> = (0..10_000)
        .map(|n| {
            let life = alive.born();
            here(rt).spawn(async move {
                drop(life);
                n
            })
        })
        .collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.unwrap();
    }
    assert_eq!((sum, alive.count()), (49_995_000, 0));
}

/// `sleep_until`: "ready once `now` has reached `at`, never before".
pub async fn a_sleep_is_never_early<B: Backend>(rt: Rt<B>) {
    let tasks: Vec<_> = [1, 10, 999, 1000, 1001, 1500, 4999]
        .into_iter()
        .map(|micros| {
            here(rt).spawn(async move {
                let at = here(rt).now() + Duration::from_micros(micros);
                here(rt).sleep_until(at).await;
                assert!(here(rt).now() >= at, "too early after {micros} us");
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await, Some(()));
    }
}

/// `sleep_until`: an instant that has passed is no reason to wait for ever, nor to panic.
pub async fn an_instant_that_has_passed_is_reached<B: Backend>(rt: Rt<B>) {
    let now = here(rt).now();
    here(rt).sleep_until(now).await;
    rt.sleep(rt.tick()).await;
    here(rt).sleep_until(now).await;
    if let Some(long_ago) = now.checked_sub(Duration::from_millis(500)) {
        here(rt).sleep_until(long_ago).await;
    }
}

/// `sleep_until`: the end of time is an instant like any other.
pub async fn a_sleep_may_be_set_to_the_end_of_time<B: Backend>(rt: Rt<B>) {
    let now = here(rt).now();
    for far in (6..63).map(|n| Duration::from_secs(1 << n)) {
        let Some(at) = now.checked_add(far) else {
            break;
        };
        let mut sleep = Box::pin(here(rt).sleep_until(at));
        assert!(futures::poll!(sleep.as_mut()).is_pending(), "{far:?}");
    }
    let (mut step, mut end) = (Duration::from_secs(1 << 62), now);
    while step >= Duration::from_nanos(1) {
        end = end.checked_add(step).unwrap_or(end);
        step /= 2;
    }
    let mut sleep = Box::pin(here(rt).sleep_until(end));
    assert!(futures::poll!(sleep.as_mut()).is_pending());
}

/// `Backend::Sleep` "may be polled on any thread while its runtime lives": it wakes whoever polled it last.
pub async fn a_sleep_may_move_between_threads<B: Backend>(rt: Rt<B>) {
    let at = here(rt).now() + 4 * rt.tick();
    let mut sleep = Box::pin(here(rt).sleep_until(at));
    let sleep = on_a_fresh_thread(move || {
        let polled = sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        polled.is_pending().then_some(sleep)
    });
    // Armed with the waker of a task that has ended meanwhile, too.
    let sleep = here(rt).spawn(async move {
        let mut sleep = sleep?;
        futures::poll!(sleep.as_mut()).is_pending().then_some(sleep)
    });
    // `None` only if this machine is so slow that the time was up before.
    if let Some(sleep) = sleep.await.unwrap() {
        sleep.await;
    }
    assert!(here(rt).now() >= at);
}

/// `Backend::Sleep` may "be dropped at any time", and be made without being polled.
pub async fn sleeps_may_be_dropped_at_any_time<B: Backend>(rt: Rt<B>) {
    let backend = here(rt);
    let at = backend.now() + rt.tick();
    for n in 0..100 {
        let mut sleep = Box::pin(backend.sleep_until(at));
        if n % 2 == 0 {
            assert!(futures::poll!(sleep.as_mut()).is_pending() || backend.now() >= at);
        }
        if n % 3 == 0 {
            on_a_fresh_thread(move || drop(sleep));
        }
    }
    backend.sleep_until(at).await;
}

/// `now`: "it never goes backwards", whichever task or thread asks.
pub async fn now_never_goes_backwards<B: Backend>(rt: Rt<B>) {
    let latest = Arc::new(Mutex::new(here(rt).now()));
    let ask = move |backend: &B| {
        let mut latest = latest.lock().unwrap();
        let now = backend.now();
        assert!(now >= *latest);
        *latest = now;
    };
    let tasks: Vec<_> = (0..10)
        .map(|n| {
            let ask = ask.clone();
            here(rt).spawn(async move {
                for _ in 0..20 {
                    ask(&here(rt));
                    rt.yields(1).await;
                }
                here(rt)
                    .sleep_until(here(rt).now() + Duration::from_micros(n))
                    .await;
                ask(&here(rt));
                let (backend, ask) = (here(rt), ask.clone());
                here(rt).spawn_blocking(move || ask(&backend)).await
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await, Some(Some(())));
    }
    let backend = here(rt);
    on_a_fresh_thread(move || ask(&backend));
}

/// `current` is "`Some` in every future that the runtime polls", and the same runtime everywhere.
pub async fn current_is_known_in_main_and_in_every_task<B: Backend>(rt: Rt<B>) {
    let name = anyrt_core::backend::<B>().name();
    assert_eq!(here(rt).name(), name);
    rt.yields(1).await;
    assert_eq!(here(rt).name(), name);
    // Owned texts: a `&'static str` in a spawned future is too much for the oldest supported compiler.
    let names = here(rt).spawn(async move {
        let first = here(rt).name().to_owned();
        here(rt)
            .sleep_until(here(rt).now() + Duration::from_millis(1))
            .await;
        let inner = here(rt).spawn(async move { here(rt).name().to_owned() });
        let second = here(rt).name().to_owned();
        vec![first, second, inner.await.unwrap()]
    });
    assert_eq!(names.await.unwrap(), [name; 3]);
    // Elsewhere only a runtime that is global is current, and not even that is in sight.
    let (_global, in_sight) = on_a_fresh_thread(|| (B::current(), B::in_sight()));
    assert!(in_sight.is_none());
}

/// `current` must be right for destructors that run in a task, too: those of its locals.
pub async fn current_is_known_in_the_destructors_of_a_task<B: Backend>(rt: Rt<B>) {
    let (tell, told) = oneshot::channel();
    let task = here(rt).spawn(async move {
        let _asks = on_drop(move || tell.send(B::current().is_some()).unwrap());
        rt.yields(1).await;
    });
    assert_eq!((task.await, told.await), (Some(()), Ok(true)));
}

/// `Backend::Task`: "it may be awaited on any thread and inside any executor".
pub async fn handles_may_be_awaited_inside_another_executor<B: Backend>(rt: Rt<B>) {
    let backend = here(rt);
    let task = backend.spawn(async move {
        rt.yields(10).await;
        1
    });
    let call = backend.spawn_blocking(|| 2);
    let outputs = backend.spawn_blocking(move || {
        B::wait_outside(|| futures::executor::block_on(async { (task.await, call.await) }))
    });
    assert_eq!(outputs.await, Some((Some(1), Some(2))));
}

/// A handle wakes whoever polled it last.
#[expect(clippy::async_yields_async, reason = "the handle itself is to move")]
pub async fn a_handle_may_change_its_awaiter<B: Backend>(rt: Rt<B>) {
    let (open, gate) = oneshot::channel::<()>();
    let mut task = here(rt).spawn(async move { gate.await.is_ok() });
    assert!(futures::poll!(&mut task).is_pending());
    let second = here(rt).spawn(async move {
        assert!(futures::poll!(&mut task).is_pending());
        task
    });
    let task = second.await.unwrap();
    let third = here(rt).spawn(task);
    rt.yields(3).await;
    open.send(()).unwrap();
    assert_eq!(third.await, Some(Some(true)));
}

/// Wakers may be called from any thread, at any time, any number of times.
pub async fn wakers_may_be_called_from_foreign_threads<B: Backend>(rt: Rt<B>) {
    async fn woken_from_outside() {
        let mut rounds = 10;
        poll_fn(|cx| {
            if rounds == 0 {
                return Poll::Ready(());
            }
            rounds -= 1;
            let waker = cx.waker().clone();
            on_a_fresh_thread(move || {
                waker.wake_by_ref();
                waker.wake();
            });
            Poll::Pending
        })
        .await;
    }
    woken_from_outside().await;
    assert_eq!(here(rt).spawn(woken_from_outside()).await, Some(()));
    // Also while the task sleeps, and long after it has ended.
    let (give, given) = oneshot::channel::<Waker>();
    let mut give = Some(give);
    let task = here(rt).spawn(poll_fn(move |cx| match give.take() {
        Some(give) => {
            give.send(cx.waker().clone()).unwrap();
            Poll::Pending
        }
        None => Poll::Ready(()),
    }));
    let waker = given.await.unwrap();
    rt.yields(3).await;
    let there = waker.clone();
    here(rt).spawn_blocking(move || there.wake_by_ref()).await;
    assert_eq!(task.await, Some(()));
    on_a_fresh_thread(move || waker.wake());
}

/// A wake that comes while a task is being polled is not lost.
pub async fn a_wake_during_a_poll_is_not_lost<B: Backend>(rt: Rt<B>) {
    let polls = Arc::new(AtomicUsize::new(0));
    let count = polls.clone();
    let task = here(rt).spawn(poll_fn(move |cx| {
        if count.fetch_add(1, Ordering::SeqCst) == 100 {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }));
    assert_eq!(task.await, Some(()));
    assert_eq!(polls.load(Ordering::SeqCst), 101);
}

/// A task that wakes itself for ever does not keep others from being polled.
pub async fn a_busy_task_lets_others_go_on<B: Backend>(rt: Rt<B>) {
    let (stop, mut stopped) = oneshot::channel::<()>();
    let busy = here(rt).spawn(async move {
        while stopped.try_recv() == Ok(None) {
            rt.yields(1).await;
        }
    });
    let other = here(rt).spawn(async move {
        rt.yields(10).await;
        stop.send(()).unwrap();
    });
    assert_eq!((other.await, busy.await), (Some(()), Some(())));
}

/// `spawn_blocking`: a blocked call blocks nobody but its thread.
pub async fn blocked_calls_do_not_keep_tasks_from_running<B: Backend>(rt: Rt<B>) {
    let latch = Latch::default();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let latch = latch.clone();
            here(rt).spawn_blocking(move || latch.wait::<B>())
        })
        .collect();
    let opens = here(rt).spawn(async move {
        rt.yields(5).await;
        latch.open();
    });
    for call in calls {
        assert_eq!(call.await, Some(()));
    }
    assert_eq!(opens.await, Some(()));
}

/// `spawn`: "the future is dropped before its output can be had".
pub async fn a_task_is_dropped_before_its_output_arrives<B: Backend>(rt: Rt<B>) {
    struct Ready(Option<crate::probe::Life>);
    impl Future for Ready {
        type Output = ();
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            assert!(self.0.is_some());
            Poll::Ready(())
        }
    }
    let alive = Alive::default();
    for _ in 0..50 {
        let task = here(rt).spawn(Ready(Some(alive.born())));
        assert_eq!((task.await, alive.count()), (Some(()), 0));
    }
}

/// Called when a runtime is idle; `None` if the runtime cannot know.
async fn idle<B: Backend>(rt: Rt<B>) -> Option<()> {
    #[derive(Default)]
    struct Call(AtomicUsize, AtomicWaker);
    impl Wake for Call {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
            self.1.wake();
        }
    }
    let call = Arc::new(Call::default());
    if !here(rt).wake_when_idle(Waker::from(Arc::clone(&call))) {
        assert_eq!(Arc::strong_count(&call), 1, "it forgets the waker");
        return None;
    }
    let calls = poll_fn(|cx| {
        call.1.register(cx.waker());
        match call.0.load(Ordering::SeqCst) {
            0 => Poll::Pending,
            calls => Poll::Ready(calls),
        }
    });
    assert_eq!(calls.await, 1);
    assert_eq!(Arc::strong_count(&call), 1, "it wakes once");
    Some(())
}

/// `wake_when_idle`: after all that was woken, and before time moves; or the runtime says that it cannot know.
pub async fn idle_is_when_only_time_would_bring_something<B: Backend>(rt: Rt<B>) {
    let tasks: Vec<_> = (0..20).map(|n| here(rt).spawn(rt.yields(n))).collect();
    let start = rt.now();
    let sleeper = here(rt).spawn(rt.sleep(Duration::from_millis(1)));
    if idle(rt).await.is_some() {
        assert!(tasks.iter().all(Join::is_finished));
        assert_eq!((rt.now(), sleeper.is_finished()), (start, false));
    }
    assert_eq!(sleeper.await, Some(()));
}

/// `wake_when_idle`: ".. and no thread that the runtime knows of is busy".
pub async fn a_runtime_with_a_busy_thread_is_not_idle<B: Backend>(rt: Rt<B>) {
    let latch = Latch::default();
    let opens = here(rt).spawn_blocking({
        let latch = latch.clone();
        move || latch.open()
    });
    let waits = here(rt).spawn_blocking(move || latch.wait::<B>());
    if idle(rt).await.is_some() {
        assert!(opens.is_finished() && waits.is_finished());
    }
    assert_eq!((opens.await, waits.await), (Some(()), Some(())));
}

/// `block_on`: it drives a future on a thread of a call or of nobody, as long as the thread has patience.
pub async fn a_thread_may_block_on_a_future_for_a_while<B: Backend>(rt: Rt<B>) {
    let backend = here(rt);
    let drives = move || {
        let later = backend.spawn(rt.yields(3).map(|()| 7));
        (
            backend.block_on(async { 1 }, None),
            backend.block_on(later, Some(Duration::MAX)),
            backend.block_on(pending::<()>(), Some(rt.tick())),
            backend.block_on(async { 2 }, Some(Duration::ZERO)),
        )
    };
    let there = drives.clone();
    let expected = (Some(1), Some(Some(7)), None, Some(2));
    assert_eq!(here(rt).spawn_blocking(drives).await, Some(expected));
    // A call stands for the thread of nobody, of which a simulator could not know.
    let outside = move || B::wait_outside(|| on_a_fresh_thread(there));
    assert_eq!(here(rt).spawn_blocking(outside).await, Some(expected));
}

/// `wait_outside`: others go on meanwhile, on whatever thread it is called; a value or a panic passes through.
pub async fn others_go_on_while_a_thread_waits_outside<B: Backend>(rt: Rt<B>) {
    let meeting = Arc::new(Barrier::new(3));
    let calls: Vec<_> = (0..3)
        .map(|n| {
            let meeting = meeting.clone();
            here(rt).spawn_blocking(move || {
                B::wait_outside(|| B::wait_outside(|| meeting.wait()));
                n
            })
        })
        .collect();
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await, Some(n));
    }
    let panics = || B::wait_outside(|| resume_unwind(Box::new("in there")));
    let panic = panic_of::<Option<()>>(here(rt).spawn_blocking(panics)).await;
    assert_eq!(panic.unwrap_err(), "in there");
    assert_eq!(on_a_fresh_thread(|| B::wait_outside(|| 7)), 7);
}
