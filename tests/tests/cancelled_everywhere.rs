//! What this crate is made of, cancelled everywhere and in many orders: nothing is left behind, and nothing hangs.
#![cfg(feature = "sim")]

use std::convert::Infallible;
use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use anyrt::sim::CancelEverywhere;
use anyrt::{
    CancelScope, GroupOptions, Limiter, Started, TaskGroup, as_completed, checkpoint, fail_after,
    finally, gather, move_on_after, on_exit, race, scoped_group, shield, sleep, stopping,
    task_group,
};

const SECOND: Duration = Duration::from_secs(1);

/// Cancels `program` everywhere, in many orders; whatever it counts has to be gone each time.
fn everywhere<F, Fut>(mut program: F)
where
    F: FnMut(Alive) -> Fut,
    Fut: Future<Output = ()>,
{
    for seed in 0..10 {
        let alive = Alive::default();
        let search = CancelEverywhere::new().seed(seed);
        let search = search.check(|| assert_eq!(alive.0.load(SeqCst), 0, "left alive"));
        let places = search.run(|| program(alive.clone()));
        assert!(places > 2, "{places}");
    }
}

/// Counts what is alive.
#[derive(Clone, Default)]
struct Alive(Arc<AtomicUsize>);

struct Life(Arc<AtomicUsize>);

impl Alive {
    fn born(&self) -> Life {
        self.0.fetch_add(1, SeqCst);
        Life(self.0.clone())
    }

    /// Lives for some turns, and some seconds.
    async fn live(&self, turns: u32) -> Result<u32, Infallible> {
        let _life = self.born();
        for _ in 0..turns {
            checkpoint().await;
        }
        sleep(SECOND * turns).await;
        Ok(turns)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[test]
fn groups_within_groups() {
    everywhere(|alive| async move {
        let group = task_group(async |g: TaskGroup<Infallible>| {
            for n in 1..3 {
                let alive = alive.clone();
                g.spawn(async move {
                    let inner = task_group(async |g| {
                        let (child, daemon) = (alive.clone(), alive.clone());
                        g.spawn_daemon(async move {
                            let _life = daemon.born();
                            pending().await
                        });
                        g.spawn(async move { child.live(n).await });
                        alive.live(1).await
                    });
                    inner.await.map_err(|error| error.first)
                });
            }
            Ok(())
        });
        group.await.unwrap();
    });
}

#[test]
fn children_that_are_started() {
    everywhere(|alive| async move {
        let group = task_group(async |g: TaskGroup<Infallible>| {
            let server = async |alive: Alive, started: Started<u32>| {
                let _life = alive.born();
                checkpoint().await;
                started.set(7);
                pending::<Result<(), Infallible>>().await
            };
            let (port, _task) = g
                .start(|started| server(alive.clone(), started))
                .await
                .unwrap();
            assert_eq!(port, 7);
            alive.live(2).await?;
            g.cancel();
            Ok(())
        });
        group.await.unwrap();
    });
}

#[test]
fn what_borrows() {
    everywhere(|alive| async move {
        let group = scoped_group(async |g| {
            let one = g.spawn(alive.live(1));
            let two = g.spawn(alive.live(2));
            Ok::<_, Infallible>(one.await + two.await)
        });
        assert_eq!(group.await.unwrap(), 3);
        assert_eq!(
            gather([alive.live(1), alive.live(2)]).await.unwrap(),
            [1, 2]
        );
        assert_eq!(race([alive.live(3), alive.live(1)]).await.unwrap(), 1);
        let all = as_completed([2, 1].map(|n| alive.live(n)), 2, async |mut done| {
            let mut sum = 0;
            while let Some(n) = done.next().await {
                sum += n;
            }
            Ok(sum)
        });
        assert_eq!(all.await.unwrap(), 3);
    });
}

#[test]
fn time_limits_shields_and_cleanups() {
    everywhere(|alive| async move {
        assert!(move_on_after(SECOND, alive.live(9)).await.is_none());
        assert!(fail_after(SECOND * 9, shield(alive.live(1))).await.is_ok());
        let cleaned = alive.clone();
        let scope = CancelScope::new();
        let body = scope.run(async {
            let exits = alive.clone();
            on_exit(async move {
                exits.live(1).await.ok();
            });
            finally(alive.live(1), || async {
                cleaned.live(1).await.ok();
            })
            .await
        });
        assert!(body.await.is_ok());
    });
}

#[test]
fn limits_and_graceful_stops() {
    everywhere(|alive| async move {
        let turns = Limiter::new(1);
        let options = GroupOptions::<Infallible>::new().limit(2);
        let group = options.run(async |g| {
            for n in 1..4 {
                let (alive, turns) = (alive.clone(), turns.clone());
                g.spawn(async move {
                    let _permit = turns.acquire().await;
                    alive.live(n).await
                });
            }
            Ok(())
        });
        group.await.unwrap();
        assert_eq!(turns.available(), 1);

        let scope = CancelScope::new();
        let stop = scope.clone();
        let body = scope.run(async {
            stop.stop(SECOND);
            stopping().await;
            alive.live(5).await
        });
        assert!(body.await.is_err());
    });
}
