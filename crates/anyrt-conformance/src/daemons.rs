//! Daemons: children that serve the others and end with them.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyrt_core::{Backend, Reason, Stopped, shield};
use futures::StreamExt;
use futures::channel::{mpsc, oneshot};

use super::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use super::flavour::Rt;
use crate::probe::{Alive, Log, panic_of};

/// Daemons are cancelled when the body and all other children are done.
pub async fn a_daemon_ends_with_the_rest_of_its_group<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for _ in 0..3 {
            let life = alive.born();
            g.spawn_daemon(async move {
                pending::<()>().await;
                drop(life);
                Ok(())
            });
        }
        let (open, gate) = oneshot::channel();
        let child = g.spawn(async move { Ok::<_, ()>(gate.await.unwrap()) });
        assert_eq!(g.len(), 4);
        rt.yields(3).await;
        open.send(7).unwrap();
        Ok(child.await)
    });
    assert_eq!(group.await, Ok(7));
    assert_eq!(alive.count(), 0);
}

/// Not before: a daemon serves as long as any other child is there.
pub async fn a_daemon_is_there_as_long_as_any_child<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (ask, mut questions) = mpsc::unbounded::<oneshot::Sender<u32>>();
        g.spawn_daemon(async move {
            while let Some(reply) = questions.next().await {
                reply.send(1).ok();
            }
            pending().await
        });
        g.spawn(async move {
            let mut sum = 0;
            for _ in 0..20 {
                let (reply, answer) = oneshot::channel();
                ask.unbounded_send(reply).unwrap();
                sum += answer.await.unwrap();
            }
            assert_eq!(sum, 20);
            Ok::<_, ()>(())
        });
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A daemon that is cancelled by the end of the rest is no failure, and says why.
pub async fn the_end_of_the_rest_is_the_reason<B: Backend>(rt: Rt<B>) {
    let mut kept = None;
    let group = rt.task_group(async |g| {
        kept = Some(g.spawn_daemon(pending::<Result<(), ()>>()));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    let outcome = kept.unwrap().outcome().await;
    assert_eq!(outcome, Err(Stopped::Cancelled(Reason::Done)));
}

/// The error of a daemon counts like any other.
pub async fn the_error_of_a_daemon_fails_the_group<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        g.spawn_daemon(async move {
            rt.yields(2).await;
            Err::<(), _>("daemon")
        });
        pending::<Result<(), _>>().await
    });
    assert_eq!(group.await.unwrap_err().into_first(), "daemon");
}

/// Also an error while it is being cancelled.
pub async fn an_error_of_a_daemon_at_its_end_is_reported<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        g.spawn_daemon(async move {
            shield(rt.yields(5)).await;
            Err::<(), _>("late")
        });
        Ok("value")
    });
    assert_eq!(group.await.unwrap_err().into_first(), "late");
}

async fn falls_over() -> Result<(), ()> {
    panic!("daemon")
}

/// A panic of a daemon is resumed in the parent.
pub async fn the_panic_of_a_daemon_reaches_the_parent<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        g.spawn_daemon(falls_over());
        pending::<Result<(), ()>>().await
    });
    assert_eq!(panic_of(group).await.unwrap_err(), "daemon");
}

/// A daemon may spawn daemons, and children that are waited for.
pub async fn a_daemon_may_spawn_both<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let (inner, log) = (g.clone(), log.clone());
        g.spawn_daemon(async move {
            inner.spawn_daemon(pending::<Result<(), ()>>());
            inner.spawn(async move {
                rt.yields(5).await;
                log.add("child");
                Ok(())
            });
            pending().await
        });
        rt.yields(2).await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    // The daemon has had its one poll at least, and what it spawned is waited for.
    assert_eq!(log.marks(), ["child"]);
}

/// Also one that is being cancelled: its child runs, and the group waits.
pub async fn a_cancelled_daemon_may_spawn<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let (inner, log) = (g.clone(), log.clone());
        g.spawn_daemon(async move {
            shield(rt.yields(3)).await;
            inner.spawn(async move {
                rt.yields(3).await;
                log.add("child");
                Ok::<_, ()>(())
            });
            inner.spawn_daemon(pending());
            pending().await
        });
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["child"]);
}

/// `g.cancel()` cancels the daemons as well: they are children.
pub async fn cancel_reaches_the_daemons<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let daemon = g.spawn_daemon(pending::<Result<(), ()>>());
        g.cancel();
        Ok(daemon.outcome().await)
    });
    assert!(matches!(
        group.await,
        Ok(Err(Stopped::Cancelled(Reason::Explicit(_))))
    ));
}

/// A daemon that was cut by a cancellation from outside does not keep the value back (rule 6).
pub async fn a_daemon_that_was_cut_keeps_no_value_back<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let cancel = scope.clone();
    let group = rt.task_group(async |g| {
        g.spawn_daemon(pending::<Result<(), ()>>());
        g.spawn(async move {
            shield(rt.yields(3)).await;
            cancel.cancel();
            Ok(())
        });
        Ok("value")
    });
    let result = scope.run(group).await;
    assert_eq!(result, Ok(Ok("value")));
}

