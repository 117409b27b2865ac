//! Task-locals: who sees a value, how long, and when it is dropped.

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use anyrt_core::{
    Backend, Started, Stopped, Task, TaskGroup, checkpoint, finally, local_group, scoped_group,
    shield, task_local,
};
use futures::channel::{mpsc as async_mpsc, oneshot};
use futures::{FutureExt, StreamExt, join, poll};

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use crate::probe::{Alive, Life, on_a_fresh_thread, on_drop, panic_of};
use crate::rt::Rt;

task_local! {
    static NUMBER: u32;
    static OTHER: &'static str;
    static GUARDED: Guarded;
    static OWN: Cell<u32>, not inherited;
    static OWN_GUARDED: Life, not inherited
}

/// A value that counts as alive, and that may notice its end.
#[derive(Debug)]
struct Guarded {
    _life: Life,
}

impl Guarded {
    fn new(alive: &Alive) -> Self {
        Self {
            _life: alive.born(),
        }
    }
}

/// What is set here, 0 for nothing.
fn number() -> u32 {
    NUMBER.try_with(|number| *number).unwrap_or(0)
}

fn own() -> u32 {
    OWN.try_with(Cell::get).unwrap_or(0)
}

/// Context: a value is set inside of the future, after every `Pending`, and not outside.
pub async fn a_value_is_seen_in_its_future_and_nowhere_else<B: Backend>(rt: Rt<B>) {
    assert_eq!(number(), 0);
    let scoped = NUMBER.scope(7, async move {
        let before = NUMBER.get();
        rt.yields(3).await;
        rt.sleep(rt.tick()).await;
        NUMBER.with(|number| before + number)
    });
    assert_eq!(number(), 0);
    let mut scoped = pin!(scoped);
    assert!(poll!(&mut scoped).is_pending());
    assert_eq!(number(), 0); // not between two polls either
    assert_eq!(scoped.await, 14);
    assert_eq!(number(), 0);
}

/// Context: an inner value hides the outer one of the same key, as long as it is set, and no other key's.
pub async fn an_inner_value_hides_the_outer_one<B: Backend>(rt: Rt<B>) {
    let nested = NUMBER.scope(1, async move {
        let inner = OTHER.scope(
            "a",
            NUMBER.scope(2, async move {
                rt.yields(1).await;
                (
                    number(),
                    OTHER.get(),
                    NUMBER.sync_scope(3, number),
                    number(),
                )
            }),
        );
        let inner = inner.await;
        (inner, number(), OTHER.try_with(|_| ()).is_err())
    });
    assert_eq!(nested.await, ((2, "a", 3, 2), 1, true));
}

/// Context: futures that are polled in turns in one task do not see each other's values.
pub async fn futures_side_by_side_see_their_own_values<B: Backend>(rt: Rt<B>) {
    let read = async move |seen: u32| {
        for _ in 0..10 {
            rt.yields(1).await;
            assert_eq!((number(), own()), (seen, seen));
        }
    };
    let one = NUMBER.scope(1, OWN.scope(Cell::new(1), read(1)));
    let two = NUMBER.scope(2, OWN.scope(Cell::new(2), read(2)));
    join!(one, two, read(0));
}

/// Context: a value that is not set is an error, or a panic that names the key, and the place of the caller.
pub async fn a_value_that_is_not_set_is_an_error_or_a_panic<B: Backend>(_: Rt<B>) {
    let error = NUMBER.try_with(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the task-local `NUMBER` is not set at this place"
    );
    let message = panic_of(async { NUMBER.get() }).await.unwrap_err();
    assert!(
        message.starts_with("anyrt: the task-local `NUMBER` is not set"),
        "{message}"
    );
    let message = panic_of(async { OWN.with(Cell::get) }).await.unwrap_err();
    assert!(
        message.starts_with("anyrt: the task-local `OWN` is not set"),
        "{message}"
    );
}

/// Context: a panic restores what was set around.
pub async fn a_panic_restores_the_outer_value<B: Backend>(rt: Rt<B>) {
    let outer = NUMBER.scope(
        1,
        OWN.scope(Cell::new(1), async move {
            let inner = NUMBER.scope(
                2,
                OWN.scope(Cell::new(2), async move {
                    rt.yields(1).await;
                    panic!("on purpose");
                }),
            );
            let caught = panic_of(inner).await;
            let sync = catch_unwind(|| {
                NUMBER.sync_scope(3, || OWN.sync_scope(Cell::new(3), || panic!("too")))
            });
            (caught.is_err(), sync.is_err(), number(), own())
        }),
    );
    assert_eq!(outer.await, (true, true, 1, 1));
    assert_eq!((number(), own()), (0, 0));
}

