//! `gather`: all of several results, or all errors.

use std::future::{pending, ready};

use anyrt_core::{Backend, checkpoint, shield};
use futures::channel::oneshot;
use futures::future::join;
use futures::lock::Mutex;

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use crate::forms::borrowing::gather;
use crate::forms::both;
use crate::probe::{Alive, Log, panic_of, polls};
use crate::rt::Rt;

/// A future that waits for its turn, tells the next one, and gives `value`.
async fn relay<T>(
    value: T,
    turn: oneshot::Receiver<()>,
    next: oneshot::Sender<()>,
) -> Result<T, ()> {
    turn.await.ok();
    next.send(()).ok();
    Ok(value)
}

/// The values stand in the order of the futures, whichever of them ends first.
pub async fn gives_all_values_in_the_order_of_the_futures<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let (first, last_turn) = oneshot::channel();
        let (go, first_turn) = oneshot::channel();
        let (none, _) = oneshot::channel();
        let backwards = [relay("a", last_turn, none), relay("b", first_turn, first)];
        go.send(()).unwrap();
        assert_eq!(gather(rt, backwards).await, Ok(["a", "b"]));
        let many = (0..100).map(|n| async move {
            rt.yields(n % 7).await;
            Ok::<_, ()>(n)
        });
        let many = gather(rt, many.collect::<Vec<_>>()).await.unwrap();
        assert!(many.into_iter().eq(0..100));
    });
}

/// A tuple is of futures and values of different types.
pub async fn a_tuple_keeps_the_types_apart<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let tuple = (
            async { Ok::<_, ()>(1_u8) },
            ready(Ok("two")),
            async {
                checkpoint().await;
                Ok(vec![3])
            },
        );
        assert_eq!(gather(rt, tuple).await, Ok((1, "two", vec![3])));
    });
}

/// Of no futures there are no values, at once.
pub async fn of_no_futures_there_are_no_values<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let none: Vec<std::future::Ready<Result<u8, ()>>> = Vec::new();
        assert_eq!(rt.cancelled(gather(rt, none)).await, Ok(Ok(vec![])));
        let none: [std::future::Ready<Result<u8, ()>>; 0] = [];
        assert_eq!(gather(rt, none).await, Ok([]));
    });
}

/// One that is never polled runs none of its futures, and drops them.
pub async fn one_that_is_never_polled_does_nothing<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let alive = Alive::default();
        let life = alive.born();
        let (future, count) = polls(async move {
            drop(life);
            Ok::<_, ()>(())
        });
        drop(gather(rt, [future]));
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 0);
        assert_eq!(alive.count(), 0);
    });
}

/// The first error cancels the others, which have ended when it comes out.
pub async fn the_first_error_cancels_the_others_and_waits_for_them<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let (alive, log) = (Alive::default(), Log::default());
        let (life, noted) = (alive.born(), log.clone());
        let (entered, has_entered) = oneshot::channel();
        let all = (
            async move {
                let _life = life;
                pending::<Result<(), _>>().await
            },
            async move {
                shield(async {
                    entered.send(()).unwrap();
                    rt.sleep(rt.tick()).await;
                    noted.add("shielded");
                })
                .await;
                Ok(())
            },
            async {
                has_entered.await.ok();
                Err::<(), _>("failed")
            },
        );
        let error = gather(rt, all).await.unwrap_err();
        assert_eq!((error.first, error.rest), ("failed", vec![]));
        assert_eq!((alive.count(), log.marks()), (0, vec!["shielded"]));
    });
}

