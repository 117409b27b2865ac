//! `map_concurrent` and `for_each_concurrent`: order, limit, laziness, and what ends them.

use std::cell::Cell;
use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyrt_core::{Backend, checkpoint, shield};
use futures::FutureExt;
use futures::channel::{mpsc, oneshot};
use futures::future::Ready;
use futures::stream::{self, StreamExt};

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending};
use crate::forms::borrowing::for_each_concurrent;
use crate::forms::both;
use crate::misuse::panic_and_file;
use crate::probe::{Alive, Log, panic_of};
use crate::rt::Rt;

/// The values stand in the order of the items, whichever is done first; from an iterator and from a stream.
pub async fn gives_the_values_in_the_order_of_the_source<B: Backend>(rt: Rt<B>) {
    both!(map_concurrent; {
        for limit in [None, Some(1), Some(3), Some(1000)] {
            let value = move |n: usize| async move {
                rt.yields(n * 7 % 5).await;
                Ok::<_, ()>(2 * n)
            };
            let twice: Vec<_> = (0..50).map(|n| 2 * n).collect();
            assert_eq!(map_concurrent(rt, 0..50, limit, value).await, Ok(twice.clone()));
            let stream = stream::iter(0..50).then(async |n| {
                rt.yields(n % 2).await;
                n
            });
            assert_eq!(map_concurrent(rt, stream, limit, value).await, Ok(twice));
        }
    });
}

/// The limit is kept to exactly: so many run at once, and never one more.
pub async fn as_many_as_the_limit_run_at_once_and_no_more<B: Backend>(rt: Rt<B>) {
    both!(for_each_concurrent; {
        let (running, most) = (Alive::default(), Arc::new(AtomicUsize::new(0)));
        let all = for_each_concurrent(rt, 0..40, 4, |_| {
            let (running, most) = (running.clone(), most.clone());
            async move {
                let _life = running.born();
                most.fetch_max(running.count(), Ordering::SeqCst);
                // The others begin meanwhile, if they may.
                while most.load(Ordering::SeqCst) < 4 {
                    checkpoint().await;
                }
                rt.yields(2).await;
                most.fetch_max(running.count(), Ordering::SeqCst);
                Ok::<_, ()>(())
            }
        });
        all.await.unwrap();
        assert_eq!(most.load(Ordering::SeqCst), 4);
    });
}

/// The source is lazy: no item is taken before it may run.
pub async fn no_item_is_taken_before_it_may_run<B: Backend>(rt: Rt<B>) {
    both!(for_each_concurrent; {
        let (taken, done) = (Cell::new(0), Arc::new(AtomicUsize::new(0)));
        let source = (0..100).inspect(|_| {
            taken.set(taken.get() + 1);
            assert!(taken.get() <= done.load(Ordering::SeqCst) + 3);
        });
        let all = for_each_concurrent(rt, source, 3, |n| {
            let done = done.clone();
            async move {
                rt.yields(n % 4).await;
                done.fetch_add(1, Ordering::SeqCst);
                Ok::<_, ()>(())
            }
        });
        all.await.unwrap();
        assert_eq!(taken.get(), 100);
    });
}

/// Nothing is kept of an item that is done: of a long source only what runs is there.
pub async fn of_a_long_source_only_what_runs_is_there<B: Backend>(rt: Rt<B>) {
    both!(for_each_concurrent; {
        let alive = Alive::default();
        let items = (0..20_000).map(|_| alive.born());
        let all = for_each_concurrent(rt, items, 8, |life| {
            assert!(alive.count() <= 8, "{} are there", alive.count());
            async move {
                checkpoint().await;
                drop(life);
            Ok::<_, ()>(())
            }
        });
        all.await.unwrap();
        assert_eq!(alive.count(), 0);
    });
}

/// A future runs until its cleanups have ended, and counts as long.
pub async fn the_limit_counts_a_future_until_its_cleanups_have_ended<B: Backend>(rt: Rt<B>) {
    both!(for_each_concurrent; {
        let alive = Alive::default();
        let all = for_each_concurrent(rt, 0..10, 2, |_| {
            assert!(alive.count() < 2);
            let life = alive.born();
            async move {
                rt.on_exit(async move {
                    rt.yields(2).await;
                    drop(life);
                });
                Ok::<_, ()>(())
            }
        });
        all.await.unwrap();
        assert_eq!(alive.count(), 0);
    });
}

/// Without a limit all run at once.
pub async fn without_a_limit_all_run_at_once<B: Backend>(rt: Rt<B>) {
    both!(for_each_concurrent; {
        let begun = Arc::new(AtomicUsize::new(0));
        let all = for_each_concurrent(rt, 0..50, None, |_| {
            let begun = begun.clone();
            async move {
                begun.fetch_add(1, Ordering::SeqCst);
                while begun.load(Ordering::SeqCst) < 50 {
                    checkpoint().await;
                }
                Ok::<_, ()>(())
            }
        });
        all.await.unwrap();
    });
}

