//! No busy spinning: who waits is polled when something has happened, and is left alone otherwise.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyrt_core::{Backend, finally, shield, stopping};
use futures::channel::oneshot;
use futures::future::join;
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{FutureExt, TryFutureExt, poll};

use super::everywhere::drop_at_pending;
use super::flavour::Rt;
use crate::probe::{Latch, Log, polls};

/// First polls, what happens, and some to spare: one event may wake a task in two ways. Who spins is polled more than a
/// hundred times.
const HANDFUL: usize = 10;

/// Drives both in one task, each with a waker of its own, and gives how often the first was polled.
async fn polled<T>(
    waits: impl Future<Output = T>,
    meanwhile: impl Future<Output = ()>,
) -> (T, usize) {
    let (polls, mut waits) = (Cell::new(0), pin!(waits));
    let counted = poll_fn(|cx| {
        polls.set(polls.get() + 1);
        assert!(polls.get() < 10_000, "it spins"); // and virtual time would stand still
        waits.as_mut().poll(cx)
    });
    let mut both = FuturesUnordered::new();
    both.push(counted.map(Some).left_future());
    both.push(meanwhile.map(|()| None).right_future());
    let mut value = None;
    while let Some(ended) = both.next().await {
        value = value.or(ended);
    }
    drop(both);
    (value.unwrap(), polls.get())
}

/// Turns and time in which what spins is polled again and again.
async fn a_while<B: Backend>(rt: Rt<B>) {
    rt.yields(50).await;
    rt.sleep(rt.tick()).await;
    rt.yields(50).await;
}

#[track_caller]
fn at_most(limit: usize, who: &str, polls: usize) {
    assert!(
        polls <= limit,
        "the {who} was polled {polls} times, and {limit} would do"
    );
}

/// A group that is cancelled, in whichever way, waits in peace for a shield of a child.
pub async fn a_cancelled_group_waits_in_peace_for_a_shield<B: Backend>(rt: Rt<B>) {
    for how in ["around", "deadline", "children", "sibling", "body"] {
        let scope = rt.scope();
        let (open, gate) = oneshot::channel();
        let (child, child_polls) = polls(shield(gate));
        let group = rt.task_group(async |g| {
            g.spawn(child.map_err(|_| "closed"));
            g.spawn(pending::<Result<(), _>>());
            match how {
                "children" => g.cancel(),
                "sibling" => drop(g.spawn(async move { Err::<(), _>(how) })),
                "body" => return Err(how),
                _ => {}
            }
            if how != "children" {
                pending::<()>().await;
            }
            Ok(())
        });
        let meanwhile = async {
            rt.yields(3).await;
            match how {
                "around" => scope.cancel(),
                "deadline" => scope.set_deadline(Some(rt.now())),
                _ => {}
            }
            a_while(rt).await;
            open.send(()).unwrap();
        };
        let (result, group_polls) = polled(scope.run(group), meanwhile).await;
        match how {
            "children" => assert_eq!(result, Ok(Ok(()))),
            "around" | "deadline" => assert!(result.is_err()),
            _ => assert_eq!(result.unwrap().unwrap_err().into_first(), how),
        }
        at_most(HANDFUL, "group", group_polls);
        at_most(HANDFUL, "child", child_polls.load(Ordering::SeqCst));
    }
}

/// To cancel a scope again, and those around it and inside it as well, is no reason to poll what holds it.
pub async fn to_cancel_again_wakes_nobody<B: Backend>(rt: Rt<B>) {
    let (outer, scope, inner) = (rt.scope(), rt.scope(), rt.scope());
    let (open, gate) = oneshot::channel::<()>();
    let (held, held_polls) = polls(shield(gate));
    let body = async {
        held.await.unwrap();
        pending::<()>().await;
    };
    let meanwhile = async {
        rt.yields(3).await;
        for scope in [&scope, &scope, &scope, &inner, &outer] {
            scope.cancel();
            for _ in 0..3 {
                scope.cancel_with("again");
                scope.set_deadline(Some(rt.now()));
                scope.stop(Duration::ZERO);
                assert!(scope.is_cancelled());
                a_while(rt).await;
            }
        }
        open.send(()).unwrap();
    };
    let (result, run_polls) = polled(outer.run(scope.run(inner.run(body))), meanwhile).await;
    assert!(result.is_err());
    // The first poll, one for the first scope, one for that around it, and one for the gate.
    at_most(4, "run", run_polls);
    at_most(4, "shield", held_polls.load(Ordering::SeqCst));
}

/// What holds ten scopes that are cancelled one after the other is polled once for each of them.
pub async fn what_holds_several_scopes_is_polled_once_for_each<B: Backend>(rt: Rt<B>) {
    let scopes: [_; 10] = std::array::from_fn(|_| rt.scope());
    let (open, gate) = oneshot::channel::<()>();
    let (held, held_polls) = polls(shield(gate));
    let mut nested = held.map(drop).boxed();
    for scope in &scopes {
        nested = scope.run(nested).map(drop).boxed();
    }
    let meanwhile = async {
        rt.yields(3).await;
        for scope in &scopes {
            scope.cancel();
            a_while(rt).await;
        }
        open.send(()).unwrap();
    };
    let ((), run_polls) = polled(nested, meanwhile).await;
    at_most(10 + HANDFUL, "nest of runs", run_polls);
    at_most(10 + HANDFUL, "shield", held_polls.load(Ordering::SeqCst));
}

