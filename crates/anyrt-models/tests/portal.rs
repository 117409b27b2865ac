//! Threads that come through a portal while its group ends: each is let in and served, or told that it is too late.

use std::future::pending;

use anyrt_models::explore::{Alive, explore};
use anyrt_models::{OneThreadEach, Portal, PortalClosed, Reason, Started, portal, run, task_group};
use shuttle::thread;

/// A group that ends while a thread uses its portal. Gives what the thread gives.
fn while_the_group_ends<T: Send + 'static>(
    alive: &Alive,
    visitor: impl FnOnce(Portal<OneThreadEach>) -> T + Send + 'static,
) -> T {
    let group = task_group::<OneThreadEach, _, (), _, _>(async |g| {
        let portal = g.portal();
        Ok(thread::spawn(move || visitor(portal)))
    });
    run(&OneThreadEach, async {
        let visitor = group.await.unwrap();
        assert_eq!(
            alive.count(),
            0,
            "something of the group is left after its end"
        );
        visitor.join().unwrap()
    })
}

#[test]
fn a_call_is_served_or_refused() {
    let ends = explore(|| {
        let alive = Alive::default();
        let there = alive.clone();
        let called = while_the_group_ends(&alive, move |portal| {
            portal.call(async move {
                let _life = there.born();
                7
            })
        });
        match called {
            Ok(7) => "served",
            Err(PortalClosed::Closed) => "refused",
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(ends, ["refused", "served"].into());
}

#[test]
fn a_call_that_waits_is_cut() {
    explore(|| {
        let alive = Alive::default();
        let there = alive.clone();
        let called = while_the_group_ends(&alive, move |portal| {
            portal.call(async move {
                let _life = there.born();
                pending::<()>().await
            })
        });
        assert_eq!(called, Err(PortalClosed::Closed));
    });
}

#[test]
fn what_nobody_waits_for_ends_with_the_group() {
    let ends = explore(|| {
        let alive = Alive::default();
        let there = alive.clone();
        while_the_group_ends(&alive, move |portal| {
            drop(portal.spawn(async move {
                let _life = there.born();
                pending::<()>().await
            }));
            portal.is_closed()
        })
    });
    assert_eq!(ends, [false, true].into());
}

#[test]
fn two_threads_at_once_are_no_different() {
    let ends = explore(|| {
        let alive = Alive::default();
        let there = alive.clone();
        let both = while_the_group_ends(&alive, move |portal| {
            let (other, life) = (portal.clone(), there.clone());
            let other = thread::spawn(move || other.call(async move { drop(life.born()) }));
            let one = portal.call(async move { drop(there.born()) });
            [one, other.join().unwrap()]
        });
        both.map(|called| match called {
            Ok(()) => true,
            Err(PortalClosed::Closed) => false,
            other => panic!("{other:?}"),
        })
    });
    let all = [[false, false], [false, true], [true, false], [true, true]];
    assert_eq!(ends, all.into());
}

#[test]
fn a_start_is_done_or_refused_and_what_it_has_started_ends() {
    let ends = explore(|| {
        let alive = Alive::default();
        let there = alive.clone();
        let started = while_the_group_ends(&alive, move |portal| {
            let start = portal.start(async move |started: Started<i32>| {
                let _life = there.born();
                started.set(7);
                pending::<()>().await
            });
            start.map(|(ready, _task)| ready)
        });
        match started {
            Ok(7) => "done",
            Err(PortalClosed::Closed) => "refused",
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(ends, ["done", "refused"].into());
}

#[test]
fn a_call_into_a_group_that_is_cancelled_is_done_or_cut() {
    let ends = explore(|| {
        let alive = Alive::default();
        let there = alive.clone();
        let group = task_group::<OneThreadEach, _, (), _, _>(async |g| {
            let portal = g.portal();
            let caller = thread::spawn(move || {
                portal.call(async move {
                    let _life = there.born();
                    anyrt_models::checkpoint().await;
                })
            });
            g.cancel();
            Ok(caller)
        });
        run(&OneThreadEach, async {
            let caller = group.await.unwrap();
            assert_eq!(alive.count(), 0);
            match caller.join().unwrap() {
                Ok(()) => "done",
                Err(PortalClosed::Cancelled(Reason::Explicit(None))) => "cut",
                Err(PortalClosed::Closed) => "refused",
                other => panic!("{other:?}"),
            }
        })
    });
    assert_eq!(ends, ["cut", "done", "refused"].into());
}

#[test]
fn a_run_ends_while_a_thread_calls() {
    let ends = explore(|| {
        let alive = Alive::default();
        let there = alive.clone();
        let caller = run(&OneThreadEach, async {
            let portal = portal::<OneThreadEach>();
            thread::spawn(move || {
                portal.call(async move {
                    let _life = there.born();
                    anyrt_models::checkpoint().await;
                })
            })
        });
        assert_eq!(alive.count(), 0);
        match caller.join().unwrap() {
            Ok(()) => "done",
            Err(PortalClosed::RunEnded) => "told",
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(ends, ["done", "told"].into());
}
