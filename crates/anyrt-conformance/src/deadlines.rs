//! Deadlines and time limits.

use std::future::{pending, poll_fn, ready};
use std::io;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use anyrt_core::{Backend, CancelScope, Reason, checkpoint, shield};
use futures::future::join_all;
use futures::{FutureExt, join, poll};

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending};
use crate::probe::{Alive, Log, because, polls};
use crate::rt::Rt;

/// Deadlines: a relative one counts from the first entry, not from its creation, and is none before.
pub async fn a_timeout_counts_from_the_first_entry<B: Backend>(rt: Rt<B>) {
    let limit = rt.hour();
    let scope = CancelScope::<B>::with_timeout(limit);
    let run = scope.run(async { rt.effective_deadline() });
    let move_on = rt.move_on_after(limit, async { rt.effective_deadline() });
    let fail = rt.fail_after(limit, async { rt.effective_deadline() });
    rt.sleep(2 * rt.tick()).await;
    assert_eq!(scope.deadline(), None);
    let entered = rt.now();
    let deadlines = [
        run.await.unwrap(),
        move_on.await.unwrap(),
        fail.await.unwrap(),
    ];
    assert!(
        deadlines
            .iter()
            .all(|deadline| deadline.unwrap() >= entered + limit)
    );
    assert_eq!(scope.deadline(), deadlines[0]);
    // Of several runs the first one counts.
    rt.sleep(rt.tick()).await;
    assert_eq!(
        scope.run(async { rt.effective_deadline() }).await,
        Ok(deadlines[0])
    );
}

/// The clock decides: a deadline that has passed delivers at the first `Pending`, and what is ready still wins.
pub async fn a_deadline_in_the_past_delivers_at_the_first_pending<B: Backend>(rt: Rt<B>) {
    for past in [rt.now(), rt.now().checked_sub(rt.tick()).unwrap()] {
        let scope = CancelScope::<B>::with_deadline(past);
        assert_eq!(scope.run(ready(7)).await, Ok(7));
        let (body, count) = polls(pending::<()>());
        assert_eq!(
            scope.run(body).await.unwrap_err().reason(),
            &Reason::Deadline
        );
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert_eq!(rt.move_on_at(past, ready(7)).await, Some(7));
        assert_eq!(rt.move_on_at(past, checkpoint()).await, None);
        assert_eq!(rt.fail_at(past, ready(7)).await, Ok(7));
        assert!(rt.fail_at(past, checkpoint()).await.is_err());
    }
}

/// The clock decides: with a time limit of zero the body gets its one poll.
pub async fn a_timeout_of_zero_gives_one_poll<B: Backend>(rt: Rt<B>) {
    let zero = Duration::ZERO;
    assert_eq!(rt.move_on_after(zero, ready(7)).await, Some(7));
    assert_eq!(rt.fail_after(zero, ready(7)).await, Ok(7));
    let (body, count) = polls(pending::<()>());
    assert_eq!(rt.move_on_after(zero, body).await, None);
    assert_eq!(count.load(Ordering::SeqCst), 1);
    let (body, count) = polls(rt.sleep(zero));
    assert!(rt.fail_after(zero, body).await.is_err());
    assert_eq!(count.load(Ordering::SeqCst), 1);
    let scope = CancelScope::<B>::with_timeout(zero);
    assert!(!scope.is_cancelled());
    assert_eq!(
        scope.run(pending::<()>()).await.unwrap_err().reason(),
        &Reason::Deadline
    );
}

