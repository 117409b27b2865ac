//! Cleanups that run whether or not the work before them was interrupted.

use std::cell::Cell;
use std::future::pending;
use std::time::Duration;

use anyrt_core::{Backend, finally, shield};

use crate::everywhere::cancel_at_every_pending;
use crate::probe::{Alive, Log, panic_of};
use crate::rt::Rt;

/// On a value the cleanup runs, and then the value is given.
pub async fn a_cleanup_runs_after_a_value<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let work = async {
        rt.yields(1).await;
        log.add("work");
        7
    };
    let value = finally(work, async || {
        rt.yields(1).await;
        log.add("cleanup");
    });
    assert_eq!(value.await, 7);
    assert_eq!(log.marks(), ["work", "cleanup"]);
}

/// On a cancellation it runs, shielded, before the scope returns.
pub async fn a_cleanup_runs_after_a_cancellation<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let body = async {
        let _gone = log.on_drop("body dropped");
        pending::<()>().await;
    };
    let session = finally(body, async || {
        rt.sleep(rt.tick()).await;
        rt.yields(3).await;
        log.add("cleanup");
    });
    assert_eq!(rt.move_on_after(rt.tick(), session).await, None);
    assert_eq!(log.marks(), ["body dropped", "cleanup"]);
}

/// In a scope that is cancelled before it begins: the body has its one poll, and the cleanup runs.
pub async fn a_cleanup_runs_in_a_scope_cancelled_before<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let body = async {
        log.add("polled");
        rt.yields(1).await;
        log.add("never");
    };
    let session = finally(body, async || log.add("cleanup"));
    assert!(rt.cancelled(session).await.is_err());
    assert_eq!(log.marks(), ["polled", "cleanup"]);
}

/// A body that is ready in a cancelled scope gives its value, and the cleanup does not take it away.
pub async fn a_cleanup_that_waits_does_not_take_a_value_away<B: Backend>(rt: Rt<B>) {
    let session = finally(async { 7 }, async || rt.yields(3).await);
    assert_eq!(rt.cancelled(session).await, Ok(7));
}

/// Not after a panic in the body.
pub async fn a_cleanup_does_not_run_after_a_panic<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let body = async {
        rt.yields(1).await;
        panic!("body")
    };
    let session = finally(body, async || log.add("cleanup"));
    assert_eq!(panic_of(session).await.unwrap_err(), "body");
    assert!(log.marks().is_empty());
}

/// A panic in the cleanup is not lost, also after a cancellation.
pub async fn a_panic_in_a_cleanup_is_not_lost<B: Backend>(rt: Rt<B>) {
    let session = finally(async { 7 }, async || panic!("cleanup"));
    assert_eq!(panic_of(session).await.unwrap_err(), "cleanup");
    let session = finally(pending::<()>(), async || panic!("cleanup"));
    let cancelled = panic_of(rt.cancelled(session)).await;
    assert_eq!(cancelled.unwrap_err(), "cleanup");
}

/// It may borrow what the body has borrowed mutably.
pub async fn a_cleanup_may_borrow<B: Backend>(rt: Rt<B>) {
    let count = Cell::new(0);
    let session = finally(
        async {
            count.set(count.get() + 1);
            pending::<()>().await;
        },
        async || count.set(count.get() + 10),
    );
    assert!(rt.cancelled(session).await.is_err());
    assert_eq!(count.get(), 11);
}

/// Nested cleanups run from the inside out.
pub async fn nested_cleanups_run_from_the_inside_out<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let inner = finally(pending::<()>(), async || {
        rt.yields(2).await;
        log.add("inner");
    });
    let outer = finally(inner, async || {
        rt.yields(2).await;
        log.add("outer");
    });
    assert!(rt.cancelled(outer).await.is_err());
    assert_eq!(log.marks(), ["inner", "outer"]);
}

/// Code after it does not run if the body was cut.
pub async fn code_after_an_interrupted_body_does_not_run<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let task = async {
        finally(pending::<()>(), async || log.add("cleanup")).await;
        log.add("never");
    };
    assert!(rt.cancelled(task).await.is_err());
    assert_eq!(log.marks(), ["cleanup"]);
}

/// A cleanup that must not run for ever takes a limit of its own.
pub async fn a_cleanup_may_be_limited<B: Backend>(rt: Rt<B>) {
    let session = finally(pending::<()>(), async || {
        rt.move_on_after(rt.tick(), pending::<()>()).await;
    });
    assert!(rt.cancelled(session).await.is_err());
}

/// A shield in the body is waited for before the cleanup begins.
pub async fn a_shielded_part_of_the_body_comes_first<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let body = async {
        shield(async {
            rt.yields(3).await;
            log.add("shielded");
        })
        .await;
        pending::<()>().await;
    };
    let session = finally(body, async || log.add("cleanup"));
    assert!(rt.cancelled(session).await.is_err());
    assert_eq!(log.marks(), ["shielded", "cleanup"]);
}

/// The cleanup of a child runs when the group is cancelled, and the group waits for it.
pub async fn the_cleanup_of_a_child_is_waited_for<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let log = log.clone();
        g.spawn(async move {
            finally(pending::<()>(), async || {
                rt.yields(5).await;
                log.add("cleanup");
            })
            .await;
            Ok(())
        });
        rt.yields(2).await;
        Err::<(), _>("body")
    });
    assert!(group.await.is_err());
    assert_eq!(log.marks(), ["cleanup"]);
}

/// A group in the body has ended before the cleanup begins.
pub async fn a_group_in_the_body_ends_first<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let body = rt.task_group(async |g| {
        let life = alive.born();
        g.spawn(async move {
            shield(rt.yields(5)).await;
            drop(life);
            pending::<Result<(), ()>>().await
        });
        pending::<Result<(), ()>>().await
    });
    let session = finally(body, async || assert_eq!(alive.count(), 0));
    let limit = rt.move_on_after(Duration::ZERO, session);
    assert!(limit.await.is_none());
}

/// Cancelled anywhere, the cleanup runs exactly once.
pub async fn a_cleanup_runs_exactly_once_wherever_it_is_cancelled<B: Backend>(rt: Rt<B>) {
    let cleanups = Cell::new(0);
    let rounds = cancel_at_every_pending(rt, |alive| {
        let cleanups = &cleanups;
        async move {
            let body = async {
                let _life = alive.born();
                rt.yields(3).await;
            };
            finally(body, async || {
                rt.yields(2).await;
                cleanups.set(cleanups.get() + 1);
            })
            .await;
        }
    });
    let rounds = rounds.await;
    assert!(rounds > 4);
    assert_eq!(cleanups.get(), rounds);
}
