//! Threads and tasks wait for each other, on every backend.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyrt::sync::{Barrier, Event, Mutex};
use anyrt::{
    CancelScope, channel, from_thread, move_on_after, scoped_group, task_group, to_thread,
};

fn on_every_backend(test: impl AsyncFn()) {
    for name in anyrt::available() {
        anyrt::run_on(anyrt_tests::backend(name), test());
    }
}

#[test]
fn an_event_wakes_tasks_and_threads() {
    on_every_backend(async || {
        let event = Arc::new(Event::new());
        let group = task_group(async |g| {
            for _ in 0..10 {
                let event = event.clone();
                g.spawn(async move {
                    event.wait().await;
                    Ok::<_, ()>(())
                });
            }
            let calls = [0; 10].map(|_| {
                let event = event.clone();
                g.spawn(async move {
                    let call = to_thread(move || from_thread::block_on(event.wait()));
                    Ok(call.await)
                })
            });
            let outside = [0; 10].map(|_| {
                let event = event.clone();
                thread::spawn(move || event.wait_blocking())
            });
            anyrt::checkpoint().await;
            assert!(!event.is_set());
            event.set();
            event.set();
            for call in calls {
                assert_eq!(call.await, Ok(()));
            }
            outside
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        event.wait().await;
        event.wait_blocking();
    });
}

/// The event is set while others are about to wait, and nobody is left.
#[test]
fn an_event_that_is_set_meanwhile_is_not_missed() {
    for _ in 0..200 {
        let event = Arc::new(Event::new());
        let waiters = [0; 4].map(|_| {
            let event = event.clone();
            thread::spawn(move || event.wait_blocking())
        });
        event.set();
        waiters
            .into_iter()
            .for_each(|waiter| waiter.join().unwrap());
    }
}

#[test]
fn what_is_there_is_taken_in_a_cancelled_scope() {
    on_every_backend(async || {
        let (sender, receiver) = channel::bounded(1);
        let (event, lock) = (Event::new(), Mutex::new(()));
        sender.send(7).await.unwrap();
        event.set();
        let scope = CancelScope::new();
        scope.cancel();
        let run = scope.run(async {
            event.wait().await;
            drop(lock.lock().await);
            receiver.recv().await
        });
        assert_eq!(run.await, Ok(Ok(7)));
    });
}

#[test]
fn a_wait_that_is_cut_takes_nothing() {
    on_every_backend(async || {
        let (sender, receiver) = channel::bounded(1);
        let lock = Mutex::new(());
        let guard = lock.lock().await;
        let never = Event::new();
        assert!(move_on_after(Duration::ZERO, never.wait()).await.is_none());
        assert!(
            move_on_after(Duration::ZERO, receiver.recv())
                .await
                .is_none()
        );
        assert!(move_on_after(Duration::ZERO, lock.lock()).await.is_none());
        drop(guard);
        sender.send(7).await.unwrap();
        assert!(lock.try_lock().is_some());
        assert_eq!(receiver.try_recv(), Ok(7));
    });
}

/// What the documentation says of `Barrier`, and of nothing else: whoever gives up is counted.
#[test]
fn a_barrier_counts_who_has_given_up() {
    on_every_backend(async || {
        let barrier = Barrier::new(2);
        assert!(
            move_on_after(Duration::ZERO, barrier.wait())
                .await
                .is_none()
        );
        assert!(barrier.wait().await.is_leader());
    });
}

/// A thread that waits in `block_on` hears of the cancellation, and is known to wait: on the simulator time goes on.
#[test]
fn a_thread_that_waits_for_an_item_may_be_cancelled() {
    on_every_backend(async || {
        let (sender, receiver) = channel::bounded::<()>(1);
        let call = to_thread(move || from_thread::block_on(receiver.recv()).is_err());
        let late = move_on_after(Duration::from_millis(5), call).await;
        assert_eq!(late, Some(true));
        drop(sender);
    });
}

/// Children in one task may share a lock, whoever waits for it: no futurelock.
#[test]
fn children_and_body_may_share_a_lock() {
    on_every_backend(async || {
        let sum = Mutex::new(0);
        let group = scoped_group(async |g| {
            for n in 1..=10 {
                let sum = &sum;
                g.spawn(async move {
                    let mut sum = sum.lock().await;
                    anyrt::checkpoint().await;
                    *sum += n;
                    Ok::<_, ()>(())
                });
            }
            anyrt::checkpoint().await;
            drop(sum.lock().await);
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        assert_eq!(sum.into_inner(), 55);
    });
}