/// Durations that overflow are never; so are those that only a timer cannot hold.
pub async fn a_duration_that_overflows_is_never<B: Backend>(rt: Rt<B>) {
    let now = rt.now();
    for never in [
        Duration::MAX,
        Duration::from_secs(u64::MAX / 2),
        Duration::from_secs(1 << 40),
    ] {
        let expected = now.checked_add(never);
        let body = |count| async move {
            rt.yields(count).await;
            (rt.effective_deadline() >= expected).then_some(rt.effective_deadline().is_some())
        };
        let shown = Some(expected.is_some());
        assert_eq!(rt.move_on_after(never, body(3)).await, Some(shown));
        assert_eq!(rt.fail_after(never, body(3)).await, Ok(shown));
        let scope = CancelScope::<B>::with_timeout(never);
        let (result, ()) = join!(scope.run(body(3)), async { rt.yields(1).await });
        assert_eq!(result, Ok(shown));
        assert_eq!(scope.deadline().is_some(), expected.is_some());
        assert!(!scope.is_cancelled());
        // It sleeps, without panicking and without an end.
        let scope = rt.scope();
        let cancel = async {
            rt.sleep(rt.tick()).await;
            scope.cancel();
        };
        let (slept, ()) = join!(scope.run(rt.sleep(never)), cancel);
        assert_eq!(slept.unwrap_err().reason(), &Reason::Explicit(None));
    }
}

/// `set_deadline` moves a deadline in either direction while the body waits; the last one counts.
pub async fn a_deadline_may_be_moved_while_the_body_waits<B: Backend>(rt: Rt<B>) {
    // Earlier, and from none.
    for before in [Some(rt.hour()), None] {
        let scope = rt.scope();
        scope.set_deadline(before.map(|hour| rt.now() + hour));
        let near = rt.now() + 2 * rt.tick();
        let (result, ()) = join!(scope.run(pending::<()>()), async {
            rt.yields(2).await;
            scope.set_deadline(Some(near));
        });
        assert_eq!(result.unwrap_err().reason(), &Reason::Deadline);
        assert!(rt.now() >= near);
    }
    // Later, and to none. On a slow machine the first deadline may have passed already; then it counts.
    for later in [Some(rt.hour()), None] {
        let scope = CancelScope::<B>::with_timeout(10 * rt.tick());
        let (result, moved) = join!(scope.run(rt.sleep(15 * rt.tick())), async {
            rt.yields(2).await;
            scope.set_deadline(later.map(|hour| rt.now() + hour));
            !scope.is_cancelled()
        });
        assert_eq!(result.is_ok(), moved);
    }
    // Into the past.
    let scope = CancelScope::<B>::with_timeout(rt.hour());
    let (result, ()) = join!(scope.run(pending::<()>()), async {
        rt.yields(2).await;
        scope.set_deadline(Some(rt.now()));
    });
    assert_eq!(result.unwrap_err().reason(), &Reason::Deadline);
}

/// `set_deadline` works from other tasks and from threads.
pub async fn a_deadline_may_be_moved_from_another_task_or_thread<B: Backend>(rt: Rt<B>) {
    let scope = CancelScope::<B>::with_timeout(rt.hour());
    let group = rt.task_group(async |g| {
        let other = scope.clone();
        g.spawn(async move {
            rt.yields(2).await;
            other.set_deadline(Some(rt.now() + rt.tick()));
            Ok::<_, ()>(())
        });
        Ok(scope.run(pending::<()>()).await)
    });
    assert_eq!(
        group.await.unwrap().unwrap_err().reason(),
        &Reason::Deadline
    );
    for _ in 0..20 {
        let scope = CancelScope::<B>::with_timeout(rt.hour());
        let (other, near) = (scope.clone(), rt.now() + rt.tick());
        let thread = rt.to_thread(move || other.set_deadline(Some(near)));
        let (result, ()) = join!(scope.run(pending::<()>()), thread);
        assert_eq!(result.unwrap_err().reason(), &Reason::Deadline);
        assert!(rt.now() >= near);
    }
}

/// Before the entry `set_deadline` takes the place of a time limit; once cancelled it has no effect.
pub async fn a_deadline_may_be_set_before_the_entry_but_not_after_a_cancellation<B: Backend>(
    rt: Rt<B>,
) {
    let scope = CancelScope::<B>::with_timeout(Duration::ZERO);
    let far = rt.now() + rt.hour();
    scope.set_deadline(Some(far));
    assert_eq!(
        scope
            .run(async { (rt.yields(3).await, rt.effective_deadline()).1 })
            .await,
        Ok(Some(far))
    );
    let scope = CancelScope::<B>::with_timeout(Duration::ZERO);
    scope.set_deadline(None);
    assert_eq!(scope.run(rt.yields(3)).await, Ok(()));

    let scope = CancelScope::<B>::with_deadline(far);
    scope.cancel_with("cancelled");
    scope.set_deadline(None);
    assert_eq!(scope.deadline(), Some(far));
    scope.set_deadline(Some(rt.now()));
    assert_eq!(
        scope.run(pending::<()>()).await.unwrap_err().reason(),
        &because("cancelled")
    );
    // A deadline that has passed is a cancellation too, also if nobody has looked at it yet.
    let scope = CancelScope::<B>::with_deadline(rt.now());
    scope.set_deadline(Some(far));
    assert!(scope.is_cancelled());
}

