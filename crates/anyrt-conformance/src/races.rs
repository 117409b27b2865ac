//! `race`: the first of several results, and what becomes of the losers.

use std::future::{pending, ready};

use anyrt_core::{Backend, checkpoint, shield};
use futures::channel::oneshot;
use futures::future::{BoxFuture, FutureExt};

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use crate::forms::borrowing::{race, race_with};
use crate::forms::both;
use crate::misuse::panic_and_file;
use crate::probe::{Alive, Log, panic_of};
use crate::rt::Rt;

/// The first result is the result.
pub async fn the_first_result_wins<B: Backend>(rt: Rt<B>) {
    both!(race; {
        let (never, waits) = oneshot::channel::<()>();
        let racers = (
            async move {
                waits.await.ok();
                "never"
            },
            async {
                checkpoint().await;
                "first"
            },
            pending(),
        );
        assert_eq!(race(rt, racers).await, "first");
        drop(never);
        let racers: Vec<BoxFuture<'static, u8>> = vec![pending().boxed(), ready(7).boxed()];
        assert_eq!(race(rt, racers).await, 7);
    });
}

/// Of several that are ready at once, the first in order wins; also in a scope that was cancelled before.
pub async fn of_several_that_are_ready_the_first_in_order_wins<B: Backend>(rt: Rt<B>) {
    assert_eq!(race(rt, [ready(1), ready(2), ready(3)]).await, 1);
    assert_eq!(rt.cancelled(race(rt, [ready(1), ready(2)])).await, Ok(1));
}

/// An error is a result like any other.
pub async fn an_error_is_a_result_like_any_other<B: Backend>(rt: Rt<B>) {
    both!(race; {
        let racers = (ready(Err::<(), _>("failed")), pending());
        assert_eq!(race(rt, racers).await, Err("failed"));
    });
}

/// The losers have ended, and nothing of them is left, when the winner's value comes out.
pub async fn the_losers_have_ended_before_it_returns<B: Backend>(rt: Rt<B>) {
    both!(race; {
        let (alive, log) = (Alive::default(), Log::default());
        let (life, noted) = (alive.born(), log.clone());
        let (entered, has_entered) = oneshot::channel();
        let racers = (
            async move {
                let _life = life;
                pending().await
            },
            async move {
                shield(async {
                    entered.send(()).unwrap();
                    rt.sleep(rt.tick()).await;
                    noted.add("shielded");
                })
                .await;
                pending().await
            },
            async {
                has_entered.await.ok();
                7
            },
        );
        assert_eq!(race(rt, racers).await, 7);
        assert_eq!((alive.count(), log.marks()), (0, vec!["shielded"]));
    });
}

/// The one rule: a loser that is ready when it is cancelled has a value; the hook gets each, in the order of time.
pub async fn late_values_go_to_the_hook_in_the_order_of_time<B: Backend>(rt: Rt<B>) {
    both!(race_with; {
        let (one, after_one) = oneshot::channel();
        let (two, after_two) = oneshot::channel();
        let (in_shield, are_in_shield) = (oneshot::channel(), oneshot::channel());
        let racers = (
            async move {
                shield(async move {
                    in_shield.0.send(()).ok();
                    after_two.await.ok();
                })
                .await;
                3
            },
            async move {
                shield(async move {
                    are_in_shield.0.send(()).ok();
                    after_one.await.ok();
                })
                .await;
                rt.on_exit(async move {
                    two.send(()).ok();
                });
                2
            },
            async move {
                in_shield.1.await.ok();
                are_in_shield.1.await.ok();
                rt.on_exit(async move {
                    one.send(()).ok();
                });
                1
            },
        );
        let mut late = Vec::new();
        assert_eq!(race_with(rt, racers, |value| late.push(value)).await, 1);
        assert_eq!(late, [2, 3]);
    });
}

