//! Threads that call back when their run ends or has ended.

use std::future::pending;
use std::time::Duration;

use anyrt_core::from_thread::FromThreadError;
use anyrt_core::{Backend, default_thread_limiter, run, shield};
use futures::FutureExt;
use futures::channel::oneshot;

use crate::probe::Latch;
use crate::rt::Rt;

/// Out of threads: "'ended' means the run": a thread that outlives it is told, whatever it asks.
pub fn a_thread_that_outlives_its_run_is_told_so<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let latch = Latch::default();
    let there = latch.clone();
    let (done, is_done) = std::sync::mpsc::channel();
    run(backend, async move {
        let (started, has_started) = oneshot::channel();
        let call = rt.to_thread(move || {
            started.send(()).unwrap();
            there.wait::<B>();
            done.send((
                rt.block_on(async { 7 }),
                rt.block_on(rt.yields(1)),
                rt.check_cancelled(),
            ))
            .unwrap();
        });
        let call = call.abandon_on_cancel();
        drop(futures::future::select(Box::pin(call), has_started).await);
    });
    latch.open();
    let ended = FromThreadError::RunEnded;
    assert_eq!(
        is_done.recv().unwrap(),
        (Err(ended.clone()), Err(ended.clone()), Err(ended))
    );
}

/// Out of threads: "nothing is sent to a runtime that has ended: the caller gets an error, never a hang", also where
/// something in the thread's future holds.
pub fn the_end_of_the_run_interrupts_block_on<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    for holds in [false, true] {
        let (done, is_done) = std::sync::mpsc::channel();
        run(backend, async move {
            let (waits, is_waiting) = oneshot::channel();
            let call = rt.to_thread(move || {
                let waits = async move {
                    waits.send(()).unwrap();
                    pending::<()>().await;
                };
                let result = if holds {
                    rt.block_on(shield(waits))
                } else {
                    rt.block_on(waits)
                };
                done.send(result).unwrap();
            });
            let call = call.abandon_on_cancel();
            drop(futures::future::select(Box::pin(call), is_waiting).await);
        });
        match is_done.recv_timeout(Duration::from_secs(60)).unwrap() {
            Err(FromThreadError::RunEnded) => {}
            Err(FromThreadError::Cancelled(_)) if !holds => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Out of threads: a run waits for a thread that calls back while it ends, and serves it until then.
pub fn a_run_serves_its_threads_until_they_are_done<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let (done, is_done) = std::sync::mpsc::channel();
    run(backend, async move {
        let (started, has_started) = oneshot::channel();
        let call = rt.to_thread(move || {
            started.send(()).unwrap();
            let result = rt.block_on(shield(async {
                rt.yields(5).await;
                rt.sleep(rt.tick()).await;
                7
            }));
            done.send(result).unwrap();
        });
        drop(futures::future::select(Box::pin(call), has_started).await);
    });
    assert_eq!(is_done.try_recv(), Ok(Ok(7)));
}

/// A run in a thread of another run is a run of its own: its futures have its backend, and its end ends nothing else.
pub fn a_run_in_a_worker_is_its_own<B: Backend>(backend: &B) {
    let rt = Rt::<B>::new();
    let other = backend.clone();
    let result = run(backend, async move {
        default_thread_limiter().set_total(7);
        let call = rt.to_thread(move || {
            let inner = run(&other, async move {
                let nested = rt.block_on(async {});
                let limiter = default_thread_limiter().total();
                (
                    nested,
                    limiter,
                    rt.to_thread(move || rt.block_on(async { 1 })).await,
                )
            });
            (inner, rt.block_on(rt.yields(2).map(|()| 2)))
        });
        call.await
    });
    assert_eq!(
        result,
        ((Err(FromThreadError::OwnThread), 40, Ok(1)), Ok(2))
    );
}