/// Moving a deadline very often, while the body waits and while it does not, is cheap and leaves the last one.
pub async fn a_deadline_may_be_moved_ten_thousand_times<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let mut last = rt.now();
    let (result, ()) = join!(scope.run(pending::<()>()), async {
        for n in 1..=10_000_u32 {
            last = rt.now() + rt.hour() / (1 + n % 7);
            scope.set_deadline(Some(last));
            if n % 100 == 0 {
                rt.yields(1).await;
            }
        }
        assert_eq!(scope.deadline(), Some(last));
        last = rt.now() + rt.tick();
        scope.set_deadline(Some(last));
    });
    assert_eq!(result.unwrap_err().reason(), &Reason::Deadline);
    assert!(rt.now() >= last);
}

/// Threads that move a deadline at once: everybody below sees the one that is left in the end.
pub async fn all_runs_agree_on_a_deadline_that_threads_have_moved_at_once<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let far = rt.now() + rt.hour();
    let look = async {
        for round in 0..500 {
            let start = Arc::new(Barrier::new(2));
            let threads = (1..3).map(|thread| {
                let (scope, start) = (scope.clone(), start.clone());
                rt.to_thread(move || {
                    B::wait_outside(|| start.wait());
                    for n in 0..5 {
                        scope.set_deadline(Some(far + Duration::from_secs(thread * 1000 + n)));
                    }
                })
            });
            join_all(threads).await;
            assert_eq!(
                rt.effective_deadline(),
                scope.deadline(),
                "in round {round}"
            );
        }
    };
    assert_eq!(scope.run(look).await, Ok(()));
}

/// No user code under a lock: a waker may move the very deadline whose change wakes it, and has the last word.
pub async fn a_waker_may_move_the_deadline_that_woke_it<B: Backend>(rt: Rt<B>) {
    struct Moves<B>(CancelScope<B>, Instant);
    impl<B: Backend> Wake for Moves<B> {
        fn wake(self: Arc<Self>) {
            if self.0.deadline() != Some(self.1) {
                self.0.set_deadline(Some(self.1));
            }
        }
    }
    for watching in [true, false] {
        let scope = rt.scope();
        let last = rt.now() + rt.hour();
        let waker = Waker::from(Arc::new(Moves(scope.clone(), last)));
        let mut cx = Context::from_waker(&waker);
        let mut watcher = pin!(scope.cancelled());
        let mut runs = [(); 3].map(|()| {
            Box::pin(scope.run(poll_fn(|_| match rt.effective_deadline() {
                None => Poll::Pending,
                some => Poll::Ready(some),
            })))
        });
        if watching {
            assert!(watcher.poll_unpin(&mut cx).is_pending());
        }
        for run in &mut runs {
            assert!(run.poll_unpin(&mut cx).is_pending());
        }
        scope.set_deadline(Some(last + rt.hour()));
        assert_eq!(scope.deadline(), Some(last));
        for run in runs {
            assert_eq!(run.await, Ok(Some(last)));
        }
    }
}

/// First cause wins: a passed deadline stays the reason when `cancel()` comes after it, and the other way round.
pub async fn a_deadline_that_passed_first_stays_the_reason<B: Backend>(rt: Rt<B>) {
    let scope = CancelScope::<B>::with_deadline(rt.now());
    scope.cancel_with("too late");
    assert_eq!(
        scope.run(pending::<()>()).await.unwrap_err().reason(),
        &Reason::Deadline
    );

    let scope = CancelScope::<B>::with_timeout(rt.tick());
    let body = shield(async {
        rt.sleep(2 * rt.tick()).await;
        scope.cancel_with("too late");
    });
    let cancelled = scope.run(async { (body.await, checkpoint().await) }).await;
    assert_eq!(cancelled.unwrap_err().reason(), &Reason::Deadline);

    let scope = CancelScope::<B>::with_timeout(rt.hour());
    let body = shield(async {
        scope.cancel_with("in time");
        scope.set_deadline(Some(rt.now()));
        rt.yields(2).await;
    });
    let cancelled = scope.run(async { (body.await, checkpoint().await) }).await;
    assert_eq!(cancelled.unwrap_err().reason(), &because("in time"));
}

