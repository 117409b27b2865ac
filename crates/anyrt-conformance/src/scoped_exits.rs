//! Cleanups in groups whose children run in the task of the group.

use std::future::{Future, pending};

use anyrt_core::{Backend, GroupError, ScopedGroup, Stopped, scoped_group, shield};
use futures::channel::oneshot;
use futures::poll;

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use crate::exits::{Counts, mark, panics, slow};
use crate::probe::{Alive, Log, because, on_drop, panic_of};
use crate::rt::Rt;

fn group<'env, B, T, E, F, Fut>(body: F) -> impl Future<Output = Result<T, GroupError<E>>>
where
    B: Backend,
    E: Send + 'static,
    F: FnOnce(ScopedGroup<'env, B, E>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    scoped_group::<B, T, E, F, Fut>(body)
}

/// Those of a child run before its handle gives the value, and those of the body after all children.
pub async fn the_exits_of_a_scoped_child_run_before_its_value_arrives<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let value = group::<B, _, (), _, _>(async |g| {
        rt.on_exit(slow(rt, &log, "of the body"));
        let child = g.spawn(async {
            rt.on_exit(slow(rt, &log, "of the child"));
            log.add("child");
            Ok(7)
        });
        g.spawn(async {
            rt.on_exit(slow(rt, &log, "of the other"));
            rt.yields(20).await;
            Ok(())
        });
        let value = child.await;
        log.add("value");
        Ok(value)
    });
    assert_eq!(value.await, Ok(7));
    let marks = [
        "child",
        "of the child",
        "value",
        "of the other",
        "of the body",
    ];
    assert_eq!(log.marks(), marks);
}

/// `g.cancel()` cuts the children and not their cleanups; the others go on meanwhile, and the outcome says why.
pub async fn the_exits_of_a_cancelled_scoped_child_are_not_cut<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let (open, gate) = oneshot::channel::<()>();
    let ended = group::<B, _, (), _, _>(async |g| {
        let there = log.clone();
        let child = g.spawn(async {
            rt.on_exit(async move {
                gate.await.ok();
                there.add("cleanup");
            });
            pending::<Result<(), ()>>().await
        });
        rt.yields(2).await;
        g.scope().cancel_with("enough");
        rt.yields(2).await;
        log.add("body");
        open.send(()).unwrap();
        Ok(child.outcome().await)
    });
    let cancelled = Stopped::Cancelled(because("enough"));
    assert_eq!(ended.await, Ok(Err(cancelled)));
    assert_eq!(log.marks(), ["body", "cleanup"]);
}

/// A cancellation from outside waits for all of them.
pub async fn a_cancelled_scoped_group_runs_its_exits<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let work = group::<B, _, (), _, _>(async |g| {
        rt.on_exit(slow(rt, &log, "of the body"));
        g.spawn(async {
            rt.on_exit(slow(rt, &log, "of the child"));
            pending::<Result<(), ()>>().await
        });
        g.spawn_daemon(async {
            rt.on_exit(mark(&log, "of the daemon"));
            pending::<Result<(), ()>>().await
        });
        pending::<Result<(), ()>>().await
    });
    assert!(rt.cancelled(work).await.is_err());
    assert_eq!(
        log.marks(),
        ["of the daemon", "of the child", "of the body"]
    );
}

/// A panic of a cleanup fails the group: that of a child, and that of the body.
pub async fn the_panic_of_an_exit_in_a_scoped_group_is_resumed<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let failed = group::<B, _, (), _, _>(async |g| {
        g.spawn(async {
            rt.on_exit(slow(rt, &log, "next"));
            rt.on_exit(panics(rt, "of the child"));
            Ok(())
        });
        pending::<Result<(), ()>>().await
    });
    assert_eq!(panic_of(failed).await.unwrap_err(), "of the child");
    let failed = group::<B, _, (), _, _>(async |_| {
        rt.on_exit(slow(rt, &log, "last"));
        rt.on_exit(panics(rt, "of the body"));
        Ok(())
    });
    assert_eq!(panic_of(failed).await.unwrap_err(), "of the body");
    assert_eq!(log.marks(), ["next", "last"]);
}

