//! Groups whose children run in one task, dropped from outside: nobody is left who could poll the children.

use std::future::pending;
use std::pin::pin;
use std::sync::atomic::Ordering;

use anyrt_core::{Backend, Reason, ScopedGroup, StartError, Started, Stopped, shield};
use futures::channel::oneshot;
use futures::poll;

use crate::everywhere::drop_at_pending;
use crate::probe::{Alive, Log, because, on_drop, panic_of, polls};
use crate::rt::{InOneTask, Rt};

/// The body is dropped first, and then the children in the order of spawning, whatever they hold.
pub async fn the_children_of_a_dropped_group_are_dropped_in_order<B: Backend>(
    rt: Rt<B, InOneTask>,
) {
    let log = Log::default();
    let outer = rt.task_group(async |_| {
        let inner = rt.task_group(async |g| {
            for mark in ["first", "second", "third"] {
                let gone = log.on_drop(mark);
                g.spawn(async move {
                    let _gone = gone;
                    shield(pending::<()>()).await;
                    Ok::<(), ()>(())
                });
            }
            let gone = log.on_drop("daemon");
            g.spawn_daemon(async move {
                let _gone = gone;
                pending::<Result<(), ()>>().await
            });
            let _gone = log.on_drop("body");
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, inner).await;
        assert_eq!(log.marks(), ["body", "first", "second", "third", "daemon"]);
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
}

/// A child that was being cancelled when its group was dropped names the first cause.
pub async fn the_first_cause_is_named_by_the_child_of_a_dropped_group<B: Backend>(
    rt: Rt<B, InOneTask>,
) {
    let mut kept = None;
    let inner = rt.task_group(async |g| {
        kept = Some(g.spawn(async {
            shield(pending::<()>()).await;
            Ok::<(), ()>(())
        }));
        rt.yields(1).await;
        g.scope().cancel_with("enough");
        pending::<Result<(), ()>>().await
    });
    drop_at_pending(2, inner).await;
    let cut = Stopped::Cancelled(because("enough"));
    assert_eq!(kept.unwrap().outcome().await, Err(cut));
}

/// What a destructor of the body spawns is dropped with the others, and later there is nothing to spawn into.
pub async fn what_is_spawned_into_a_dropped_group_is_refused<B: Backend>(rt: Rt<B, InOneTask>) {
    let alive = Alive::default();
    let (late, count) = polls(pending::<Result<(), ()>>());
    let (send, receive) = oneshot::channel();
    let mut kept = None;
    let outer = rt.task_group(async |_| {
        let inner = rt.task_group(async |g: ScopedGroup<'_, B, ()>| {
            let (there, life) = (g.clone(), alive.born());
            kept = Some(g);
            let _spawns = on_drop(move || {
                let late = there.spawn(async move {
                    let _life = life;
                    late.await
                });
                send.send(late).unwrap();
            });
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, inner).await;
        assert_eq!(alive.count(), 0);
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    let late = receive.await.unwrap().outcome().await;
    assert_eq!(late, Err(Stopped::Cancelled(Reason::Dropped)));
    assert_eq!(count.load(Ordering::SeqCst), 0);
    let closed = kept.unwrap();
    let refused = closed.spawn(async { Ok(()) }).outcome().await;
    assert_eq!(refused, Err(Stopped::Closed));
    assert!(closed.try_spawn(async { Ok(()) }).is_err());
}

/// A child that is being started into the group is dropped as well, and its caller, who is elsewhere, is told.
pub async fn the_child_of_a_start_into_a_dropped_group_is_dropped<B: Backend>(
    rt: Rt<B, InOneTask>,
) {
    let alive = Alive::default();
    let outer = rt.task_group(async |_| {
        let (give, handle) = oneshot::channel();
        let life = alive.born();
        let mut group = Box::pin(rt.task_group(async |g: ScopedGroup<'_, B, ()>| {
            give.send(g).unwrap();
            pending::<Result<(), ()>>().await
        }));
        assert!(poll!(&mut group).is_pending());
        let g = handle.await.unwrap();
        let mut start = pin!(g.start(move |_started: Started<()>| async move {
            let _life = life;
            pending::<Result<(), ()>>().await
        }));
        assert!(poll!(&mut start).is_pending());
        assert!(poll!(&mut group).is_pending());
        drop(group);
        assert_eq!(alive.count(), 0);
        assert_eq!(start.await.map(drop), Err(StartError::NotStarted));
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
}

/// A destructor of a child that panics goes to the enclosing group, and the other children are dropped all the same.
pub async fn the_panic_of_a_dropped_child_goes_to_the_enclosing_group<B: Backend>(
    rt: Rt<B, InOneTask>,
) {
    let alive = Alive::default();
    let outer = rt.task_group(async |_| {
        let inner = rt.task_group(async |g| {
            for n in 0..3 {
                let life = alive.born();
                g.spawn(async move {
                    let _life = life;
                    let _panics = on_drop(|| assert!(n != 1, "in a destructor"));
                    pending::<Result<(), ()>>().await
                });
            }
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, inner).await;
        assert_eq!(alive.count(), 0);
        // The panic cancels the group.
        pending::<Result<(), ()>>().await
    });
    assert_eq!(panic_of(outer).await.unwrap_err(), "in a destructor");
}

/// Cleanups of the body that own the group, or handles of its children, run after its drop, and leave nothing behind.
pub async fn exits_that_own_a_dropped_group_leave_nothing_behind<B: Backend>(rt: Rt<B, InOneTask>) {
    let alive = Alive::default();
    let outer = rt.task_group(async |_| {
        for pendings in 1..4 {
            let inner = rt.task_group(async |g| {
                for _ in 0..3 {
                    let child = g.spawn(pending::<Result<(), ()>>());
                    let (g, life) = (g.clone(), alive.born());
                    rt.on_exit(async move {
                        assert!(child.outcome().await.is_err());
                        assert!(g.spawn(async { Ok(()) }).outcome().await.is_err());
                        drop(life);
                    });
                }
                rt.yields(pendings).await;
                pending::<Result<(), ()>>().await
            });
            drop_at_pending(pendings, inner).await;
        }
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(alive.count(), 0);
}