/// `fail_after` reports `Elapsed` only if this very deadline interrupted the body.
pub async fn fail_after_fails_only_by_its_own_deadline<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    // An explicit cancellation around it is no timeout.
    let scope = rt.scope();
    let limited = async {
        let result = rt.fail_after(rt.hour(), pending::<()>()).await;
        log.add(if result.is_err() { "elapsed" } else { "done" });
    };
    let (result, ()) = join!(scope.run(limited), async { scope.cancel() });
    assert!(result.is_err());
    // Neither is a deadline around it.
    let inner = async {
        let _ = rt.fail_after(rt.hour(), pending::<()>()).await;
        log.add("inner limit returned");
    };
    assert!(rt.fail_after(rt.tick(), inner).await.is_err());
    // Nor a scope inside it.
    let inner = rt.fail_after(rt.hour(), rt.cancelled(pending::<()>()));
    assert!(inner.await.unwrap().is_err());
    assert!(log.marks().is_empty());
    let error = io::Error::from(
        rt.fail_after(Duration::ZERO, pending::<()>())
            .await
            .unwrap_err(),
    );
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

/// A body that finishes late without a `Pending` in between has not been interrupted.
pub async fn a_body_that_is_late_without_a_pending_is_done<B: Backend>(rt: Rt<B>) {
    let deadline = rt.now() + rt.tick();
    let late = shield(rt.sleep_until(deadline + rt.tick()));
    let late = async {
        late.await;
        7
    };
    assert_eq!(rt.fail_at(deadline, late).await, Ok(7));
    assert!(rt.now() > deadline);
    let scope = CancelScope::<B>::with_timeout(Duration::ZERO);
    let (body, count) = polls(async { ready(3).await + ready(4).await });
    assert_eq!(scope.run(body).await, Ok(7));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

/// The deadline that comes first interrupts, wherever among five nested ones it stands; the others report nothing.
pub async fn of_nested_deadlines_the_earliest_interrupts<B: Backend>(rt: Rt<B>) {
    for earliest in 0..5 {
        let deadline = rt.now() + rt.tick();
        let at = |level: usize| match level == earliest {
            true => deadline,
            false => rt.now() + rt.hour() + rt.tick() * u32::try_from((level * 3) % 5).unwrap(),
        };
        let fourth = rt.fail_at(at(3), rt.fail_at(at(4), pending::<()>()));
        let third = rt.fail_at(at(2), fourth);
        let result = rt.fail_at(at(0), rt.fail_at(at(1), third)).await;
        let nested_in = match result {
            Err(_) => 0,
            Ok(Err(_)) => 1,
            Ok(Ok(Err(_))) => 2,
            Ok(Ok(Ok(Err(_)))) => 3,
            Ok(Ok(Ok(Ok(Err(_))))) => 4,
            Ok(Ok(Ok(Ok(Ok(()))))) => unreachable!(),
        };
        assert_eq!(nested_in, earliest);
        assert!(rt.now() >= deadline);
    }
}

/// Who catches: of two deadlines that have both passed the outer one, whichever was the earlier.
pub async fn of_two_passed_deadlines_the_outer_one_catches<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let now = rt.now();
    let earlier = now.checked_sub(rt.tick()).unwrap();
    for (outer, inner) in [(now, now), (now, earlier), (earlier, now)] {
        let body = async {
            let _ = rt.fail_at(inner, pending::<()>()).await;
            log.add("inner limit returned");
        };
        assert!(rt.fail_at(outer, body).await.is_err());
        let inner = CancelScope::<B>::with_deadline(inner);
        inner.cancel();
        assert_eq!(rt.move_on_at(outer, inner.run(pending::<()>())).await, None);
    }
    // While a shield holds both, the inner one passes long before the outer one.
    let body = async {
        let held = rt.fail_after(rt.tick(), async {
            shield(rt.sleep(4 * rt.tick())).await;
            pending::<()>().await;
        });
        let _ = held.await;
        log.add("inner limit returned");
    };
    assert!(rt.fail_after(3 * rt.tick(), body).await.is_err());
    assert!(log.marks().is_empty());
}

