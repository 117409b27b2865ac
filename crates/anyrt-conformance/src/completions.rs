//! `as_completed`: results as they come, beside a body that takes its time.

use std::cell::Cell;
use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyrt_core::{Backend, checkpoint, shield};
use futures::FutureExt;
use futures::channel::{mpsc, oneshot};
use futures::future::{BoxFuture, Ready};
use futures::lock::Mutex;
use futures::stream::{self, StreamExt};

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending};
use crate::forms::borrowing::as_completed;
use crate::forms::both;
use crate::probe::{Alive, Log, panic_of, polls};
use crate::rt::Rt;

/// The values come in the order of time.
pub async fn gives_the_values_in_the_order_of_time<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        // Each waits for the one behind it, the last for the body.
        let (go, mut turn) = oneshot::channel();
        let mut all = Vec::new();
        for n in 0..5 {
            let (next, next_turn) = oneshot::channel();
            let turn = std::mem::replace(&mut turn, next_turn);
            let value: BoxFuture<'static, _> = async move {
                turn.await.ok();
                // Told when the value is there.
                rt.on_exit(async move {
                    next.send(()).ok();
                });
                Ok::<_, ()>(n)
            }
            .boxed();
            all.insert(0, value);
        }
        let order = as_completed(rt, all, None, async |mut done| {
            go.send(()).ok();
            let mut order = Vec::new();
            while let Some(n) = done.next().await {
                order.push(n);
            }
            Ok(order)
        });
        assert_eq!(order.await, Ok((0..5).collect()));
    });
}

/// After the last value comes `None`, and again.
pub async fn after_the_last_value_comes_none<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let all = as_completed(rt, [ready(Ok::<_, ()>(1))], 2, async |mut done| {
            let first = done.next().await;
            Ok([first, done.next().await, done.next().await])
        });
        assert_eq!(all.await, Ok([Some(1), None, None]));
        let none: [Ready<Result<(), ()>>; 0] = [];
        let all = as_completed(rt, none, None, async |mut done| Ok(done.next().await));
        assert_eq!(all.await, Ok(None));
    });
}

/// It is a stream, too.
pub async fn it_is_a_stream_too<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let all = (0..10).map(|n| ready(Ok::<_, ()>(n)));
        let sum = as_completed(rt, all, 3, async |done| {
            Ok(done.map(|n| 2 * n).fold(0, async |sum, n| sum + n).await)
        });
        assert_eq!(sum.await, Ok(90));
    });
}

/// No futurelock: the futures go on while the body waits for something else, here for what the futures do.
pub async fn the_futures_go_on_while_the_body_waits_for_something_else<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let (tell, mut told) = mpsc::unbounded();
        let all = (0..4).map(|n| {
            let tell = tell.clone();
            async move {
                rt.yields(3).await;
                tell.unbounded_send(()).ok();
                Ok::<_, ()>(n)
            }
        });
        let body = as_completed(rt, all, 4, async |mut done| {
            let mut sum = 0;
            for _ in 0..4 {
                told.next().await;
            }
            while let Some(n) = done.next().await {
                sum += n;
            }
            Ok(sum)
        });
        assert_eq!(body.await, Ok(6));
    });
}

/// No futurelock: while the consumer is busy with one value, the other futures come to their end.
pub async fn a_slow_consumer_does_not_hold_the_futures_up<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let ended = Arc::new(AtomicUsize::new(0));
        let all = (0..8).map(|n| {
            let ended = ended.clone();
            async move {
                rt.yields(n).await;
                rt.sleep(rt.tick()).await;
                ended.fetch_add(1, Ordering::SeqCst);
                Ok::<_, ()>(n)
            }
        });
        let body = as_completed(rt, all, 4, async |mut done| {
            let mut taken = 0;
            while done.next().await.is_some() {
                taken += 1;
                // All that the limit lets run, with those that are not taken yet.
                while ended.load(Ordering::SeqCst) < 8.min(taken + 3) {
                    rt.sleep(rt.tick()).await;
                }
            }
            Ok(taken)
        });
        assert_eq!(body.await, Ok(8));
    });
}

/// No futurelock: body, source and futures may share a lock.
pub async fn body_source_and_futures_may_share_a_lock<B: Backend>(rt: Rt<B>) {
    let lock = Mutex::new(0);
    let step = async || {
        let mut count = lock.lock().await;
        rt.yields(1).await;
        *count += 1;
    };
    let items = stream::iter(0..10).then(async |n| {
        step().await;
        n
    });
    let source = items.map(async |n| {
        step().await;
        Ok::<_, ()>(n)
    });
    let body = as_completed(rt, source, 3, async |mut done| {
        let mut sum = 0;
        while let Some(n) = done.next().await {
            step().await;
            sum += n;
        }
        Ok(sum)
    });
    assert_eq!(body.await, Ok(45));
    assert_eq!(lock.into_inner(), 30);
}