/// Context: children of every kind take over what is set where they are spawned.
pub async fn children_of_every_kind_inherit<B: Backend>(rt: Rt<B>) {
    let read = move || async move {
        let first = number();
        rt.yields(2).await;
        Ok::<_, ()>((first, number()))
    };
    let body = NUMBER.scope(5, async move {
        let parallel = rt.task_group(async |g| {
            let (told, heard) = oneshot::channel();
            g.spawn_daemon(async move {
                told.send(number()).ok();
                pending().await
            });
            let named = g.spawn_named("reader", read());
            let waiting = g.spawn_when_free(read()).await;
            let (ready, started) = g
                .start(async move |started: Started<u32>| {
                    rt.yields(1).await;
                    started.set(number());
                    read().await
                })
                .await
                .unwrap();
            let all = [
                g.spawn(read()).await,
                named.await,
                waiting.await,
                started.await,
            ];
            Ok((all, ready, heard.await))
        });
        assert_eq!(parallel.await, Ok(([(5, 5); 4], 5, Ok(5))));
        let scoped = scoped_group::<B, _, _, _, _>(async |g| Ok(g.spawn(read()).await));
        assert_eq!(scoped.await, Ok((5, 5)));
        let local = local_group::<B, _, _, _, _>(async |g| Ok(g.spawn(read()).await));
        assert_eq!(local.await, Ok((5, 5)));
    });
    body.await;
}

/// Context: a child sees what was set where it was spawned, wherever the group is awaited, and whatever is set there.
pub async fn a_child_sees_what_was_set_where_it_was_spawned<B: Backend>(rt: Rt<B>) {
    let read = move || async move {
        rt.yields(2).await;
        Ok::<_, ()>(number())
    };
    let parallel = rt.task_group(async |g| {
        let inner = NUMBER.sync_scope(2, || g.spawn(read()));
        let outer = g.spawn(read());
        let far = g.clone();
        let stranger = on_a_fresh_thread(move || far.spawn(read()));
        Ok((inner.await, outer.await, stranger.await))
    });
    assert_eq!(NUMBER.scope(1, parallel).await, Ok((2, 1, 0)));
    let scoped = scoped_group::<B, _, _, _, _>(async |g| {
        let inner = NUMBER.sync_scope(2, || g.spawn(read()));
        let outer = g.spawn(read());
        Ok((inner.await, outer.await, number()))
    });
    assert_eq!(NUMBER.scope(1, scoped).await, Ok((2, 1, 1)));
}

/// Context: a child that is polled where something is set that it has not inherited does not see it.
pub async fn a_child_without_a_value_does_not_see_that_of_its_surroundings<B: Backend>(rt: Rt<B>) {
    let (give, group) = oneshot::channel();
    let (tell, heard) = oneshot::channel();
    let scoped = scoped_group::<B, _, _, _, _>(async |g| {
        give.send(g.clone()).ok();
        let inside = g.spawn(async { Ok::<_, ()>(number()) });
        rt.yields(3).await;
        heard.await.ok();
        Ok((inside.await, number()))
    });
    let spawner = async move {
        let group = group.await.ok().unwrap();
        // In the same task, but outside of the value.
        let child = group.spawn(async move {
            rt.yields(2).await;
            Ok(number())
        });
        tell.send(()).ok();
        assert_eq!(child.await, 0);
    };
    let (both, ()) = join!(NUMBER.scope(1, scoped), spawner);
    assert_eq!(both, Ok((1, 1)));
}

/// Context: what a child sets is its own: parents and siblings see nothing of it, its own children do.
pub async fn what_a_child_sets_is_seen_below_it_only<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let sibling = g.clone();
        let child = g.spawn(NUMBER.scope(2, async move {
            let below = sibling.spawn(async move {
                rt.yields(1).await;
                Ok(number())
            });
            rt.yields(2).await;
            Ok::<_, ()>((number(), below.await))
        }));
        let beside = g.spawn(async move {
            rt.yields(2).await;
            Ok(number())
        });
        Ok((child.await, beside.await, number()))
    });
    assert_eq!(NUMBER.scope(1, group).await, Ok(((2, 2), 1, 1)));
}

