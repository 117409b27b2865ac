//! No busy spinning over a long time: ten virtual seconds in a shield, and who waits for it is polled a handful of times.
#![cfg(feature = "sim")]

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::time::Duration;

use anyrt::{CancelScope, finally, now, shield, sleep, task_group};

const SECOND: Duration = Duration::from_secs(1);

/// Cancels `body` after one second, asserts that it has taken ten all the same, and gives how often it was polled.
fn polls_in_ten_seconds(body: impl AsyncFnOnce()) -> u32 {
    anyrt::run_on(anyrt_tests::backend("sim"), async {
        let (start, mut polls) = (now(), 0);
        let scope = CancelScope::with_timeout(SECOND);
        let mut run = pin!(scope.run(body()));
        let counted = poll_fn(|cx| {
            polls += 1;
            run.as_mut().poll(cx)
        });
        assert!(counted.await.is_err());
        assert_eq!(now() - start, 10 * SECOND);
        polls
    })
}

#[test]
fn a_cancelled_group_whose_child_is_in_a_shield_is_polled_a_handful_of_times() {
    let polls = polls_in_ten_seconds(async || {
        let group = task_group(async |g| {
            g.spawn(async {
                shield(sleep(10 * SECOND)).await;
                Ok(())
            });
            g.spawn(pending::<Result<(), ()>>());
            pending::<Result<(), ()>>().await
        });
        drop(group.await);
    });
    assert!(polls <= 5, "{polls}");
}

#[test]
fn a_shielded_child_in_a_cancelled_group_is_polled_a_handful_of_times() {
    let (count, counted) = std::sync::mpsc::channel();
    polls_in_ten_seconds(async || {
        let group = task_group(async |g| {
            g.spawn(async move {
                let mut held = pin!(shield(sleep(10 * SECOND)));
                poll_fn(|cx| {
                    count.send(()).unwrap();
                    held.as_mut().poll(cx)
                })
                .await;
                Ok::<_, ()>(())
            });
            pending::<Result<(), _>>().await
        });
        drop(group.await);
    });
    let polls = counted.iter().count();
    assert!(polls <= 5, "{polls}");
}

#[test]
fn a_cancelled_scope_around_a_shield_is_polled_a_handful_of_times() {
    let polls = polls_in_ten_seconds(async || {
        shield(sleep(10 * SECOND)).await;
        pending::<()>().await;
    });
    assert!(polls <= 5, "{polls}");
}

#[test]
fn a_scope_that_is_cancelled_again_and_again_is_polled_a_handful_of_times() {
    let polls = polls_in_ten_seconds(async || {
        let inner = CancelScope::new();
        let body = task_group(async |g| {
            let inner = inner.clone();
            g.spawn(async move {
                for _ in 0..9 {
                    shield(sleep(SECOND)).await;
                    inner.cancel();
                }
                Ok::<_, ()>(())
            });
            shield(sleep(10 * SECOND)).await;
            Ok(())
        });
        drop(inner.run(body).await);
        pending::<()>().await;
    });
    assert!(polls <= 6, "{polls}");
}

#[test]
fn a_cleanup_of_ten_seconds_is_polled_a_handful_of_times() {
    let polls = polls_in_ten_seconds(async || {
        finally(pending::<()>(), async || sleep(9 * SECOND).await).await;
    });
    assert!(polls <= 5, "{polls}");
}
