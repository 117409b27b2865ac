//! Cancelling everywhere.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::task::Poll;
use std::time::Duration;

use anyrt_core::{Backend, CancelScope, finally, shield, task_group};
use anyrt_sim::{CancelEverywhere, Sim, cancel_everywhere};

use crate::kit::{Drops, panic_of, sim, sleep, yield_now};

fn everywhere<F, Fut>(program: F) -> u64
where
    F: FnMut() -> Fut,
    Fut: Future<Output = ()>,
{
    cancel_everywhere::<Sim, _, _>(program)
}

/// Runs children that yield so often.
async fn children(yields: [usize; 2]) {
    let group = task_group::<Sim, _, (), _, _>(async |g| {
        for yields in yields {
            g.spawn(async move {
                for _ in 0..yields {
                    yield_now().await;
                }
                Ok(())
            });
        }
        Ok(())
    });
    group.await.unwrap();
}

#[test]
fn what_never_waits_is_cancelled_nowhere() {
    assert_eq!(everywhere(|| async {}), 0);
}

#[test]
fn every_pending_is_a_place() {
    let waits = |times| {
        move || async move {
            for _ in 0..times {
                yield_now().await;
            }
        }
    };
    for times in 1..5 {
        assert_eq!(everywhere(waits(times)), times);
    }
}

#[test]
fn those_of_children_count_as_well() {
    let few = everywhere(|| children([1, 1]));
    let many = everywhere(|| children([1, 6]));
    assert_eq!(many, few + 5);
}

#[test]
fn every_place_is_come_to_in_both_ways() {
    let ends = RefCell::new(Vec::new());
    let drops = Drops::default();
    everywhere(|| {
        let guard = drops.one();
        let ends = &ends;
        async move {
            for n in 0..3 {
                struct End<'a>(&'a RefCell<Vec<u32>>, u32);
                impl Drop for End<'_> {
                    fn drop(&mut self) {
                        self.0.borrow_mut().push(self.1);
                    }
                }
                let _end = End(ends, n);
                yield_now().await;
            }
            drop(guard);
        }
    });
    // Undisturbed it passes all three. A cancellation lets it go on to where it waits again; a drop does not.
    let mut ends = ends.into_inner();
    let undisturbed = ends.drain(..3).collect::<Vec<_>>();
    assert_eq!(undisturbed, [0, 1, 2]);
    assert_eq!(
        ends,
        [0, 1, 0, 0, 1, 2, 0, 1, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]
    );
    // Undisturbed; at each of three places in two ways; and undisturbed twice.
    assert_eq!(drops.count(), 1 + 3 * 2 + 2);
}

#[test]
fn what_holds_is_waited_for() {
    let places = everywhere(|| async {
        shield(sleep(Duration::from_secs(1))).await;
        children([2, 3]).await;
    });
    assert!(places > 4);
}

#[test]
fn a_task_that_is_left_behind_is_found() {
    let said = panic_of(|| {
        everywhere(|| async {
            drop(sim().spawn(pending::<()>()));
        })
    });
    assert!(said.contains("undisturbed"), "{said}");
    assert!(said.contains("tasks that are alive: 1"), "{said}");
}

#[test]
fn it_is_said_where_and_how() {
    let said = panic_of(|| {
        everywhere(|| async {
            yield_now().await;
            yield_now().await;
            let scope = CancelScope::<Sim>::new();
            let task = sim().spawn(scope.clone().run(pending::<()>()));
            yield_now().await;
            scope.cancel();
            task.await;
        })
    });
    let place = "cancelled by its scope at `Pending` number 2 (seed 0)";
    assert!(said.contains(place), "{said}");
}

#[test]
fn a_scope_that_is_left_behind_is_found() {
    let kept = RefCell::new(Vec::new());
    let said = panic_of(|| {
        everywhere(|| async {
            let scope = CancelScope::<Sim>::new();
            let mut inner = Box::pin(async move { scope.run(pending::<()>()).await.ok() });
            let once = poll_fn(|cx| Poll::Ready(inner.as_mut().poll(cx)));
            assert!(once.await.is_pending());
            kept.borrow_mut().push(inner);
        })
    });
    assert!(
        said.contains("left behind: scopes that wait: 1\n"),
        "{said}"
    );
}

#[test]
fn a_token_that_is_left_behind_is_found() {
    let kept = RefCell::new(Vec::new());
    let said = panic_of(|| {
        everywhere(|| async {
            let permit = anyrt_core::default_thread_limiter().acquire().await;
            kept.borrow_mut().push(permit);
        })
    });
    assert!(
        said.contains("tokens of the limiter for threads: 1"),
        "{said}"
    );
}

#[test]
fn a_hang_is_found() {
    let said = panic_of(|| {
        everywhere(|| async {
            let is_done = Cell::new(false);
            let body = async {
                yield_now().await;
                yield_now().await;
                is_done.set(true);
            };
            let cleanup = || async {
                if !is_done.get() {
                    pending::<()>().await;
                }
            };
            finally(body, cleanup).await;
        })
    });
    assert!(said.starts_with("deadlock"), "{said}");
}

#[test]
fn a_check_that_fails_is_a_failure() {
    let drops = Drops::default();
    let rounds = RefCell::new(0);
    let said = panic_of(|| {
        CancelEverywhere::<Sim>::new()
            .seed(7)
            .check(|| *rounds.borrow_mut() += 1)
            .check(|| assert!(drops.count() < 4, "the fourth"))
            .run(|| {
                let guard = drops.one();
                async move {
                    yield_now().await;
                    yield_now().await;
                    drop(guard);
                }
            })
    });
    assert_eq!((said.as_str(), *rounds.borrow()), ("the fourth", 4));
}

#[test]
fn a_program_that_does_not_end_is_given_up() {
    let said = panic_of(|| {
        CancelEverywhere::<Sim>::new().max_steps(100).run(|| async {
            loop {
                yield_now().await;
            }
        })
    });
    assert!(said.contains("`max_steps`"), "{said}");
}