/// Without a hook a late value is dropped, before the winner's comes out.
pub async fn without_a_hook_late_values_are_dropped<B: Backend>(rt: Rt<B>) {
    both!(race; {
        let alive = Alive::default();
        let (winner, late) = (alive.born(), alive.born());
        let (entered, has_entered) = oneshot::channel();
        let racers = (
            shield(async move {
                entered.send(()).ok();
                rt.yields(3).await;
                late
            }),
            async move {
                has_entered.await.ok();
                winner
            },
        );
        let winner = race(rt, racers).await;
        assert_eq!(alive.count(), 1);
        drop(winner);
        assert_eq!(alive.count(), 0);
    });
}

/// A panic beats a value, also a late panic; the values are dropped, and the hook hears of none.
pub async fn a_late_panic_is_resumed<B: Backend>(rt: Rt<B>) {
    both!(race_with; {
        let alive = Alive::default();
        let life = alive.born();
        let (entered, has_entered) = oneshot::channel();
        let racers = (
            shield(async move {
                entered.send(()).ok();
                rt.yields(3).await;
                panic!("too late");
            }),
            async move {
                has_entered.await.ok();
                life
            },
        );
        let race = race_with(rt, racers, |_| unreachable!());
        assert_eq!(panic_of(race).await.unwrap_err(), "too late");
        assert_eq!(alive.count(), 0);
    });
}

/// A panic of a destructor of a loser is resumed, too.
pub async fn a_panicking_destructor_of_a_loser_is_resumed<B: Backend>(rt: Rt<B>) {
    both!(race; {
        let bomb = crate::probe::on_drop(|| panic!("dropped"));
        let (entered, has_entered) = oneshot::channel();
        let racers = (
            async move {
                let _bomb = bomb;
                entered.send(()).ok();
                pending().await
            },
            async {
                has_entered.await.ok();
                7
            },
        );
        assert_eq!(panic_of(race(rt, racers)).await.unwrap_err(), "dropped");
    });
}

/// A panic of the hook goes up, and the other values are dropped.
pub async fn a_panic_of_the_hook_goes_up<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let racers = [alive.born(), alive.born(), alive.born()];
    let racers = racers.map(|life| {
        shield(async move {
            checkpoint().await;
            life
        })
    });
    let race = race_with(rt, racers, |_| panic!("the hook"));
    assert_eq!(panic_of(race).await.unwrap_err(), "the hook");
    assert_eq!(alive.count(), 0);
}

/// Bad input: a race without futures panics at the caller, and says what to do.
pub async fn a_race_of_nothing_panics_at_the_caller<B: Backend>(rt: Rt<B>) {
    both!(race, race_with; {
        let none = || Vec::<std::future::Ready<()>>::new();
        let panics = [
            panic_and_file(|| race(rt, none())),
            panic_and_file(|| race_with(rt, none(), |()| {})),
            panic_and_file(|| race(rt, [(); 0].map(|()| ready(())))),
        ];
        for (message, file) in panics {
            assert!(message.contains("at least one"), "{message}");
            assert!(file.ends_with("races.rs"), "{file}");
        }
    });
}

/// The one rule: a winner beats a cancellation from outside, also where the others were cut by it.
pub async fn a_winner_beats_a_cancellation_from_outside<B: Backend>(rt: Rt<B>) {
    both!(race; {
        let racers = (pending(), ready(7), pending());
        assert_eq!(rt.cancelled(race(rt, racers)).await, Ok(7));
        let scope = rt.scope();
        let cancel = scope.clone();
        let racers = (
            pending(),
            async move {
                checkpoint().await;
                cancel.cancel();
                7
            },
        );
        assert_eq!(scope.run(race(rt, racers)).await, Ok(7));
    });
}

/// The one rule: a cancellation while the losers come to their end takes nothing back.
pub async fn a_cancellation_while_losers_end_takes_nothing_back<B: Backend>(rt: Rt<B>) {
    both!(race; {
        let scope = rt.scope();
        let cancel = scope.clone();
        let (entered, has_entered) = oneshot::channel();
        let racers = (
            shield(async move {
                entered.send(()).ok();
                rt.sleep(rt.tick()).await;
                cancel.cancel();
                rt.yields(3).await;
                8
            }),
            async {
                has_entered.await.ok();
                7
            },
        );
        assert_eq!(scope.run(race(rt, racers)).await, Ok(7));
        assert!(scope.is_cancelled());
    });
}