/// A timer is armed only where a deadline is the earliest; who gave way to an outer deadline arms its own when that
/// one is moved away.
pub async fn an_inner_deadline_counts_again_when_the_outer_one_is_moved_away<B: Backend>(
    rt: Rt<B>,
) {
    for to in [Some(rt.hour()), None] {
        let start = rt.now();
        let outer = CancelScope::<B>::with_deadline(start + rt.hour() / 2);
        let inner = CancelScope::<B>::with_deadline(start + rt.hour() * 3 / 4);
        let body = async {
            let cancelled = inner.run(pending::<()>()).await.unwrap_err();
            (cancelled, rt.effective_deadline())
        };
        let moves = async {
            rt.yields(2).await;
            outer.set_deadline(to.map(|hour| start + 2 * hour));
            rt.yields(2).await;
            inner.set_deadline(Some(rt.now() + rt.tick()));
        };
        let (result, ()) = join!(outer.run(body), moves);
        let (cancelled, visible) = result.unwrap();
        assert_eq!(cancelled.reason(), &Reason::Deadline);
        assert_eq!(visible, to.map(|hour| start + 2 * hour));
    }
    // The inner deadline itself stays where it is.
    let outer = CancelScope::<B>::with_deadline(rt.now() + 3 * rt.tick());
    let inner = CancelScope::<B>::with_deadline(rt.now() + 4 * rt.tick());
    let moved = async {
        rt.yields(2).await;
        outer.set_deadline(None);
        outer.is_cancelled()
    };
    let (result, too_late) = join!(outer.run(inner.run(pending::<()>())), moved);
    assert!(too_late || result.unwrap().is_err());
}

/// A deadline is effective in children of groups inside it; the group is ended before the scope catches.
pub async fn a_deadline_ends_a_group_inside_it<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for n in 0..5_u32 {
            let life = alive.born();
            g.spawn(async move {
                // Every other child has a limit of its own that does not come to count.
                let _ = rt
                    .move_on_after(rt.hour() * (1 + n % 2), pending::<()>())
                    .await;
                drop(life);
                Err::<(), _>("a limit inside returned")
            });
        }
        pending::<Result<(), _>>().await
    });
    assert!(rt.fail_after(rt.tick(), group).await.is_err());
    assert_eq!(alive.count(), 0);
    // A limit inside a child is its own affair.
    let group = rt.task_group(async |g| {
        let child =
            g.spawn(async move { Ok::<_, ()>(rt.fail_after(rt.tick(), pending::<()>()).await) });
        Ok(child.await)
    });
    assert!(matches!(
        rt.fail_after(rt.hour(), group).await,
        Ok(Ok(Err(_)))
    ));
}

/// `current_effective_deadline`: the nearest in time of those around here, or none.
pub async fn the_effective_deadline_is_the_earliest_around<B: Backend>(rt: Rt<B>) {
    let near = rt.now() + rt.hour();
    let (far, never) = (near + rt.hour(), None);
    assert_eq!(rt.effective_deadline(), never);
    assert_eq!(
        rt.scope().run(async { rt.effective_deadline() }).await,
        Ok(never)
    );
    for (outer, inner) in [(near, far), (far, near), (near, near)] {
        let body = rt.move_on_at(
            outer,
            rt.scope().run(rt.move_on_at(inner, async {
                // Also in the polls after the first one.
                let first = rt.effective_deadline();
                rt.yields(2).await;
                (first, rt.effective_deadline())
            })),
        );
        assert_eq!(body.await, Some(Ok(Some((Some(near), Some(near))))));
    }
    assert_eq!(rt.effective_deadline(), never);
}