/// The limit counts what runs and what has not been taken: a body that takes nothing holds the source up.
pub async fn the_limit_counts_what_runs_and_what_is_not_taken<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let (begun, taken) = (Cell::new(0), Cell::new(0));
        let all = (0..20).map(|n| {
            begun.set(begun.get() + 1);
            assert!(begun.get() <= taken.get() + 3);
            async move {
                rt.yields(n % 3).await;
                Ok::<_, ()>(n)
            }
        });
        let body = as_completed(rt, all, 3, async |mut done| {
            while begun.get() < 3 {
                checkpoint().await;
            }
            rt.yields(20).await;
            assert_eq!(begun.get(), 3);
            loop {
                // It goes on as soon as one is taken.
                taken.set(taken.get() + 1);
                if done.next().await.is_none() {
                    return Ok(begun.get());
                }
            }
        });
        assert_eq!(body.await, Ok(20));
    });
}

/// Leaving early: the rest is cancelled, and has ended before it returns.
pub async fn leaving_early_cancels_the_rest_and_waits_for_it<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let (alive, log) = (Alive::default(), Log::default());
        let (entered, has_entered) = oneshot::channel();
        let (life, noted) = (alive.born(), log.clone());
        let all: Vec<BoxFuture<'static, Result<u8, ()>>> = vec![
            async move {
                let _life = life;
                pending().await
            }
            .boxed(),
            shield(async move {
                entered.send(()).ok();
                rt.sleep(rt.tick()).await;
                noted.add("shielded");
                Ok(8)
            })
            .boxed(),
            async move {
                has_entered.await.ok();
                Ok(7)
            }
            .boxed(),
        ];
        let first = as_completed(rt, all, None, async |mut done| Ok(done.next().await));
        assert_eq!(first.await, Ok(Some(7)));
        assert_eq!((alive.count(), log.marks()), (0, vec!["shielded"]));
    });
}

/// Leaving early: an endless source is taken from no further.
pub async fn an_endless_source_is_left_behind<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let alive = Alive::default();
        let all = (0..).map(|n| {
            let life = alive.born();
            async move {
                checkpoint().await;
                Ok::<_, ()>((n, life))
            }
        });
        let body = as_completed(rt, all, 4, async |mut done| {
            let mut taken = 0;
            while taken < 10 {
                taken += usize::from(done.next().await.is_some());
                assert!(alive.count() <= 5);
            }
            Ok(taken)
        });
        assert_eq!(body.await, Ok(10));
        assert_eq!(alive.count(), 0);
    });
}

/// Dropping the values cancels the rest right away, and the body goes on.
pub async fn dropping_the_values_cancels_the_rest_and_the_body_goes_on<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let alive = Alive::default();
        let all = (0..).map(|n| {
            let life = alive.born();
            async move {
                if n > 0 {
                    pending::<()>().await;
                }
                Ok::<_, ()>(life)
            }
        });
        let body = as_completed(rt, all, 3, async |mut done| {
            drop(done.next().await);
            drop(done);
            while alive.count() > 0 {
                checkpoint().await;
            }
            rt.yields(3).await;
            assert_eq!(alive.count(), 0);
            Ok("went on")
        });
        assert_eq!(body.await, Ok("went on"));
    });
}

/// What comes after the body has left is dropped, before it returns.
pub async fn what_comes_too_late_is_dropped<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let alive = Alive::default();
        let (entered, has_entered) = oneshot::channel();
        let mut entered = Some(entered);
        let lives = [alive.born(), alive.born()];
        let all = lives.map(|life| {
            let entered = entered.take();
            shield(async move {
                if let Some(entered) = entered {
                    entered.send(()).ok();
                }
                rt.yields(3).await;
                Ok::<_, ()>(life)
            })
        });
        let body = as_completed(rt, all, None, async |done| {
            has_entered.await.ok();
            drop(done);
            Ok(())
        });
        assert_eq!(body.await, Ok(()));
        assert_eq!(alive.count(), 0);
    });
}

