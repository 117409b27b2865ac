//! What a child costs in allocations, counted on one thread.
#![cfg(feature = "tokio")]

use allocation_counter::measure;
use anyrt::Tokio;

const CHILDREN: u64 = 1_000;

/// The allocations of `body` inside a current-thread runtime.
fn allocations<F: Future>(body: F) -> u64 {
    // The runtime itself, its timer wheel and the like are there before and after.
    let mut counted = 0;
    anyrt::run_on(Tokio::current_thread(), async {
        let mut body = std::pin::pin!(body);
        std::future::poll_fn(|cx| {
            let mut polled = std::task::Poll::Pending;
            counted += measure(|| polled = body.as_mut().poll(cx).map(drop)).count_total;
            polled
        })
        .await;
    });
    counted
}

async fn natively(yields: usize) {
    let tasks: Vec<_> = (0..CHILDREN)
        .map(|n| {
            tokio::spawn(async move {
                for _ in 0..yields {
                    tokio::task::yield_now().await;
                }
                n
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn in_a_group(yields: usize) {
    let group = anyrt::task_group(async |g| {
        let tasks: Vec<_> = (0..CHILDREN)
            .map(|n| {
                g.spawn(async move {
                    for _ in 0..yields {
                        tokio::task::yield_now().await;
                    }
                    Ok::<_, ()>(n)
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        Ok(())
    });
    group.await.unwrap();
}

#[test]
fn a_child_costs_no_allocation_beyond_the_runtimes_own() {
    for yields in [0, 1] {
        let native = allocations(natively(yields));
        let ours = allocations(in_a_group(yields));
        assert!(native >= CHILDREN, "{native}");
        // What the group itself needs does not grow with the children, but for its list of those that wait.
        assert!(
            ours <= native + 40,
            "{ours} for {CHILDREN} children, {native} natively"
        );
    }
}

#[test]
fn a_child_that_inherits_costs_no_allocation_more() {
    anyrt::task_local! {
        static REQUEST_ID: u64;
        static TENANT: &'static str;
    }
    let plain = allocations(in_a_group(1));
    let set = REQUEST_ID.scope(7, TENANT.scope("acme", in_a_group(1)));
    let inherited = allocations(set);
    // Each value that is set is put into its place once, whoever inherits it.
    assert!(inherited <= plain + 10, "{inherited}, {plain} without");
}

#[test]
fn a_limit_around_a_ready_body_arms_no_timer() {
    let hour = std::time::Duration::from_secs(3600);
    let limited = allocations(async { anyrt::fail_after(hour, async {}).await });
    assert!(limited <= 2, "{limited}");
}