/// A cancelled scope waits in peace for a thread.
pub async fn a_cancelled_scope_waits_in_peace_for_a_thread<B: Backend>(rt: Rt<B>) {
    let (scope, latch) = (rt.scope(), Latch::default());
    let blocked = latch.clone();
    let (call, call_polls) = polls(rt.to_thread(move || blocked.wait::<B>()));
    let meanwhile = async {
        rt.yields(3).await;
        for _ in 0..3 {
            scope.cancel();
            // No time here: on a simulator it stands still while a thread computes.
            rt.yields(50).await;
        }
        latch.open();
    };
    let (result, run_polls) = polled(scope.run(call), meanwhile).await;
    assert_eq!(result, Ok(()));
    at_most(HANDFUL, "run", run_polls);
    at_most(HANDFUL, "call", call_polls.load(Ordering::SeqCst));
}

/// A cancelled scope waits in peace for a cleanup, whose body is gone.
pub async fn a_cancelled_scope_waits_in_peace_for_a_cleanup<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let (open, gate) = oneshot::channel::<()>();
    let (body, body_polls) = polls(pending::<()>());
    let (cleanup, cleanup_polls) = polls(gate);
    let session = finally(body, async || cleanup.await.unwrap());
    let meanwhile = async {
        rt.yields(3).await;
        for _ in 0..3 {
            scope.cancel();
            a_while(rt).await;
        }
        open.send(()).unwrap();
    };
    let (result, run_polls) = polled(scope.run(session), meanwhile).await;
    assert!(result.is_err());
    at_most(HANDFUL, "run", run_polls);
    at_most(HANDFUL, "body", body_polls.load(Ordering::SeqCst));
    at_most(HANDFUL, "cleanup", cleanup_polls.load(Ordering::SeqCst));
}

/// Who cancels a single child waits in peace for its shield, and so does the child.
pub async fn to_cancel_a_child_waits_in_peace_for_its_shield<B: Backend>(rt: Rt<B>) {
    let (open, gate) = oneshot::channel::<()>();
    let (child, child_polls) = polls(shield(gate));
    let group = rt.task_group(async |g| {
        let child = g.spawn(async {
            child.await.unwrap();
            pending::<Result<(), ()>>().await
        });
        let meanwhile = async {
            a_while(rt).await;
            open.send(()).unwrap();
        };
        // It has begun its shield, or does so when it is polled for the first time.
        rt.yields(3).await;
        let (value, cancel_polls) = polled(child.cancel(), meanwhile).await;
        assert_eq!(value, None);
        Ok::<_, ()>(cancel_polls)
    });
    at_most(HANDFUL, "one who cancels", group.await.unwrap());
    at_most(HANDFUL, "child", child_polls.load(Ordering::SeqCst));
}

/// A group whose daemons are the last ones waits in peace for a shield in one of them.
pub async fn a_group_waits_in_peace_for_the_shield_of_a_daemon<B: Backend>(rt: Rt<B>) {
    let (open, gate) = oneshot::channel();
    let (daemon, daemon_polls) = polls(shield(gate));
    let group = rt.task_group(async |g| {
        g.spawn_daemon(daemon.map_err(drop));
        g.spawn_daemon(pending());
        Ok(())
    });
    let meanwhile = async {
        a_while(rt).await;
        open.send(()).unwrap();
    };
    let (result, group_polls) = polled(group, meanwhile).await;
    assert_eq!(result, Ok(()));
    at_most(HANDFUL, "group", group_polls);
    at_most(HANDFUL, "daemon", daemon_polls.load(Ordering::SeqCst));
}

