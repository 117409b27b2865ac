//! Real threads: blocking calls, and wakers that are used elsewhere.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;

use anyrt_core::Backend;
use anyrt_sim::Sim;

use crate::kit::{Drops, HOUR, poll_once, sim, sleep, yield_now};

#[test]
fn time_stands_still_while_a_thread_computes() {
    Sim::default().run(async {
        let start = sim().now();
        let sleeper = sim().spawn(sleep(HOUR));
        let live = sim();
        let call = sim().spawn_blocking(move || {
            for _ in 0..50 {
                assert_eq!(live.now(), start);
                thread::yield_now();
            }
        });
        call.await.unwrap();
        assert_eq!(sim().now(), start);
        sleeper.await.unwrap();
        assert_eq!(sim().now(), start + HOUR);
    });
}

#[test]
fn time_stands_still_for_a_dropped_handle_too() {
    Sim::default().run(async {
        let start = sim().now();
        let is_done = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&is_done);
        drop(sim().spawn_blocking(move || {
            for _ in 0..50 {
                thread::yield_now();
            }
            done.store(true, Ordering::SeqCst);
        }));
        sleep(HOUR).await;
        assert!(is_done.load(Ordering::SeqCst));
        assert_eq!(sim().now(), start + HOUR);
    });
}

#[test]
fn a_call_runs_elsewhere_and_outside() {
    let here = thread::current().id();
    let call = || (thread::current().id(), Sim::current().is_some());
    let (there, is_inside) = Sim::default()
        .run(async move { sim().spawn_blocking(call).await })
        .unwrap();
    assert_ne!(here, there);
    assert!(!is_inside);
}

#[test]
fn a_thread_can_spawn_into_the_run() {
    let answer = Sim::default().run(async {
        let live = sim();
        let task = sim().spawn_blocking(move || live.spawn(async { Sim::current().is_some() }));
        task.await.unwrap().await
    });
    assert_eq!(answer, Some(true));
}

#[test]
fn a_timer_can_be_armed_on_a_thread() {
    Sim::default().run(async {
        let start = sim().now();
        let live = sim();
        let call = sim().spawn_blocking(move || {
            let mut sleep = live.sleep_until(start + HOUR);
            assert!(poll_once(&mut sleep).is_pending());
            sleep
        });
        let sleep = call.await.unwrap();
        sleep.await;
        assert_eq!(sim().now(), start + HOUR);
    });
}

#[test]
fn a_foreign_thread_wakes_main_and_tasks() {
    async fn woken_from_outside() {
        let flag = Arc::new(AtomicBool::new(false));
        let mut call = None;
        poll_fn(|cx| {
            if flag.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            let (flag, waker) = (Arc::clone(&flag), cx.waker().clone());
            // The simulator knows the call, but not the thread that the call starts.
            call.get_or_insert_with(|| {
                sim().spawn_blocking(move || {
                    let foreign = thread::spawn(move || {
                        flag.store(true, Ordering::SeqCst);
                        waker.wake();
                    });
                    foreign.join().unwrap();
                })
            });
            Poll::Pending
        })
        .await;
    }
    Sim::default().run(async {
        woken_from_outside().await;
        sim().spawn(woken_from_outside()).await.unwrap();
    });
}

#[test]
fn the_end_does_not_wait_for_calls() {
    let (release, released) = mpsc::channel::<()>();
    let (finished, is_finished) = mpsc::channel();
    let mut handle = None;
    Sim::default().run(async {
        let begun = Arc::new(AtomicBool::new(false));
        let begins = Arc::clone(&begun);
        handle = Some(sim().spawn_blocking(move || {
            begins.store(true, Ordering::SeqCst);
            Sim::wait_outside(|| released.recv().unwrap());
            finished.send(()).unwrap();
        }));
        while !begun.load(Ordering::SeqCst) {
            yield_now().await;
        }
    });
    let mut handle = handle.unwrap();
    assert!(poll_once(&mut handle).is_pending());
    release.send(()).unwrap();
    is_finished.recv().unwrap();
}

#[test]
fn after_the_end_a_call_is_dropped() {
    let drops = Drops::default();
    let held = drops.one();
    let live = Sim::default().run(async { sim() });
    let mut call = live.spawn_blocking(move || drop(held));
    assert_eq!(drops.count(), 1);
    assert!(matches!(poll_once(&mut call), Poll::Ready(None)));
}