/// `current_effective_deadline` in a child is that of the scopes around the group, and of its own.
pub async fn the_effective_deadline_reaches_into_children<B: Backend>(rt: Rt<B>) {
    let near = rt.now() + rt.hour();
    let far = near + rt.hour();
    let group = rt.task_group(async |g| {
        let child = async move {
            let first = rt.effective_deadline();
            rt.yields(2).await;
            let limited = rt.move_on_at(near, async { rt.effective_deadline() });
            Ok::<_, ()>((first, limited.await.unwrap(), rt.effective_deadline()))
        };
        let spawn = ready(()).map(|()| g.spawn(child));
        let child = rt.move_on_at(near, spawn).await.unwrap();
        Ok(child.await)
    });
    let seen = rt.move_on_at(far, group).await.unwrap();
    assert_eq!(seen, Ok((Some(far), Some(near), Some(far))));
}

/// `current_effective_deadline` looks no further than the nearest shield.
pub async fn the_effective_deadline_ends_at_a_shield<B: Backend>(rt: Rt<B>) {
    let near = rt.now() + rt.hour();
    let far = near + rt.hour();
    let body = shield(async {
        let at_shield = rt.effective_deadline();
        let inside = rt.move_on_at(far, async { rt.effective_deadline() }).await;
        let group = rt.task_group(async |g| {
            let child = g.spawn(async move { Ok::<_, ()>(rt.effective_deadline()) });
            Ok(child.await)
        });
        (at_shield, inside, group.await)
    });
    let body = async { (body.await, rt.effective_deadline()) };
    assert_eq!(
        rt.move_on_at(near, body).await,
        Some(((None, Some(Some(far)), Ok(None)), Some(near)))
    );
}

/// `current_effective_deadline` in a cancelled scope is an instant that has passed, also where an outer one is
/// cancelled, but not behind a shield.
pub async fn the_effective_deadline_in_a_cancelled_scope_has_passed<B: Backend>(rt: Rt<B>) {
    let is_past = move || rt.effective_deadline().map(|deadline| deadline <= rt.now());
    assert_eq!(rt.cancelled(async { is_past() }).await, Ok(Some(true)));
    let nested = rt.move_on_after(rt.hour(), rt.scope().run(async { is_past() }));
    assert_eq!(rt.cancelled(nested).await, Ok(Some(Ok(Some(true)))));
    let scope = rt.scope();
    let late = scope.run(async {
        rt.yields(2).await;
        let before = is_past();
        scope.cancel();
        (before, is_past(), shield(async { is_past() }).await)
    });
    assert_eq!(late.await, Ok((None, Some(true), None)));
}

/// `current_effective_deadline` follows `set_deadline`, at once.
pub async fn the_effective_deadline_follows_a_moved_deadline<B: Backend>(rt: Rt<B>) {
    let now = rt.now();
    let scope = rt.scope();
    let body = scope.run(rt.scope().run(async {
        for moved in [
            Some(rt.hour()),
            Some(rt.hour() / 2),
            None,
            Some(rt.hour() * 2),
        ] {
            scope.set_deadline(moved.map(|hours| now + hours));
            assert_eq!(rt.effective_deadline(), moved.map(|hours| now + hours));
            rt.yields(1).await;
            assert_eq!(rt.effective_deadline(), moved.map(|hours| now + hours));
        }
    }));
    assert_eq!(body.await, Ok(Ok(())));
}

