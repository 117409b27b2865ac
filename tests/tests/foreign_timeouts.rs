//! A group that is dropped by a runtime's own timeout, which knows nothing of groups, is adopted.
#![cfg(all(feature = "tokio", feature = "async-std", feature = "smol"))]

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyrt::{shield, task_group};
use futures::channel::oneshot;

/// Real time, since these are the runtimes' own timers.
const SHORT: Duration = Duration::from_millis(5);

/// Runs a group inside an outer one until `timeout` drops it, and gives how many children have ended by the time the
/// outer group returns.
async fn ended_children<F>(
    timeout: impl FnOnce(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) -> F,
) -> usize
where
    F: Future<Output = ()>,
{
    let ended = Arc::new(AtomicUsize::new(0));
    let (open, gate) = oneshot::channel::<()>();
    let outer = task_group(async |_| {
        let counter = ended.clone();
        let inner = async move {
            let group = task_group(async |g| {
                g.spawn(async move {
                    // The timeout strikes in here, and cannot wait.
                    shield(gate).await.ok();
                    counter.fetch_add(1, Ordering::SeqCst);
                    pending::<Result<(), ()>>().await
                });
                pending::<Result<(), ()>>().await
            });
            drop(group.await);
        };
        timeout(Box::pin(inner)).await;
        assert_eq!(ended.load(Ordering::SeqCst), 0, "the timeout does not wait");
        open.send(()).ok();
        Ok::<_, ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    ended.load(Ordering::SeqCst)
}

#[anyrt::test(backends(tokio))]
async fn a_timeout_leaves_the_children_of_tokio_to_the_outer_group() {
    let ended = ended_children(|inner| async {
        assert!(tokio::time::timeout(SHORT, inner).await.is_err());
    });
    assert_eq!(ended.await, 1);
}

#[anyrt::test(backends(async_std))]
async fn a_timeout_leaves_the_children_of_async_std_to_the_outer_group() {
    let ended = ended_children(|inner| async {
        assert!(async_std::future::timeout(SHORT, inner).await.is_err());
    });
    assert_eq!(ended.await, 1);
}

#[anyrt::test(backends(smol))]
async fn a_race_against_a_timer_leaves_the_children_of_smol_to_the_outer_group() {
    let ended = ended_children(|inner| async {
        let timer = async {
            smol::Timer::after(SHORT).await;
        };
        smol::future::or(inner, timer).await;
    });
    assert_eq!(ended.await, 1);
}