/// Context: a closure in a thread takes over what is set where it is called, and leaves nothing to the thread.
pub async fn threads_inherit<B: Backend>(rt: Rt<B>) {
    let seen = NUMBER.scope(7, async move {
        let inner = rt.to_thread(|| NUMBER.sync_scope(8, number)).await;
        (inner, rt.to_thread(number).await)
    });
    assert_eq!(seen.await, (8, 7));
    for _ in 0..20 {
        assert_eq!(rt.to_thread(number).await, 0);
    }
}

/// Context: a call into a thread sees what is set where it is awaited, as it begins there.
pub async fn a_call_sees_what_is_set_where_it_begins<B: Backend>(rt: Rt<B>) {
    let call = NUMBER.sync_scope(1, || rt.to_thread(number));
    assert_eq!(NUMBER.scope(2, call).await, 2);
}

/// Context: what goes through a portal takes over what is set where it is called, be that in a thread or in a task, but
/// nothing of the portal's own place.
pub async fn portals_inherit<B: Backend>(rt: Rt<B>) {
    let portal = NUMBER.sync_scope(1, || rt.portal());
    let there = portal.clone();
    let called = NUMBER.scope(
        7,
        OWN.scope(Cell::new(7), async {
            let in_thread = rt.to_thread(move || {
                let called = there.call(async { (number(), own()) });
                let inner = NUMBER.sync_scope(8, || there.spawn(async { number() }).wait());
                let started = there.start(async |started: Started<u32>| started.set(number()));
                (called, inner, started.map(|(number, _)| number))
            });
            (
                in_thread.await,
                portal.call_async(async { (number(), own()) }).await,
            )
        }),
    );
    let (in_thread, in_task) = called.await;
    assert_eq!(in_thread, (Ok((7, 0)), Ok(8), Ok(7)));
    assert_eq!(in_task, Ok((7, 0)));
    let called = move || on_a_fresh_thread(move || portal.call(async { number() }));
    let outside = rt.to_thread(move || B::wait_outside(called));
    assert_eq!(NUMBER.scope(7, outside).await, Ok(0));
}

/// Context: a cleanup takes over what is set where it was registered.
pub async fn cleanups_inherit<B: Backend>(rt: Rt<B>) {
    let (tell, heard) = oneshot::channel();
    let run = rt.scope();
    let body = async {
        let registered = async {
            rt.on_exit(async move {
                checkpoint().await;
                tell.send((number(), own())).ok();
            });
        };
        NUMBER.scope(3, OWN.scope(Cell::new(3), registered)).await;
        NUMBER.scope(4, checkpoint()).await;
    };
    run.run(body).await.unwrap();
    assert_eq!(heard.await, Ok((3, 0)));
    let cleanup = finally(async { number() }, async || assert_eq!(number(), 5));
    assert_eq!(NUMBER.scope(5, cleanup).await, 5);
}

