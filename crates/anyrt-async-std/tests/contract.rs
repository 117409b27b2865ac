//! What `Backend` promises of spawning, blocking calls, handles and timers, one test per promise.
#![expect(
    clippy::async_yields_async,
    reason = "handles are to leave the runtime here"
)]

use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyrt_async_std::{AsyncStd, Task};
use anyrt_core::{Backend, Join};

const LONG: Duration = Duration::from_secs(10);

fn run<F: Future>(main: impl FnOnce(AsyncStd) -> F) -> F::Output {
    AsyncStd.run(async { main(AsyncStd::current().unwrap()).await })
}

/// Awaits a task that is to panic with a string, and gives the string.
async fn panic_of<T>(task: Task<T>) -> &'static str {
    let mut task = std::pin::pin!(task);
    poll_fn(
        move |cx| match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx))) {
            Ok(poll) => poll.map(|_| panic!("the task did not panic")),
            Err(payload) => std::task::Poll::Ready(*payload.downcast().unwrap()),
        },
    )
    .await
}

/// Panics without a message on the terminal.
fn quiet_panic<T>(payload: &'static str) -> T {
    resume_unwind(Box::new(payload))
}

#[test]
fn output_is_given_to_the_awaiter() {
    assert_eq!(run(|b| b.spawn(async { 3 })), Some(3));
    assert_eq!(run(|b| b.spawn_blocking(|| 4)), Some(4));
}

#[test]
fn dropped_handle_detaches() {
    let (tx, rx) = mpsc::channel();
    run(async |b| {
        drop(b.spawn(async move { tx.send(()) }));
        rx.recv_timeout(LONG).unwrap();
    });
}

#[test]
fn dropped_blocking_handle_detaches() {
    let (tx, rx) = mpsc::channel();
    run(async |b| {
        for i in 0..200 {
            let tx = tx.clone();
            drop(b.spawn_blocking(move || tx.send(i)));
        }
        let mut ran: Vec<_> = (0..200).map(|_| rx.recv_timeout(LONG).unwrap()).collect();
        ran.sort_unstable();
        assert_eq!(ran, Vec::from_iter(0..200));
    });
}

#[test]
fn panic_resumes_at_the_awaiter_and_nowhere_else() {
    run(async |b| {
        let other = b.spawn(async { 1 });
        let panics = b.spawn(async { quiet_panic::<()>("in a task") });
        assert_eq!(panic_of(panics).await, "in a task");
        assert_eq!(other.await, Some(1));
        assert_eq!(b.spawn(async { 2 }).await, Some(2));
    });
}

#[test]
fn panic_of_a_blocking_call_resumes_at_the_awaiter() {
    run(async |b| {
        let panics = b.spawn_blocking(|| quiet_panic::<()>("in a call"));
        assert_eq!(panic_of(panics).await, "in a call");
        assert_eq!(b.spawn_blocking(|| 2).await, Some(2));
    });
}

#[test]
fn panic_with_the_handle_dropped_is_swallowed() {
    let captured = Arc::new(());
    run(async |b| {
        for _ in 0..10 {
            let guard = Arc::clone(&captured);
            drop(b.spawn(async move {
                let _guard = guard;
                quiet_panic::<()>("swallowed")
            }));
        }
        while Arc::strong_count(&captured) > 1 {
            b.sleep_until(b.now() + Duration::from_millis(1)).await;
        }
        assert_eq!(b.spawn(async { 2 }).await, Some(2));
    });
}