/// An error of a future cancels the body and the others; an error of the body cancels the futures.
pub async fn the_first_error_cancels_body_and_futures<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let alive = Alive::default();
        let all = [alive.born(), alive.born()].map(|life| async move {
            let _life = life;
            pending::<Result<(), _>>().await
        });
        let failing = async {
            checkpoint().await;
            Err::<(), _>("a future")
        };
        let all = all.into_iter().map(FutureExt::boxed).chain([failing.boxed()]);
        let body = as_completed(rt, all, None, async |mut done| {
            let _life = alive.born();
            done.next().await;
            pending::<Result<(), _>>().await
        });
        assert_eq!(body.await.unwrap_err().into_first(), "a future");
        assert_eq!(alive.count(), 0);

        let life = alive.born();
        let (entered, has_entered) = oneshot::channel();
        let (body_lives, until_body_ends) = oneshot::channel::<()>();
        let all = [async move {
            let _life = life;
            shield(async {
                entered.send(()).ok();
                until_body_ends.await.ok();
            })
            .await;
            Err::<(), _>("a future")
        }];
        let body = as_completed(rt, all, None, async move |_done| {
            has_entered.await.ok();
            drop(body_lives);
            Err::<(), _>("the body")
        });
        let mut errors: Vec<_> = body.await.unwrap_err().into_iter().collect();
        errors.sort_unstable();
        assert_eq!(errors, ["a future", "the body"]);
        assert_eq!(alive.count(), 0);
    });
}

/// A panic of source, body or future is resumed when all have ended.
pub async fn a_panic_anywhere_is_resumed_when_all_have_ended<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        for culprit in ["source", "body", "future"] {
            let alive = Alive::default();
            let check = move |place: &str, n: usize| {
                if n == 2 && place == culprit {
                    panic!("the {culprit}");
                }
            };
            let all = (0..5).map(|n| {
                check("source", n);
                let life = alive.born();
                async move {
                    check("future", n);
                    if n > 2 {
                        shield(rt.yields(2)).await;
                        pending::<()>().await;
                    }
                    Ok::<_, ()>((n, life))
                }
            });
            let body = as_completed(rt, all, None, async |mut done| {
                while let Some((n, _)) = done.next().await {
                    check("body", n);
                }
                Ok(())
            });
            let message = panic_of(body).await.unwrap_err();
            assert_eq!(message, format!("the {culprit}"));
            assert_eq!(alive.count(), 0);
        }
    });
}

/// No starving: values come while the source waits for its next future.
pub async fn values_come_while_the_source_waits<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        // The next future comes when the value of the one before has been taken.
        let (sender, receiver) = mpsc::unbounded();
        let future = move |n| async move {
            rt.yields(2).await;
            Ok::<_, ()>(n)
        };
        let body = as_completed(rt, receiver, 8, async |mut done| {
            let mut sender = Some(sender);
            sender.as_ref().unwrap().unbounded_send(future(0)).unwrap();
            let mut last = 0;
            while let Some(n) = done.next().await {
                last = n;
                match n {
                    5 => sender = None,
                    _ => sender.as_ref().unwrap().unbounded_send(future(n + 1)).unwrap(),
                }
            }
            Ok(last)
        });
        assert_eq!(body.await, Ok(5));
    });
}

/// The one rule: a value that the body has ended with beats a cancellation from outside.
pub async fn the_value_of_the_body_beats_a_cancellation<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let endless = || (0..).map(|_| pending::<Result<(), ()>>());
        let left = as_completed(rt, endless(), 3, async |_| Ok(7));
        assert_eq!(rt.cancelled(left).await, Ok(Ok(7)));
        let scope = rt.scope();
        let left = as_completed(rt, endless(), 3, async |_done| {
            rt.yields(2).await;
            scope.cancel();
            Ok(7)
        });
        assert_eq!(scope.run(left).await, Ok(Ok(7)));
    });
}

/// Rule 6: a cancellation from outside cuts body and futures, and waits.
pub async fn a_cancellation_from_outside_waits_and_gives_no_value<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let (alive, log, scope) = (Alive::default(), Log::default(), rt.scope());
        let all = (0..).map(|_| {
            let (life, noted) = (alive.born(), log.clone());
            async move {
                let _life = life;
                shield(rt.yields(3)).await;
                noted.add("shielded");
                pending::<Result<(), ()>>().await
            }
        });
        let body = as_completed(rt, all, 1, async |mut done| {
            scope.cancel();
            done.next().await;
            Ok(())
        });
        assert!(scope.run(body).await.is_err());
        assert_eq!(alive.count(), 0);
        assert!(log.marks().len() <= 1);
    });
}

/// Rule 6: a shielded body sees the end of what was cut, and its value is not given: it has not seen all.
pub async fn a_shielded_body_that_has_not_seen_all_gives_no_value<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let (scope, log) = (rt.scope(), Log::default());
        let all = (0..).map(|_| pending::<Result<(), ()>>());
        let body = as_completed(rt, all, 2, async |mut done| {
            let seen = shield(async {
                checkpoint().await;
                scope.cancel();
                done.next().await
            });
            assert!(seen.await.is_none());
            log.add("saw the end");
            Ok(())
        });
        assert!(scope.run(body).await.is_err());
        assert_eq!(log.marks(), ["saw the end"]);
    });
}

