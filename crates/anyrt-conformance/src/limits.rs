//! Groups that bound how many of their children run at once.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyrt_core::{Backend, Reason, Started, Stopped, shield};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::{join, join_all, select};

use super::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use super::flavour::{Rt, Task, TaskGroup};
use crate::probe::{Alive, Log, message, panic_of, polls};

/// How many run now, how many did at most, and how many have ended.
#[derive(Clone, Default)]
struct AtOnce(Arc<[AtomicUsize; 3]>);

impl AtOnce {
    /// Runs until the guard is dropped.
    fn enter(&self) -> impl Drop + Send + use<> {
        let AtOnce(counts) = self.clone();
        let now = counts[0].fetch_add(1, Ordering::SeqCst) + 1;
        counts[1].fetch_max(now, Ordering::SeqCst);
        crate::probe::on_drop(move || {
            counts[0].fetch_sub(1, Ordering::SeqCst);
            counts[2].fetch_add(1, Ordering::SeqCst);
        })
    }

    fn ended(&self) -> usize {
        self.0[2].load(Ordering::SeqCst)
    }

    fn most(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }
}

/// Who began, in this order.
#[derive(Clone, Default)]
struct Begun(Arc<Mutex<Vec<usize>>>);

impl Begun {
    fn add(&self, n: usize) {
        self.0.lock().unwrap().push(n);
    }

    fn order(&self) -> Vec<usize> {
        self.0.lock().unwrap().clone()
    }
}

/// Spawns a child that has its turn and keeps it, whatever is cancelled, until the sender is used or dropped.
/// Returns when the child has begun.
async fn occupy<B: Backend, E: Send + 'static>(
    g: &TaskGroup<B, E>,
) -> (oneshot::Sender<()>, Task<B, ()>) {
    let (open, gate) = oneshot::channel();
    let (begin, has_begun) = oneshot::channel();
    let child = g.spawn(async move {
        begin.send(()).ok();
        shield(gate).await.ok();
        Ok(())
    });
    has_begun.await.ok();
    (open, child)
}

/// Returns when `count` have come to this place.
async fn meet<B: Backend>(rt: Rt<B>, arrived: &AtomicUsize, count: usize) {
    arrived.fetch_add(1, Ordering::SeqCst);
    while arrived.load(Ordering::SeqCst) < count {
        rt.yields(1).await;
    }
}

/// Spawns children that never come to an end by themselves, and gives their handles.
fn spawn_endless<B: Backend, E: Send + 'static>(
    g: &TaskGroup<B, E>,
    count: usize,
    polled: &Arc<AtomicUsize>,
    alive: &Alive,
) -> Vec<Task<B, ()>> {
    let spawn = |_| {
        let (polled, life) = (polled.clone(), alive.born());
        g.spawn(async move {
            let _life = life;
            polled.fetch_add(1, Ordering::SeqCst);
            pending().await
        })
    };
    (0..count).map(spawn).collect()
}