/// A sleep of zero, or until what has passed, gives way once, also if it was made before that.
pub async fn a_sleep_that_is_over_gives_way_once<B: Backend>(rt: Rt<B>) {
    let past = rt.now().checked_sub(rt.hour()).unwrap_or(rt.now());
    let polled_late = rt.sleep(rt.tick());
    rt.sleep(3 * rt.tick()).await;
    for sleep in [
        polled_late,
        rt.sleep(Duration::ZERO),
        rt.sleep_until(rt.now()),
        rt.sleep_until(past),
    ] {
        let (sleep, count) = polls(sleep);
        sleep.await;
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }
    let (turn, count) = polls(checkpoint());
    turn.await;
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

/// A sleep is never too short, and counts from the call.
pub async fn a_sleep_is_never_too_short<B: Backend>(rt: Rt<B>) {
    let start = rt.now();
    let sleep = rt.sleep(2 * rt.tick());
    rt.sleep(rt.tick()).await;
    assert!(rt.now() >= start + rt.tick());
    sleep.await;
    assert!(rt.now() >= start + 2 * rt.tick());
    let at = rt.now() + rt.tick();
    rt.sleep_until(at).await;
    assert!(rt.now() >= at);
    // Shorter ones are over first.
    let log = Log::default();
    let sleeps = [("third", 9), ("first", 1), ("second", 5)].map(|(mark, ticks)| {
        let (log, sleep) = (log.clone(), rt.sleep(ticks * rt.tick()));
        async move {
            sleep.await;
            log.add(mark);
        }
    });
    join_all(sleeps).await;
    assert_eq!(log.marks(), ["first", "second", "third"]);
}

/// `move_on_at` and `fail_at` interrupt at their instant and not before it.
pub async fn limits_at_an_instant_interrupt_at_it<B: Backend>(rt: Rt<B>) {
    let at = rt.now() + rt.tick();
    assert_eq!(rt.move_on_at(at, pending::<()>()).await, None);
    assert!(rt.now() >= at);
    let at = rt.now() + rt.tick();
    assert!(rt.fail_at(at, pending::<()>()).await.is_err());
    assert!(rt.now() >= at);
    let at = rt.now() + rt.tick();
    let scope = CancelScope::<B>::with_deadline(at);
    assert_eq!(
        scope.run(pending::<()>()).await.unwrap_err().reason(),
        &Reason::Deadline
    );
    assert!(rt.now() >= at && scope.deadline() == Some(at));
    let far = rt.now() + rt.hour();
    assert_eq!(rt.move_on_at(far, rt.yields(3)).await, Some(()));
    assert_eq!(rt.fail_at(far, rt.yields(3)).await, Ok(()));
}

/// A loop of checkpoints is interrupted by a deadline.
pub async fn a_checkpoint_delivers_a_deadline<B: Backend>(rt: Rt<B>) {
    let at = rt.now() + rt.tick();
    let busy = async {
        loop {
            checkpoint().await;
            // On the simulator only waiting lets time go by.
            shield(rt.sleep(rt.tick() / 4)).await;
        }
    };
    assert_eq!(rt.move_on_at(at, busy).await, None::<()>);
    assert!(rt.now() >= at);
    assert!(rt.cancelled(checkpoint()).await.is_err());
}

/// `cancelled()` sees a deadline pass, with nothing run in the scope, and follows one that is moved.
pub async fn watchers_see_a_deadline_pass_and_move<B: Backend>(rt: Rt<B>) {
    let at = rt.now() + rt.tick();
    CancelScope::<B>::with_deadline(at).cancelled().await;
    assert!(rt.now() >= at);
    for before in [Some(rt.hour()), None] {
        let scope = rt.scope();
        scope.set_deadline(before.map(|hour| rt.now() + hour));
        let watchers = join_all((0..3).map(|_| scope.cancelled()));
        let (_, at) = join!(watchers, async {
            rt.yields(2).await;
            let at = rt.now() + rt.tick();
            scope.set_deadline(Some(at));
            at
        });
        assert!(rt.now() >= at);
        assert_eq!(scope.reason(), Some(Reason::Deadline));
    }
    // A relative limit begins to count while somebody watches.
    let scope = CancelScope::<B>::with_timeout(rt.tick());
    let enter = async {
        rt.yields(2).await;
        assert_eq!(scope.deadline(), None);
        scope.run(ready(())).await.unwrap();
    };
    join!(scope.cancelled(), enter);
    assert!(rt.now() >= scope.deadline().unwrap());
}

/// A watcher whose deadline is moved later or taken away goes on waiting.
pub async fn watchers_wait_on_when_a_deadline_is_taken_away<B: Backend>(rt: Rt<B>) {
    let scope = CancelScope::<B>::with_deadline(rt.now() + 10 * rt.tick());
    let mut watcher = pin!(scope.cancelled());
    assert!(poll!(&mut watcher).is_pending());
    scope.set_deadline(None);
    if scope.is_cancelled() {
        return; // The machine was too slow for this.
    }
    assert_eq!(rt.move_on_after(15 * rt.tick(), &mut watcher).await, None);
    scope.cancel();
    watcher.await;
}

/// One handle with a deadline ends all its runs at once.
pub async fn one_deadline_ends_several_runs<B: Backend>(rt: Rt<B>) {
    let scope = CancelScope::<B>::with_timeout(rt.tick());
    let group = rt.task_group(async |g| {
        let run = scope.clone();
        let child = g.spawn(async move { Ok::<_, ()>(run.run(pending::<()>()).await) });
        let mine = join_all((0..3).map(|_| scope.run(pending::<()>()))).await;
        Ok((mine, child.await))
    });
    let (mut runs, child) = group.await.unwrap();
    runs.push(child);
    assert!(
        runs.iter()
            .all(|run| run.as_ref().unwrap_err().reason() == &Reason::Deadline)
    );
}

/// A time limit that was over in time does not disturb what comes after it.
pub async fn a_limit_that_was_kept_is_forgotten<B: Backend>(rt: Rt<B>) {
    for _ in 0..3 {
        assert_eq!(rt.move_on_after(2 * rt.tick(), ready(7)).await, Some(7));
        let _ = rt.move_on_after(2 * rt.tick(), rt.yields(1)).await;
    }
    let (wait, count) = polls(rt.sleep(6 * rt.tick()));
    wait.await;
    assert!(
        count.load(Ordering::SeqCst) <= 3,
        "somebody else's timer woke this task"
    );
}

/// Limits count for all that begins in them, however late and however deep, and each ends what is in it.
pub async fn what_begins_late_is_subject_to_all_limits_around_it<B: Backend>(rt: Rt<B>) {
    for first in 0..3 {
        let alive = Alive::default();
        let life = alive.born();
        let limit = |n| if n == first { 2 * rt.tick() } else { rt.hour() };
        let work = async {
            rt.yields(3).await;
            let deadline = rt.effective_deadline().unwrap();
            assert!(deadline <= rt.now() + 2 * rt.tick());
            let group = rt.task_group(async |g| {
                g.spawn(async move {
                    let _life = life;
                    pending::<Result<(), ()>>().await
                });
                Ok(())
            });
            group.await.unwrap();
        };
        let nested = rt.move_on_after(limit(2), work);
        let nested = rt.move_on_after(limit(0), rt.move_on_after(limit(1), nested));
        let ended = match nested.await {
            None => 0,
            Some(None) => 1,
            Some(Some(None)) => 2,
            Some(Some(Some(()))) => 3,
        };
        assert_eq!(ended, first);
        assert_eq!(alive.count(), 0);
    }
}

/// A limit that is kept by what was polled in it and outlives it counts no longer: the inner one takes over.
pub async fn a_limit_that_has_ended_does_not_stand_in_for_one_that_outlives_it<B: Backend>(
    rt: Rt<B>,
) {
    let mut work = Box::pin(rt.move_on_after(2 * rt.tick(), pending::<()>()));
    let glance = async { poll!(&mut work).is_pending() };
    assert_eq!(rt.move_on_after(rt.tick(), glance).await, Some(true));
    assert_eq!(work.await, None);
}

/// Nested limits can be interrupted, or dropped from outside, at every `Pending`.
pub async fn nested_limits_can_be_interrupted_everywhere<B: Backend>(rt: Rt<B>) {
    let body = |alive: Alive| async move {
        let _outer = alive.born();
        let nested = rt.fail_after(rt.hour(), async {
            let _inner = alive.born();
            rt.yields(2).await;
            rt.move_on_after(Duration::ZERO, pending::<()>()).await
        });
        assert_eq!(nested.await, Ok(None));
        let scope = CancelScope::<B>::with_timeout(rt.hour());
        let (result, ()) = join!(scope.run(pending::<()>()), async {
            let _mover = alive.born();
            rt.yields(2).await;
            scope.set_deadline(Some(rt.now()));
        });
        assert!(result.is_err());
        rt.yields(1).await;
    };
    assert!(cancel_at_every_pending(rt, body).await > 4);
    assert!(drop_at_every_pending(rt, body).await > 4);
}
