//! A long life costs no memory: after all rounds as much is allocated as after a tenth of them.
//!
//! The allocations of the whole process are counted, since some backends run on several threads. So one case runs
//! at a time.

use std::alloc::System;
use std::future::pending;
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::time::Duration;

use anyrt::{
    CancelScope, Current, Limiter, Reason, TaskGroup, checkpoint, finally, from_thread,
    move_on_after, now, shield, sleep, stopping, task_group, to_thread,
};
use futures::FutureExt;
use futures::future::{join_all, join3};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const HOUR: Duration = Duration::from_secs(3600);

/// Makes a test of each case with some thousand rounds, and one with a million of those named again.
macro_rules! cases {
    ($($case:ident)*; by the million: $($long:ident)*) => {
        $(#[test]
        fn $case() {
            for backend in crate::on_one_thread() {
                crate::run(backend, async || crate::$case(10_000).await);
            }
            for backend in crate::on_several_threads() {
                crate::run(backend, async || crate::$case(3_000).await);
            }
        })*

        mod a_million {
            $(#[test]
            #[ignore = "slow: a million rounds"]
            fn $long() {
                for backend in crate::on_one_thread() {
                    crate::run(backend, async || crate::$long(1_000_000).await);
                }
            })*
        }
    };
}

mod memory_is_flat_over {
    cases! {
        moved_deadlines_of_a_scope
        moved_deadlines_of_a_group
        stops
        children
        daemons
        cancelled_children
        children_with_scopes
        dropped_groups
        runs_of_one_scope
        waits_that_are_given_up
        threads
        ;
        by the million:
        moved_deadlines_of_a_scope
        moved_deadlines_of_a_group
        stops
        children
    }
}

fn on_one_thread() -> Vec<Current> {
    vec![
        #[cfg(feature = "tokio")]
        anyrt_tests::current(anyrt::Tokio::current_thread()),
        #[cfg(feature = "sim")]
        anyrt_tests::backend("sim"),
    ]
}

fn on_several_threads() -> impl Iterator<Item = Current> {
    let names = anyrt::available().iter().filter(|name| **name != "sim");
    names.map(|name| anyrt_tests::backend(name))
}

fn run(backend: Current, case: impl AsyncFn()) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    anyrt::run_on(backend, case());
}

/// How many pieces and how many bytes are allocated, once other threads have thrown away what has ended.
async fn live() -> (usize, usize) {
    let mut before = (0, 0);
    for _ in 0..100 {
        let stats = ALLOCATOR.stats();
        // What is freed between the two readings is missing in the first.
        let live = (
            stats.allocations.saturating_sub(stats.deallocations),
            stats
                .bytes_allocated
                .saturating_sub(stats.bytes_deallocated),
        );
        if live == before {
            break;
        }
        before = live;
        sleep(Duration::from_millis(1)).await;
    }
    before
}

/// Does the rounds, and compares what is allocated after a tenth of them with what is allocated after all.
async fn flat(rounds: u32, mut round: impl AsyncFnMut(u32)) {
    let mut early = (0, 0);
    for n in 1..=rounds {
        round(n).await;
        if n == rounds / 10 {
            early = live().await;
        }
    }
    let late = live().await;
    // Far less than one piece or one word for every round.
    assert!(
        late.0 <= early.0 + 100 && late.1 <= early.1 + (64 << 10),
        "pieces and bytes grew from {early:?} to {late:?} over {rounds} rounds"
    );
}