/// A thread inside a daemon counts with the daemon, not among the others.
pub async fn a_thread_of_a_daemon_counts_with_the_daemon<B: Backend>(rt: Rt<B>) {
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let group = rt.task_group(async |g| {
        g.spawn_daemon(async move {
            let call = rt.to_thread(move || B::wait_outside(|| gate.recv().is_err()));
            assert!(call.await);
            Ok::<_, ()>(())
        });
        rt.yields(5).await;
        // The daemon is in its thread until this is dropped, with the body.
        let _open = open;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A nested group inside a daemon ends with it.
pub async fn a_group_inside_a_daemon_ends_with_it<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        let alive = alive.clone();
        g.spawn_daemon(async move {
            let inner = rt.task_group(async |h| {
                let life = alive.born();
                h.spawn(async move {
                    pending::<()>().await;
                    drop(life);
                    Ok::<_, ()>(())
                });
                pending().await
            });
            inner.await.map_err(drop)
        });
        rt.yields(5).await;
        Ok::<_, ()>(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// A daemon whose handle was dropped leaves nothing behind; a group lives through any number of them.
pub async fn finished_daemons_leave_nothing_behind<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for _ in 0..1_000 {
            let life = alive.born();
            let daemon = g.spawn_daemon(async move {
                drop(life);
                Ok::<_, ()>(())
            });
            daemon.await;
        }
        assert_eq!((g.len(), alive.count()), (0, 0));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Into a group that has ended no daemon can be spawned.
pub async fn a_daemon_into_an_ended_group_is_refused<B: Backend>(rt: Rt<B>) {
    for with_one_before in [false, true] {
        let mut escaped = None;
        let group = rt.task_group(async |g| {
            if with_one_before {
                g.spawn_daemon(pending::<Result<(), ()>>());
            }
            escaped = Some(g);
            Ok::<_, ()>(())
        });
        assert_eq!(group.await, Ok(()));
        let late = escaped.unwrap().spawn_daemon(async { Ok(()) });
        assert_eq!(late.outcome().await, Err(Stopped::Closed));
    }
}

/// A dropped group cancels its daemons, and the enclosing group waits for them.
pub async fn the_daemons_of_a_dropped_group_are_adopted<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let outer = rt.task_group(async |_| {
        let inner = rt.task_group(async |g| {
            let life = alive.born();
            g.spawn_daemon(async move {
                shield(rt.yields(20)).await;
                drop(life);
                pending::<Result<(), ()>>().await
            });
            rt.yields(5).await;
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(3, inner).await;
        Ok::<_, ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// Cancelling or dropping at any moment leaves no daemon behind.
pub async fn daemons_may_be_interrupted_anywhere<B: Backend>(rt: Rt<B>) {
    let body = |alive: Alive| async move {
        let group = rt.task_group(async |g| {
            let (inner, life) = (g.clone(), alive.born());
            g.spawn_daemon(async move {
                let _life = life;
                rt.yields(1).await;
                inner.spawn_daemon(async move {
                    shield(rt.yields(2)).await;
                    pending().await
                });
                pending().await
            });
            let life = alive.born();
            g.spawn(async move {
                rt.yields(3).await;
                drop(life);
                Ok::<_, ()>(())
            });
            rt.yields(2).await;
            Ok(())
        });
        group.await.unwrap();
    };
    assert!(cancel_at_every_pending(rt, body).await > 2);
    assert!(drop_at_every_pending(rt, body).await > 2);
}

/// Threads that spawn daemons while the group is ending are refused or waited for.
pub async fn daemons_spawned_at_the_last_moment_are_refused_or_waited_for<B: Backend>(rt: Rt<B>) {
    for round in 0..30 {
        let (alive, begun) = (Alive::default(), Arc::new(AtomicUsize::new(0)));
        let mut thread = None;
        let group = rt.task_group(async |g| {
            let (g, alive, begun) = (g.clone(), alive.clone(), begun.clone());
            thread = Some(rt.to_thread(move || {
                for _ in 0..50 {
                    let (life, begun) = (alive.born(), begun.clone());
                    g.spawn_daemon(async move {
                        begun.fetch_add(1, Ordering::SeqCst);
                        pending::<()>().await;
                        drop(life);
                        Ok::<_, ()>(())
                    });
                }
            }));
            rt.yields(round % 4).await;
            Ok(())
        });
        // The thread runs beside the group, not inside it.
        let threads = async {
            rt.yields(1).await;
        };
        let (result, ()) = futures::join!(group, threads);
        assert_eq!(result, Ok(()));
        if let Some(thread) = thread {
            thread.await;
        }
        assert_eq!(alive.count(), 0, "round {round}");
    }
}