/// Context: a cleanup that is left to the enclosing group still sees what was set where it was registered.
pub async fn an_adopted_cleanup_inherits<B: Backend>(rt: Rt<B>) {
    let (tell, heard) = oneshot::channel();
    let group = rt.task_group(async |_| {
        let registered = async move {
            rt.on_exit(async move {
                checkpoint().await;
                tell.send(number()).ok();
            });
            pending::<()>().await;
        };
        let scope = rt.scope();
        let run = scope.run(NUMBER.scope(3, registered));
        assert!(drop_at_pending(1, run).await.is_none());
        Ok::<_, ()>(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(heard.await, Ok(3));
}

/// Context: scopes, limits and shields do not hide what is set around them.
pub async fn scopes_do_not_hide_values<B: Backend>(rt: Rt<B>) {
    let read = move || async move {
        checkpoint().await;
        (number(), own())
    };
    let body = async move {
        let scope = rt.scope();
        let all = (
            scope.run(read()).await.unwrap(),
            rt.fail_after(rt.hour(), read()).await.unwrap(),
            shield(read()).await,
            rt.task_group(async |_| Ok::<_, ()>(read().await))
                .await
                .unwrap(),
        );
        assert_eq!(all, ((1, 2), (1, 2), (1, 2), (1, 2)));
    };
    NUMBER.scope(1, OWN.scope(Cell::new(2), body)).await;
}

/// Context: a key that is not inherited stays with its future; children and threads do not see it, not even children
/// that run in the same task.
pub async fn what_is_not_inherited_stays_with_its_future<B: Backend>(rt: Rt<B>) {
    let read = move || async move {
        let first = own();
        rt.yields(2).await;
        Ok::<_, ()>(first + own())
    };
    let body = OWN.scope(Cell::new(1), async move {
        let parallel = rt.task_group(async |g| Ok((g.spawn(read()).await, own())));
        assert_eq!(parallel.await, Ok((0, 1)));
        let scoped = scoped_group::<B, _, _, _, _>(async |g| Ok((g.spawn(read()).await, own())));
        assert_eq!(scoped.await, Ok((0, 1)));
        // A child may set it for itself, and hides nothing by that.
        let local = local_group::<B, _, (), _, _>(async |g| {
            let child = g.spawn(OWN.scope(Cell::new(4), read()));
            rt.yields(2).await;
            Ok((child.await, own()))
        });
        assert_eq!(local.await, Ok((8, 1)));
        assert_eq!(rt.to_thread(own).await, 0);
        OWN.with(|own| own.set(9));
        rt.yields(1).await;
        OWN.sync_scope(Cell::new(10), own) + own()
    });
    assert_eq!(body.await, 19);
}

/// Context: what is not inherited need not be shared between threads, and moves with its future.
pub async fn what_is_not_inherited_moves_with_its_task<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let counters: Vec<_> = (0..16)
            .map(|n| {
                let count = async move {
                    for _ in 0..50 {
                        OWN.with(|own| own.set(own.get() + 1));
                        checkpoint().await;
                    }
                    Ok::<_, ()>(own())
                };
                g.spawn(OWN.scope(Cell::new(n), count))
            })
            .collect();
        for (n, counter) in (0..).zip(counters) {
            assert_eq!(counter.await, n + 50);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Context: to set a key that is not inherited while its value is being looked at is a panic, and changes nothing.
pub async fn what_is_looked_at_cannot_be_set<B: Backend>(_: Rt<B>) {
    let body = OWN.scope(Cell::new(1), async {
        let set = || OWN.with(|_| OWN.sync_scope(Cell::new(2), own));
        let message = panic_of(async { set() }).await.unwrap_err();
        assert!(message.contains("inside of `OWN.with(..)`"), "{message}");
        // An inherited one can.
        let inner = NUMBER.sync_scope(1, || NUMBER.with(|n| n + NUMBER.sync_scope(2, number)));
        (own(), inner)
    });
    assert_eq!(body.await, (1, 3));
}

/// Context: destructors of what the future owns see the value, however it ends.
pub async fn destructors_see_the_value<B: Backend>(rt: Rt<B>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let look = || {
        let seen = seen.clone();
        on_drop(move || {
            assert_eq!((number(), own()), (6, 6));
            seen.fetch_add(1, Ordering::SeqCst);
        })
    };
    let watched = |waits: bool| {
        let look = look();
        let body = async move {
            let _look = look;
            checkpoint().await;
            if waits {
                pending::<()>().await;
            }
        };
        NUMBER.scope(6, OWN.scope(Cell::new(6), body))
    };
    let count = || seen.load(Ordering::SeqCst);
    watched(false).await;
    assert_eq!(count(), 1);
    drop(watched(false)); // never polled
    assert_eq!(count(), 2);
    assert!(drop_at_pending(2, watched(true)).await.is_none());
    assert_eq!(count(), 3);
    assert!(rt.cancelled(watched(true)).await.is_err());
    assert_eq!(count(), 4);
    let keeps = || {
        let look = look();
        poll_fn(move |_| {
            let _until_it_is_dropped = &look;
            Poll::Ready(())
        })
    };
    NUMBER.scope(6, OWN.scope(Cell::new(6), keeps())).await;
    OWN.scope(Cell::new(6), NUMBER.scope(6, keeps())).await;
    assert_eq!(count(), 6);
    assert_eq!((number(), own()), (0, 0));
}

/// Context: destructors of what a child owns see what it has inherited, also where it is cancelled or never runs.
pub async fn destructors_in_children_see_the_value<B: Backend>(rt: Rt<B>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let watched = || {
        let seen = seen.clone();
        let look = on_drop(move || {
            seen.fetch_add(number() as usize, Ordering::SeqCst);
        });
        async move {
            let _look = look;
            pending::<Result<(), ()>>().await
        }
    };
    let group = rt.group_options().limit(1).run(async |g| {
        NUMBER.sync_scope(1, || g.spawn(watched()));
        NUMBER.sync_scope(10, || g.spawn(watched())); // never has its turn
        rt.yields(2).await;
        g.cancel();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(seen.load(Ordering::SeqCst), 11);
    let scoped = scoped_group::<B, (), _, _, _>(async |g| {
        NUMBER.sync_scope(100, || g.spawn(watched()));
        pending().await
    });
    assert!(drop_at_pending(1, scoped).await.is_none());
    assert_eq!(seen.load(Ordering::SeqCst), 111);
}

/// Context: a value lives as long as anybody who may see it, and is dropped once.
pub async fn a_value_lives_as_long_as_the_last_who_inherited_it<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        let (go, gone) = oneshot::channel::<()>();
        let child = GUARDED.sync_scope(Guarded::new(&alive), || {
            g.spawn(async move {
                gone.await.ok();
                GUARDED.with(|_| Ok::<(), ()>(()))
            })
        });
        assert_eq!(alive.count(), 1); // the child has it
        go.send(()).ok();
        child.await;
        assert_eq!(alive.count(), 0); // gone before the child's value is there
        let child = GUARDED.sync_scope(Guarded::new(&alive), || {
            g.spawn(pending::<Result<(), ()>>())
        });
        assert_eq!(alive.count(), 1);
        let outcome = child.cancel().await;
        assert_eq!((outcome, alive.count()), (None, 0));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    let call = rt.to_thread(|| GUARDED.with(|_| ()));
    GUARDED.scope(Guarded::new(&alive), call).await;
    assert_eq!(alive.count(), 0);
    let mut own = pin!(OWN_GUARDED.scope(alive.born(), checkpoint()));
    own.as_mut().await;
    assert_eq!(alive.count(), 0); // although the future is still there
    let mut inherited = pin!(GUARDED.scope(Guarded::new(&alive), checkpoint()));
    inherited.as_mut().await;
    assert_eq!(alive.count(), 0);
}

/// Context: a value that is hidden by another one is not kept alive by those who cannot see it.
pub async fn a_hidden_value_is_not_kept_alive<B: Backend>(rt: Rt<B>) {
    let (first, second) = (Alive::default(), Alive::default());
    let group = rt.task_group(async |g| {
        let (go, gone) = oneshot::channel::<()>();
        let spawn = || {
            g.spawn(async move {
                gone.await.ok();
                Ok::<_, ()>((number(), OTHER.get()))
            })
        };
        let inner = || GUARDED.sync_scope(Guarded::new(&second), spawn);
        let between = || NUMBER.sync_scope(3, || OTHER.sync_scope("between", inner));
        let child = GUARDED.sync_scope(Guarded::new(&first), between);
        assert_eq!((first.count(), second.count()), (0, 1));
        go.send(()).ok();
        assert_eq!(child.await, (3, "between"));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(second.count(), 0);
}

/// Context: memory stays flat where each child starts its successor with a new value.
pub async fn successors_with_new_values_leave_nothing_behind<B: Backend>(rt: Rt<B>) {
    type Next<B> = async_mpsc::UnboundedSender<Task<B, ()>>;
    fn link<B: Backend>(
        group: TaskGroup<B, ()>,
        mut values: async_mpsc::UnboundedReceiver<Guarded>,
        tell: Next<B>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ()>> + Send>> {
        Box::pin(async move {
            if let Some(value) = values.next().await {
                let next = link(group.clone(), values, tell.clone());
                let next = GUARDED.sync_scope(value, || group.spawn(next));
                tell.unbounded_send(next).ok();
            }
            Ok(())
        })
    }
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        let (give, values) = async_mpsc::unbounded();
        let (tell, mut tasks) = async_mpsc::unbounded();
        let mut last = g.spawn(link(g.clone(), values, tell));
        for _ in 0..200 {
            give.unbounded_send(Guarded::new(&alive)).unwrap();
            let next = tasks.next().await.unwrap();
            std::mem::replace(&mut last, next).await;
            assert_eq!(alive.count(), 1);
        }
        drop(give);
        last.await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// Context: a panic of a value's destructor is a panic of the last one who had it.
pub async fn the_panic_of_a_values_destructor_is_not_lost<B: Backend>(rt: Rt<B>) {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert_eq!(number(), 0, "seen by itself");
            panic!("a value that panics when dropped");
        }
    }
    task_local! {
        static BOMB: Bomb;
    }
    let group = rt.task_group(async |g| {
        let (go, gone) = oneshot::channel::<()>();
        let spawned = async {
            g.spawn(async move {
                gone.await.ok();
                Ok::<_, ()>(())
            });
        };
        BOMB.scope(Bomb, spawned).await;
        go.send(()).ok();
        Ok(())
    });
    assert_eq!(
        panic_of(group).await,
        Err("a value that panics when dropped".into())
    );
    let message = panic_of(BOMB.scope(Bomb, rt.to_thread(|| ()))).await;
    assert_eq!(message, Err("a value that panics when dropped".into()));
}

/// Context: a future that moves out of a value's future sees what is set where it goes on.
pub async fn a_future_sees_what_is_set_where_it_is_polled<B: Backend>(rt: Rt<B>) {
    let mut work = pin!(OTHER.scope("work", async move {
        let first = number();
        rt.yields(1).await;
        let second = number();
        rt.yields(1).await;
        (first, second, number(), OTHER.get())
    }));
    NUMBER
        .scope(1, async { assert!(poll!(&mut work).is_pending()) })
        .await;
    NUMBER
        .scope(2, async { assert!(poll!(&mut work).is_pending()) })
        .await;
    assert_eq!(work.await, (1, 2, 0, "work"));
}

/// Context: a supervised child's handler runs with what the child has inherited.
pub async fn a_handler_sees_what_the_child_has_inherited<B: Backend>(rt: Rt<B>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let report = seen.clone();
    let options = rt.group_options().supervise_with(move |_, error: u32| {
        report.store((number() + error) as usize, Ordering::SeqCst);
    });
    let group = options.run(async |g| {
        let child = NUMBER.sync_scope(40, || g.spawn(async { Err::<(), _>(2) }));
        assert_eq!(child.outcome().await, Err(Stopped::Failed));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(seen.load(Ordering::SeqCst), 42);
}

/// Context: interrupted anywhere, a future leaves neither a value set nor one alive.
pub async fn interrupted_anywhere_nothing_is_left<B: Backend>(rt: Rt<B>) {
    let body = move |alive: Alive| {
        let value = Guarded::new(&alive);
        let own = alive.born();
        let work = async move {
            let group = rt.task_group(async |g| {
                g.spawn(async move {
                    rt.yields(2).await;
                    GUARDED.with(|_| Ok::<(), ()>(()))
                });
                rt.yields(1).await;
                Ok(())
            });
            group.await.ok();
            rt.to_thread(|| GUARDED.with(|_| ())).await;
            OWN_GUARDED.with(|_| ());
        };
        GUARDED.scope(value, OWN_GUARDED.scope(own, work))
    };
    cancel_at_every_pending(rt, body).await;
    drop_at_every_pending(rt, body).await;
    assert!(GUARDED.try_with(|_| ()).is_err() && OWN_GUARDED.try_with(|_| ()).is_err());
}

/// Context: thousands of children in parallel each see the value of their own request.
pub async fn many_requests_at_once_are_not_mixed_up<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        for n in 1..=500 {
            let requests = g.clone();
            g.spawn(NUMBER.scope(n, async move {
                let helpers: Vec<_> = (0..4)
                    .map(|_| {
                        requests.spawn(async move {
                            checkpoint().await;
                            Ok(number())
                        })
                    })
                    .collect();
                for helper in helpers {
                    assert_eq!(helper.await, n);
                }
                assert_eq!(number(), n);
                Ok::<_, ()>(())
            }));
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Context: a foreign combinator, a lent future and a box do not lose a value.
pub async fn foreign_combinators_keep_the_value<B: Backend>(rt: Rt<B>) {
    let work = NUMBER.scope(3, async move {
        rt.yields(2).await;
        number()
    });
    let mut work = Box::pin(work.fuse());
    let timeout = rt.move_on_after(rt.hour(), &mut work);
    let mut timeout = pin!(timeout);
    let first = poll_fn(|cx| Poll::Ready(timeout.as_mut().poll(cx).is_pending()));
    assert!(first.await);
    assert_eq!(timeout.await, Some(3));
    let caught = AssertUnwindSafe(NUMBER.scope(4, async { number() })).catch_unwind();
    assert_eq!(caught.await.ok(), Some(4));
}