/// Does the rounds in the body of one group.
async fn in_one_group(rounds: u32, mut round: impl AsyncFnMut(&TaskGroup<()>, u32)) {
    let group = task_group(async |g| {
        flat(rounds, async |n| round(&g, n).await).await;
        g.cancel();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Moves the deadline of the scope, earlier, later and away, while something waits in it.
async fn move_deadlines(scope: &CancelScope, rounds: u32) {
    let moves = async {
        flat(rounds, async |n| {
            scope.set_deadline((n % 3 != 0).then(|| now() + HOUR / (1 + n % 7)));
            if n % 10 == 0 {
                checkpoint().await;
            }
        })
        .await;
        scope.cancel();
    };
    let (run, (), ()) = join3(scope.run(pending::<()>()), scope.cancelled(), moves).await;
    assert_eq!(run.unwrap_err().reason(), &Reason::Explicit(None));
}

async fn moved_deadlines_of_a_scope(rounds: u32) {
    move_deadlines(&CancelScope::new(), rounds).await;
}

async fn moved_deadlines_of_a_group(rounds: u32) {
    let group = task_group(async |g| {
        g.spawn(pending::<Result<(), ()>>());
        move_deadlines(g.scope(), rounds).await;
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

async fn stops(rounds: u32) {
    let scope = CancelScope::new();
    let stops = async {
        flat(rounds, async |n| {
            scope.stop(HOUR + HOUR / (1 + n % 7));
            if n % 100 == 0 {
                checkpoint().await;
            }
        })
        .await;
        scope.cancel();
    };
    let told = scope.run(async {
        stopping().await;
        pending::<()>().await;
    });
    let (run, (), ()) = join3(told, scope.cancelled(), stops).await;
    assert_eq!(run.unwrap_err().reason(), &Reason::Explicit(None));
}

async fn children(rounds: u32) {
    in_one_group(rounds, async |g, n| {
        let child = g.spawn(async move {
            if n % 5 == 0 {
                checkpoint().await;
            }
            Ok(n)
        });
        match n % 3 {
            0 => drop(child),
            1 => drop(child.outcome().await),
            _ => assert_eq!(child.await, n),
        }
    })
    .await;
}

async fn daemons(rounds: u32) {
    in_one_group(rounds, async |g, n| {
        let child = g.spawn_daemon(async { Ok(()) });
        if n % 2 == 0 {
            child.await;
        }
    })
    .await;
}

async fn cancelled_children(rounds: u32) {
    in_one_group(rounds, async |g, n| {
        let child = g.spawn(async move {
            if n % 2 == 0 {
                pending::<()>().await;
            }
            Ok(())
        });
        if n % 3 == 0 {
            checkpoint().await;
        }
        if n % 5 == 0 {
            // Begun and given up: the child is cancelled all the same.
            child.cancel().now_or_never();
        } else {
            child.cancel().await;
        }
    })
    .await;
}

async fn children_with_scopes(rounds: u32) {
    in_one_group(rounds, async |g, n| {
        let child = g.spawn(async move {
            let body = async {
                checkpoint().await;
                shield(checkpoint()).await;
            };
            move_on_after(HOUR * (n % 2), body).await;
            Ok(())
        });
        child.await;
    })
    .await;
}

async fn dropped_groups(rounds: u32) {
    let alive = Arc::new(());
    in_one_group(rounds, async |_, n| {
        let inner = task_group(async |h| {
            let life = alive.clone();
            h.spawn(async move {
                pending::<()>().await;
                drop(life);
                Ok(())
            });
            if n % 2 == 0 {
                h.spawn_daemon(pending());
            }
            pending::<Result<(), ()>>().await
        });
        drop(inner.now_or_never());
        // The outer group would wait for them in the end; here they are not to pile up.
        while Arc::strong_count(&alive) > 10 {
            checkpoint().await;
        }
    })
    .await;
}

async fn runs_of_one_scope(rounds: u32) {
    let scope = CancelScope::new();
    flat(rounds, async |n| {
        assert_eq!(scope.run(async { n }).await, Ok(n));
        assert_eq!(scope.run(checkpoint()).await, Ok(()));
        drop(scope.run(pending::<()>()).now_or_never());
    })
    .await;
}

async fn waits_that_are_given_up(rounds: u32) {
    let (scope, limiter) = (CancelScope::new(), Limiter::new(0));
    let body = async {
        flat(rounds, async |_| {
            let _ = scope.cancelled().now_or_never();
            let _ = stopping().now_or_never();
            drop(limiter.acquire().now_or_never());
            let _ = shield(pending::<()>()).now_or_never();
            let _ = finally(pending::<()>(), async || {}).now_or_never();
            let _ = move_on_after(HOUR, pending::<()>()).now_or_never();
            checkpoint().await;
        })
        .await;
    };
    assert_eq!(CancelScope::with_timeout(HOUR).run(body).await, Ok(()));
}

async fn threads(rounds: u32) {
    // All threads that there may be at once are there before the counting begins.
    let all = Arc::new(Barrier::new(40));
    let calls = (0..40).map(|_| {
        let all = all.clone();
        to_thread(move || from_thread::wait_outside(|| all.wait().is_leader()))
    });
    join_all(calls).await;
    // Each call changes threads twice, which takes its time.
    in_one_group(rounds / 10, async |_, n| {
        assert_eq!(to_thread(move || n).await, n);
        if n % 10 == 0 {
            let _ = to_thread(|| ()).now_or_never();
            let _ = to_thread(|| ()).abandon_on_cancel().now_or_never();
        }
    })
    .await;
}