/// A group waits in peace for what it has adopted.
pub async fn a_group_waits_in_peace_for_what_it_has_adopted<B: Backend>(rt: Rt<B>) {
    let (open, gate) = oneshot::channel();
    let (child, child_polls) = polls(shield(gate));
    let group = rt.task_group(async |_| {
        let inner = rt.parallel().task_group(async |h| {
            h.spawn(child.map_err(drop));
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, inner).await;
        Ok::<_, ()>(())
    });
    let meanwhile = async {
        a_while(rt).await;
        open.send(()).unwrap();
    };
    let (result, group_polls) = polled(group, meanwhile).await;
    assert_eq!(result, Ok(()));
    at_most(HANDFUL, "group", group_polls);
    at_most(HANDFUL, "child", child_polls.load(Ordering::SeqCst));
}

/// A group whose body has ended is woken by the last of its children, and not by each of them.
pub async fn a_group_is_woken_by_its_last_child_alone<B: Backend>(rt: Rt<B>) {
    let (opens, gates): (Vec<_>, Vec<_>) = (0..30).map(|_| oneshot::channel::<()>()).unzip();
    let group = rt.task_group(async |g| {
        for gate in gates {
            g.spawn(gate.map_err(drop));
        }
        Ok(())
    });
    let meanwhile = async {
        for open in opens {
            open.send(()).unwrap();
            rt.yields(5).await;
        }
    };
    let (result, group_polls) = polled(group, meanwhile).await;
    assert_eq!(result, Ok(()));
    at_most(HANDFUL, "group", group_polls);
}

/// A deadline that is moved, in whichever direction, costs a poll at most; many moves in a row cost one together.
pub async fn a_moved_deadline_costs_one_poll_at_most<B: Backend>(rt: Rt<B>) {
    const MOVES: u32 = 30;
    for at_once in [1, 100] {
        let scope = rt.scope();
        let meanwhile = async {
            rt.yields(3).await;
            for n in 0..MOVES * at_once {
                scope.set_deadline((n % 3 != 0).then(|| rt.now() + rt.hour() / (1 + n % 7)));
                if n % at_once == 0 {
                    rt.yields(5).await;
                }
            }
            a_while(rt).await;
            scope.set_deadline(Some(rt.now()));
        };
        let limits = rt.move_on_after(rt.hour(), rt.move_on_after(2 * rt.hour(), pending::<()>()));
        let both = join(scope.run(limits), scope.cancelled());
        let ((result, ()), run_polls) = polled(both, meanwhile).await;
        assert!(result.is_err());
        at_most(MOVES as usize + HANDFUL, "run", run_polls);
    }
}

/// A moved deadline of a group's scope is the group's affair: its children are not polled for it.
pub async fn a_moved_deadline_of_a_group_polls_no_child<B: Backend>(rt: Rt<B>) {
    const MOVES: u32 = 30;
    let (child, child_polls) = polls(pending::<Result<(), ()>>());
    let scope = OnceLock::new();
    let group = rt.task_group(async |g| {
        g.spawn(child);
        scope.set(g.scope().clone()).unwrap();
        Ok(())
    });
    let mut group = Box::pin(group);
    assert!(poll!(&mut group).is_pending());
    let scope = scope.get().unwrap();
    let meanwhile = async {
        for n in 0..MOVES {
            scope.set_deadline((n % 3 != 0).then(|| rt.now() + rt.hour() / (1 + n % 7)));
            rt.yields(5).await;
        }
        a_while(rt).await;
        scope.set_deadline(Some(rt.now()));
    };
    let (result, group_polls) = polled(group, meanwhile).await;
    assert_eq!(result, Ok(()));
    at_most(MOVES as usize + HANDFUL, "group", group_polls);
    at_most(HANDFUL, "child", child_polls.load(Ordering::SeqCst));
}

/// A stop is told once to each who listens, and a stop that was asked for before is no news.
pub async fn a_stop_is_told_once<B: Backend>(rt: Rt<B>) {
    const STOPS: usize = 10;
    let scope = rt.scope();
    let (listener, listener_polls) = polls(stopping());
    let told = Arc::new(AtomicUsize::new(0));
    let count = told.clone();
    let (child, child_polls) = polls(async move {
        stopping().await;
        count.fetch_add(1, Ordering::SeqCst);
        pending::<Result<(), ()>>().await
    });
    let group = rt.task_group(async |g| {
        g.spawn(child);
        listener.await;
        pending::<Result<(), ()>>().await
    });
    let meanwhile = async {
        rt.yields(3).await;
        for _ in 0..STOPS {
            scope.stop(rt.hour());
            a_while(rt).await;
        }
        scope.cancel();
    };
    let (result, run_polls) = polled(scope.run(group), meanwhile).await;
    assert!(result.is_err());
    assert_eq!(told.load(Ordering::SeqCst), 1);
    at_most(STOPS + HANDFUL, "run", run_polls);
    at_most(HANDFUL, "listener", listener_polls.load(Ordering::SeqCst));
    at_most(HANDFUL, "child", child_polls.load(Ordering::SeqCst));
}

/// A time limit around what waits polls it when the limit passes, and a held one not again after that.
pub async fn a_limit_that_has_passed_is_looked_at_once<B: Backend>(rt: Rt<B>) {
    let (open, gate) = oneshot::channel::<()>();
    let limits: Vec<_> = (1..=3).map(|ticks| ticks * rt.tick()).collect();
    let log = Log::default();
    let held = shield(gate.map(|_| log.add("held")));
    let nested = limits.iter().fold(held.boxed(), |body, limit| {
        rt.move_on_after(*limit, body).map(drop).boxed()
    });
    let meanwhile = async {
        rt.sleep(4 * rt.tick()).await;
        a_while(rt).await;
        open.send(()).unwrap();
    };
    let ((), polls) = polled(nested, meanwhile).await;
    assert_eq!(log.marks(), ["held"]);
    at_most(2 * HANDFUL, "nest of limits", polls);
}