/// One that is slow keeps its own place alone, though its value comes first.
pub async fn a_slow_first_item_keeps_only_its_own_place<B: Backend>(rt: Rt<B>) {
    both!(map_concurrent; {
        let (last, until_last) = oneshot::channel();
        let (mut last, mut until_last) = (Some(last), Some(until_last));
        let all = map_concurrent(rt, 0..20, 2, |n| {
            let wait = (n == 0).then(|| until_last.take().unwrap());
            let tell = (n == 19).then(|| last.take().unwrap());
            async move {
                if let Some(wait) = wait {
                    wait.await.ok();
                }
                if let Some(tell) = tell {
                    tell.send(()).ok();
                }
                Ok::<_, ()>(n)
            }
        });
        assert_eq!(all.await, Ok((0..20).collect()));
    });
}

/// Bad input: a limit of 0 panics at the caller, and says what to do.
pub async fn a_limit_of_nothing_panics_at_the_caller<B: Backend>(rt: Rt<B>) {
    both!(map_concurrent, for_each_concurrent, as_completed; {
        let none = |(): ()| ready(Ok::<_, ()>(()));
        let sources: [Ready<Result<(), ()>>; 0] = [];
        let panics = [
            panic_and_file(|| map_concurrent(rt, [(); 3], 0, none)),
            panic_and_file(|| for_each_concurrent(rt, [(); 3], 0, none)),
            panic_and_file(|| as_completed(rt, sources, 0, async |_| Ok(()))),
        ];
        for (message, file) in panics {
            assert!(message.contains("at least 1"), "{message}");
            assert!(file.ends_with("maps.rs"), "{file}");
        }
    });
}

/// Of nothing there is nothing, at once.
pub async fn of_no_items_there_is_nothing<B: Backend>(rt: Rt<B>) {
    both!(map_concurrent, for_each_concurrent; {
        let never = |never: u8| ready(Err::<(), _>(never));
        let none = map_concurrent(rt, [], 2, never);
        assert_eq!(rt.cancelled(none).await, Ok(Ok(vec![])));
        assert_eq!(map_concurrent(rt, stream::empty(), 2, never).await, Ok(vec![]));
        assert_eq!(for_each_concurrent(rt, None, 2, never).await, Ok(()));
    });
}

/// The one rule: what is ready wins, also in a scope that was cancelled before.
pub async fn what_is_ready_wins_in_a_cancelled_scope<B: Backend>(rt: Rt<B>) {
    both!(map_concurrent; {
        let all = map_concurrent(rt, 0..3, 4, |n| ready(Ok::<_, ()>(n)));
        assert_eq!(rt.cancelled(all).await, Ok(Ok(vec![0, 1, 2])));
    });
}

/// The first error cancels what runs and waits for it, and no further item is taken.
pub async fn the_first_error_ends_it<B: Backend>(rt: Rt<B>) {
    both!(map_concurrent; {
        let (alive, log) = (Alive::default(), Log::default());
        let source_gone = log.on_drop("source");
        let source = (0..).inspect(move |n| {
            let _ = &source_gone;
            assert!(*n < 3, "taken after the error");
        });
        let (begun, has_begun) = oneshot::channel();
        let (mut begun, mut has_begun) = (Some(begun), Some(has_begun));
        let all = map_concurrent(rt, source, 3, |n| {
            let (life, noted) = (alive.born(), log.clone());
            let begun = if n == 2 { begun.take() } else { None };
            let has_begun = has_begun.take();
            async move {
                match n {
                    0 => {
                        shield(async { has_begun.unwrap().await.ok() }).await;
                        noted.add("shielded");
                        Err("other")
                    }
                    1 => pending::<Result<(), _>>().await.map(|()| drop(life)),
                    _ => {
                        begun.unwrap().send(()).ok();
                        shield(rt.yields(1)).await;
                        Err("one")
                    }
                }
            }
        });
        let mut errors: Vec<_> = all.await.unwrap_err().into_iter().collect();
        errors.sort_unstable();
        assert_eq!(errors, ["one", "other"]);
        assert_eq!(alive.count(), 0);
        assert!(log.marks().contains(&"source") && log.marks().contains(&"shielded"));
    });
}