/// `limit`: "lets at most that many children of the group run at once", whoever spawns them.
pub async fn no_more_children_run_at_once_than_the_limit_allows<B: Backend>(rt: Rt<B>) {
    for limit in [1, 3] {
        let at_once = AtOnce::default();
        let group = rt.group_options().limit(limit).run(async |g| {
            let threads = (0..4).map(|_| {
                let (g, at_once) = (g.clone(), at_once.clone());
                rt.to_thread(move || {
                    for n in 0..250 {
                        let at_once = at_once.clone();
                        g.spawn(async move {
                            let _here = at_once.enter();
                            rt.yields(n % 3).await;
                            Ok::<_, ()>(())
                        });
                    }
                })
            });
            join_all(threads).await;
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        assert_eq!(at_once.ended(), 1000);
        assert!(at_once.most() <= limit, "{} at once", at_once.most());
    }
}

/// The limit is no less than it says either.
pub async fn as_many_children_run_at_once_as_the_limit_allows<B: Backend>(rt: Rt<B>) {
    let arrived = Arc::new(AtomicUsize::new(0));
    let group = rt.group_options().limit(3).run(async |g| {
        for _ in 0..3 {
            let arrived = arrived.clone();
            g.spawn(async move {
                let _: () = meet(rt, &arrived, 3).await;
                Ok::<_, ()>(())
            });
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// `limit`: "the others wait for their turn in the order in which they were spawned".
pub async fn children_begin_in_the_order_in_which_they_were_spawned<B: Backend>(rt: Rt<B>) {
    let begun = Begun::default();
    let group = rt.group_options().limit(1).run(async |g| {
        for n in 0..100 {
            let begun = begun.clone();
            g.spawn(async move {
                begun.add(n);
                rt.yields(n % 4).await;
                Ok::<_, ()>(())
            });
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert!(begun.order().into_iter().eq(0..100));
}

/// With a higher limit, too, nobody overtakes: when a child begins, only those can be missing that run beside it.
pub async fn nobody_overtakes_in_a_group_with_a_higher_limit<B: Backend>(rt: Rt<B>) {
    let limit = 3;
    let begun = Arc::new(AtomicUsize::new(0));
    let group = rt.group_options().limit(limit).run(async |g| {
        for n in 0..500 {
            let begun = begun.clone();
            g.spawn(async move {
                let before = begun.fetch_add(1, Ordering::SeqCst);
                assert!(before + limit > n, "number {n} began after {before}");
                rt.yields(n % 4).await;
                Ok::<_, ()>(())
            });
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// The order is that of the spawning, whichever child it is that spawns.
pub async fn siblings_that_several_children_spawn_keep_the_order<B: Backend>(rt: Rt<B>) {
    let begun = Begun::default();
    let group = rt.group_options().limit(1).run(async |g| {
        let (open, _) = occupy(&g).await;
        for parent in [10, 20] {
            let (siblings, begun) = (g.clone(), begun.clone());
            g.spawn(async move {
                begun.add(parent);
                for n in 1..4 {
                    let begun = begun.clone();
                    siblings.spawn(async move {
                        let _: () = begun.add(parent + n);
                        Ok(())
                    });
                    rt.yields(1).await;
                }
                Ok::<_, ()>(())
            });
        }
        drop(open);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(begun.order(), [10, 20, 11, 12, 13, 21, 22, 23]);
}

/// The order is that of the spawning, also from several threads at once.
pub async fn children_that_several_threads_spawn_keep_the_order<B: Backend>(rt: Rt<B>) {
    let (begun, spawned) = (Begun::default(), Begun::default());
    let group = rt.group_options().limit(1).run(async |g| {
        let threads = (0..4).map(|thread| {
            let (g, begun, spawned) = (g.clone(), begun.clone(), spawned.clone());
            rt.to_thread(move || {
                for n in 0..50 {
                    let (n, begun) = (100 * thread + n, begun.clone());
                    // Locked, so that this is the order.
                    let mut spawned = spawned.0.lock().unwrap();
                    spawned.push(n);
                    g.spawn(async move {
                        begun.add(n);
                        rt.yields(n % 2).await;
                        Ok::<_, ()>(())
                    });
                }
            })
        });
        join_all(threads).await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(begun.order().len(), 200);
    assert_eq!(begun.order(), spawned.order());
}

/// `spawn` never waits, and `len` counts those that wait for their turn: they have not ended.
pub async fn spawn_never_waits_for_a_turn<B: Backend>(rt: Rt<B>) {
    let begun = Arc::new(AtomicUsize::new(0));
    let group = rt.group_options().limit(1).run(async |g| {
        let (open, _) = occupy(&g).await;
        for _ in 0..1000 {
            let begun = begun.clone();
            g.spawn(async move {
                begun.fetch_add(1, Ordering::SeqCst);
                Ok::<_, ()>(())
            });
        }
        rt.yields(10).await;
        assert_eq!((g.len(), begun.load(Ordering::SeqCst)), (1001, 0));
        drop(open);
        while !g.is_empty() {
            rt.yields(1).await;
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(begun.load(Ordering::SeqCst), 1000);
}

/// Handles may be awaited in any order, also in that in which nothing is ready for long.
pub async fn handles_may_be_awaited_out_of_order<B: Backend>(rt: Rt<B>) {
    for limit in [1, 2] {
        let group = rt.group_options().limit(limit).run(async |g| {
            let spawn = |n: usize| {
                g.spawn(async move {
                    rt.yields(n % 3).await;
                    Ok::<_, ()>(n)
                })
            };
            let tasks: Vec<_> = (0..50).map(spawn).collect();
            for (n, task) in tasks.into_iter().enumerate().rev() {
                assert_eq!(task.await, n);
            }
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
    }
}

/// "A child has its turn until it has ended": on a value, an error, a panic, and on each kind of cancellation.
pub async fn a_turn_is_given_back_however_the_child_ends<B: Backend>(rt: Rt<B>) {
    for way in ["value", "detached", "error", "panic", "cancelled", "group"] {
        let log = Log::default();
        let group = rt.group_options().limit(1).run(async |g| {
            let child = g.spawn(async move {
                rt.yields(1).await;
                match way {
                    "value" | "detached" => Ok(()),
                    "error" => Err("failed"),
                    "panic" => panic!("panicked"),
                    _ => pending().await,
                }
            });
            match way {
                "cancelled" => assert_eq!(child.cancel().await, None),
                "group" => g.cancel(),
                "detached" => drop(child),
                _ => {}
            }
            // Where the group is cancelled, the next one has its turn all the same, and in it its one poll.
            let next = log.clone();
            shield(g.spawn_when_free(async move {
                let _: () = next.add("next");
                Ok(())
            }))
            .await;
            Ok(())
        });
        let result = panic_of(group).await;
        assert_eq!(log.marks(), ["next"], "after {way}");
        match way {
            "error" => assert_eq!(result.unwrap().unwrap_err().into_first(), "failed"),
            "panic" => assert_eq!(result.unwrap_err(), "panicked"),
            _ => assert_eq!(result, Ok(Ok(()))),
        }
    }
}

/// "A child has its turn until it has ended": its captures are dropped and its cleanups have run.
pub async fn a_turn_is_kept_until_the_cleanups_have_run<B: Backend>(rt: Rt<B>) {
    for is_cancelled in [false, true] {
        let log = Log::default();
        let group = rt.group_options().limit(1).run(async |g| {
            let (begin, has_begun) = oneshot::channel();
            let first = log.clone();
            let child = g.spawn(async move {
                let _capture = first.on_drop("dropped");
                rt.on_exit(async move {
                    rt.yields(5).await;
                    first.add("cleanup");
                });
                begin.send(()).unwrap();
                if is_cancelled {
                    pending::<()>().await;
                }
                rt.yields(1).await;
                Ok::<_, ()>(())
            });
            let second = log.clone();
            g.spawn(async move {
                let _: () = second.add("next");
                Ok(())
            });
            has_begun.await.unwrap();
            if is_cancelled {
                child.cancel().await;
            }
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        assert_eq!(log.marks(), ["dropped", "cleanup", "next"]);
    }
}

/// "A child that is cancelled before its turn never runs; what it owns is dropped." Nobody waits for a turn to do so.
pub async fn a_thousand_that_wait_end_at_once_when_they_are_cancelled<B: Backend>(rt: Rt<B>) {
    let (alive, polled) = (Alive::default(), Arc::new(AtomicUsize::new(0)));
    let group = rt.group_options::<()>().limit(1).run(async |g| {
        let (_open, holder) = occupy(&g).await;
        let waiting = spawn_endless(&g, 1000, &polled, &alive);
        rt.yields(3).await;
        g.cancel();
        let cancelled = Err(Stopped::Cancelled(Reason::Explicit(None)));
        for task in waiting {
            assert_eq!(task.outcome().await, cancelled);
        }
        assert!(!holder.is_finished());
        assert_eq!((g.len(), alive.count()), (1, 0));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(polled.load(Ordering::SeqCst), 0);
}

/// The same where those that have a turn are cancelled too: theirs comes too late for the others.
pub async fn those_that_wait_never_run_when_all_are_cancelled<B: Backend>(rt: Rt<B>) {
    for (limit, way) in [(1, "group"), (3, "group"), (3, "scope"), (3, "one by one")] {
        let (alive, polled) = (Alive::default(), Arc::new(AtomicUsize::new(0)));
        let scope = rt.scope();
        let group = rt.group_options::<()>().limit(limit).run(async |g| {
            let tasks = spawn_endless(&g, limit + 100, &polled, &alive);
            while polled.load(Ordering::SeqCst) < limit {
                rt.yields(1).await;
            }
            match way {
                "group" => g.cancel(),
                "scope" => scope.cancel(),
                // Those that run come last.
                _ => drop(join_all(tasks.into_iter().rev().map(Task::cancel)).await),
            }
            Ok(())
        });
        let result = scope.run(group).await;
        assert_eq!(result.is_err(), way == "scope");
        assert_eq!(alive.count(), 0);
        let begun = polled.load(Ordering::SeqCst);
        assert_eq!(begun, limit, "only those that ran before, by {way}");
    }
}

/// The same when a child fails or panics, of whose end the others get their turn.
pub async fn those_that_wait_never_run_when_a_child_fails<B: Backend>(rt: Rt<B>) {
    for panics in [false, true] {
        let (alive, polled) = (Alive::default(), Arc::new(AtomicUsize::new(0)));
        let tasks = Mutex::new(Vec::new());
        let group = rt.group_options().limit(1).run(async |g| {
            let (fail, failing) = oneshot::channel::<()>();
            g.spawn_named("bad", async move {
                failing.await.ok();
                assert!(!panics, "panicked");
                Err::<(), _>("failed")
            });
            *tasks.lock().unwrap() = spawn_endless(&g, 100, &polled, &alive);
            rt.yields(2).await;
            drop(fail);
            pending::<Result<(), _>>().await
        });
        match panic_of(group).await {
            Ok(result) => assert_eq!(result.unwrap_err().into_first(), "failed"),
            Err(message) => assert_eq!((panics, &*message), (true, "panicked")),
        }
        assert_eq!(alive.count(), 0);
        assert_eq!(polled.load(Ordering::SeqCst), 0);
        let reason = Reason::ChildFailed(Some("bad".into()));
        let cancelled = Err(Stopped::Cancelled(reason));
        for task in tasks.into_inner().unwrap() {
            assert_eq!(task.outcome().await, cancelled);
        }
    }
}

/// The same when a scope around the group is cancelled; what was cut is not done, also if it never began (rule 6).
pub async fn those_that_wait_never_run_when_they_are_cancelled_from_outside<B: Backend>(rt: Rt<B>) {
    for count in [0, 1000] {
        let (alive, polled) = (Alive::default(), Arc::new(AtomicUsize::new(0)));
        let scope = rt.scope();
        let group = rt.group_options::<()>().limit(1).run(async |g| {
            let (outer, alive, polled) = (scope.clone(), alive.clone(), polled.clone());
            let siblings = g.clone();
            g.spawn(async move {
                spawn_endless(&siblings, count, &polled, &alive);
                let until_they_are_gone = async {
                    outer.cancel();
                    while siblings.len() > 1 {
                        rt.yields(1).await;
                    }
                };
                let _: () = shield(until_they_are_gone).await;
                Ok(())
            });
            Ok(())
        });
        let result = scope.run(group).await;
        assert_eq!(result.is_ok(), count == 0);
        assert_eq!(alive.count(), 0);
        assert_eq!(polled.load(Ordering::SeqCst), 0);
    }
}

/// A deadline of the children is one of those that wait as well.
pub async fn a_deadline_of_the_children_ends_those_that_wait<B: Backend>(rt: Rt<B>) {
    let (alive, polled) = (Alive::default(), Arc::new(AtomicUsize::new(0)));
    let group = rt.group_options::<()>().limit(1).run(async |g| {
        let (_open, _) = occupy(&g).await;
        let waiting = spawn_endless(&g, 10, &polled, &alive);
        g.scope().set_deadline(Some(rt.now() + rt.tick()));
        for task in waiting {
            let outcome = task.outcome().await;
            assert_eq!(outcome, Err(Stopped::Cancelled(Reason::Deadline)));
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!((alive.count(), polled.load(Ordering::SeqCst)), (0, 0));
}

/// `Task::cancel` of one that waits ends it at once, and the others keep their order.
pub async fn one_that_waits_may_be_cancelled_alone<B: Backend>(rt: Rt<B>) {
    let (alive, polled, begun) = (
        Alive::default(),
        Arc::new(AtomicUsize::new(0)),
        Begun::default(),
    );
    let group = rt.group_options::<()>().limit(1).run(async |g| {
        for yields in [0, 3] {
            let (open, holder) = occupy(&g).await;
            let spawn = |n: usize| {
                let begun = begun.clone();
                g.spawn(async move {
                    let _: () = begun.add(n);
                    Ok(())
                })
            };
            spawn(1);
            let mut cut = spawn_endless(&g, 1, &polled, &alive);
            spawn(2);
            rt.yields(yields).await;
            assert_eq!(cut.remove(0).cancel().await, None);
            assert_eq!((alive.count(), g.len()), (0, 3));
            assert!(!holder.is_finished());
            drop(open);
            while !g.is_empty() {
                rt.yields(1).await;
            }
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(polled.load(Ordering::SeqCst), 0);
    assert_eq!(begun.order(), [1, 2, 1, 2]);
}

/// In a cancelled group a child has its one poll if a turn is free, and never runs if it had to wait for one.
pub async fn into_a_cancelled_group_a_child_runs_once_if_a_turn_is_free<B: Backend>(rt: Rt<B>) {
    let group = rt.group_options::<()>().limit(1).run(async |g| {
        let (open, holder) = occupy(&g).await;
        g.cancel();
        let (child, count) = polls(async { Ok(1) });
        assert!(g.spawn(child).outcome().await.is_err());
        assert_eq!(count.load(Ordering::SeqCst), 0);
        drop(open);
        holder.await;
        assert_eq!(g.spawn(async { Ok(2) }).await, 2);
        let (child, count) = polls(pending::<Result<(), _>>());
        assert!(g.spawn(child).outcome().await.is_err());
        assert_eq!(count.load(Ordering::SeqCst), 1);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// "Daemons have no turn to wait for", and take none from the others.
pub async fn daemons_need_no_turn<B: Backend>(rt: Rt<B>) {
    let group = rt.group_options::<()>().limit(1).run(async |g| {
        for n in 0..3 {
            let (send, receive) = oneshot::channel();
            let child = g.spawn(async { Ok(receive.await) });
            g.spawn_daemon(async move {
                send.send(n).unwrap();
                pending().await
            });
            assert_eq!(child.await, Ok(n));
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A child may spawn siblings, as long as it does not wait for them.
pub async fn a_child_may_spawn_siblings_that_wait<B: Backend>(rt: Rt<B>) {
    fn chain<B: Backend>(g: &TaskGroup<B, ()>, left: usize, at_once: AtOnce) {
        let siblings = g.clone();
        g.spawn(async move {
            let _here = at_once.enter();
            for _ in 0..2 {
                if left > 0 {
                    chain(&siblings, left - 1, at_once.clone());
                }
                anyrt_core::checkpoint().await;
            }
            Ok(())
        });
    }
    let at_once = AtOnce::default();
    let group = rt.group_options().limit(1).run(async |g| {
        chain(&g, 8, at_once.clone());
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!((at_once.most(), at_once.ended()), (1, 511));
}

/// `spawn_when_free` waits until one child more may run, and starts it then.
pub async fn spawn_when_free_waits_for_a_turn<B: Backend>(rt: Rt<B>) {
    let group = rt.group_options::<()>().limit(2).run(async |g| {
        let (first, _) = occupy(&g).await;
        let (_second, _) = occupy(&g).await;
        let (child, count) = polls(async { Ok(7) });
        let mut spawn = pin!(g.spawn_when_free(child));
        for _ in 0..5 {
            assert!(futures::poll!(&mut spawn).is_pending());
            rt.yields(1).await;
        }
        assert_eq!((g.len(), count.load(Ordering::SeqCst)), (2, 0));
        drop(first);
        assert_eq!(spawn.await.await, 7);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A producer that uses it does not run ahead of the children.
pub async fn spawn_when_free_holds_a_producer_back<B: Backend>(rt: Rt<B>) {
    let at_once = AtOnce::default();
    let group = rt.group_options::<()>().limit(3).run(async |g| {
        for n in 0..200 {
            let here = at_once.clone();
            let child = async move {
                let _here = here.enter();
                let _: () = rt.yields(n % 4).await;
                Ok(())
            };
            g.spawn_when_free(child).await;
            assert!(n + 1 - at_once.ended() <= 3);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(at_once.ended(), 200);
    assert!(at_once.most() <= 3);
}

/// "Those that were spawned before have their turn first", and those that are spawned after it later.
pub async fn spawn_when_free_stands_in_the_same_queue<B: Backend>(rt: Rt<B>) {
    let begun = Begun::default();
    let group = rt.group_options::<()>().limit(1).run(async |g| {
        let (open, _) = occupy(&g).await;
        let child = |n: usize| {
            let begun = begun.clone();
            async move {
                begun.add(n);
                let _: () = rt.yields(2).await;
                Ok(())
            }
        };
        g.spawn(child(1));
        let mut second = pin!(g.spawn_when_free(child(2)));
        assert!(futures::poll!(&mut second).is_pending());
        g.spawn(child(3));
        let mut fourth = pin!(g.spawn_when_free(child(4)));
        assert!(futures::poll!(&mut fourth).is_pending());
        drop(open);
        join(fourth, second).await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(begun.order(), [1, 2, 3, 4]);
}

/// Its cancel safety: given up while it waits, the child never runs, and those behind it move up.
pub async fn spawn_when_free_that_is_given_up_spawns_nothing<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.group_options::<()>().limit(1).run(async |g| {
        for is_granted in [false, true] {
            let (open, holder) = occupy(&g).await;
            let life = alive.born();
            let (child, count) = polls(async move {
                let _: () = drop(life);
                Ok(())
            });
            let mut given_up = Box::pin(g.spawn_when_free(child));
            assert!(futures::poll!(&mut given_up).is_pending());
            let behind = g.spawn(async { Ok(8) });
            if is_granted {
                drop(open);
                holder.await;
                drop(given_up);
            } else {
                drop((given_up, open));
            }
            assert_eq!(alive.count(), 0);
            assert_eq!(behind.await, 8);
            assert_eq!(count.load(Ordering::SeqCst), 0);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// The same when a scope around it is cancelled.
pub async fn spawn_when_free_that_is_cancelled_spawns_nothing<B: Backend>(rt: Rt<B>) {
    let group = rt.group_options::<()>().limit(1).run(async |g| {
        let (open, _) = occupy(&g).await;
        let (child, count) = polls(async { Ok(()) });
        let spawn = rt.move_on_after(rt.tick(), g.spawn_when_free(child));
        assert!(spawn.await.is_none());
        drop(open);
        assert_eq!(g.spawn_when_free(async { Ok(9) }).await.await, 9);
        assert_eq!(count.load(Ordering::SeqCst), 0);
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// "In a group without a limit it does not wait", and neither where a turn is free.
pub async fn spawn_when_free_does_not_wait_where_it_need_not<B: Backend>(rt: Rt<B>) {
    let body = async |g: TaskGroup<B, ()>| {
        let mut tasks = Vec::new();
        for n in 0..10 {
            tasks.extend(g.spawn_when_free(async move { Ok(n) }).now_or_never());
        }
        assert_eq!(join_all(tasks).await.len(), 10);
        Ok(())
    };
    assert_eq!(rt.task_group(body).await, Ok(()));
    let named = rt.group_options().name("without a limit");
    assert_eq!(named.run(body).await, Ok(()));
    assert_eq!(rt.group_options().limit(10).run(body).await, Ok(()));
}

/// Rule 7: into a group that has ended nothing is spawned, and the handle says so.
pub async fn spawn_when_free_into_an_ended_group_is_told<B: Backend>(rt: Rt<B>) {
    for limit in [1, 2] {
        let alive = Alive::default();
        let group = rt.group_options::<()>().limit(limit);
        let escaped = group.run(async |g| Ok(g)).await.unwrap();
        let life = alive.born();
        let (child, count) = polls(async move {
            let _: () = drop(life);
            Ok(())
        });
        let task = escaped.spawn_when_free(child).await;
        assert_eq!((alive.count(), count.load(Ordering::SeqCst)), (0, 0));
        assert_eq!(task.outcome().await, Err(Stopped::Closed));
    }
}

/// Rule 7: who waits for a turn when the group ends gets in at the last moment, or is told.
pub async fn spawn_when_free_that_waits_while_the_group_ends_is_told<B: Backend>(rt: Rt<B>) {
    for round in 0..50 {
        let (give, given) = oneshot::channel();
        let alive = Alive::default();
        let group = rt.group_options::<()>().limit(1).run(async |g| {
            let (open, _) = occupy(&g).await;
            assert!(give.send(g).is_ok());
            rt.yields(round % 5).await;
            drop(open);
            Ok(())
        });
        let from_outside = async {
            let g = given.await.unwrap();
            let life = alive.born();
            let task = g
                .spawn_when_free(async move {
                    let _: () = drop(life);
                    Ok(())
                })
                .await;
            task.outcome().await
        };
        let (result, outcome) = join(group, from_outside).await;
        assert_eq!(result, Ok(()));
        assert!(matches!(outcome, Ok(()) | Err(Stopped::Closed)));
        assert_eq!(alive.count(), 0);
    }
}

/// `start` "waits for its turn first", and keeps the group open meanwhile.
pub async fn start_waits_for_its_turn<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.group_options::<()>().limit(1).run(async |g| {
        let (open, _) = occupy(&g).await;
        let first = log.clone();
        let mut start = pin!(g.start(async move |started: Started<u8>| {
            first.add("began");
            started.set(1);
            rt.yields(2).await;
            Ok(2)
        }));
        assert!(futures::poll!(&mut start).is_pending());
        let behind = log.clone();
        g.spawn(async move {
            let _: () = behind.add("behind");
            Ok(())
        });
        rt.yields(3).await;
        assert_eq!(log.marks(), [""; 0]);
        drop(open);
        let (ready, task) = start.await.unwrap();
        assert_eq!((ready, task.await), (1, 2));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(log.marks(), ["began", "behind"]);
}

/// Options "apply to this one group and not to groups inside it", which have limits of their own.
pub async fn a_group_inside_has_a_limit_of_its_own<B: Backend>(rt: Rt<B>) {
    let group = rt.group_options().limit(1).run(async |g| {
        for limit in [None, Some(3)] {
            g.spawn(async move {
                let options = match limit {
                    None => rt.group_options(),
                    Some(limit) => rt.group_options().limit(limit),
                };
                let inner = options.run(async |h| {
                    let arrived = Arc::new(AtomicUsize::new(0));
                    for _ in 0..3 {
                        let arrived = arrived.clone();
                        h.spawn(async move {
                            let _: () = meet(rt, &arrived, 3).await;
                            Ok(())
                        });
                    }
                    Ok(())
                });
                inner.await.map_err(|_: anyrt_core::GroupError<()>| ())
            });
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// `limit`: a limit of 0 panics where it is asked for, and says what to do.
pub async fn a_limit_of_zero_panics_at_the_caller<B: Backend>(rt: Rt<B>) {
    let limit = || drop(rt.group_options::<()>().limit(0));
    let payload = catch_unwind(AssertUnwindSafe(limit)).unwrap_err();
    let message = message(&*payload);
    assert!(message.starts_with("anyrt:"), "{message}");
    assert!(message.contains("limit of 0"), "{message}");
}

/// A turn that comes to a child which is just being cancelled goes on to the next one.
pub async fn a_turn_that_comes_to_a_cancelled_child_is_not_lost<B: Backend>(rt: Rt<B>) {
    for round in 0..300 {
        let group = rt.group_options::<()>().limit(1).run(async |g| {
            g.spawn(async move {
                let _: () = rt.yields(round % 5).await;
                Ok(())
            });
            let cut = g.spawn(pending::<Result<(), _>>());
            let behind = g.spawn(async { Ok(7) });
            rt.yields(round % 7).await;
            if round % 10 == 0 {
                rt.to_thread(|| B::wait_outside(|| block_on(cut.cancel())))
                    .await;
            } else {
                cut.cancel().await;
            }
            Ok(behind.await)
        });
        assert_eq!(group.await, Ok(7), "round {round}");
    }
}

/// The same where it comes to a `spawn_when_free` that is just being given up.
pub async fn a_turn_that_comes_to_one_who_gives_up_is_not_lost<B: Backend>(rt: Rt<B>) {
    for round in 0..300 {
        let group = rt.group_options::<()>().limit(1).run(async |g| {
            g.spawn(async move {
                let _: () = rt.yields(round % 5).await;
                Ok(())
            });
            let wait = Box::pin(g.spawn_when_free(async { Ok(()) }));
            drop(select(wait, Box::pin(rt.yields(round % 7))).await);
            Ok(g.spawn(async { Ok(7) }).await)
        });
        assert_eq!(group.await, Ok(7), "round {round}");
    }
}

/// A thread may cancel at any moment: nothing is left, and the limit holds.
pub async fn a_limited_group_may_be_cancelled_by_a_thread_at_any_moment<B: Backend>(rt: Rt<B>) {
    for round in 0..30 {
        let (alive, at_once) = (Alive::default(), AtOnce::default());
        let group = rt.group_options::<()>().limit(2).run(async |g| {
            let cancel = g.clone();
            let cancel = rt.to_thread(move || {
                for _ in 0..round {
                    std::thread::yield_now();
                }
                cancel.cancel();
            });
            for n in 0..30 {
                let (life, at_once) = (alive.born(), at_once.clone());
                g.spawn(async move {
                    let _here = at_once.enter();
                    rt.yields(n % 4).await;
                    Ok(life)
                });
            }
            cancel.await;
            Ok(round)
        });
        assert_eq!(group.await, Ok(round));
        assert_eq!(alive.count(), 0);
        assert!(at_once.most() <= 2);
    }
}

/// A group that is dropped from outside takes those that wait with it; the enclosing group waits for all.
pub async fn a_dropped_group_with_children_that_wait_is_adopted<B: Backend>(rt: Rt<B>) {
    let (alive, polled) = (Alive::default(), Arc::new(AtomicUsize::new(0)));
    let outer = rt.task_group(async |_| {
        let inner = rt.group_options::<()>().limit(1).run(async |g| {
            let life = alive.born();
            g.spawn(async move {
                shield(rt.yields(20)).await;
                drop(life);
                pending::<Result<(), _>>().await
            });
            spawn_endless(&g, 100, &polled, &alive);
            rt.yields(5).await;
            pending::<Result<(), _>>().await
        });
        assert!(drop_at_pending(3, inner).await.is_none());
        Ok::<_, ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!((alive.count(), polled.load(Ordering::SeqCst)), (0, 0));
}

/// The cleanups of the body run after all children; what they spawn has its turn like any other child.
pub async fn cleanups_of_the_body_may_spawn_within_the_limit<B: Backend>(rt: Rt<B>) {
    let at_once = AtOnce::default();
    let group = rt.group_options::<()>().limit(2).run(async |g| {
        let (late, at_once) = (g.clone(), at_once.clone());
        rt.on_exit(async move {
            for _ in 0..10 {
                let at_once = at_once.clone();
                late.spawn(async move {
                    let _here = at_once.enter();
                    let _: () = rt.yields(2).await;
                    Ok(())
                });
            }
        });
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(at_once.ended(), 10);
    assert!(at_once.most() <= 2);
}

/// Cancelling or dropping at any moment leaves no child behind, whether it runs or waits.
pub async fn limited_groups_may_be_interrupted_anywhere<B: Backend>(rt: Rt<B>) {
    let body = |alive: Alive| async move {
        let group = rt.group_options::<()>().limit(2).run(async |g| {
            for n in 0..5 {
                let (life, late, siblings) = (alive.born(), alive.born(), g.clone());
                g.spawn(async move {
                    rt.yields(n % 3).await;
                    siblings.spawn(async move {
                        rt.yields(1).await;
                        let _: () = drop(late);
                        Ok(())
                    });
                    shield(rt.yields(1)).await;
                    let _: () = drop(life);
                    Ok(())
                });
            }
            rt.yields(2).await;
            for _ in 0..2 {
                let life = alive.born();
                let child = async move {
                    rt.yields(1).await;
                    drop(life);
                    Ok(())
                };
                g.spawn_when_free(child).await;
            }
            let _: () = rt.yields(1).await;
            Ok(())
        });
        group.await.unwrap();
    };
    assert!(cancel_at_every_pending(rt, body).await > 2);
    assert!(drop_at_every_pending(rt, body).await > 2);
}
