//! Blocking calls take turns with the loop and with each other, so that a seed names the order of all that they do.

use std::collections::HashSet;
use std::future::pending;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyrt_core::from_thread::{FromThreadError, block_on, check_cancelled};
use anyrt_core::{
    Backend, Limiter, Portal, checkpoint, default_thread_limiter, now, portal, run, shield, sleep,
    task_group, to_thread,
};
use anyrt_sim::Sim;

use crate::kit::{HOUR, Log, panic_of, sim, yield_now};

/// What one call does: it computes, waits for all that there is, and says each time that it has come so far.
fn busy_call(
    n: u64,
    log: &Log<(u64, &'static str, Duration)>,
    portal: &Portal<Sim>,
    start: Instant,
) -> u64 {
    let mark = |what| log.push((n, what, clock().now() - start));
    mark("begins");
    block_on::<Sim, _>(checkpoint()).unwrap();
    mark("gave way");
    block_on::<Sim, _>(sleep::<Sim>(Duration::from_millis(n % 4))).unwrap();
    mark("slept");
    let called = portal.call(async move {
        checkpoint().await;
        n
    });
    mark("called");
    let task = portal.spawn(sleep::<Sim>(Duration::from_millis(n % 3)));
    check_cancelled::<Sim>().unwrap();
    mark("spawned");
    task.wait().unwrap();
    mark("waited");
    let inner = to_thread::<Sim, _, _>(move || {
        block_on::<Sim, _>(checkpoint()).unwrap();
        n
    });
    let inner = block_on::<Sim, _>(inner).unwrap();
    mark("ends");
    called.unwrap() + inner
}

/// The simulation, on the thread of a call.
fn clock() -> Sim {
    anyrt_core::backend::<Sim>()
}

/// What twenty calls and three tasks do with this seed, in order.
fn story(seed: u64) -> Vec<(u64, &'static str, Duration)> {
    let log = Log::new();
    let sum = run(&Sim::with_seed(seed), async {
        let (portal, start) = (portal::<Sim>(), now::<Sim>());
        default_thread_limiter().set_total(12);
        let group = task_group::<Sim, _, (), _, _>(async |g| {
            for n in 100..103 {
                let log = log.clone();
                g.spawn(async move {
                    for _ in 0..10 {
                        log.push((n, "task", now::<Sim>() - start));
                        checkpoint().await;
                    }
                    Ok(())
                });
            }
            let calls: Vec<_> = (0..20)
                .map(|n| {
                    let (log, portal) = (log.clone(), portal.clone());
                    let call = move || busy_call(n, &log, &portal, start);
                    g.spawn(async move { Ok(to_thread::<Sim, _, _>(call).await) })
                })
                .collect();
            let mut sum = 0;
            for call in calls {
                sum += call.await;
            }
            Ok(sum)
        });
        group.await
    });
    assert_eq!(sum, Ok(2 * 190));
    log.take()
}

fn hash(story: &[(u64, &'static str, Duration)]) -> u64 {
    let mut hasher = DefaultHasher::new();
    story.hash(&mut hasher);
    hasher.finish()
}

/// Plays the story twice with each seed.
fn replays(seeds: Range<u64>) {
    let mut stories = HashSet::new();
    for seed in seeds.clone() {
        let story = story(seed);
        assert_eq!(story.len(), 20 * 7 + 3 * 10);
        assert_eq!(story, self::story(seed), "seed {seed}");
        stories.insert(hash(&story));
    }
    assert_eq!(stories.len(), seeds.count());
}

#[test]
fn a_seed_names_the_order_of_what_threads_do() {
    replays(0..10);
}

#[test]
#[ignore = "slow"]
fn a_seed_names_the_order_of_what_threads_do_500_times() {
    replays(10..510);
}

#[test]
fn one_at_a_time_is_at_work() {
    /// Fails if two are in here at once.
    fn alone(inside: &AtomicUsize) {
        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
        (0..100).for_each(|_| std::hint::spin_loop());
        assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
    }
    for seed in 0..5 {
        Sim::with_seed(seed).run(async {
            let inside = Arc::new(AtomicUsize::new(0));
            let calls: Vec<_> = (0..10)
                .map(|_| {
                    let (live, inside) = (sim(), Arc::clone(&inside));
                    sim().spawn_blocking(move || {
                        for _ in 0..10 {
                            alone(&inside);
                            live.block_on(yield_now(), None);
                        }
                    })
                })
                .collect();
            for _ in 0..50 {
                alone(&inside);
                yield_now().await;
            }
            for call in calls {
                call.await.unwrap();
            }
        });
    }
}

#[test]
fn whoever_is_told_first_need_not_go_on_first() {
    let order = |seed| {
        let log = Log::new();
        Sim::with_seed(seed).run(async {
            let calls: Vec<_> = (0..5)
                .map(|n| {
                    let log = log.clone();
                    sim().spawn_blocking(move || log.push(n))
                })
                .collect();
            for call in calls {
                call.await.unwrap();
            }
        });
        log.take()
    };
    let orders: HashSet<Vec<u32>> = (0..200).map(order).collect();
    assert!(orders.len() > 60, "{}", orders.len());
}

#[test]
fn one_thread_runs_many_calls_one_after_the_other() {
    let threads = Sim::default().run(async {
        let mut threads = HashSet::new();
        for _ in 0..100 {
            threads.extend(sim().spawn_blocking(|| thread::current().id()).await);
            let panics = sim().spawn_blocking(|| panic!("it goes no further"));
            drop::<anyrt_core::AsyncTask<()>>(panics);
            yield_now().await;
        }
        threads
    });
    assert!(threads.len() <= 2, "{threads:?}");
}

#[test]
fn threads_that_wait_for_each_other_are_a_deadlock() {
    let waits_for = |n: usize| {
        run(&Sim::with_seed(3), async move {
            let group = task_group::<Sim, _, (), _, _>(async |g| {
                let calls = [Limiter::new(1), Limiter::new(1)];
                for n in [n, 1 - n] {
                    let (first, second) = (calls[n].clone(), calls[1 - n].clone());
                    g.spawn(async move {
                        to_thread::<Sim, _, _>(move || {
                            let _first = block_on::<Sim, _>(first.acquire()).unwrap();
                            block_on::<Sim, _>(sleep::<Sim>(HOUR)).unwrap();
                            let _second = block_on::<Sim, _>(second.acquire()).unwrap();
                        })
                        .await;
                        Ok(())
                    });
                }
                Ok(())
            });
            group.await.unwrap();
        });
    };
    let message = panic_of(|| waits_for(0));
    assert!(message.starts_with("deadlock: "), "{message}");
    for part in ["blocking calls that wait: 2", "since the start: 3600s"] {
        assert!(message.contains(part), "{message}");
    }
    // By portals, too: the task waits for the call, and that for the task.
    let message = panic_of(|| {
        run(&Sim::default(), async {
            let (portal, gate) = (portal::<Sim>(), Limiter::new(0));
            let open = gate.clone();
            to_thread::<Sim, _, _>(move || {
                portal.call(async move { drop(gate.acquire().await) }).ok();
                open.set_total(1);
            })
            .await;
        });
    });
    assert!(message.contains("blocking calls that wait: 1"), "{message}");
}

#[test]
fn a_run_may_end_while_threads_wait() {
    for seed in 0..20 {
        let (tell, told) = mpsc::channel();
        let left = run(&Sim::with_seed(seed), async {
            let begun = Arc::new(AtomicUsize::new(0));
            let group = task_group::<Sim, _, (), _, _>(async |g| {
                for n in 0..6 {
                    let (tell, begins) = (tell.clone(), Arc::clone(&begun));
                    let call = to_thread::<Sim, _, _>(move || {
                        begins.fetch_add(1, Ordering::SeqCst);
                        // Some wait when the run ends, others are about to go on.
                        let end = if n < 3 {
                            block_on::<Sim, _>(shield(pending()))
                        } else {
                            (0..)
                                .find_map(|_| block_on::<Sim, _>(checkpoint()).err())
                                .map_or(Ok(()), Err)
                        };
                        tell.send((n, end)).unwrap();
                    });
                    g.spawn(async {
                        call.abandon_on_cancel().await;
                        Ok(())
                    });
                }
                while begun.load(Ordering::SeqCst) < 6 {
                    checkpoint().await;
                }
                g.cancel();
                Ok("left")
            });
            group.await
        });
        assert_eq!(left, Ok("left"));
        drop(tell);
        let mut ends: Vec<_> = told.into_iter().collect();
        ends.sort_by_key(|end| end.0);
        assert!(ends.iter().map(|end| end.0).eq(0..6));
        for (n, end) in ends {
            match end {
                Err(FromThreadError::RunEnded) => {}
                Err(FromThreadError::Cancelled(_)) if n >= 3 => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn what_has_not_begun_at_the_end_never_does() {
    let ran = Arc::new(AtomicUsize::new(0));
    for seed in 0..50 {
        let ran = Arc::clone(&ran);
        Sim::with_seed(seed).run(async {
            drop(sim().spawn_blocking(move || ran.fetch_add(1, Ordering::SeqCst)));
            yield_now().await;
        });
    }
    // The seed decides which of the two comes first, and nobody else.
    let ran = ran.load(Ordering::SeqCst);
    assert!((5..45).contains(&ran), "{ran}");
}

#[test]
fn a_panic_in_a_call_takes_nobody_else_down() {
    for seed in 0..50 {
        let others = run(&Sim::with_seed(seed), async {
            let calls = (0..10).map(|n| {
                sim().spawn_blocking(move || {
                    if n % 2 == 0 {
                        Sim::wait_outside(|| assert_ne!(n, 4, "the fourth"));
                        return n;
                    }
                    panic!("number {n}")
                })
            });
            let calls: Vec<_> = calls.collect();
            let mut sum = 0;
            for (n, call) in calls.into_iter().enumerate() {
                if n % 2 == 0 && n != 4 {
                    sum += call.await.unwrap();
                }
            }
            sum
        });
        assert_eq!(others, 2 + 6 + 8);
    }
    // Where the thread waits on behalf of its caller, it goes through all of them.
    let message = panic_of(|| {
        run(&Sim::default(), async {
            to_thread::<Sim, _, _>(|| {
                let inner = to_thread::<Sim, (), _>(|| panic!("the innermost"));
                block_on::<Sim, _>(inner).unwrap();
            })
            .await;
        });
    });
    assert_eq!(message, "the innermost");
}

#[test]
fn a_call_that_keeps_its_turn_is_reported() {
    let (open, gate) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    let impatient = Sim::builder()
        .seed(7)
        .patience(Duration::from_millis(20))
        .build();
    let message = panic_of(|| {
        impatient.run(async {
            let live = sim();
            let waits = sim().spawn_blocking(move || {
                gate.recv().ok();
                // What comes after the end of the run is as always.
                live.block_on(yield_now(), None);
                Sim::wait_outside(|| ());
                tell.send("done").unwrap();
            });
            sleep::<Sim>(HOUR).await;
            waits.await;
        });
    });
    assert!(message.starts_with("stuck: "), "{message}");
    for part in ["for 20ms of real time", "wait_outside", "seed: 7"] {
        assert!(message.contains(part), "{message}");
    }
    drop(open);
    assert_eq!(told.recv(), Ok("done"));
}

#[test]
fn time_stands_still_for_a_call_that_waits_outside() {
    Sim::default().run(async {
        let start = sim().now();
        let (open, gate) = mpsc::channel();
        let call = sim().spawn_blocking(move || Sim::wait_outside(|| gate.recv()));
        let sleeper = sim().spawn(crate::kit::sleep(HOUR));
        // Others go on meanwhile.
        for _ in 0..100 {
            yield_now().await;
        }
        assert_eq!(sim().now(), start);
        open.send(7).unwrap();
        assert_eq!(call.await, Some(Ok(7)));
        assert_eq!(sim().now(), start);
        sleeper.await.unwrap();
        assert_eq!(sim().now(), start + HOUR);
    });
}

#[test]
fn free_threads_may_meet() {
    let meeting = Arc::new(Barrier::new(3));
    run(&Sim::builder().free_threads().build(), async {
        let start = now::<Sim>();
        let group = task_group::<Sim, _, (), _, _>(async |g| {
            for _ in 0..3 {
                let meeting = Arc::clone(&meeting);
                let call = to_thread::<Sim, _, _>(move || {
                    meeting.wait();
                    block_on::<Sim, _>(sleep::<Sim>(HOUR)).unwrap();
                    meeting.wait();
                });
                g.spawn(async {
                    call.await;
                    Ok(())
                });
            }
            Ok(())
        });
        group.await.unwrap();
        assert_eq!(now::<Sim>(), start + HOUR);
    });
}

#[test]
fn the_patience_of_a_call_is_virtual() {
    run(&Sim::default(), async {
        let (portal, start) = (portal::<Sim>(), now::<Sim>());
        let call = to_thread::<Sim, _, _>(move || {
            let task = portal.spawn(sleep::<Sim>(3 * HOUR));
            let task = task.wait_timeout(HOUR).unwrap_err();
            let early = clock().now() - start;
            task.wait_timeout(Duration::MAX).unwrap().unwrap();
            (early, clock().now() - start)
        });
        assert_eq!(call.await, (HOUR, 3 * HOUR));
    });
}

#[test]
fn a_call_hears_at_its_next_check_that_it_is_cancelled() {
    run(&Sim::default(), async {
        let group = task_group::<Sim, _, (), _, _>(async |g| {
            let call = to_thread::<Sim, _, _>(|| while check_cancelled::<Sim>().is_ok() {});
            g.spawn(async {
                call.await;
                Ok(())
            });
            for _ in 0..10 {
                checkpoint().await;
            }
            g.cancel();
            Ok(())
        });
        group.await.unwrap();
    });
}