/// A panic of the source, of the closure or of a future is resumed when all have ended.
pub async fn a_panic_anywhere_is_resumed_when_all_have_ended<B: Backend>(rt: Rt<B>) {
    both!(for_each_concurrent; {
        for culprit in ["source", "closure", "future"] {
            let alive = Alive::default();
            let check = move |place: &str, n: usize| {
                if n == 2 && place == culprit {
                    panic!("the {culprit}");
                }
            };
            let source = (0..5).inspect(move |n| check("source", *n));
            let all = for_each_concurrent(rt, source, None, |n| {
                check("closure", n);
                let life = alive.born();
                async move {
                    check("future", n);
                    shield(rt.yields(2)).await;
                    pending::<()>().await;
                    drop(life);
            Ok::<_, ()>(())
                }
            });
            let message = panic_of(all).await.unwrap_err();
            assert_eq!(message, format!("the {culprit}"));
            assert_eq!(alive.count(), 0);
        }
    });
}

/// A panic of a stream is resumed, too.
pub async fn a_panic_of_a_stream_is_resumed<B: Backend>(rt: Rt<B>) {
    both!(for_each_concurrent; {
        let alive = Alive::default();
        let source = stream::iter(0..5).then(async |n| {
            rt.yields(1).await;
            assert!(n < 2, "the stream");
        });
        let all = for_each_concurrent(rt, source, 4, |()| {
            let life = alive.born();
            async move {
                pending::<()>().await;
                drop(life);
            Ok::<_, ()>(())
            }
        });
        assert_eq!(panic_of(all).await.unwrap_err(), "the stream");
        assert_eq!(alive.count(), 0);
    });
}

/// No starving: a stream that waits for the futures gets on, and the futures while the stream waits.
pub async fn a_stream_and_the_futures_get_on_side_by_side<B: Backend>(rt: Rt<B>) {
    both!(map_concurrent; {
        // Each future makes the next item come.
        let (sender, receiver) = mpsc::unbounded();
        sender.unbounded_send(0).unwrap();
        let mut sender = Some(sender);
        let all = map_concurrent(rt, receiver, 2, |n| {
            let sender = if n < 10 { sender.clone() } else { sender.take() };
            async move {
                rt.yields(2).await;
                if n < 10 {
                    sender.unwrap().unbounded_send(n + 1).unwrap();
                }
                Ok::<_, ()>(n)
            }
        });
        assert_eq!(all.await, Ok((0..11).collect()));
    });
}

/// No starving: what is shared between the stream, the closure and the futures holds nobody up for ever.
pub async fn a_stream_and_the_futures_may_share_a_lock<B: Backend>(rt: Rt<B>) {
    let lock = futures::lock::Mutex::new(0);
    let source = stream::iter(0..30).then(async |n| {
        let mut count = lock.lock().await;
        rt.yields(1).await;
        *count += 1;
        n
    });
    let all = for_each_concurrent(rt, source, 3, async |_| {
        let mut count = lock.lock().await;
        rt.yields(1).await;
        *count += 1;
        Ok::<_, ()>(())
    });
    all.await.unwrap();
    assert_eq!(lock.into_inner(), 60);
}

/// What the stream shields is waited for when a future fails.
pub async fn what_the_stream_shields_is_waited_for<B: Backend>(rt: Rt<B>) {
    both!(for_each_concurrent; {
        let log = Log::default();
        let (entered, has_entered) = oneshot::channel();
        let (mut entered, mut has_entered) = (Some(entered), Some(has_entered));
        let source = stream::iter(0..).then(|n| {
            let entered = if n == 1 { entered.take() } else { None };
            let noted = log.clone();
            async move {
                if n > 0 {
                    shield(async {
                        if let Some(entered) = entered {
                            entered.send(()).ok();
                        }
                        noted.add("begun");
                        rt.yields(3).await;
                        noted.add("ended");
                    })
                    .await;
                }
            }
        });
        let all = for_each_concurrent(rt, source, 5, |()| {
            let has_entered = has_entered.take();
            async move {
                if let Some(has_entered) = has_entered {
                    has_entered.await.ok();
                    return Err("failed");
                }
                Ok(())
            }
        });
        assert_eq!(all.await.unwrap_err().into_first(), "failed");
        assert_eq!(log.marks()[..2], ["begun", "ended"]);
        assert_eq!(log.marks().last(), Some(&"ended"));
    });
}

/// An item may be a mutable borrow, and the closure may change what it has caught.
pub async fn items_and_closure_may_borrow_mutably<B: Backend>(rt: Rt<B>) {
    let (mut numbers, mut calls) = (vec![3, 1, 2, 9, 8, 7], 0);
    let all = for_each_concurrent(rt, numbers.chunks_mut(3), 2, |chunk| {
        calls += 1;
        async move {
            checkpoint().await;
            chunk.sort_unstable();
            Ok::<_, ()>(())
        }
    });
    all.await.unwrap();
    assert_eq!((numbers, calls), (vec![1, 2, 3, 7, 8, 9], 2));
}

