//! Groups in one task under tokio's cooperative budget, which limits how much a task may do in one poll.
#![cfg(feature = "tokio")]

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyrt::{Tokio, checkpoint, local_group, scoped_group};
use futures::future::BoxFuture;
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::coop::{consume_budget, has_budget_remaining};

/// So many units may be used up by one poll; see the test below.
const BUDGET: usize = 128;

/// Counts how often children were polled, all of them together.
fn counted<F: Future>(
    polls: &AtomicUsize,
    child: F,
) -> impl Future<Output = F::Output> + use<'_, F> {
    let mut child = Box::pin(child);
    poll_fn(move |cx| {
        polls.fetch_add(1, Ordering::Relaxed);
        child.as_mut().poll(cx)
    })
}

/// A channel that holds `0..count`, and is closed after that.
fn full_channel(count: usize) -> mpsc::UnboundedReceiver<usize> {
    let (sender, receiver) = mpsc::unbounded_channel();
    (0..count).for_each(|n| sender.send(n).unwrap());
    receiver
}

async fn drain(mut channel: mpsc::UnboundedReceiver<usize>) -> Result<usize, ()> {
    let mut count = 0;
    while channel.recv().await.is_some() {
        count += 1;
    }
    Ok(count)
}

fn run<F: Future>(main: F) -> F::Output {
    anyrt::run_on(Tokio::current_thread(), main)
}

#[test]
fn the_budget_is_what_these_tests_assume() {
    let spent = run(async {
        checkpoint().await;
        let mut spent = 0;
        while has_budget_remaining() {
            consume_budget().await;
            spent += 1;
        }
        spent
    });
    assert_eq!(spent, BUDGET);
}

#[test]
fn a_thousand_children_that_use_the_budget_cost_a_thousand_polls_and_a_few() {
    for (children, items) in [(1000, 1), (1000, 10), (1000, 100), (4000, 10)] {
        let polls = AtomicUsize::new(0);
        let group = scoped_group(async |g| {
            let handles: Vec<_> = (0..children)
                .map(|_| g.spawn(counted(&polls, drain(full_channel(items)))))
                .collect();
            let mut sum = 0;
            for handle in handles {
                sum += handle.await;
            }
            Ok(sum)
        });
        assert_eq!(run(group), Ok(children * items));
        // One at which each child ends, and one for each time that the budget was used up under a child.
        let most = children + 2 * children * (items + 1) / BUDGET + 10;
        let polls = polls.into_inner();
        assert!(polls <= most, "{polls} polls of {children} children");
    }
}

#[test]
fn children_that_wait_for_each_other_stay_linear() {
    let polls = AtomicUsize::new(0);
    let (children, items) = (500, 20);
    let group = scoped_group(async |g| {
        for _ in 0..children {
            let (sender, mut receiver) = mpsc::channel(1);
            g.spawn(counted(&polls, async move {
                for n in 0..items {
                    sender.send(n).await.map_err(drop)?;
                }
                Ok::<_, ()>(())
            }));
            g.spawn(counted(&polls, async move {
                while receiver.recv().await.is_some() {}
                Ok(())
            }));
        }
        Ok(())
    });
    assert_eq!(run(group), Ok(()));
    let polls = polls.into_inner();
    assert!(polls <= 4 * children * items, "{polls} polls");
}

#[test]
fn a_child_that_uses_up_the_budget_starves_neither_siblings_nor_body() {
    let is_over = AtomicBool::new(false);
    let group = scoped_group(async |g| {
        g.spawn(async {
            while !is_over.load(Ordering::Relaxed) {
                consume_budget().await;
            }
            Ok::<_, ()>(0)
        });
        let with_tokio = g.spawn(drain(full_channel(1000)));
        let without = g.spawn(async {
            for _ in 0..10 {
                checkpoint().await;
            }
            Ok(0)
        });
        let own = drain(full_channel(1000)).await?;
        let others = with_tokio.await + without.await;
        is_over.store(true, Ordering::Relaxed);
        Ok(own + others)
    });
    assert_eq!(run(group), Ok(2000));
}

#[test]
fn a_body_that_uses_up_the_budget_starves_no_child() {
    for children in [1, 2, 3, 1000] {
        let group = scoped_group(async |g| {
            let handles: Vec<_> = (0..children)
                .map(|_| g.spawn(drain(full_channel(10))))
                .collect();
            let mut rounds = 0;
            while !handles.iter().all(|child| child.is_finished()) {
                consume_budget().await;
                rounds += 1;
                assert!(rounds < 1_000_000, "the children do not go on");
            }
            Ok::<_, ()>(())
        });
        assert_eq!(run(group), Ok(()));
    }
}

#[test]
fn groups_within_groups_go_on_when_the_budget_is_used_up() {
    fn nested(depth: usize, polls: &AtomicUsize) -> BoxFuture<'_, Result<usize, ()>> {
        let group = scoped_group(async move |g| {
            let mut handles: Vec<_> = (0..50)
                .map(|_| g.spawn(counted(polls, drain(full_channel(10)))))
                .collect();
            if depth > 0 {
                handles.push(g.spawn(nested(depth - 1, polls)));
            }
            let mut sum = 0;
            for handle in handles {
                sum += handle.await;
            }
            Ok(sum)
        });
        Box::pin(async { group.await.map_err(drop) })
    }
    let polls = AtomicUsize::new(0);
    assert_eq!(run(nested(9, &polls)), Ok(5000));
    let polls = polls.into_inner();
    assert!(polls <= 1000, "{polls} polls");
}

#[test]
fn a_local_group_stays_linear_too() {
    let polls = AtomicUsize::new(0);
    let total = std::cell::Cell::new(0);
    let group = local_group(async |g| {
        for _ in 0..1000 {
            let total = &total;
            g.spawn(counted(&polls, async move {
                let count = drain(full_channel(10)).await?;
                total.set(total.get() + count);
                Ok::<_, ()>(())
            }));
        }
        Ok(())
    });
    assert_eq!(run(group), Ok(()));
    assert_eq!(total.get(), 10_000);
    let polls = polls.into_inner();
    assert!(polls <= 1200, "{polls} polls");
}

/// tokio's lock is handed to the first in its queue, whether or not that is polled: the one of the "futurelock".
#[test]
fn who_gives_up_waiting_for_a_child_may_take_tokios_lock() {
    let lock = Mutex::new(Vec::new());
    let group = scoped_group(async |g| {
        g.spawn(async {
            let _locked = lock.lock().await;
            for _ in 0..10 {
                checkpoint().await;
            }
            Ok::<_, ()>(())
        });
        checkpoint().await;
        let mut queued = g.spawn(async {
            lock.lock().await.push("child");
            Ok(())
        });
        checkpoint().await;
        tokio::select! {
            biased;
            _ = &mut queued => unreachable!("somebody else has the lock"),
            _ = checkpoint() => {}
        }
        lock.lock().await.push("body");
        queued.await;
        Ok(())
    });
    assert_eq!(run(group), Ok(()));
    assert_eq!(lock.into_inner(), ["child", "body"]);
}

#[test]
fn children_and_body_may_share_tokios_semaphore() {
    let (semaphore, count) = (Semaphore::new(2), AtomicUsize::new(0));
    let group = scoped_group(async |g| {
        let work = || async {
            for _ in 0..10 {
                let _permit = semaphore.acquire().await;
                checkpoint().await;
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, ()>(())
        };
        for _ in 0..5 {
            g.spawn(work());
        }
        work().await
    });
    assert_eq!(run(group), Ok(()));
    assert_eq!(count.into_inner(), 60);
}