/// Dropped from outside, body and children are dropped at once, and their cleanups go to the enclosing group: those of
/// the body come last, and a half-done one goes on.
pub async fn the_exits_of_a_dropped_scoped_group_are_adopted<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let (open, gate) = oneshot::channel::<()>();
    let outer = rt.task_group(async |_| {
        let work = group::<B, _, (), _, _>(async |g| {
            let _life = alive.born();
            rt.on_exit(slow(rt, &log, "of the body"));
            let there = log.clone();
            g.spawn(async {
                rt.on_exit(async move {
                    there.add("begins");
                    gate.await.ok();
                    there.add("ends");
                });
                Ok(())
            });
            g.spawn(async {
                let _life = alive.born();
                rt.on_exit(slow(rt, &log, "of the child"));
                pending::<Result<(), ()>>().await
            });
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, work).await;
        assert_eq!(alive.count(), 0);
        while log.marks().len() < 2 {
            rt.yields(1).await;
        }
        open.send(()).unwrap();
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    let mut marks = log.marks();
    marks[..2].sort_unstable();
    assert_eq!(marks, ["begins", "of the child", "ends", "of the body"]);
}

/// So do those that a destructor registers when the group is dropped, also in a child that had nothing to clean up
/// before; and their panics.
pub async fn the_exits_of_destructors_in_a_dropped_scoped_group_are_adopted<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let outer = rt.task_group(async |_| {
        let work = group::<B, _, (), _, _>(async |g| {
            let there = log.clone();
            let of_the_body = on_drop(move || rt.on_exit(slow(rt, &there, "of the body")));
            let there = log.clone();
            let of_a_child = on_drop(move || {
                rt.on_exit(panics(rt, "panic"));
                rt.on_exit(slow(rt, &there, "of the child"));
            });
            g.spawn(async {
                let _of_a_child = of_a_child;
                pending::<Result<(), ()>>().await
            });
            pending::<()>().await;
            drop(of_the_body);
            Ok(())
        });
        drop_at_pending(1, work).await;
        // The panic cancels the group.
        rt.move_on_after(20 * rt.tick(), pending::<()>()).await;
        Ok::<(), ()>(())
    });
    assert_eq!(panic_of(outer).await.err().as_deref(), Some("panic"));
    assert_eq!(log.marks(), ["of the child", "of the body"]);
}

/// Those of the body may spawn into the group, and the group waits for it. Where the group was dropped there is nobody
/// left to run a child: it is refused, and dropped.
pub async fn an_exit_of_a_scoped_group_may_spawn_into_it<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let work = |ends: bool| {
        let (life, log) = (alive.born(), log.clone());
        group::<B, (), (), _, _>(move |g| async move {
            rt.on_exit(async move {
                let there = log.clone();
                let child = g.spawn(async move {
                    let _life = life;
                    rt.yields(3).await;
                    there.add("child");
                    Ok(7)
                });
                match child.outcome().await {
                    Ok(_) => log.add("value"),
                    Err(_) => log.add("refused"),
                }
            });
            if !ends {
                pending::<()>().await;
            }
            Ok(())
        })
    };
    assert_eq!(work(true).await, Ok(()));
    let outer = rt.task_group(async |_| {
        drop_at_pending(1, work(false)).await;
        Ok::<(), ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(log.marks(), ["child", "value", "refused"]);
    assert_eq!(alive.count(), 0);
}

/// Polled by hand: a cleanup of one child does not keep the others from being polled.
pub async fn an_exit_in_a_scoped_group_is_woken_for_itself<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let (open, gate) = oneshot::channel::<()>();
    let mut work = Box::pin(group::<B, _, (), _, _>(async |g| {
        g.spawn(async {
            rt.on_exit(async move { gate.await.unwrap() });
            Ok(())
        });
        g.spawn(async {
            rt.yields(2).await;
            log.add("sibling");
            Ok(())
        });
        Ok(())
    }));
    while log.marks().is_empty() {
        assert!(poll!(&mut work).is_pending());
        rt.yields(1).await;
    }
    open.send(()).unwrap();
    assert_eq!(work.await, Ok(()));
}

/// Cancelled or dropped from outside anywhere, every cleanup that was registered runs exactly once.
pub async fn exits_in_scoped_groups_run_exactly_once<B: Backend>(rt: Rt<B>) {
    async fn work<B: Backend>(rt: Rt<B>, alive: Alive, counts: &Counts) {
        let _life = alive.born();
        let work = group::<B, _, (), _, _>(async |g| {
            counts.register(rt, &alive);
            for _ in 0..2 {
                g.spawn(async {
                    let _life = alive.born();
                    counts.register(rt, &alive);
                    let (here, there) = (counts.clone(), alive.clone());
                    let _register = on_drop(move || here.register(rt, &there));
                    shield(rt.yields(1)).await;
                    let inner = rt.scope().run(async {
                        counts.register(rt, &alive);
                        rt.yields(1).await;
                    });
                    inner.await.ok();
                    Ok(())
                });
            }
            rt.yields(2).await;
            Ok(())
        });
        work.await.ok();
    }
    let counts = Counts::default();
    let rounds = cancel_at_every_pending(rt, |alive| rt.scope().run(work(rt, alive, &counts)));
    assert!(rounds.await > 5);
    let rounds = drop_at_every_pending(rt, |alive| rt.scope().run(work(rt, alive, &counts)));
    assert!(rounds.await > 5);
    counts.check();
}