/// Rule 6: a cancellation from outside takes no further item, waits for what is shielded, and gives nothing.
pub async fn a_cancellation_from_outside_waits_and_takes_no_more<B: Backend>(rt: Rt<B>) {
    both!(for_each_concurrent; {
        let (scope, log) = (rt.scope(), Log::default());
        let (cancel, taken) = (scope.clone(), Cell::new(0));
        let source = (0..).inspect(|_| taken.set(taken.get() + 1));
        let all = for_each_concurrent(rt, source, 2, |n| {
            let (cancel, noted) = (cancel.clone(), log.clone());
            async move {
                shield(async {
                    if n == 1 {
                        cancel.cancel();
                        rt.yields(3).await;
                        noted.add("shielded");
                    }
                })
                .await;
                pending::<Result<(), ()>>().await
            }
        });
        assert!(scope.run(all).await.is_err());
        assert_eq!((taken.get(), log.marks()), (2, vec!["shielded"]));
    });
}

/// A deadline around interrupts futures and stream.
pub async fn a_deadline_around_interrupts_futures_and_stream<B: Backend>(rt: Rt<B>) {
    both!(for_each_concurrent; {
        let alive = Alive::default();
        let source = stream::iter([alive.born(), alive.born()]).chain(stream::pending());
        let all = for_each_concurrent(rt, source, None, |life| async move {
            rt.sleep(rt.hour()).await;
            drop(life);
            Ok::<_, ()>(())
        });
        assert!(rt.fail_after(rt.tick(), all).await.is_err());
        assert_eq!(alive.count(), 0);
    });
}

/// One within another: each has its own limit, and the inner one's error is the outer one's.
pub async fn one_within_another_has_its_own_limit<B: Backend>(rt: Rt<B>) {
    both!(map_concurrent; {
        let (running, most) = (Alive::default(), Arc::new(AtomicUsize::new(0)));
        let all = map_concurrent(rt, 0..6, 2, |n| {
            let (running, most) = (running.clone(), most.clone());
            async move {
                let inner = map_concurrent(rt, 0..6, 3, move |m| {
                    let (running, most) = (running.clone(), most.clone());
                    async move {
                        let _life = running.born();
                        rt.yields(2).await;
                        most.fetch_max(running.count(), Ordering::SeqCst);
                        if n == 5 && m == 5 { Err((n, m)) } else { Ok(m) }
                    }
                });
                inner.await.map_err(|error| error.first)
            }
        });
        assert_eq!(all.await.unwrap_err().into_first(), (5, 5));
        assert_eq!(running.count(), 0);
        assert!((1..=6).contains(&most.load(Ordering::SeqCst)));
    });
}

/// Ten thousand are no matter.
pub async fn ten_thousand_are_mapped<B: Backend>(rt: Rt<B>) {
    both!(map_concurrent; {
        for limit in [None, Some(100)] {
            let all = map_concurrent(rt, 0..10_000_u64, limit, async |n| {
                checkpoint().await;
                Ok::<_, ()>(n)
            });
            assert_eq!(all.await.unwrap().into_iter().sum::<u64>(), 49_995_000);
        }
    });
}

/// When it returns, the source is gone, too.
pub async fn the_source_is_dropped_before_it_returns<B: Backend>(rt: Rt<B>) {
    both!(for_each_concurrent; {
        for fails in [false, true] {
            let alive = Alive::default();
            let life = alive.born();
            let source = (0..5).inspect(move |_| {
                let _ = &life;
            });
            let all = for_each_concurrent(rt, source, 2, |_| ready(if fails { Err(()) } else { Ok(()) }));
            assert_eq!(all.await.is_err(), fails);
            assert_eq!(alive.count(), 0);
        }
    });
}

/// What the promises of "everywhere" interrupt.
macro_rules! several {
    ($rt:ident, $map:ident) => {
        |alive: Alive| async move {
            let born = alive.clone();
            let source = stream::iter(0..6).then(move |n| {
                let life = born.born();
                async move {
                    $rt.yields(n % 2).await;
                    (n, life)
                }
            });
            let all = $map($rt, source, 2, |(n, life)| async move {
                if n == 3 {
                    shield($rt.yields(2)).await;
                }
                $rt.yields(n % 3).await;
                if n < 5 { Ok(life) } else { Err(()) }
            });
            all.map(drop).await
        }
    };
}

/// The one rule: it may be cancelled at each `Pending`, and nothing is left.
pub async fn it_may_be_cancelled_at_every_pending<B: Backend>(rt: Rt<B>) {
    both!(map_concurrent; {
        let rounds = cancel_at_every_pending(rt, several!(rt, map_concurrent)).await;
        assert!(rounds > 1, "only {rounds} rounds");
    });
}

/// The same for a drop from outside.
pub async fn it_may_be_dropped_at_every_pending<B: Backend>(rt: Rt<B>) {
    both!(map_concurrent; {
        let rounds = drop_at_every_pending(rt, several!(rt, map_concurrent)).await;
        assert!(rounds > 1, "only {rounds} rounds");
    });
}