/// Rule 6: without a winner, a cancellation from outside cuts all, and waits for what is shielded.
pub async fn a_cancelled_race_has_no_winner_and_waits<B: Backend>(rt: Rt<B>) {
    both!(race; {
        let (alive, log, scope) = (Alive::default(), Log::default(), rt.scope());
        let (life, noted, cancel) = (alive.born(), log.clone(), scope.clone());
        let racers = (
            async move {
                let _life = life;
                pending::<()>().await
            },
            async move {
                shield(async {
                    cancel.cancel();
                    rt.yields(3).await;
                    noted.add("shielded");
                })
                .await;
                pending().await
            },
        );
        assert!(scope.run(race(rt, racers)).await.is_err());
        assert_eq!((alive.count(), log.marks()), (0, vec!["shielded"]));
    });
}

/// A deadline around interrupts all of them.
pub async fn a_deadline_around_interrupts_all<B: Backend>(rt: Rt<B>) {
    both!(race; {
        let alive = Alive::default();
        let racers = [alive.born(), alive.born()].map(|life| async move {
            rt.sleep(rt.hour()).await;
            drop(life);
        });
        assert!(rt.fail_after(rt.tick(), race(rt, racers)).await.is_err());
        assert_eq!(alive.count(), 0);
    });
}

/// Dropped from outside, it drops its futures in their order.
pub async fn a_drop_from_outside_drops_the_futures_in_order<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let all = ["a", "b", "c"].map(|name| {
        let mark = log.on_drop(name);
        async move {
            let _mark = mark;
            pending::<()>().await
        }
    });
    assert_eq!(drop_at_pending(1, race(rt, all)).await, None);
    assert_eq!(log.marks(), ["a", "b", "c"]);
}

/// One within another: the losing race waits for its own futures.
pub async fn one_within_another_is_a_future_like_any_other<B: Backend>(rt: Rt<B>) {
    both!(race; {
        let alive = Alive::default();
        let inner = [alive.born(), alive.born()].map(|life| async move {
            let _life = life;
            pending::<()>().await;
            1
        });
        let inner = async move { race(rt, inner).await };
        let winner = async move { race(rt, [ready(2), ready(2)]).await };
        assert_eq!(race(rt, (inner, winner)).await, 2);
        assert_eq!(alive.count(), 0);
    });
}

/// Ten thousand are no matter.
pub async fn ten_thousand_race<B: Backend>(rt: Rt<B>) {
    both!(race; {
        let racers = (0..10_000).map(|n| async move {
            if n == 7_777 {
                return n;
            }
            pending().await
        });
        assert_eq!(race(rt, racers.collect::<Vec<_>>()).await, 7_777);
    });
}

/// What the promises of "everywhere" interrupt.
macro_rules! several {
    ($rt:ident, $race_with:ident) => {
        |alive: Alive| async move {
            let racers = (0..4).map(|n| {
                let life = alive.born();
                async move {
                    if n % 2 == 1 {
                        shield($rt.yields(n + 1)).await;
                    }
                    $rt.yields(3).await;
                    life
                }
            });
            let mut late = Vec::new();
            let race = $race_with($rt, racers.collect::<Vec<_>>(), |life| late.push(life));
            let winner = race.await;
            $rt.yields(1).await;
            assert!(alive.count() == 1 + late.len());
            drop(winner);
        }
    };
}

/// The one rule: it may be cancelled at each `Pending`, and no value is lost out of sight.
pub async fn it_may_be_cancelled_at_every_pending<B: Backend>(rt: Rt<B>) {
    both!(race_with; {
        let rounds = cancel_at_every_pending(rt, several!(rt, race_with)).await;
        assert!(rounds > 1, "only {rounds} rounds");
    });
}

/// The same for a drop from outside.
pub async fn it_may_be_dropped_at_every_pending<B: Backend>(rt: Rt<B>) {
    both!(race_with; {
        let rounds = drop_at_every_pending(rt, several!(rt, race_with)).await;
        assert!(rounds > 1, "only {rounds} rounds");
    });
}