/// Nothing is swallowed: the errors of those that were cancelled are kept, in the order of time.
pub async fn all_errors_are_kept_in_the_order_of_time<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let (first, has_first) = oneshot::channel();
        let (second, has_second) = oneshot::channel();
        let all = (
            async {
                shield(has_second).await.ok();
                Err::<(), _>(3)
            },
            async {
                shield(has_first).await.ok();
                second.send(()).ok();
                Err::<(), _>(2)
            },
            async {
                first.send(()).ok();
                Err::<(), _>(1)
            },
        );
        let error = gather(rt, all).await.unwrap_err();
        assert_eq!(error.len(), 3);
        assert!(error.iter().all(|n| (1..=3).contains(n)));
    });
    // Where all is in one task, the order is sure.
    let (first, has_first) = oneshot::channel();
    let late = async {
        shield(has_first).await.ok();
        Err::<(), _>("late")
    };
    let early = async {
        rt.yields(2).await;
        first.send(()).ok();
        Err::<(), _>("early")
    };
    let error = gather(rt, (late, early)).await.unwrap_err();
    assert_eq!(error.into_iter().collect::<Vec<_>>(), ["early", "late"]);
}

/// A panic beats an error, and is resumed when all have ended.
pub async fn a_panic_beats_an_error_when_all_have_ended<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let alive = Alive::default();
        let life = alive.born();
        let (entered, has_entered) = oneshot::channel();
        let all = (
            async move {
                let _life = life;
                shield(async {
                    entered.send(()).ok();
                    rt.yields(3).await;
                })
                .await;
                Err::<(), _>("an error")
            },
            async {
                has_entered.await.ok();
                if true {
                    panic!("the payload");
                }
                Ok(())
            },
        );
        assert_eq!(panic_of(gather(rt, all)).await.unwrap_err(), "the payload");
        assert_eq!(alive.count(), 0);
    });
}

/// The one rule: what is ready wins, also in a scope that was cancelled before.
pub async fn what_is_ready_wins_in_a_cancelled_scope<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let all = gather(rt, [ready(Ok::<_, ()>(1)), ready(Ok(2))]);
        assert_eq!(rt.cancelled(all).await, Ok(Ok([1, 2])));
        let all = gather(rt, (ready(Err::<(), _>("failed")), pending::<Result<(), _>>()));
        let error = rt.cancelled(all).await.unwrap().unwrap_err();
        assert_eq!(error.first, "failed");
    });
}

/// Rule 6: a cancellation from outside waits for what is shielded, and what was cut gives no values.
pub async fn a_cancellation_from_outside_waits_and_gives_no_values<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let (alive, log, scope) = (Alive::default(), Log::default(), rt.scope());
        let (life, noted, cancel) = (alive.born(), log.clone(), scope.clone());
        let all = (
            async move {
                let _life = life;
                pending::<Result<(), ()>>().await
            },
            async move {
                shield(async {
                    cancel.cancel();
                    rt.yields(3).await;
                    noted.add("shielded");
                })
                .await;
                Ok("ready")
            },
        );
        assert!(scope.run(gather(rt, all)).await.is_err());
        assert_eq!((alive.count(), log.marks()), (0, vec!["shielded"]));
    });
}

/// Rule 6: if the cancellation has cut none of them, the values come out.
pub async fn a_cancellation_that_cuts_nothing_loses_nothing<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let scope = rt.scope();
        let cancel = scope.clone();
        let all = (
            shield(async move {
                cancel.cancel();
                rt.yields(3).await;
                Ok::<_, ()>(1)
            }),
            ready(Ok(2)),
        );
        assert_eq!(scope.run(gather(rt, all)).await, Ok(Ok((1, 2))));
    });
}

/// A deadline around interrupts all of them.
pub async fn a_deadline_around_interrupts_all<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let alive = Alive::default();
        let all = [alive.born(), alive.born()].map(|life| async move {
            rt.sleep(rt.hour()).await;
            drop(life);
            Ok::<_, ()>(())
        });
        assert!(rt.fail_after(rt.tick(), gather(rt, all)).await.is_err());
        assert_eq!(alive.count(), 0);
    });
}

/// The cleanups of a future have ended, too, before the values come out.
pub async fn the_cleanups_of_the_futures_have_ended<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let log = Log::default();
        let noted = log.clone();
        let all = [async move {
            rt.on_exit(async move {
                rt.yields(3).await;
                noted.add("cleaned up");
            });
            Ok::<_, ()>(())
        }];
        assert!(gather(rt, all).await.is_ok());
        assert_eq!(log.marks(), ["cleaned up"]);
    });
}