/// What the source shields is waited for, too, whether the body leaves, fails or is cancelled.
pub async fn what_the_source_shields_is_waited_for<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        for end in ["leaves", "fails", "is cancelled"] {
            let (log, scope) = (Log::default(), rt.scope());
            let (entered, has_entered) = oneshot::channel();
            let mut entered = Some(entered);
            let source = stream::iter(0..).then(|n| {
                let (entered, noted) = (entered.take(), log.clone());
                async move {
                    shield(async {
                        if let Some(entered) = entered {
                            entered.send(()).ok();
                        }
                        rt.yields(3).await;
                        noted.add("shielded");
                    })
                    .await;
                    n
                }
            });
            let source = source.map(|n| ready(Ok(n)));
            let body = as_completed(rt, source, 2, async |_done| {
                has_entered.await.ok();
                match end {
                    "leaves" => Ok(7),
                    "fails" => Err("failed"),
                    _ => {
                        scope.cancel();
                        pending().await
                    }
                }
            });
            let result = scope.run(body).await;
            match end {
                "leaves" => assert_eq!(result, Ok(Ok(7))),
                "fails" => assert_eq!(result.unwrap().unwrap_err().first, "failed"),
                _ => assert!(result.is_err()),
            }
            assert_eq!(log.marks(), ["shielded"], "where the body {end}");
        }
    });
}

/// Nothing is polled in vain while a shielded body waits for what is shielded, too.
pub async fn nothing_spins_while_what_was_cut_is_waited_for<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let all = (0..).map(|_| async {
        shield(rt.sleep(rt.tick())).await;
        pending::<Result<(), ()>>().await
    });
    let body = as_completed(rt, all, 2, async |mut done| {
        shield(async {
            checkpoint().await;
            scope.cancel();
            done.next().await
        })
        .await;
        Ok(())
    });
    let (body, count) = polls(body);
    assert!(scope.run(body).await.is_err());
    assert!(count.load(Ordering::SeqCst) < 20);
}

/// A deadline around interrupts body, source and futures.
pub async fn a_deadline_around_interrupts_all<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let alive = Alive::default();
        let all = [alive.born(), alive.born()].map(|life| async move {
            rt.sleep(rt.hour()).await;
            drop(life);
            Ok::<_, ()>(())
        });
        let source = stream::iter(all).chain(stream::pending());
        let body = as_completed(rt, source, None, async |mut done| {
            let _life = alive.born();
            Ok(done.next().await)
        });
        assert!(rt.fail_after(rt.tick(), body).await.is_err());
        assert_eq!(alive.count(), 0);
    });
}

/// What escapes from the body gives what had come, and then the end.
pub async fn what_escapes_from_the_body_comes_to_an_end<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let all = [ready(Ok::<_, ()>(1)), ready(Ok(2))];
        let escaped = as_completed(rt, all, None, async |mut done| {
            done.next().await;
            Ok(done)
        });
        let mut escaped = escaped.await.unwrap();
        while escaped.next().await.is_some() {}
        assert_eq!(escaped.next().await, None);
    });
}

/// Ten thousand are no matter.
pub async fn ten_thousand_are_completed<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        for limit in [None, Some(100)] {
            let all = (0..10_000_u64).map(|n| async move {
                checkpoint().await;
                Ok::<_, ()>(n)
            });
            let sum = as_completed(rt, all, limit, async |mut done| {
                let mut sum = 0;
                while let Some(n) = done.next().await {
                    sum += n;
                }
                Ok(sum)
            });
            assert_eq!(sum.await, Ok(49_995_000));
        }
    });
}

/// What the promises of "everywhere" interrupt.
macro_rules! several {
    ($rt:ident, $as_completed:ident) => {
        |alive: Alive| async move {
            let born = alive.clone();
            let source = stream::iter(0..6).then(move |n| {
                let life = born.born();
                async move {
                    $rt.yields(n % 2).await;
                    (n, life)
                }
            });
            let source = source.map(|(n, life)| async move {
                if n == 3 {
                    shield($rt.yields(2)).await;
                }
                $rt.yields(n % 3).await;
                Ok::<_, ()>(life)
            });
            let body = $as_completed($rt, source, 2, async |mut done| {
                let _life = alive.born();
                for _ in 0..4 {
                    drop(done.next().await);
                    $rt.yields(1).await;
                }
                Ok(())
            });
            body.await.ok();
        }
    };
}

/// The one rule: it may be cancelled at each `Pending`, and nothing is left.
pub async fn it_may_be_cancelled_at_every_pending<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let rounds = cancel_at_every_pending(rt, several!(rt, as_completed)).await;
        assert!(rounds > 1, "only {rounds} rounds");
    });
}

/// The same for a drop from outside.
pub async fn it_may_be_dropped_at_every_pending<B: Backend>(rt: Rt<B>) {
    both!(as_completed; {
        let rounds = drop_at_every_pending(rt, several!(rt, as_completed)).await;
        assert!(rounds > 1, "only {rounds} rounds");
    });
}