#[test]
fn output_is_dropped_with_the_handle() {
    struct Output(mpsc::Sender<()>);
    impl Drop for Output {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let (tx, rx) = mpsc::channel();
    run(async |b| {
        let (output, again) = (Output(tx.clone()), Output(tx));
        // Dropped before there is an output, and after.
        drop(b.spawn(async move { output }));
        rx.recv_timeout(LONG).unwrap();
        let task = b.spawn(async move { again });
        while !task.is_finished() {
            b.sleep_until(b.now() + Duration::from_millis(1)).await;
        }
        assert!(rx.try_recv().is_err());
        drop(task);
        rx.recv_timeout(LONG).unwrap();
    });
}

#[test]
fn is_finished_tells_an_ended_task_from_a_live_one() {
    run(async |b| {
        let live = b.spawn(pending::<()>());
        let ended = b.spawn(async {});
        let panicked = b.spawn(async { quiet_panic::<()>("unseen") });
        while !(ended.is_finished() && panicked.is_finished()) {
            b.sleep_until(b.now() + Duration::from_millis(1)).await;
        }
        assert!(!live.is_finished());
        assert_eq!(ended.await, Some(()));
    });
}

#[test]
fn is_finished_leaves_the_awaiter_its_wake() {
    run(async |b| {
        for _ in 0..2_000 {
            let mut task = b.spawn(async {});
            let awaited = poll_fn(|cx| {
                let polled = Pin::new(&mut task).poll(cx);
                // Ends at the very moment, as often as not.
                while polled.is_pending() && !task.is_finished() {}
                polled
            });
            assert_eq!(awaited.await, Some(()));
        }
    });
}

#[test]
fn current_is_some_in_every_future_and_none_outside() {
    assert!(AsyncStd::in_sight().is_none());
    run(async |b| {
        assert!(AsyncStd::in_sight().is_some());
        assert_eq!(
            b.spawn(async { AsyncStd::in_sight().is_some() }).await,
            Some(true)
        );
        let nested = b.spawn(async { AsyncStd::current().unwrap().spawn(async { 5 }).await });
        assert_eq!(nested.await, Some(Some(5)));
    });
    assert!(AsyncStd::in_sight().is_none());
}

#[test]
fn current_is_none_again_after_a_panic() {
    let panic = catch_unwind(|| run(async |_| quiet_panic::<()>("main")));
    assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "main");
    assert!(AsyncStd::in_sight().is_none());
}

#[test]
fn handle_can_be_awaited_elsewhere() {
    let (release, released) = mpsc::channel();
    let (begin, begun) = mpsc::channel();
    let task = run(async |b| {
        let task = b.spawn_blocking(move || {
            begin.send(()).unwrap();
            released.recv_timeout(LONG)
        });
        begun.recv_timeout(LONG).unwrap();
        task
    });
    // The call outlives the run that it began in, and so does its handle.
    release.send(6).unwrap();
    assert_eq!(run(async |_| task.await), Some(Ok(6)));
}

#[test]
fn spawning_works_from_a_foreign_thread() {
    run(async |b| {
        let there = b;
        let task = std::thread::spawn(move || there.spawn(async { 8 })).join();
        assert_eq!(task.unwrap().await, Some(8));
    });
}

#[test]
fn past_instant_is_ready() {
    run(async |b| {
        let now = b.now();
        b.sleep_until(now).await;
        if let Some(past) = now.checked_sub(Duration::from_millis(1)) {
            b.sleep_until(past).await;
        }
    });
}

#[test]
fn sleep_never_ends_early() {
    run(async |b| {
        for micros in [1, 500, 1_500] {
            let at = b.now() + Duration::from_micros(micros);
            b.sleep_until(at).await;
            assert!(b.now() >= at);
        }
    });
}

#[test]
fn far_instants_neither_fire_nor_overflow() {
    let now = Instant::now();
    let mut far = vec![now + Duration::from_secs(1 << 40)];
    // The last instant there is, found bit by bit.
    let mut last = now;
    for bit in (0..63).rev() {
        last = last
            .checked_add(Duration::from_secs(1 << bit))
            .unwrap_or(last);
    }
    last = last
        .checked_add(Duration::from_nanos(999_999_999))
        .unwrap_or(last);
    far.push(last);
    run(async |b| {
        let sleepers = far.iter().map(|at| b.spawn(b.sleep_until(*at)));
        let sleepers: Vec<_> = sleepers.collect();
        b.sleep_until(b.now() + Duration::from_millis(2)).await;
        assert!(sleepers.iter().all(|task| !task.is_finished()));
    });
}

#[test]
fn now_never_goes_backwards() {
    run(async |b| {
        let start = b.now();
        let there = b;
        let later = b.spawn_blocking(move || there.now()).await.unwrap();
        assert!(start <= later && later <= b.now());
    });
}