/// Side by side: futures that wait for one another, and share a lock, all get on.
pub async fn futures_that_wait_for_one_another_get_on<B: Backend>(rt: Rt<B>) {
    let (lock, all) = (Mutex::new(0), 50);
    let futures = (0..all).map(|_| async {
        for _ in 0..3 {
            let mut count = lock.lock().await;
            rt.yields(1).await;
            *count += 1;
        }
        Ok::<_, ()>(())
    });
    gather(rt, futures.collect::<Vec<_>>()).await.unwrap();
    assert_eq!(lock.into_inner(), 3 * all);
    let (ping, pong) = (oneshot::channel(), oneshot::channel());
    let there = async {
        ping.0.send(()).unwrap();
        pong.1.await
    };
    let back = async {
        ping.1.await?;
        pong.0.send(7).unwrap();
        Ok(())
    };
    assert_eq!(gather(rt, (there, back)).await, Ok((7, ())));
}

/// Dropped from outside, it drops its futures in their order.
pub async fn a_drop_from_outside_drops_the_futures_in_order<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let all = ["a", "b", "c"].map(|mark| {
        let _mark = log.on_drop(mark);
        async move {
            let _mark = _mark;
            pending::<Result<(), ()>>().await
        }
    });
    assert_eq!(drop_at_pending(1, gather(rt, all)).await, None);
    assert_eq!(log.marks(), ["a", "b", "c"]);
}

/// One within another: an inner error is the outer's to cancel for, and outer ones cancel the inner futures.
pub async fn one_within_another_is_a_future_like_any_other<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let alive = Alive::default();
        let inner = [alive.born(), alive.born()].map(|life| async move {
            pending::<()>().await;
            drop(life);
            Ok::<_, u8>(())
        });
        let outer = (
            async move { gather(rt, inner).await.map_err(|error| error.first) },
            async move {
                let failing = gather(rt, [ready(Ok::<_, u8>(1)), ready(Err(7))]).await;
                failing.map_err(|error| error.first)
            },
        );
        assert_eq!(gather(rt, outer).await.unwrap_err().into_first(), 7);
        assert_eq!(alive.count(), 0);
    });
}

/// Ten thousand are no matter.
pub async fn ten_thousand_are_gathered<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let many = (0..10_000_u64).map(|n| async move {
            checkpoint().await;
            Ok::<_, ()>(n)
        });
        let sum = gather(rt, many.collect::<Vec<_>>()).await.unwrap();
        assert_eq!(sum.into_iter().sum::<u64>(), 49_995_000);
    });
}

/// What the promises of "everywhere" interrupt.
macro_rules! several {
    ($rt:ident, $gather:ident) => {
        |alive: Alive| async move {
            let all = (0..4).map(|n| {
                let life = alive.born();
                async move {
                    $rt.yields(n).await;
                    if n == 2 {
                        shield($rt.yields(2)).await;
                    }
                    Ok::<_, ()>(life)
                }
            });
            let inner = $gather($rt, all.collect::<Vec<_>>());
            let failing = async move {
                $rt.yields(6).await;
                Err::<(), _>(())
            };
            let inner = async move { inner.await.map_err(drop) };
            join($gather($rt, (inner, failing)), $rt.yields(2)).await
        }
    };
}

/// The one rule: it may be cancelled at each `Pending`, and nothing is left.
pub async fn it_may_be_cancelled_at_every_pending<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let rounds = cancel_at_every_pending(rt, several!(rt, gather)).await;
        assert!(rounds > 1, "only {rounds} rounds");
    });
}

/// The same for a drop from outside.
pub async fn it_may_be_dropped_at_every_pending<B: Backend>(rt: Rt<B>) {
    both!(gather; {
        let rounds = drop_at_every_pending(rt, several!(rt, gather)).await;
        assert!(rounds > 1, "only {rounds} rounds");
    });
}
