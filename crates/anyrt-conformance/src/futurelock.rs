//! Groups in one task: nobody waits for ever for somebody who is not polled.
//!
//! The family of bugs has the name "futurelock": a future owns a lock, or a place in its queue, or the other end of a
//! full channel, and the task that should drive it awaits something else.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyrt_core::{Backend, GroupError, Limiter};
use futures::channel::{mpsc, oneshot};
use futures::future::{Either, select};
use futures::lock::Mutex;
use futures::{SinkExt, StreamExt};

use crate::rt::Rt;

/// Children and body take turns at one lock, and all of them keep it while they wait for something else.
pub async fn children_and_body_may_share_a_lock<B: Backend>(rt: Rt<B>) {
    let lock = Mutex::new(0);
    let group = rt.scoped_group(async |g| {
        let add = || async {
            for _ in 0..10 {
                let mut n = lock.lock().await;
                rt.yields(2).await;
                *n += 1;
            }
            Ok::<_, ()>(())
        };
        g.spawn(add());
        g.spawn(add());
        add().await
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(lock.into_inner(), 30);
}

/// The body awaits one child while another one has the lock that the first one wants.
pub async fn the_body_may_await_a_child_that_waits_for_a_lock<B: Backend>(rt: Rt<B>) {
    let lock = Mutex::new(());
    let group = rt.scoped_group(async |g| {
        let owner = g.spawn(async {
            let _locked = lock.lock().await;
            rt.yields(10).await;
            Ok::<_, ()>(())
        });
        let waiting = g.spawn(async {
            rt.yields(1).await;
            assert!(lock.try_lock().is_none());
            lock.lock().await;
            Ok(7)
        });
        let seven = waiting.await;
        assert!(owner.is_finished());
        Ok(seven)
    });
    assert_eq!(group.await, Ok(7));
}

/// The body keeps the lock that a child wants while it awaits another child.
pub async fn the_body_may_keep_a_lock_while_it_awaits_a_child<B: Backend>(rt: Rt<B>) {
    let lock = Mutex::new(());
    let group = rt.scoped_group(async |g| {
        let locked = lock.lock().await;
        let wants_it = g.spawn(async {
            lock.lock().await;
            Ok::<_, ()>(())
        });
        let other = g.spawn(async {
            rt.yields(10).await;
            Ok(())
        });
        other.await;
        assert!(!wants_it.is_finished());
        drop(locked);
        wants_it.await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// The body stops waiting for a child that is in the queue for a lock, and wants that lock itself.
///
/// With a plain future in the place of the child, which nobody polls after the `select!`, this hangs.
pub async fn who_gives_up_waiting_for_a_child_may_take_its_lock<B: Backend>(rt: Rt<B>) {
    let lock = Mutex::new(Vec::new());
    let group = rt.scoped_group(async |g| {
        g.spawn(async {
            let _locked = lock.lock().await;
            rt.yields(10).await;
            Ok::<_, ()>(())
        });
        rt.yields(1).await;
        let mut queued = g.spawn(async {
            lock.lock().await.push("child");
            Ok(())
        });
        rt.yields(1).await;
        let enough = pin!(rt.yields(3));
        assert!(matches!(
            select(&mut queued, enough).await,
            Either::Right(_)
        ));
        lock.lock().await.push("body");
        queued.await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(lock.into_inner().len(), 2);
}

/// The same with a time limit.
pub async fn who_runs_out_of_time_may_take_the_lock_of_a_child<B: Backend>(rt: Rt<B>) {
    let lock = Mutex::new(());
    let group = rt.scoped_group(async |g| {
        let mut child = g.spawn(async {
            let _locked = lock.lock().await;
            rt.sleep(3 * rt.tick()).await;
            Ok::<_, ()>(())
        });
        rt.yields(1).await;
        rt.move_on_after(rt.tick(), &mut child).await;
        lock.lock().await;
        child.await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A child that gives up its place in the queue for a lock locks nobody out.
pub async fn who_loses_a_select_in_a_child_locks_nobody_out<B: Backend>(rt: Rt<B>) {
    let lock = Mutex::new(0);
    let group = rt.scoped_group(async |g| {
        let lock = &lock;
        for patience in 0..5 {
            g.spawn(async move {
                for _ in 0..10 {
                    let enough = pin!(rt.yields(patience));
                    if let Either::Left((mut locked, _)) = select(lock.lock(), enough).await {
                        rt.yields(2).await;
                        *locked += 1;
                    }
                }
                Ok::<_, ()>(())
            });
        }
        for _ in 0..10 {
            let mut locked = lock.lock().await;
            rt.yields(1).await;
            *locked += 1;
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert!(lock.into_inner() >= 10);
}

/// A child that is cancelled gives its lock, or its place in the queue for it, to the others.
pub async fn the_lock_of_a_child_that_is_cancelled_goes_to_the_next<B: Backend>(rt: Rt<B>) {
    let lock = Mutex::new(());
    let group = rt.scoped_group(async |g| {
        let stay = || async {
            let _locked = lock.lock().await;
            std::future::pending::<Result<(), ()>>().await
        };
        let [owner, queued] = [g.spawn(stay()), g.spawn(stay())];
        let last = g.spawn(async {
            rt.yields(1).await;
            lock.lock().await;
            Ok(7)
        });
        rt.yields(3).await;
        assert_eq!(owner.cancel().await, None);
        assert!(!last.is_finished());
        assert_eq!(queued.cancel().await, None);
        Ok(last.await)
    });
    assert_eq!(group.await, Ok(7));
}

/// A lock may be shared across the levels of groups within groups.
pub async fn an_inner_child_may_own_a_lock_that_the_outer_body_wants<B: Backend>(rt: Rt<B>) {
    let lock = Mutex::new(());
    let group = rt.scoped_group(async |g| {
        let lock = &lock;
        let outer_child = g.spawn(async move {
            let inner = rt.scoped_group(async |inner| {
                let owner = inner.spawn(async {
                    let _locked = lock.lock().await;
                    rt.yields(10).await;
                    Ok::<_, ()>(())
                });
                rt.yields(1).await;
                lock.lock().await;
                assert!(owner.is_finished());
                Ok(())
            });
            inner.await.map_err(GroupError::into_first)
        });
        rt.yields(1).await;
        lock.lock().await;
        outer_child.await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// A limiter of ours is such a lock, too: first come, first served, and who is served is polled.
pub async fn children_and_body_may_share_a_limiter<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    let group = rt.scoped_group(async |g| {
        let children = [1, 2, 3].map(|n| {
            let limiter = &limiter;
            g.spawn(async move {
                for _ in 0..5 {
                    let _permit = limiter.acquire().await;
                    rt.yields(n).await;
                }
                Ok::<_, ()>(())
            })
        });
        for _ in 0..5 {
            let _permit = limiter.acquire().await;
            rt.yields(2).await;
        }
        for child in children {
            child.await;
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Children may await each other's handles, and the body the last of them.
pub async fn children_may_await_children<B: Backend>(rt: Rt<B>) {
    let group = rt.scoped_group(async |g| {
        let mut before = g.spawn(async {
            rt.yields(3).await;
            Ok::<_, ()>(0)
        });
        for _ in 0..20 {
            let last = before;
            before = g.spawn(async { Ok(last.await + 1) });
        }
        Ok(before.await)
    });
    assert_eq!(group.await, Ok(20));
}

/// Body and child may answer each other, in whatever order they come to that.
pub async fn body_and_child_may_answer_each_other<B: Backend>(rt: Rt<B>) {
    let (ask, questions) = oneshot::channel();
    let (reply, answers) = oneshot::channel();
    let group = rt.scoped_group(async |g| {
        g.spawn(async {
            let question: u32 = questions.await.unwrap();
            reply.send(question + 1).unwrap();
            Ok::<_, ()>(())
        });
        ask.send(41).unwrap();
        Ok(answers.await.unwrap())
    });
    assert_eq!(group.await, Ok(42));
}

/// A pipeline whose consumer waits between two items: meanwhile the producers go on, which a stream of futures does
/// not promise.
pub async fn producers_go_on_while_their_consumer_waits<B: Backend>(rt: Rt<B>) {
    let work = AtomicUsize::new(0);
    let (sender, mut items) = mpsc::channel(1);
    let group = rt.scoped_group(async |g| {
        for producer in 0..3 {
            let (work, mut sender) = (&work, sender.clone());
            g.spawn(async move {
                for item in 0..5 {
                    // What takes its time, and has no need of the consumer.
                    for _ in 0..4 {
                        rt.yields(1).await;
                        work.fetch_add(1, Ordering::SeqCst);
                    }
                    sender.send((producer, item)).await.unwrap();
                }
                Ok::<_, ()>(())
            });
        }
        g.spawn(async {
            for _ in 0..1000 {
                rt.yields(1).await;
                work.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        });
        drop(sender);
        let mut count = 0;
        while items.next().await.is_some() {
            count += 1;
            let before = work.load(Ordering::SeqCst);
            until(rt, || work.load(Ordering::SeqCst) >= before + 5).await;
        }
        Ok(count)
    });
    assert_eq!(group.await, Ok(15));
}

/// The same with a consumer that sleeps: what was to be done in that time has been done.
pub async fn producers_go_on_while_their_consumer_sleeps<B: Backend>(rt: Rt<B>) {
    let heartbeats = AtomicUsize::new(0);
    let (mut sender, mut items) = mpsc::channel(0);
    let group = rt.scoped_group(async |g| {
        g.spawn(async {
            for item in 0..3 {
                sender.send(item).await.unwrap();
            }
            drop(sender);
            Ok::<_, ()>(())
        });
        g.spawn_daemon(async {
            loop {
                rt.sleep(rt.tick() / 5).await;
                heartbeats.fetch_add(1, Ordering::SeqCst);
            }
        });
        let mut got = Vec::new();
        while let Some(item) = items.next().await {
            let before = heartbeats.load(Ordering::SeqCst);
            rt.sleep(rt.tick()).await;
            // Also on a slow machine: two timers that have passed are both told in one pass.
            rt.yields(1).await;
            assert!(heartbeats.load(Ordering::SeqCst) > before);
            got.push(item);
        }
        Ok(got)
    });
    assert_eq!(group.await, Ok(vec![0, 1, 2]));
}

/// Stages with channels of no room between them, of which each waits for the next one.
pub async fn the_stages_of_a_pipeline_drive_each_other<B: Backend>(rt: Rt<B>) {
    let group = rt.scoped_group(async |g| {
        let (mut first, mut stage) = mpsc::channel(0);
        g.spawn(async move {
            for n in 0..20 {
                first.send(n).await.unwrap();
            }
            Ok::<_, ()>(())
        });
        for step in 0..5 {
            let (mut next, after) = mpsc::channel(0);
            g.spawn(async move {
                while let Some(n) = stage.next().await {
                    rt.yields(step).await;
                    next.send(n + 1).await.unwrap();
                }
                Ok(())
            });
            stage = after;
        }
        let mut sum = 0;
        while let Some(n) = stage.next().await {
            rt.yields(3).await;
            sum += n;
        }
        Ok(sum)
    });
    assert_eq!(group.await, Ok((5..25).sum()));
}

/// A group in a `select!` that loses for a while loses nothing: it goes on when it is polled again.
pub async fn a_group_that_is_not_polled_for_a_while_goes_on<B: Backend>(rt: Rt<B>) {
    let lock = Mutex::new(0);
    let mut group = pin!(rt.scoped_group(async |g| {
        for _ in 0..3 {
            g.spawn(async {
                for _ in 0..10 {
                    let mut n = lock.lock().await;
                    rt.yields(1).await;
                    *n += 1;
                }
                Ok::<_, ()>(())
            });
        }
        Ok(())
    }));
    for _ in 0..5 {
        let enough = pin!(rt.yields(2));
        assert!(matches!(select(&mut group, enough).await, Either::Right(_)));
        rt.yields(3).await;
    }
    assert_eq!(group.await, Ok(()));
    assert_eq!(*lock.lock().await, 30);
}

/// The same for children that are not `Send`: they share a lock with the body.
pub async fn the_children_of_a_local_group_may_share_a_lock<B: Backend>(rt: Rt<B>) {
    let lock = std::rc::Rc::new(Mutex::new(0));
    let group = rt.local_group(async |g| {
        for _ in 0..3 {
            let lock = lock.clone();
            g.spawn(async move {
                for _ in 0..10 {
                    let mut n = lock.lock().await;
                    rt.yields(2).await;
                    *n += 1;
                }
                Ok::<_, ()>(())
            });
        }
        for _ in 0..10 {
            *lock.lock().await += 1;
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(*lock.lock().await, 40);
}

/// Gives way until it is so, and fails if that never comes.
async fn until<B: Backend>(rt: Rt<B>, is_so: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if is_so() {
            return;
        }
        rt.yields(1).await;
    }
    panic!("nobody else goes on");
}
